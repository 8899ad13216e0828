package gateway

import (
	"crypto/tls"
	"os"
	"sync"
	"time"

	"holdfast/sync/fault"
)

const certificateEvery = time.Minute // how often the files are looked at

// certificate serves the certificate of two PEM files and takes over a renewed one without a restart.
func certificate(certFile, keyFile string) (*tls.Config, error) {
	k := &keptCertificate{certFile: certFile, keyFile: keyFile}
	if err := k.load(); err != nil {
		return nil, &fault.Error{Op: "gateway.certificate", Kind: fault.Invalid, Err: err,
			Detail: "The TLS certificate " + certFile + " with the key " + keyFile + " cannot be used. Both must be PEM files that belong together."}
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return k.get(time.Now()), nil }}, nil
}

type keptCertificate struct {
	certFile, keyFile string

	mu      sync.Mutex
	cert    *tls.Certificate
	changed time.Time // of the certificate's file, when it was read
	looked  time.Time
}

func (k *keptCertificate) load() error {
	st, err := os.Stat(k.certFile)
	if err != nil {
		return err
	}
	cert, err := tls.LoadX509KeyPair(k.certFile, k.keyFile)
	if err != nil {
		return err
	}
	k.cert, k.changed = &cert, st.ModTime()
	return nil
}

// get reads the files again when they were changed; a pair that does not fit (one is written before the other) is left
// for the next time.
func (k *keptCertificate) get(now time.Time) *tls.Certificate {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Sub(k.looked) < certificateEvery {
		return k.cert
	}
	k.looked = now
	if st, err := os.Stat(k.certFile); err == nil && !st.ModTime().Equal(k.changed) {
		_ = k.load() // the one we have stays
	}
	return k.cert
}
