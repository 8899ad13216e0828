// Package tls stands in for crypto/tls in programs for the browser, where TLS is the browser's work and no program can
// do it: there are no sockets. It has the parts of the interface that net/http, go-app and nats.go are compiled against.
// Every handshake is refused.
package tls

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"time"
)

var errBrowser = errors.New("tls: in a browser, TLS is the browser's work")

// Protocol versions (RFC 8446 §4.2.1).
const (
	VersionTLS10 = 0x0301
	VersionTLS11 = 0x0302
	VersionTLS12 = 0x0303
	VersionTLS13 = 0x0304
)

// Cipher suites of HTTP/2's list of those it refuses, and the two that it demands (RFC 9113 §9.2.2).
const (
	TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256   uint16 = 0xc02f
	TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 uint16 = 0xc02b
)

// Certificate is a chain with its key. Nothing makes one here.
type Certificate struct {
	Certificate [][]byte
	PrivateKey  crypto.PrivateKey
	Leaf        *x509.Certificate
}

// Config is accepted and has no effect.
type Config struct {
	Rand                     io.Reader
	Time                     func() time.Time
	Certificates             []Certificate
	GetCertificate           func(*ClientHelloInfo) (*Certificate, error)
	GetClientCertificate     func(*CertificateRequestInfo) (*Certificate, error)
	GetConfigForClient       func(*ClientHelloInfo) (*Config, error)
	VerifyPeerCertificate    func(rawCerts [][]byte, verifiedChains [][]*x509.Certificate) error
	VerifyConnection         func(ConnectionState) error
	RootCAs                  *x509.CertPool
	NextProtos               []string
	ServerName               string
	ClientCAs                *x509.CertPool
	InsecureSkipVerify       bool
	CipherSuites             []uint16
	PreferServerCipherSuites bool
	SessionTicketsDisabled   bool
	MinVersion               uint16
	MaxVersion               uint16
}

// Clone copies c. Unlike the real one it copies no locks, having none.
func (c *Config) Clone() *Config {
	if c == nil {
		return nil
	}
	d := *c
	return &d
}

// ClientHelloInfo and CertificateRequestInfo are what callbacks of a Config would be given.
type (
	ClientHelloInfo        struct{ ServerName string }
	CertificateRequestInfo struct{ Version uint16 }
)

// ConnectionState is always that of a connection without a handshake.
type ConnectionState struct {
	Version                    uint16
	HandshakeComplete          bool
	DidResume                  bool
	CipherSuite                uint16
	NegotiatedProtocol         string
	NegotiatedProtocolIsMutual bool
	ServerName                 string
	PeerCertificates           []*x509.Certificate
	VerifiedChains             [][]*x509.Certificate
}

// RecordHeaderError is never returned.
type RecordHeaderError struct {
	Msg          string
	RecordHeader [5]byte
	Conn         net.Conn
}

func (e RecordHeaderError) Error() string { return "tls: " + e.Msg }

// Conn refuses everything but to be closed: nothing may pass in the clear through what claims to be TLS.
type Conn struct{ conn net.Conn }

// Client and Server return a connection whose handshake fails.
func Client(conn net.Conn, _ *Config) *Conn { return &Conn{conn} }

// Server is like Client.
func Server(conn net.Conn, _ *Config) *Conn { return &Conn{conn} }

func (c *Conn) Read([]byte) (int, error)               { return 0, errBrowser }
func (c *Conn) Write([]byte) (int, error)              { return 0, errBrowser }
func (c *Conn) Close() error                           { return c.conn.Close() }
func (c *Conn) CloseWrite() error                      { return errBrowser }
func (c *Conn) LocalAddr() net.Addr                    { return c.conn.LocalAddr() }
func (c *Conn) RemoteAddr() net.Addr                   { return c.conn.RemoteAddr() }
func (c *Conn) SetDeadline(t time.Time) error          { return c.conn.SetDeadline(t) }
func (c *Conn) SetReadDeadline(t time.Time) error      { return c.conn.SetReadDeadline(t) }
func (c *Conn) SetWriteDeadline(t time.Time) error     { return c.conn.SetWriteDeadline(t) }
func (c *Conn) Handshake() error                       { return errBrowser }
func (c *Conn) HandshakeContext(context.Context) error { return errBrowser }
func (c *Conn) ConnectionState() ConnectionState       { return ConnectionState{} }
func (c *Conn) NetConn() net.Conn                      { return c.conn }
func (c *Conn) VerifyHostname(string) error            { return errBrowser }

// NewListener returns a listener that accepts nothing: see Server.
func NewListener(inner net.Listener, _ *Config) net.Listener { return refusing{inner} }

type refusing struct{ net.Listener }

func (refusing) Accept() (net.Conn, error) { return nil, errBrowser }

// X509KeyPair refuses.
func X509KeyPair(_, _ []byte) (Certificate, error) { return Certificate{}, errBrowser }

// LoadX509KeyPair refuses.
func LoadX509KeyPair(_, _ string) (Certificate, error) { return Certificate{}, errBrowser }

// Dialer refuses to dial.
type Dialer struct {
	NetDialer *net.Dialer
	Config    *Config
}

// DialContext refuses.
func (*Dialer) DialContext(context.Context, string, string) (net.Conn, error) {
	return nil, errBrowser
}
