// Package natsd runs a node's NATS server inside the process, the same way in a region and in the hub.
//
// Every server has the account CORE, with JetStream in a domain of its own, and is joined to the others by leaf links of
// that account. A region's server also has the account WEB, without JetStream, for browsers over a WebSocket on
// loopback; nothing crosses between the accounts but what the process itself carries over.
//
// The process connects through memory (Core, Web). Nobody else can: there is no client port, a WebSocket connection only
// ever gets what Config.Authenticate grants, and a leaf link needs the secret.
package natsd

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"holdfast/sync/fault"
	"holdfast/sync/wire"
)

// Config is what a server needs.
type Config struct {
	Name          string // of the node; unique among all
	Domain        string // JetStream domain: the region's name or wire.HubDomain
	StoreDir      string // folder of JetStream's files
	StoreBytesMax int64  // 0: storeBytesDefault
	SyncAlways    bool   // every stored message waits for the disk

	LeafListen string      // host:port on which leaf links are accepted; port 0 takes a free one; empty: none
	LeafTLS    *tls.Config // for LeafListen: the hub's certificate; nil: links are not encrypted
	HubURL     string      // tls://host:port of the hub, or nats-leaf://host:port without encryption; empty: no link
	HubTLS     *tls.Config // for HubURL: whom to trust; nil: the system's authorities
	LeafSecret string      // both ends of a leaf link must have the same

	WebSocketListen string // host:port for browsers, behind the gateway; empty: no account WEB
	// Authenticate decides about a browser's connection; it may be asked again about one that stands. It must not block
	// for long.
	Authenticate func(Client) (Grant, error)
	// Gone is told when a granted connection has ended. It must not block.
	Gone func(clientID uint64)
	Log  *slog.Logger
}

// Client is a browser that wants to connect; nothing of it is proven.
type Client struct {
	ID    uint64 // unique while the server runs
	Token string // the session cookie
	Name  string // wire.ConnName
	Addr  string // host:port that the connection comes from
}

// Grant is what a connection may do.
type Grant struct {
	Publish   []string
	Subscribe []string
	Expires   time.Time // the connection ends then
}

// Server is a node's NATS server.
type Server struct {
	cfg    Config
	secret string // of the process's own connections
	srv    *server.Server
	sys    *nats.Conn
	own    *nats.Conn  // in CORE, for the link's beats
	beats  atomic.Bool // the hub sends them
	stop   context.CancelFunc
	done   sync.WaitGroup

	restart   sync.Mutex
	restarted time.Time

	mu      sync.Mutex
	watches []func(up bool)
	linked  bool
}

// New makes a server that is not started yet.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.StoreBytesMax == 0 {
		cfg.StoreBytesMax = storeBytesDefault
	}
	return &Server{cfg: cfg, secret: rand.Text()}
}

// Open starts the server and returns when it serves.
func (s *Server) Open(ctx context.Context) error {
	const op = "natsd.Open"
	o, err := s.options()
	if err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	if s.srv, err = server.NewServer(o); err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	s.srv.SetLoggerV2(newLogger(s.cfg.Log), false, false, false)
	s.srv.Start()
	if !s.srv.ReadyForConnections(readyMax) {
		s.srv.Shutdown()
		return fault.Errorf(op, fault.Unavailable, "the message server did not start; its port may be in use")
	}
	if err := s.start(ctx); err != nil {
		s.Close()
		return fault.E(op, fault.Other, err)
	}
	return nil
}

func (s *Server) start(ctx context.Context) error {
	ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	if s.cfg.Gone != nil {
		if err := s.followGone(); err != nil {
			return err
		}
	}
	if s.cfg.HubURL == "" && s.cfg.LeafListen == "" {
		return nil
	}
	var err error
	if s.own, err = s.Core(); err != nil {
		return err
	}
	if s.cfg.LeafListen != "" {
		s.done.Go(func() { s.beat(ctx) })
	}
	if s.cfg.HubURL == "" {
		return nil
	}
	if _, err := s.own.Subscribe(subjectBeat, func(*nats.Msg) { s.beats.Store(true) }); err != nil {
		return err
	}
	s.done.Go(func() { s.watchLink(ctx) })
	return nil
}

