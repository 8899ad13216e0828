// Package x509 stands in for crypto/x509 in programs for the browser, where certificates are the browser's work. It has
// the parts of the interface that net/http and nats.go are compiled against. Nothing is ever parsed or trusted.
package x509

import (
	"crypto"
	"errors"
)

var errBrowser = errors.New("x509: in a browser, certificates are the browser's work")

// Certificate is never made.
type Certificate struct {
	Raw       []byte
	PublicKey crypto.PublicKey
}

func (*Certificate) Equal(*Certificate) bool     { return false }
func (*Certificate) VerifyHostname(string) error { return errBrowser }

// CertPool stays empty.
type CertPool struct{}

// NewCertPool returns an empty pool.
func NewCertPool() *CertPool { return &CertPool{} }

// SystemCertPool refuses.
func SystemCertPool() (*CertPool, error) { return nil, errBrowser }

func (*CertPool) AddCert(*Certificate)           {}
func (*CertPool) AppendCertsFromPEM([]byte) bool { return false }

// ParseCertificate refuses.
func ParseCertificate([]byte) (*Certificate, error) { return nil, errBrowser }
