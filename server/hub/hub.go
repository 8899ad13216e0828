// Package hub is the central node: it wires identity, tenancy, the directory and metering to the message server that
// regions link to.
//
// Data folder: hub.db (people and workspaces), usage.db (totals), billing.db (accounts, invoices, the ledger), js (the directory bucket),
// hub.sock (commands, while the hub runs). Whoever can read it can sign sessions, so it is readable for its owner only.
//
// When the hub is away nobody can sign up, sign in, invite or be removed; everything else goes on in the regions.
package hub

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"database/sql"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"holdfast/server/api"
	"holdfast/server/apikey"
	"holdfast/server/biller"
	"holdfast/server/console"
	"holdfast/server/control"
	"holdfast/server/directory"
	"holdfast/server/hubdb"
	"holdfast/server/identity"
	"holdfast/server/mail"
	"holdfast/server/metering"
	"holdfast/server/operator"
	"holdfast/server/outbox"
	"holdfast/server/payment/stripe"
	"holdfast/server/rule"
	"holdfast/server/tenancy"
	"holdfast/sync/fault"
	"holdfast/sync/lockfile"
	"holdfast/sync/natsd"
	"holdfast/sync/relay"
	"holdfast/sync/wire"
)

// Config is what a Hub needs.
type Config struct {
	DataDir       string
	LeafListen    string      // host:port for the regions' links; port 0 takes a free one
	LeafSecret    string      // regions must have the same
	LeafTLS       *tls.Config // certificate of the links; nil: they are not encrypted
	RPID          string      // the domain of passkeys, such as example.com, or localhost
	RPName        string      // shown by authenticators; empty: Holdfast
	Origins       []string    // every origin under which people open Holdfast
	Rates         identity.Rates
	Mail          mail.Config       // how mails leave; without an address they are kept
	Stripe        *stripe.Processor // nil: the built-in test bank
	Register      biller.Register   // of VAT numbers; nil: they are not checked
	LocalWebhooks bool              // webhooks may go to this machine: for trying out
	Now           func() time.Time  // nil: time.Now
	Log           *slog.Logger
}

// Hub is the central node.
type Hub struct {
	cfg     Config
	lock    *lockfile.Lock
	db      *sql.DB
	nats    *natsd.Server
	nc      *nats.Conn
	dir     *directory.Publisher
	people  *identity.Service
	tenants *tenancy.Service
	meter   *metering.Service
	biller  *biller.Service
	outbox  *outbox.Service
	rules   *rule.Service
	runners *operator.Service
	control *control.Server
	http    *relay.Server
	regions *regions
}

// New makes a hub that is not open yet.
func New(cfg Config) *Hub {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.RPName == "" {
		cfg.RPName = "Holdfast"
	}
	return &Hub{cfg: cfg}
}

// Open starts everything. On error nothing is left running.
func (h *Hub) Open(ctx context.Context) error {
	if err := h.open(ctx); err != nil {
		if e := h.Close(ctx); e != nil {
			h.cfg.Log.Warn("stopping after a failed start", "err", e)
		}
		return fault.Wrap("hub.Open", err)
	}
	return nil
}

func (h *Hub) open(ctx context.Context) (err error) {
	if h.lock, err = lockfile.Take(h.cfg.DataDir); err != nil {
		return err
	}
	if h.db, err = hubdb.Open(ctx, h.cfg.DataDir); err != nil {
		return err
	}
	if err = free(h.cfg.LeafListen); err != nil {
		return err
	}
	h.nats = natsd.New(natsd.Config{Name: "hub", Domain: wire.HubDomain, StoreDir: filepath.Join(h.cfg.DataDir, "js"),
		LeafListen: h.cfg.LeafListen, LeafTLS: h.cfg.LeafTLS, LeafSecret: h.cfg.LeafSecret, Log: h.cfg.Log})
	if err = h.nats.Open(ctx); err != nil {
		h.nats = nil
		return err
	}
	if h.nc, err = h.nats.Core(); err != nil {
		return err
	}
	js, err := jetstream.New(h.nc)
	if err != nil {
		return fault.E("hub.open", fault.Other, err)
	}
	h.dir = directory.New(directory.Config{DB: h.db, JS: js, Now: h.cfg.Now, Log: h.cfg.Log})
	h.tenants = tenancy.New(tenancy.Config{DB: h.db, Now: h.cfg.Now, Rand: rand.Reader, Log: h.cfg.Log})
	h.runners = operator.New(operator.Config{DB: h.db, Now: h.cfg.Now, Rand: rand.Reader, Log: h.cfg.Log})
	h.people = identity.New(identity.Config{DB: h.db, RPID: h.cfg.RPID, RPName: h.cfg.RPName, Origins: h.cfg.Origins, Rates: h.cfg.Rates,
		Now: h.cfg.Now, Rand: rand.Reader, Log: h.cfg.Log, Changed: h.dir.Wake,
		Renamed: func(ctx context.Context, tx *sql.Tx, p identity.Person) error {
			return h.tenants.Renamed(ctx, tx, p.ID)
		}})
	if err = h.people.Open(ctx); err != nil { // before the directory, which then begins with the first signing key
		return err
	}
	if err = h.dir.Open(ctx); err != nil {
		return err
	}
	return h.serve(ctx)
}