// Close stops the server; connections to it end.
func (s *Server) Close() {
	if s.stop != nil {
		s.stop()
	}
	for _, nc := range []*nats.Conn{s.sys, s.own} {
		if nc != nil {
			nc.Close()
		}
	}
	if s.srv != nil {
		s.srv.Shutdown()
		s.srv.WaitForShutdown()
	}
	s.done.Wait()
}

func (s *Server) options() (*server.Options, error) {
	o := &server.Options{
		ServerName: s.cfg.Name, DontListen: true, NoSigs: true, DisableJetStreamBanner: true,
		JetStream: true, JetStreamDomain: s.cfg.Domain, StoreDir: s.cfg.StoreDir, JetStreamMaxStore: s.cfg.StoreBytesMax,
		SyncAlways: s.cfg.SyncAlways,
		MaxPayload: wire.PayloadMax, MaxPending: pendingBytesMax,
		PingInterval: pingEvery, MaxPingsOut: pingsMissedMax, AuthTimeout: authMax.Seconds(),
		CustomClientAuthentication: s,
	}
	// The server's Go options cannot say that an account has JetStream; its configuration language can, and what is said
	// there also holds after a reload.
	accounts := "accounts { " + wire.AccountCore + " { jetstream: enabled }"
	if s.cfg.WebSocketListen != "" {
		accounts += ", " + wire.AccountWeb + " {}"
	}
	if err := o.ProcessConfigString(accounts + " }"); err != nil {
		return nil, err
	}
	o.LeafNode.Compression.Mode = server.CompressionS2Auto
	o.LeafNode.NoAdvertise = true // a remote that learnt other ways to the hub would go around the one it was given
	o.LeafNode.ReconnectInterval = leafReconnect
	if s.cfg.LeafListen != "" {
		var err error
		if o.LeafNode.Host, o.LeafNode.Port, err = splitHostPort(s.cfg.LeafListen); err != nil {
			return nil, err
		}
		o.LeafNode.Account = wire.AccountCore
		if s.cfg.LeafTLS != nil {
			o.LeafNode.TLSConfig, o.LeafNode.TLSTimeout = s.cfg.LeafTLS.Clone(), authMax.Seconds()
		}
		o.LeafNode.Username, o.LeafNode.Password = "leaf", s.cfg.LeafSecret
	}
	if s.cfg.HubURL != "" {
		u, err := url.Parse(s.cfg.HubURL)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("the hub's address is not a URL such as nats-leaf://host:7422: %q", s.cfg.HubURL)
		}
		u.User = url.UserPassword("leaf", s.cfg.LeafSecret)
		remote := &server.RemoteLeafOpts{LocalAccount: wire.AccountCore, URLs: []*url.URL{u}, IgnoreDiscoveredServers: true, DialTimeout: leafDialMax}
		if u.Scheme == "tls" {
			remote.TLS, remote.TLSConfig, remote.TLSTimeout = true, &tls.Config{MinVersion: tls.VersionTLS13}, authMax.Seconds()
			if s.cfg.HubTLS != nil {
				remote.TLSConfig = s.cfg.HubTLS.Clone()
			}
			remote.TLSConfig.ServerName = u.Hostname()
		}
		remote.Compression.Mode = server.CompressionS2Auto
		o.LeafNode.Remotes = []*server.RemoteLeafOpts{remote}
	}
	if s.cfg.WebSocketListen != "" {
		var err error
		if o.Websocket.Host, o.Websocket.Port, err = splitHostPort(s.cfg.WebSocketListen); err != nil {
			return nil, err
		}
		o.Websocket.NoTLS, o.Websocket.TokenCookie = true, "holdfast_session"
	}
	return o, nil
}

func splitHostPort(addr string) (string, int, error) {
	host, p, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	port, err := strconv.Atoi(p)
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, err
}

