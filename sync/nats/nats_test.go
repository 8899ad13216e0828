//go:build !js

package nats

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/nats-io/nats-server/v2/server"
	full "github.com/nats-io/nats.go"
)

const inbox = "_INBOX.me"

// serve starts a real server. Its users: "ana" may do what a browser may, "" may do all.
func serve(t *testing.T, change func(*server.Options)) *server.Server {
	t.Helper()
	o := &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, MaxPayload: 1 << 20,
		Websocket: server.WebsocketOpts{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoTLS: true},
	}
	if change != nil {
		change(o)
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	return s
}

func dial(t *testing.T, s *server.Server) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func connect(t *testing.T, s *server.Server, cfg Config) *Conn {
	t.Helper()
	if cfg.Inbox == "" {
		cfg.Inbox = inbox
	}
	c, err := Connect(t.Context(), dial(t, s), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// peer is the full client, on the other side.
func peer(t *testing.T, s *server.Server, opts ...full.Option) *full.Conn {
	t.Helper()
	nc, err := full.Connect(s.ClientURL(), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func echo(t *testing.T, s *server.Server) {
	t.Helper()
	nc := peer(t, s)
	if _, err := nc.Subscribe("echo", func(m *full.Msg) { m.Respond(m.Data) }); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestRequests(t *testing.T) {
	s := serve(t, nil)
	echo(t, s)
	c := connect(t, s, Config{})
	for _, body := range [][]byte{nil, []byte("x"), []byte("a\r\nMSG b 1 1\r\n"), bytes.Repeat([]byte{0, 255}, 512<<10)} {
		got, err := c.Request(t.Context(), "echo", body)
		if err != nil || !bytes.Equal(got, body) {
			t.Errorf("%d bytes came back as %d, %v", len(body), len(got), err)
		}
	}
	if _, err := c.Request(t.Context(), "echo", make([]byte, 1<<20+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if _, err := c.Request(t.Context(), "nobody", nil); !errors.Is(err, ErrNoResponders) {
		t.Errorf("nobody there: %v", err)
	}
	for _, subject := range []string{"", "a b", "a\r\nPUB b 0\r\n"} {
		if _, err := c.Request(t.Context(), subject, nil); err == nil {
			t.Errorf("the subject %q was taken", subject)
		}
	}
	answers := make(chan error)
	for i := range 100 {
		go func() {
			want := fmt.Sprint("request ", i)
			got, err := c.Request(t.Context(), "echo", []byte(want))
			if err == nil && string(got) != want {
				err = fmt.Errorf("%q came back as %q", want, got)
			}
			answers <- err
		}()
	}
	for range 100 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
}

func TestRequestGivesUpWithItsContext(t *testing.T) {
	s := serve(t, nil)
	nc := peer(t, s)
	held := make(chan *full.Msg, 1)
	if _, err := nc.Subscribe("slow", func(m *full.Msg) { held <- m }); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	c := connect(t, s, Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Request(ctx, "slow", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if err := (<-held).Respond([]byte("late")); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Errorf("after a late answer: %v", err)
	}
}

func TestSubscriptionsKeepTheOrder(t *testing.T) {
	s := serve(t, nil)
	nc := peer(t, s)
	c := connect(t, s, Config{})
	sub, err := c.Subscribe("feed.*.>", 20_000)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 20_000 {
		m := full.NewMsg("feed.t.x")
		m.Data = []byte(fmt.Sprint(i))
		if i%2 == 0 {
			m.Header.Set("Kind", "with a header") // HMSG
		}
		if err := nc.PublishMsg(m); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20_000 {
		if m := <-sub.C; string(m.Data) != fmt.Sprint(i) || m.Subject != "feed.t.x" {
			t.Fatalf("message %d is %q on %s", i, m.Data, m.Subject)
		}
	}
	if err := c.Publish("feed.t.own", []byte("mine")); err != nil {
		t.Fatal(err)
	}
	if m := <-sub.C; string(m.Data) != "mine" {
		t.Errorf("got %q", m.Data)
	}
}

func TestAFullSubscriptionDropsAndCounts(t *testing.T) {
	s := serve(t, nil)
	c := connect(t, s, Config{})
	sub, err := c.Subscribe("x", 3)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := c.Publish("x", nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := sub.Dropped(); got != 7 {
		t.Errorf("%d dropped, want 7", got)
	}
	if got := sub.Dropped(); got != 0 {
		t.Errorf("%d dropped since, want 0", got)
	}
}

func withUser(o *server.Options) {
	o.CustomClientAuthentication = tokens{}
	o.Websocket.TokenCookie = "session"
}

// tokens lets in who has the cookie "good", with a browser's permissions.
type tokens struct{}

func (tokens) Check(c server.ClientAuthentication) bool {
	token := c.GetOpts().Token
	if token != "good" && token != "short" {
		return false
	}
	u := &server.User{Username: "ana", Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: []string{"rpc.mine.*"}},
		Subscribe: &server.SubjectPermission{Allow: []string{"feed.mine.*", inbox + ".*"}},
	}}
	if token == "short" {
		u.ConnectionDeadline = time.Now().Add(300 * time.Millisecond)
	}
	c.RegisterUser(u)
	return true
}

// overWebSocket dials as the worker does: the cookie is the browser's, and goes with the request.
func overWebSocket(t *testing.T, s *server.Server, cookie string) io.ReadWriteCloser {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), s.WebsocketURL(), &websocket.DialOptions{
		HTTPHeader: map[string][]string{"Cookie": {"session=" + cookie}},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(-1)
	return websocket.NetConn(context.Background(), c, websocket.MessageBinary)
}

func TestPermissions(t *testing.T) {
	s := serve(t, withUser)
	if _, err := Connect(t.Context(), overWebSocket(t, s, "bad"), Config{Inbox: inbox}); !errors.Is(err, ErrAuthorization) {
		t.Errorf("with a bad cookie: %v", err)
	}
	refused := make(chan error, 9)
	c, err := Connect(t.Context(), overWebSocket(t, s, "good"), Config{Inbox: inbox, Refused: func(err error) { refused <- err }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Publish("rpc.other.push", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Subscribe("feed.other.all", 1); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"rpc.other.push", "feed.other.all"} {
		if err := <-refused; !errors.Is(err, ErrPermission) || !strings.Contains(err.Error(), want) {
			t.Errorf("refused with %v, want %s", err, want)
		}
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Errorf("a refusal ended the connection: %v", err)
	}
}

func TestTheEndOfASession(t *testing.T) {
	s := serve(t, withUser)
	ended := make(chan error, 1)
	c, err := Connect(t.Context(), overWebSocket(t, s, "short"), Config{Inbox: inbox, Closed: func(err error) { ended <- err }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := <-ended; !errors.Is(err, ErrAuthExpired) {
		t.Errorf("ended with %v, want ErrAuthExpired", err)
	}
}

func TestTheEndOfTheServer(t *testing.T) {
	s := serve(t, nil)
	ended := make(chan error, 1)
	c := connect(t, s, Config{Closed: func(err error) { ended <- err }})
	sub, err := c.Subscribe("x", 1)
	if err != nil {
		t.Fatal(err)
	}
	s.Shutdown()
	why := <-ended
	if why == nil || errors.Is(why, ErrClosed) {
		t.Errorf("ended with %v", why)
	}
	if _, open := <-sub.C; open {
		t.Error("the subscription is still open")
	}
	for what, err := range map[string]error{
		"Flush": c.Flush(t.Context()), "Publish": c.Publish("x", nil),
		"Request":   func() error { _, err := c.Request(t.Context(), "x", nil); return err }(),
		"Subscribe": func() error { _, err := c.Subscribe("x", 1); return err }(),
	} {
		if !errors.Is(err, why) {
			t.Errorf("%s afterwards: %v, want %v", what, err, why)
		}
	}
}

func TestClose(t *testing.T) {
	s := serve(t, nil)
	ended := make(chan error, 1)
	c := connect(t, s, Config{Closed: func(err error) { ended <- err }})
	c.Close()
	c.Close()
	if err := <-ended; !errors.Is(err, ErrClosed) {
		t.Errorf("ended with %v", err)
	}
}

// TestASilentServer is what a dead access point looks like: the stream is open and nothing passes.
func TestASilentServer(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() {
		buf := make([]byte, 4096)
		theirs.Write([]byte("INFO {\"max_payload\":1024}\r\n"))
		for said := ""; !strings.Contains(said, "PING"); {
			n, err := theirs.Read(buf)
			if err != nil {
				return
			}
			said += string(buf[:n])
		}
		theirs.Write([]byte("PONG\r\n")) // and never a word again, nor a read: writes block too
	}()
	ended := make(chan error, 1)
	c, err := Connect(t.Context(), ours, Config{Inbox: inbox, PingEvery: 20 * time.Millisecond, MissedMax: 2, Closed: func(err error) { ended <- err }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	select {
	case err := <-ended:
		if !errors.Is(err, ErrStale) {
			t.Errorf("ended with %v, want ErrStale", err)
		}
	case <-time.After(time.Minute):
		t.Fatal("a silent server went unnoticed")
	}
}

func TestConnectGivesUpWithItsContext(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Connect(ctx, ours, Config{Inbox: inbox}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestConnectRefusesWhatIsNotAServer(t *testing.T) {
	for _, greeting := range []string{"HTTP/1.1 400 Bad Request\r\n\r\n", "INFO nonsense\r\n", "PING\r\n", "", "INFO " + strings.Repeat("x", lineBytesMax)} {
		ours, theirs := net.Pipe()
		go func() {
			theirs.Write([]byte(greeting))
			theirs.Close()
		}()
		if c, err := Connect(t.Context(), ours, Config{Inbox: inbox}); err == nil {
			c.Close()
			t.Errorf("the greeting %.20q was taken", greeting)
		}
	}
}

// TestTheConnectionOutlivesTheContextOfConnecting: the bound on connecting must not end what it made.
func TestTheConnectionOutlivesTheContextOfConnecting(t *testing.T) {
	s := serve(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	c, err := Connect(ctx, dial(t, s), Config{Inbox: inbox})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	cancel()
	if err := c.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}
