package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"

	"holdfast/build/assets"
	"holdfast/edge/gateway"
	edge "holdfast/edge/node"
	"holdfast/server/hub"
	"holdfast/sync/fault"
)

type edgeCmd struct {
	Data       string         `default:"./data" env:"HOLDFAST_DATA" type:"path" help:"Folder that holds the region's data."`
	Region     string         `required:"" env:"HOLDFAST_REGION" help:"The region's name, such as eu."`
	Listen     string         `default:":8080" env:"HOLDFAST_LISTEN" help:"Address on which browsers are served."`
	URL        string         `required:"" env:"HOLDFAST_URL" help:"Origin that browsers open, such as https://eu.example.com."`
	Hub        string         `required:"" env:"HOLDFAST_HUB" help:"The hub's link, such as nats-leaf://hub.example.com:7422."`
	SecretFile string         `required:"" env:"HOLDFAST_SECRET_FILE" type:"path" help:"File with the secret that the hub and its edges share."`
	TLSCert    string         `env:"HOLDFAST_TLS_CERT" type:"path" help:"Certificate file, when no proxy in front ends TLS."`
	TLSKey     string         `env:"HOLDFAST_TLS_KEY" type:"path" help:"Key file of the certificate."`
	Proxies    []netip.Prefix `env:"HOLDFAST_TRUSTED_PROXIES" help:"Networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8."`
}

// Run serves one region until the end.
func (c edgeCmd) Run(ctx context.Context, log *slog.Logger) error {
	if err := assets.Built(); err != nil {
		return err
	}
	if err := checkRegion(c.Region); err != nil {
		return err
	}
	secret, err := readSecret(c.SecretFile)
	if err != nil {
		return err
	}
	nodes, err := c.open(ctx, secret, log)
	if err != nil {
		_ = closeAll(log, nodes) // the reason to stop is the one to tell
		return err
	}
	fmt.Printf("Holdfast's region %s is ready: open %s\n", c.Region, c.URL)
	<-ctx.Done()
	return closeAll(log, nodes)
}

// open starts the node and, in front of it, the gateway. What was opened is returned also when the rest failed.
func (c edgeCmd) open(ctx context.Context, secret string, log *slog.Logger) (opened []node, err error) {
	n := edge.New(edge.Config{Region: c.Region, DataDir: c.Data, HubURL: c.Hub, LeafSecret: secret, PublicURL: c.URL, Log: log})
	if err := n.Open(ctx); err != nil {
		return nil, err
	}
	g := gateway.New(gateway.Config{
		Listen: c.Listen, URL: c.URL, Region: c.Region, Node: n, NATSAddr: n.WebSocketAddr(),
		TrustedProxies: c.Proxies, TLSCert: c.TLSCert, TLSKey: c.TLSKey, Log: log,
	})
	if err := g.Open(ctx); err != nil {
		return []node{closer(n.Close)}, err
	}
	return []node{closer(n.Close), g}, nil
}

type hubCmd struct {
	Data       string   `default:"./data" env:"HOLDFAST_DATA" type:"path" help:"Folder that holds the hub's data."`
	LeafListen string   `default:":7422" env:"HOLDFAST_LEAF_LISTEN" help:"Address on which edges link in."`
	SecretFile string   `required:"" env:"HOLDFAST_SECRET_FILE" type:"path" help:"File with the secret that the hub and its edges share."`
	Domain     string   `required:"" env:"HOLDFAST_DOMAIN" help:"Domain that passkeys belong to, such as example.com. It must not change later."`
	Origins    []string `required:"" env:"HOLDFAST_ORIGINS" help:"Origins of all regions, such as https://eu.example.com,https://us.example.com."`
}

// Run serves the hub until the end.
func (c hubCmd) Run(ctx context.Context, log *slog.Logger) error {
	secret, err := readSecret(c.SecretFile)
	if err != nil {
		return err
	}
	h := hub.New(hub.Config{DataDir: c.Data, LeafListen: c.LeafListen, LeafSecret: secret, RPID: c.Domain, Origins: c.Origins, Log: log})
	if err := h.Open(ctx); err != nil {
		return err
	}
	fmt.Printf("Holdfast's hub is ready: edges link to nats-leaf://%s\n", h.LeafAddr())
	<-ctx.Done()
	return closeAll(log, []node{h})
}

const secretBytesMin = 24

func readSecret(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fault.Errorf("secret", fault.NotFound, "The secret file %s cannot be read. Make one with: openssl rand -base64 32", path)
	}
	s := strings.TrimSpace(string(b))
	if len(s) < secretBytesMin {
		return "", fault.Errorf("secret", fault.Invalid, "The secret in %s is too short: %d characters at least. Make one with: openssl rand -base64 32", path, secretBytesMin)
	}
	return s, nil
}
