package natsd_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"

	"holdfast/sync/natsd"
)

// certificate is one that signs itself, for loopback.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "hub"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// An encrypted link carries requests; a region that does not know the hub's authority, or does not encrypt, gets none.
func TestLinkIsEncrypted(t *testing.T) {
	cert, pool := certificate(t)
	hub := natsd.New(natsd.Config{Name: "hub", Domain: "hub", StoreDir: t.TempDir(), LeafListen: "127.0.0.1:0", LeafSecret: "s3cret",
		LeafTLS: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}})
	open(t, hub)
	region := func(name, scheme string, trust *x509.CertPool) *natsd.Server {
		s := natsd.New(natsd.Config{Name: name, Domain: name, StoreDir: t.TempDir(), HubURL: scheme + "://" + hub.LeafAddr(), LeafSecret: "s3cret",
			HubTLS: &tls.Config{RootCAs: trust, MinVersion: tls.VersionTLS13}})
		open(t, s)
		return s
	}
	good := region("eu", "tls", pool)
	linked(t, good, true)
	reaches(t, core(t, good), core(t, hub))
	stranger, open := region("us", "tls", x509.NewCertPool()), region("ap", "nats-leaf", nil)
	time.Sleep(2 * time.Second)
	if stranger.Linked() {
		t.Error("a region linked to a hub whose certificate it cannot check")
	}
	if open.Linked() || hub.Links() != 1 {
		t.Errorf("a region linked without encryption; the hub has %d links", hub.Links())
	}
}
