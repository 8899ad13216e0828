package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"holdfast/sync/fault"
)

// The vector of Standard Webhooks 1.0.0.
func TestVector(t *testing.T) {
	h, err := Sign([]string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if err != nil || h.Get("webhook-signature") != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" || h.Get("webhook-timestamp") != "1614265330" || h.Get("webhook-id") != "msg_p5jXN8AQM9LWM0D4loKWxJek" {
		t.Errorf("%v %v", h, err)
	}
	if _, err := Sign([]string{"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "m", time.Now(), nil); err == nil {
		t.Error("a secret without its prefix was used")
	}
}

// The standard's own Go library accepts what we sign, with each of two secrets, and nothing else.
func TestTheStandardsLibraryAgrees(t *testing.T) {
	var secrets []string
	for range 3 {
		s, err := NewSecret(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, s)
	}
	body := []byte(`{"type":"invoice.paid"}`)
	h, err := Sign(secrets[:2], "evt_1", time.Now(), body)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range secrets {
		wh, err := standard.NewWebhook(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := wh.Verify(body, h); (err == nil) != (i < 2) {
			t.Errorf("secret %d: %v", i, err)
		}
		if wh.Verify(append(body, ' '), h) == nil {
			t.Error("a changed body was accepted")
		}
	}
}

func TestOnlyThePublicInternet(t *testing.T) {
	s := NewSender(false)
	for a, want := range map[string]bool{
		"127.0.0.1": false, "::1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "fe80::1": false, "fd12::1": false,
		"0.0.0.0": false, "::": false, "100.64.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "::ffff:10.0.0.1": false, "::ffff:127.0.0.1": false,
		"64:ff9b::a00:1": false, "2002:a00:1::": false, "192.0.0.170": false, "198.18.0.1": false, "ff02::1": false, "::10.0.0.1": false, "2001:db8::1": false, "fec0::1": false,
		"93.184.216.34": true, "2606:2800:220:1::1": true, "::ffff:93.184.216.34": true,
	} {
		if got := s.mayReach(netip.MustParseAddr(a)); got != want {
			t.Errorf("%s: %t", a, got)
		}
	}
	if !NewSender(true).mayReach(netip.MustParseAddr("127.0.0.1")) || NewSender(true).mayReach(netip.MustParseAddr("10.0.0.1")) {
		t.Error("local means this machine, and only that")
	}
}

// A name that leads to this machine is found out when the connection is made.
func TestNamesAreCheckedAtTheConnection(t *testing.T) {
	reached := false
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer srv.Close()
	address := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
	err := NewSender(false).Post(t.Context(), address, http.Header{}, []byte("{}"))
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.DetailOf(err), "public internet") || reached {
		t.Errorf("%v, reached: %t", err, reached)
	}
}

func TestAnswers(t *testing.T) {
	var status int
	hang := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status == 0 {
			<-hang
			return
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
	}))
	defer srv.Close()
	defer close(hang)
	s := NewSender(true)
	for status = range map[int]bool{200: true, 204: true, 301: false, 400: false, 429: false, 500: false} {
		err := s.Post(t.Context(), srv.URL, http.Header{}, []byte("{}"))
		if (err == nil) != (status < 300) {
			t.Errorf("%d: %v", status, err)
		}
	}
	status = 410
	if err := s.Post(t.Context(), srv.URL, http.Header{}, []byte("{}")); !errors.Is(err, Gone) {
		t.Errorf("%v", err)
	}
	if err := s.Post(t.Context(), srv.URL, http.Header{}, make([]byte, bodyBytesMax+1)); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("%v", err)
	}
	status = 0
	s.client.Timeout = 50 * time.Millisecond
	if err := s.Post(context.Background(), srv.URL, http.Header{}, []byte("{}")); !strings.Contains(fault.DetailOf(err), "did not answer") {
		t.Errorf("%v", err)
	}
}
