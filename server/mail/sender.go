package mail

import (
	"bytes"
	"context"
	"errors"
	"net"
	netmail "net/mail"
	"net/netip"
	"strconv"
	"strings"
	"time"

	smtp "github.com/wneessen/go-mail"

	"holdfast/sync/fault"
)

// Config says how mails leave. Without an Addr they do not.
type Config struct {
	Addr     string // host:port; port 465 is TLS from the first byte, any other STARTTLS
	From     string // such as Holdfast <billing@example.com>
	User     string
	Password string
}

// Sender sends letters by one SMTP server. Every letter has a connection of its own: they are few, and a connection that idles
// for hours is closed by most servers.
type Sender struct {
	cfg    Config
	host   string
	port   int
	from   *netmail.Address
	domain string
}

// NewSender checks a configuration; it sends nothing.
func NewSender(cfg Config) (*Sender, error) {
	const op = "mail.NewSender"
	host, port, err := net.SplitHostPort(cfg.Addr)
	if err != nil || host == "" {
		return nil, fault.Errorf(op, fault.Invalid, "The mail server %q is no address such as smtp.example.com:587.", cfg.Addr)
	}
	s := &Sender{cfg: cfg, host: host}
	if s.port, err = strconv.Atoi(port); err != nil || s.port < 1 || s.port > 65535 {
		return nil, fault.Errorf(op, fault.Invalid, "The mail server %q has no port such as 587.", cfg.Addr)
	}
	if s.from, err = netmail.ParseAddress(cfg.From); err != nil {
		return nil, fault.Errorf(op, fault.Invalid, "Mails need a sender such as \"Holdfast <billing@example.com>\", not %q.", cfg.From)
	}
	_, s.domain, _ = strings.Cut(s.from.Address, "@")
	return s, nil
}

// CheckAddress tells whether mail could go to an address.
func CheckAddress(address string) error {
	a, err := netmail.ParseAddress(address)
	if err != nil || a.Address != address || len(address) > addressMax {
		return fault.Errorf("mail.CheckAddress", fault.Invalid, "%.60q is not an e-mail address such as billing@example.com.", address)
	}
	return nil
}

// local tells whether the server is on this machine: only then TLS may be missing.
func local(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// Send gives a letter to the server, with an attachment if it has one. Invalid: the server refuses it for good. Unavailable:
// nobody knows, or it may work later; the letter may have arrived.
func (s *Sender) Send(ctx context.Context, l Letter, at time.Time, attachment []byte) error {
	const op = "mail.Send"
	ctx, cancel := context.WithTimeout(ctx, sendMax)
	defer cancel()
	m, err := s.message(l, at, attachment)
	if err != nil {
		return err
	}
	c, err := s.client()
	if err != nil {
		return err
	}
	conn, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return &fault.Error{Op: op, Kind: fault.Unavailable, Detail: "The mail server cannot be used: " + s.clean(err), Err: err}
	}
	err = c.SendWithSMTPClient(conn, m)
	_ = c.CloseWithSMTPClient(conn) // what was accepted is accepted, whatever becomes of the farewell
	if e := (*smtp.SendError)(nil); errors.As(err, &e) {
		kind := fault.Unavailable
		if (e.Reason == smtp.ErrSMTPRcptTo || e.Reason == smtp.ErrSMTPData || e.Reason == smtp.ErrSMTPDataClose) && e.ErrorCode() >= 500 {
			kind = fault.Invalid
		}
		return &fault.Error{Op: op, Kind: kind, Detail: "The mail server said: " + s.clean(err), Err: err}
	}
	return fault.As(op, fault.Unavailable, err)
}

// clean shortens a server's words; they are shown to owners and kept.
func (s *Sender) clean(err error) string {
	t, _, _ := strings.Cut(strings.Join(strings.Fields(err.Error()), " "), ", affected recipient")
	if s.cfg.Password != "" {
		t = strings.ReplaceAll(t, s.cfg.Password, "…")
	}
	if len(t) > reasonMax {
		t = strings.ToValidUTF8(t[:reasonMax], "") + "…"
	}
	return t
}

func (s *Sender) client() (*smtp.Client, error) {
	policy, auth := smtp.TLSMandatory, smtp.SMTPAuthAutoDiscover
	if local(s.host) {
		policy, auth = smtp.TLSOpportunistic, smtp.SMTPAuthPlainNoEnc // nobody listens in between
	}
	o := []smtp.Option{smtp.WithPort(s.port), smtp.WithTimeout(sendMax), smtp.WithTLSPolicy(policy), smtp.WithHELO(s.domain)}
	if s.port == 465 {
		o = append(o, smtp.WithSSL())
	}
	if s.cfg.User != "" {
		o = append(o, smtp.WithSMTPAuth(auth), smtp.WithUsername(s.cfg.User), smtp.WithPassword(s.cfg.Password))
	}
	c, err := smtp.NewClient(s.host, o...)
	return c, fault.As("mail.client", fault.Invalid, err)
}

func (s *Sender) message(l Letter, at time.Time, attachment []byte) (*smtp.Msg, error) {
	const op = "mail.message"
	m := smtp.NewMsg(smtp.WithNoDefaultUserAgent())
	m.FromMailAddress(s.from)
	if err := m.To(l.To); err != nil {
		return nil, &fault.Error{Op: op, Kind: fault.Invalid, Detail: "The address cannot be used.", Err: err}
	}
	m.Subject(l.Subject)
	m.SetMessageIDWithValue(l.ID + "@" + s.domain)
	m.SetDateWithValue(at)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	m.SetBodyString(smtp.TypeTextPlain, l.Text)
	m.AddAlternativeString(smtp.TypeTextHTML, l.HTML)
	if l.Attach != "" {
		if err := m.AttachReader(l.Attach+".pdf", bytes.NewReader(attachment), smtp.WithFileContentType("application/pdf")); err != nil {
			return nil, fault.E(op, fault.Other, err)
		}
	}
	return m, nil
}
