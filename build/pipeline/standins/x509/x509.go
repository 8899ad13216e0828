// Package x509 stands in for crypto/x509 in programs for the browser, where certificates are the browser's work. It has
// the parts of the interface that net/http, nats.go and golang-jwt are compiled against. Nothing is ever parsed or trusted.
package x509

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/pem"
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

// ParseCertificate and the other parsers refuse.
func ParseCertificate([]byte) (*Certificate, error)        { return nil, errBrowser }
func ParsePKIXPublicKey([]byte) (any, error)               { return nil, errBrowser }
func ParsePKCS8PrivateKey([]byte) (any, error)             { return nil, errBrowser }
func ParsePKCS1PrivateKey([]byte) (*rsa.PrivateKey, error) { return nil, errBrowser }
func ParsePKCS1PublicKey([]byte) (*rsa.PublicKey, error)   { return nil, errBrowser }
func ParseECPrivateKey([]byte) (*ecdsa.PrivateKey, error)  { return nil, errBrowser }
func DecryptPEMBlock(*pem.Block, []byte) ([]byte, error)   { return nil, errBrowser }
