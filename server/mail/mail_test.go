package mail

import (
	"io"
	"log"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"holdfast/sync/fault"
)

// server is a real SMTP server without TLS that wants a password.
type server struct{ mails int }

func (s *server) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{s: s}, nil }

type session struct {
	s  *server
	in bool
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, name, password string) error {
		if s.in = name == "holdfast" && password == "verysecret"; !s.in {
			return smtp.ErrAuthFailed
		}
		return nil
	}), nil
}
func (s *session) Mail(string, *smtp.MailOptions) error {
	if !s.in {
		return smtp.ErrAuthRequired
	}
	return nil
}
func (s *session) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (s *session) Data(r io.Reader) error               { _, err := io.ReadAll(r); s.s.mails++; return err }
func (s *session) Reset()                               {}
func (s *session) Logout() error                        { return nil }

func serve(t *testing.T) (*server, string) {
	s := &server{}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := smtp.NewServer(s)
	srv.Domain, srv.AllowInsecureAuth, srv.ErrorLog = "localhost", true, log.New(io.Discard, "", 0)
	go func() { _ = srv.Serve(ln) }() // ends with Close
	t.Cleanup(func() { srv.Close() })
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return s, port
}

func TestPasswordsAndTLS(t *testing.T) {
	s, port := serve(t)
	for _, c := range []struct {
		name, host, password string
		ok                   bool
	}{
		{"right", "127.0.0.1", "verysecret", true},
		{"wrong", "127.0.0.1", "verywrong", false},
		{"elsewhere-without-tls", "0.0.0.0", "verysecret", false}, // this machine too, but not by a loopback address
	} {
		t.Run(c.name, func(t *testing.T) {
			before := s.mails
			m, err := NewSender(Config{Addr: net.JoinHostPort(c.host, port), From: "Holdfast <billing@holdfast.example>", User: "holdfast", Password: c.password})
			if err != nil {
				t.Fatal(err)
			}
			err = m.Send(t.Context(), Letter{ID: "evt_1", To: "a@acme.example", Subject: "S", Text: "T", HTML: "<p>T"}, time.Now(), nil)
			if (err == nil) != c.ok || (s.mails > before) != c.ok || !c.ok && fault.KindOf(err) != fault.Unavailable {
				t.Errorf("%v, %d mails", err, s.mails-before)
			}
			if err != nil && (strings.Contains(err.Error(), c.password) || fault.DetailOf(err) == "") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestBadSettings(t *testing.T) {
	for _, c := range []Config{{Addr: "smtp.example.com", From: "a@b.example"}, {Addr: "smtp.example.com:x", From: "a@b.example"}, {Addr: ":25", From: "a@b.example"},
		{Addr: "smtp.example.com:25"}, {Addr: "smtp.example.com:25", From: "nobody"}} {
		if _, err := NewSender(c); fault.KindOf(err) != fault.Invalid || fault.DetailOf(err) == "" {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, a := range []string{"", "a", "a@", "A <a@b.example>", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example", strings.Repeat("a", 250) + "@b.example"} {
		if CheckAddress(a) == nil {
			t.Errorf("%q was taken", a)
		}
	}
}

// What people type cannot become markup or a header.
func TestLettersAreSafe(t *testing.T) {
	l, err := Compose(Facts{ID: "evt_1", Kind: "account.recovered", Workspace: "<b>Acme</b>\r\nBcc: x@y.example", Seller: "Holdfast", Link: "https://holdfast.example/w/1/billing"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(l.HTML, "<b>") || strings.ContainsAny(l.Subject, "\r\n") {
		t.Errorf("%q\n%s", l.Subject, l.HTML)
	}
	if _, err := Compose(Facts{Kind: "nothing"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
}
