package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"holdfast/sync/fault"
)

// Sender sends webhooks. It is safe for concurrent use.
type Sender struct {
	local  bool
	client http.Client
}

// NewSender makes a sender. local allows addresses on this machine and plain http: for trying things out, never for a service.
func NewSender(local bool) *Sender {
	s := &Sender{local: local}
	dialer := &net.Dialer{Timeout: answerMax, Control: s.control}
	s.client = http.Client{
		Timeout: answerMax,
		Transport: &http.Transport{ // no Proxy: it would dial for us, past the check
			DialContext: dialer.DialContext, TLSHandshakeTimeout: answerMax, DisableKeepAlives: true, MaxResponseHeaderBytes: headerBytesMax, ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s
}

// refused is an address that a webhook may not reach.
type refused struct{ netip.Addr }

func (r refused) Error() string { return "the address is private" }

// control checks an address when the connection to it is made: a name that resolved to something else when the endpoint was set
// up does not help.
func (s *Sender) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !s.mayReach(ap.Addr()) {
		return refused{ap.Addr()}
	}
	return nil
}

// closed are the networks of nobody and of everybody's inside, beyond those that net/netip names (IANA special-purpose registries).
var closed = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10")

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, p := range list {
		out[i] = netip.MustParsePrefix(p)
	}
	return out
}

func (s *Sender) mayReach(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	if a.IsLoopback() {
		return s.local
	}
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range closed {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// CheckURL tells whether an address could ever be sent to.
func (s *Sender) CheckURL(raw string) error {
	const op = "webhook.CheckURL"
	u, err := url.Parse(raw)
	switch {
	case len(raw) > URLMax:
		return fault.Errorf(op, fault.TooLarge, "An address has at most %d characters.", URLMax)
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return fault.Errorf(op, fault.Invalid, "That is not an address such as https://example.com/hooks.")
	case u.Scheme != "https" && !(s.local && u.Scheme == "http"):
		return fault.Errorf(op, fault.Invalid, "The address must begin with https://.")
	case u.User != nil || u.Fragment != "":
		return fault.Errorf(op, fault.Invalid, "The address may have neither a name and password nor a part after #.")
	}
	if a, err := netip.ParseAddr(strings.Trim(u.Hostname(), "[]")); err == nil && !s.mayReach(a) {
		return fault.Errorf(op, fault.Invalid, "The address must be one on the public internet.")
	}
	return nil
}

// Gone is the answer of an endpoint that wants nothing more.
var Gone = errors.New("gone")

// Post sends an event. Gone: the endpoint wants no more. Any other error's detail says what happened, in words that its owner may
// read; nothing of what was answered is in it but the status.
func (s *Sender) Post(ctx context.Context, address string, header http.Header, body []byte) error {
	const op = "webhook.Post"
	if len(body) > bodyBytesMax {
		return fault.Errorf(op, fault.TooLarge, "The event has more than %d bytes.", bodyBytesMax)
	}
	if err := s.CheckURL(address); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	req.Header = header.Clone()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Holdfast-Webhooks/1")
	res, err := s.client.Do(req)
	if err != nil {
		return &fault.Error{Op: op, Kind: fault.Unavailable, Detail: why(err), Err: err}
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, answerBytesMax) // what it says does not matter
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return nil
	case res.StatusCode == http.StatusGone:
		return &fault.Error{Op: op, Kind: fault.NotFound, Detail: "The address answered 410: it wants no more events.", Err: Gone}
	}
	return fault.Errorf(op, fault.Unavailable, "The address answered %d.", res.StatusCode)
}

// why says in plain words what kept a request from being answered.
func why(err error) string {
	var no refused
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, &no):
		return "The address does not lead to the public internet."
	case errors.As(err, &dns):
		return "The name of the address is not known."
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("The address did not answer within %d seconds.", answerMax/time.Second)
	case errors.Is(err, syscall.ECONNREFUSED):
		return "Nothing listens at the address."
	case strings.Contains(err.Error(), "tls:") || strings.Contains(err.Error(), "x509:"):
		return "The address has no valid certificate."
	}
	return "The connection to the address broke."
}