// Check implements the server's authentication of clients: the process's own, and browsers.
func (s *Server) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	if account, secret, ok := strings.Cut(o.Token, "/"); ok && subtle.ConstantTimeCompare([]byte(secret), []byte(s.secret)) == 1 {
		return s.admit(c, &server.User{}, account)
	}
	if s.cfg.Authenticate == nil {
		return false
	}
	g, err := s.cfg.Authenticate(Client{ID: c.GetID(), Token: o.Token, Name: o.Name, Addr: c.RemoteAddress().String()})
	if err != nil {
		level := slog.LevelInfo // a session that is over is an everyday thing
		if fault.KindOf(err) == fault.Denied {
			level = slog.LevelWarn
		}
		s.cfg.Log.Log(context.Background(), level, "connection refused", "client", c.GetID(), "err", err)
		return false
	}
	return s.admit(c, &server.User{ConnectionDeadline: g.Expires,
		Permissions: &server.Permissions{
			Publish:   &server.SubjectPermission{Allow: g.Publish},
			Subscribe: &server.SubjectPermission{Allow: g.Subscribe},
		}}, wire.AccountWeb)
}

func (s *Server) admit(c server.ClientAuthentication, u *server.User, account string) bool {
	// Looked up each time: a reload may put another value in an account's place.
	acc, err := s.srv.LookupAccount(account)
	if err != nil {
		s.cfg.Log.Error("no such account", "account", account, "err", err)
		return false
	}
	u.Account = acc
	c.RegisterUser(u)
	return true
}

// Core connects the process to the account CORE.
func (s *Server) Core(o ...nats.Option) (*nats.Conn, error) { return s.connect(wire.AccountCore, o) }

// Web connects the process to the account WEB, without restriction.
func (s *Server) Web(o ...nats.Option) (*nats.Conn, error) { return s.connect(wire.AccountWeb, o) }

func (s *Server) connect(account string, o []nats.Option) (*nats.Conn, error) {
	// By token and never by user name: a reload closes connections whose user name stands in no list of users.
	o = append([]nats.Option{nats.InProcessServer(s.srv), nats.Token(account + "/" + s.secret), nats.Name(s.cfg.Name),
		nats.MaxReconnects(-1), nats.ReconnectWait(linkPoll), nats.ErrorHandler(s.connErr)}, o...)
	nc, err := nats.Connect("", o...)
	return nc, fault.As("natsd.connect", fault.Unavailable, err)
}

// connErr is told what goes wrong on the process's own connections beside calls. A reader that is full drops heartbeats first,
// and one that lacks a message notices by itself.
func (s *Server) connErr(_ *nats.Conn, sub *nats.Subscription, err error) {
	subject, dropped := "", 0
	if sub != nil {
		subject = sub.Subject
		dropped, _ = sub.Dropped() // 0 of one that has ended
	}
	s.cfg.Log.Info("message server, own connection", "node", s.cfg.Name, "subject", subject, "dropped", dropped, "err", err)
}

// LeafAddr is where leaf links are accepted, with the port that was taken.
func (s *Server) LeafAddr() string {
	if s.cfg.LeafListen == "" {
		return ""
	}
	v, err := s.srv.Varz(nil)
	if err != nil {
		return ""
	}
	return net.JoinHostPort(v.LeafNode.Host, strconv.Itoa(v.LeafNode.Port))
}

// WebSocketAddr is where browsers' connections are accepted, with the port that was taken.
func (s *Server) WebSocketAddr() string {
	u, err := url.Parse(s.srv.WebsocketURL())
	if err != nil || s.cfg.WebSocketListen == "" {
		return ""
	}
	return u.Host
}

// Kick ends a client's connection.
func (s *Server) Kick(clientID uint64) { _ = s.srv.DisconnectClientByID(clientID) } // one that is gone already is as good

// followGone hears from the server's own account which clients have left.
func (s *Server) followGone() (err error) {
	if s.sys, err = s.connect(server.DEFAULT_SYSTEM_ACCOUNT, nil); err != nil {
		return err
	}
	sub, err := s.sys.Subscribe("$SYS.ACCOUNT."+wire.AccountWeb+".DISCONNECT", func(m *nats.Msg) {
		var e server.DisconnectEventMsg
		if err := json.Unmarshal(m.Data, &e); err != nil {
			s.cfg.Log.Error("unreadable event of the message server", "err", err)
			return
		}
		s.cfg.Gone(e.Client.ID)
	})
	if err != nil {
		return err
	}
	if err := sub.SetPendingLimits(kickEventsMax, -1); err != nil {
		return err
	}
	return s.sys.Flush()
}
