//go:build !js

package nats

import (
	"os"
	"testing"

	full "github.com/nats-io/nats.go"

	"holdfast/build/browser"
)

func TestMain(m *testing.M) { os.Exit(browser.Main(m)) }

// TestInChromium runs the tests for js/wasm against a real server.
func TestInChromium(t *testing.T) {
	s := serve(t, nil)
	echo(t, s)
	nc := peer(t, s)
	if _, err := nc.Subscribe("close", func(*full.Msg) {
		clients, err := s.Connz(nil)
		if err != nil {
			return
		}
		for _, c := range clients.Conns {
			if c.Name == "browser" {
				s.DisconnectClientByID(c.Cid)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	browser.RunWasmTests(t, browser.WasmTests{Package: "holdfast/sync/nats", Args: []string{"-nats=" + s.WebsocketURL()},
		Allow: []string{"WebSocket connection to"}})
}
