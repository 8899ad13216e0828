package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"strings"

	"holdfast/build/assets"
	"holdfast/edge/gateway"
	"holdfast/edge/metrics"
	edge "holdfast/edge/node"
	"holdfast/server/hub"
	"holdfast/sync/fault"
)

type edgeCmd struct {
	Data       string         `default:"./data" env:"HOLDFAST_DATA" type:"path" help:"Folder that holds the region's data."`
	Region     string         `required:"" env:"HOLDFAST_REGION" help:"The region's name, such as eu."`
	Listen     string         `default:":8080" env:"HOLDFAST_LISTEN" help:"Address on which browsers are served."`
	URL        string         `required:"" env:"HOLDFAST_URL" help:"Origin that browsers open, such as https://eu.example.com."`
	Hub        string         `required:"" env:"HOLDFAST_HUB" help:"The hub's link, such as tls://hub.example.com:7422. On this machine or a private network, nats-leaf:// goes without encryption."`
	HubCA      string         `env:"HOLDFAST_HUB_CA" type:"path" help:"File with the authority of the hub's certificate, when it is not one that the system trusts."`
	SecretFile string         `required:"" env:"HOLDFAST_SECRET_FILE" type:"path" help:"File with the secret that the hub and its edges share."`
	TLSCert    string         `env:"HOLDFAST_TLS_CERT" type:"path" help:"Certificate file, when no proxy in front ends TLS."`
	TLSKey     string         `env:"HOLDFAST_TLS_KEY" type:"path" help:"Key file of the certificate."`
	Proxies    []netip.Prefix `env:"HOLDFAST_TRUSTED_PROXIES" help:"Networks of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8."`
	Metrics    string         `name:"metrics-listen" default:"127.0.0.1:9464" env:"HOLDFAST_METRICS_LISTEN" help:"Address on which a monitoring system reads /metrics, such as 127.0.0.1:9464. Anybody who reaches it can read it. Empty: nowhere."`

	trust *tls.Config
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
	if c.trust, err = readTrust(c.HubCA); err != nil {
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
	n := edge.New(edge.Config{Region: c.Region, DataDir: c.Data, HubURL: c.Hub, HubTLS: c.trust, LeafSecret: secret, PublicURL: c.URL, Log: log})
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
	if c.Metrics == "" {
		return []node{closer(n.Close), g}, nil
	}
	m := metrics.New(metrics.Config{Listen: c.Metrics, Node: n, Log: log})
	if err := m.Open(ctx); err != nil {
		return []node{closer(n.Close), g}, err
	}
	return []node{closer(n.Close), g, m}, nil
}

type hubCmd struct {
	Data       string   `default:"./data" env:"HOLDFAST_DATA" type:"path" help:"Folder that holds the hub's data."`
	LeafListen string   `default:":7422" env:"HOLDFAST_LEAF_LISTEN" help:"Address on which edges link in."`
	LeafCert   string   `env:"HOLDFAST_LEAF_CERT" type:"path" help:"Certificate file of the links. Without one they are not encrypted: only for one machine or a private network."`
	LeafKey    string   `env:"HOLDFAST_LEAF_KEY" type:"path" help:"Key file of the certificate."`
	SecretFile string   `required:"" env:"HOLDFAST_SECRET_FILE" type:"path" help:"File with the secret that the hub and its edges share."`
	Domain     string   `required:"" env:"HOLDFAST_DOMAIN" help:"Domain that passkeys belong to, such as example.com. It must not change later."`
	Origins    []string `required:"" env:"HOLDFAST_ORIGINS" help:"Origins of all regions, such as https://eu.example.com,https://us.example.com."`

	mailFlags   `embed:""`
	stripeFlags `embed:""`
	viesFlags   `embed:""`
}

// Run serves the hub until the end.
func (c hubCmd) Run(ctx context.Context, log *slog.Logger) error {
	secret, err := readSecret(c.SecretFile)
	if err != nil {
		return err
	}
	mails, err := c.mailFlags.config()
	if err != nil {
		return err
	}
	processor, err := c.processor()
	if err != nil {
		return err
	}
	scheme, links := "nats-leaf", (*tls.Config)(nil)
	if c.LeafCert != "" {
		cert, err := tls.LoadX509KeyPair(c.LeafCert, c.LeafKey)
		if err != nil {
			return fault.Errorf("hub", fault.Invalid, "The certificate %s and the key %s cannot be used: %v.", c.LeafCert, c.LeafKey, err)
		}
		scheme, links = "tls", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}
	}
	h := hub.New(hub.Config{DataDir: c.Data, LeafListen: c.LeafListen, LeafTLS: links, LeafSecret: secret, RPID: c.Domain, Origins: c.Origins, Mail: mails, Stripe: processor, Register: c.register(), Log: log})
	if err := h.Open(ctx); err != nil {
		return err
	}
	fmt.Printf("Holdfast's hub is ready: edges link to %s://%s\n", scheme, h.LeafAddr())
	<-ctx.Done()
	return closeAll(log, []node{h})
}

// readTrust reads the authority that signed the hub's certificate; no path: the system's own.
func readTrust(path string) (*tls.Config, error) {
	if path == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	b, err := os.ReadFile(path)
	if err != nil || !pool.AppendCertsFromPEM(b) {
		return nil, fault.Errorf("trust", fault.Invalid, "%s is not a file with a PEM certificate.", path)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}, nil
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
