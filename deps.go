//go:build deps

package main

import (
	_ "github.com/alecthomas/kong"
	_ "github.com/andybalholm/brotli"
	_ "github.com/chromedp/chromedp"
	_ "github.com/coder/websocket"
	_ "github.com/danielgtaylor/huma/v2"
	_ "github.com/evanw/esbuild/pkg/api"
	_ "github.com/go-webauthn/webauthn/webauthn"
	_ "github.com/govalues/decimal"
	_ "github.com/johnfercher/maroto/v2"
	_ "github.com/klauspost/compress/zstd"
	_ "github.com/maxence-charriere/go-app/v10/pkg/app"
	_ "github.com/nats-io/nats-server/v2/server"
	_ "github.com/nats-io/nats.go"
	_ "github.com/nats-io/nats.go/jetstream"
	_ "github.com/stripe/stripe-go/v85"
	_ "gopkg.in/yaml.v3"
	_ "modernc.org/sqlite"
	_ "pgregory.net/rapid"
)