// free finds a port in use at once and by name; the message server would notice after ten seconds.
func free(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return &fault.Error{Op: "hub.free", Kind: fault.Unavailable, Err: err,
			Detail: "The hub cannot listen for regions on " + addr + ". Stop what uses that port, or choose another one."}
	}
	return l.Close()
}

// serve starts what answers regions.
func (h *Hub) serve(ctx context.Context) (err error) {
	meter := metering.New(metering.Config{Dir: h.cfg.DataDir, NC: h.nc, Now: h.cfg.Now, Log: h.cfg.Log})
	if err = meter.Open(ctx); err != nil {
		return err
	}
	h.meter = meter
	h.regions = &regions{db: h.db, dir: h.dir, meter: h.meter, now: h.cfg.Now, log: h.cfg.Log}
	if err = h.regions.open(ctx, h.nc); err != nil {
		return err
	}
	counted := used{h.meter, h.tenants, h.cfg.Now}
	bill := biller.New(biller.Config{Dir: h.cfg.DataDir, URL: h.cfg.Origins[0], Stripe: h.cfg.Stripe, Register: h.cfg.Register, Tenancy: h.tenants, Usage: counted, Changed: h.dir.Wake, Now: h.cfg.Now, Log: h.cfg.Log})
	if err = bill.Open(ctx); err != nil {
		return err
	}
	h.biller = bill
	if err = h.openOutbox(ctx); err != nil {
		return err
	}
	h.rules = rule.New(rule.Config{DB: h.db, Now: h.cfg.Now, Rand: rand.Reader})
	if err = h.rules.Open(ctx); err != nil {
		return err
	}
	keys := apikey.New(apikey.Config{DB: h.db, Role: h.tenants.Role, Now: h.cfg.Now, Rand: rand.Reader})
	handler := api.New(api.Config{Identity: h.people, Tenancy: h.tenants, Usage: counted, Billing: h.biller, Keys: keys, Outbox: h.outbox, Rules: h.rules, Operators: h.runners, Meters: h.meter, Flush: h.dir.Flush,
		Origins: h.cfg.Origins, Now: h.cfg.Now, Log: h.cfg.Log})
	pages := console.New(console.Config{Identity: h.people, Operators: h.runners, Billing: h.biller, Meters: h.meter, Mails: h.outbox, Origins: h.cfg.Origins, Now: h.cfg.Now, Log: h.cfg.Log})
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.Handle("/operator", pages)
	mux.Handle("/operator/", pages)
	h.http = relay.NewServer(mux, h.cfg.Log)
	if err = h.http.Open(ctx, h.nc, wire.HubHTTP, "hub"); err != nil {
		return err
	}
	socket := control.NewServer(h.cfg.DataDir, control.New(control.Config{Operators: h.runners, Billing: h.biller, Outbox: h.outbox, Origin: h.cfg.Origins[0], Log: h.cfg.Log}), h.cfg.Log)
	if err = socket.Open(); err != nil {
		return err
	}
	h.control = socket
	return fault.As("hub.serve", fault.Unavailable, h.nc.Flush()) // the subscriptions stand before Open returns
}

// Close stops everything, finishing requests under way until ctx ends.
func (h *Hub) Close(ctx context.Context) (err error) {
	if h.control != nil {
		h.control.Close(ctx)
	}
	if h.http != nil {
		h.http.Close(ctx)
	}
	if h.regions != nil {
		h.regions.close()
	}
	if h.rules != nil {
		if e := h.rules.Close(ctx); err == nil {
			err = e
		}
	}
	if h.people != nil {
		h.people.Close()
	}
	if h.outbox != nil {
		h.outbox.Close()
	}
	if h.biller != nil {
		if e := h.biller.Close(); err == nil {
			err = e
		}
	}
	if h.meter != nil {
		if e := h.meter.Close(); err == nil {
			err = e
		}
	}
	if h.dir != nil {
		h.dir.Close()
	}
	if h.nc != nil {
		h.nc.Close()
	}
	if h.nats != nil {
		h.nats.Close()
	}
	if h.db != nil {
		if e := h.db.Close(); err == nil {
			err = e
		}
	}
	if h.lock != nil {
		if e := h.lock.Release(); err == nil {
			err = e
		}
	}
	*h = Hub{cfg: h.cfg}
	return err
}

// LeafAddr is where regions link to, after Open: host:port.
func (h *Hub) LeafAddr() string { return h.nats.LeafAddr() }

// Tenancy is for the hub's further parts.
func (h *Hub) Tenancy() *tenancy.Service { return h.tenants }

// Metering is for the hub's further parts.
func (h *Hub) Metering() *metering.Service { return h.meter }
