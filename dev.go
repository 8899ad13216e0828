package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"holdfast/build/assets"
	"holdfast/server/hub"
	"holdfast/sync/fault"
	"holdfast/sync/lockfile"
	"holdfast/sync/natsd"
)

type devCmd struct {
	Data          string        `default:"./data" env:"HOLDFAST_DATA" type:"path" help:"Folder that holds everything. Delete it to start over."`
	Port          int           `default:"8080" env:"HOLDFAST_PORT" help:"Port of the first region; the next ones take the ports after it."`
	Regions       []string      `default:"local" env:"HOLDFAST_REGIONS" help:"Regions to run, such as eu,us."`
	LinkDelay     time.Duration `default:"0" env:"HOLDFAST_LINK_DELAY" help:"Delay in each direction of the links between regions, such as 40ms."`
	WebhooksLocal bool          `default:"true" negatable:"" env:"HOLDFAST_WEBHOOKS_LOCAL" help:"Let webhooks go to this machine, also without TLS."`

	mailFlags   `embed:""`
	stripeFlags `embed:""`
	viesFlags   `embed:""`
}

// devStack is everything of `holdfast dev` in one process, with real leaf links that can be cut.
type devStack struct {
	cmd   devCmd
	log   *slog.Logger
	nodes []node
	links map[string]*natsd.Link
	urls  []string
}

// Run starts the hub and the regions, says where to go, and waits for the end.
func (c devCmd) Run(ctx context.Context, log *slog.Logger) error {
	if err := assets.Built(); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	s := &devStack{cmd: c, log: log, links: map[string]*natsd.Link{}}
	if err := s.open(ctx); err != nil {
		_ = closeAll(log, s.nodes) // the reason to stop is the one to tell
		return err
	}
	s.greet()
	<-ctx.Done()
	return closeAll(log, s.nodes)
}

func (c devCmd) check() error {
	seen := map[string]bool{"hub": true} // its folder lies beside theirs
	for _, r := range c.Regions {
		if err := checkRegion(r); err != nil {
			return err
		}
		if seen[r] {
			return fault.Errorf("dev", fault.Invalid, "The region %q is named twice, or is a name that Holdfast uses itself.", r)
		}
		seen[r] = true
	}
	return nil
}

// checkRegion accepts what is safe in a subject, a file name and a stream's domain.
func checkRegion(name string) error {
	ok := name != "" && len(name) <= regionBytesMax && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
	if !ok {
		return fault.Errorf("region", fault.Invalid, "%q cannot be a region's name: use up to %d small letters, digits and hyphens.", name, regionBytesMax)
	}
	return nil
}

const regionBytesMax = 32

func (s *devStack) open(ctx context.Context) error {
	lock, err := lockfile.Take(s.cmd.Data)
	if err != nil {
		return err
	}
	s.nodes = append(s.nodes, closer(lock.Release))
	for i := range s.cmd.Regions {
		s.urls = append(s.urls, "http://localhost:"+strconv.Itoa(s.cmd.Port+i))
	}
	mails, err := s.cmd.mailFlags.config()
	if err != nil {
		return err
	}
	processor, err := s.cmd.processor()
	if err != nil {
		return err
	}
	secret := rand.Text() // of the links; it lives as long as this process
	h := hub.New(hub.Config{
		DataDir: filepath.Join(s.cmd.Data, "hub"), LeafListen: "127.0.0.1:0", LeafSecret: secret,
		RPID: "localhost", Origins: s.urls, Mail: mails, Stripe: processor, Register: s.cmd.register(), LocalWebhooks: s.cmd.WebhooksLocal, Log: s.log.With("node", "hub"),
	})
	if err := h.Open(ctx); err != nil {
		return err
	}
	s.nodes = append(s.nodes, h)
	for i, region := range s.cmd.Regions {
		if err := s.openRegion(ctx, region, i, h.LeafAddr(), secret); err != nil {
			return err
		}
	}
	return s.openControl()
}

// openRegion starts a region behind a link of its own.
func (s *devStack) openRegion(ctx context.Context, region string, i int, hubAddr, secret string) error {
	l := natsd.NewLink(hubAddr)
	if err := l.Open(ctx); err != nil {
		return err
	}
	l.SetDelay(s.cmd.LinkDelay)
	s.links[region] = l
	s.nodes = append(s.nodes, closer(func() error { l.Close(); return nil }))
	e := edgeCmd{
		Data: filepath.Join(s.cmd.Data, region), Region: region, Listen: "localhost:" + strconv.Itoa(s.cmd.Port+i), URL: s.urls[i],
		Hub: "nats-leaf://" + l.Addr(),
	}
	opened, err := e.open(ctx, secret, s.log.With("node", region))
	s.nodes = append(s.nodes, opened...)
	return err
}

// greet is the one line that says where to go.
func (s *devStack) greet() {
	if len(s.urls) == 1 {
		fmt.Printf("Holdfast is ready: open %s\n", s.urls[0])
		return
	}
	var parts []string
	for i, region := range s.cmd.Regions {
		parts = append(parts, region+" "+s.urls[i])
	}
	fmt.Printf("Holdfast is ready: open %s\n", strings.Join(parts, " or "))
}

// closer makes a node of what only knows how to end.
type closer func() error

// Close ends it.
func (c closer) Close(context.Context) error { return c() }
