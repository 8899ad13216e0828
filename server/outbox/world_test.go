package outbox

import (
	"context"
	"crypto/rand"
	"io"
	"log"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"holdfast/server/biller"
	"holdfast/server/billing"
	"holdfast/server/billingdb"
	"holdfast/server/hubdb"
	"holdfast/server/mail"
	"holdfast/server/metering"
	"holdfast/server/payment"
	"holdfast/server/tenancy"
	"holdfast/server/webhook"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// post is a real SMTP server that keeps what arrives. It refuses recipients whose name begins with "no-".
type post struct {
	t    testing.TB
	srv  *gosmtp.Server
	addr string

	mu    sync.Mutex
	mails []letter
	after func() // a mail is in; the server's last word is not said yet
}

// letter is a mail as a reader gets it.
type letter struct {
	to              []string
	id, subject     string
	text, html      string
	attached        string
	pdf             []byte
	listUnsubscribe string
}

type session struct {
	p  *post
	to []string
}

func (s *session) Mail(string, *gosmtp.MailOptions) error { return nil }
func (s *session) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	if strings.HasPrefix(to, "no-") {
		return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "No such mailbox"}
	}
	if strings.HasPrefix(to, "later-") {
		return &gosmtp.SMTPError{Code: 450, EnhancedCode: gosmtp.EnhancedCode{4, 2, 1}, Message: "Try again later"}
	}
	s.to = append(s.to, to)
	return nil
}
func (s *session) Data(r io.Reader) error {
	s.p.take(s.to, r)
	return nil
}
func (s *session) Reset()        { s.to = nil }
func (s *session) Logout() error { return nil }

func newPost(t testing.TB, addr string) *post {
	p := &post{t: t}
	ln, err := net.Listen("tcp", addr)
	must(t, err)
	p.addr = ln.Addr().String()
	p.srv = gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) { return &session{p: p}, nil }))
	p.srv.Domain, p.srv.ErrorLog = "localhost", log.New(io.Discard, "", 0) // of clients that were killed
	go func() { _ = p.srv.Serve(ln) }()                                    // ends with Close
	t.Cleanup(func() { p.srv.Close() })
	return p
}

func (p *post) take(to []string, r io.Reader) {
	m, err := netmail.ReadMessage(r)
	if err != nil {
		p.t.Error(err)
		return
	}
	subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	l := letter{to: to, id: m.Header.Get("Message-ID"), subject: subject, listUnsubscribe: m.Header.Get("List-Unsubscribe")}
	l.parts(p.t, m.Header.Get("Content-Type"), m.Body)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mails = append(p.mails, l)
	if p.after != nil {
		p.after()
	}
}

func (l *letter) parts(t testing.TB, contentType string, body io.Reader) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Error(err)
	}
	r := multipart.NewReader(body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err != nil {
			return
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		var content io.Reader = p
		if p.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			content = quotedprintable.NewReader(p)
		}
		b, _ := io.ReadAll(content)
		switch {
		case strings.HasPrefix(kind, "multipart/"):
			l.parts(t, p.Header.Get("Content-Type"), strings.NewReader(string(b)))
		case kind == "text/plain":
			l.text = strings.ReplaceAll(string(b), "\r\n", "\n")
		case kind == "text/html":
			l.html = string(b)
		default:
			l.attached, l.pdf = p.FileName(), b
		}
	}
}

func (p *post) all() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]letter(nil), p.mails...)
}

// world is a hub's workspaces, its billing and its outbox on one clock, in real files.
type world struct {
	t     *testing.T
	dir   string
	now   time.Time
	mu    sync.Mutex
	bill  *biller.Service
	out   *Service
	ws    id.ID
	shop  string
	mail  *mail.Sender
	times []string // ids that were metered
}

func (w *world) clock() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now }

// Month is a workspace that uses nothing.
func (w *world) Touched() map[id.ID]bool { return nil }

func (w *world) Parts(_ context.Context, _ id.ID, _ time.Time) ([]metering.Part, time.Time, error) {
	return nil, w.clock(), nil
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir(), now: time.Date(2026, 11, 11, 9, 0, 0, 0, time.UTC)}
	db, err := hubdb.Open(t.Context(), w.dir)
	must(t, err)
	t.Cleanup(func() { db.Close() })
	people := tenancy.New(tenancy.Config{DB: db, Now: w.clock, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	ana := id.New(w.now, rand.Reader)
	_, err = db.Exec("INSERT INTO person (id, name, created_ms) VALUES (?, 'Ana', 1)", ana)
	must(t, err)
	w.ws, err = people.Create(t.Context(), ana, "Acme", "eu")
	must(t, err)
	w.bill = biller.New(biller.Config{Dir: w.dir, URL: "https://holdfast.example", Tenancy: people, Usage: w, Now: w.clock, Log: slog.New(slog.DiscardHandler)})
	must(t, w.bill.Open(t.Context()))
	t.Cleanup(func() { w.bill.Close() })
	must(t, w.bill.Pass(t.Context()))
	w.open()
	return w
}

func (w *world) open() {
	w.out = New(Config{DB: w.bill.Replies(), Book: w.bill, Mail: w.mail, Webhooks: webhook.NewSender(true), Now: w.clock, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Counted: func(_ context.Context, tenant id.ID, event string, _ time.Time) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.times = append(w.times, string(tenant)+" "+event)
			return nil
		}})
}

// through has mails sent by a server.
func (w *world) through(addr string) {
	var err error
	w.mail, err = mail.NewSender(mail.Config{Addr: addr, From: "Holdfast <billing@holdfast.example>"})
	must(w.t, err)
	w.open()
}

func (w *world) pass() { w.t.Helper(); must(w.t, w.out.Pass(w.t.Context())) }

func (w *world) after(d time.Duration) {
	w.t.Helper()
	w.mu.Lock()
	w.now = w.now.Add(d)
	w.mu.Unlock()
	must(w.t, w.bill.Pass(w.t.Context()))
	w.pass()
}

func (w *world) address(email string) {
	w.t.Helper()
	must(w.t, w.bill.SetDetails(w.t.Context(), w.ws, biller.Details{Name: "Acme", Country: "FR", Email: email}))
}

func (w *world) card(token string) {
	w.t.Helper()
	must(w.t, w.bill.SetMethod(w.t.Context(), w.ws, payment.Method{Kind: payment.Card, Token: token}))
}

func (w *world) plan(name string) {
	w.t.Helper()
	must(w.t, w.bill.ChangePlan(w.t.Context(), w.ws, name))
}

func (w *world) tell(kind string, mail bool) {
	w.t.Helper()
	must(w.t, w.bill.Tell(w.t.Context(), string(w.ws), billing.Tell{Kind: kind, Text: "Something happened", Mail: mail}))
}

// log is the state of every mail, the oldest first.
func (w *world) log() string {
	w.t.Helper()
	list, err := w.out.Mails(w.t.Context(), string(w.ws), 0, PageMax)
	must(w.t, err)
	var out []string
	for i := len(list) - 1; i >= 0; i-- {
		out = append(out, list[i].Kind+" "+list[i].State)
	}
	return strings.Join(out, "|")
}

func (w *world) last() (billingdb.Delivery, mail.Letter, []billingdb.Attempt) {
	w.t.Helper()
	list, err := w.out.Mails(w.t.Context(), "", 0, 1)
	must(w.t, err)
	v, l, tries, err := w.out.Mail(w.t.Context(), list[0].Seq)
	must(w.t, err)
	return v, l, tries
}

func kindIs(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != want {
		t.Errorf("got %v, want %v", err, want)
	}
}
