package throttle

import (
	"strconv"
	"testing"
	"time"
)

var t0 = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestBurstThenRate(t *testing.T) {
	th := New(Rate{time.Second, 3})
	for i := range 3 {
		if !th.Allow("a", t0) {
			t.Fatalf("number %d of the burst was refused", i+1)
		}
	}
	if th.Allow("a", t0) {
		t.Error("more than the burst")
	}
	if !th.Allow("b", t0) {
		t.Error("another key was refused")
	}
	if !th.Allow("a", t0.Add(time.Second)) || th.Allow("a", t0.Add(time.Second)) {
		t.Error("want exactly one after one second")
	}
}

func TestKeysMax(t *testing.T) {
	th := New(Rate{time.Minute, 2})
	for i := range keysMax {
		th.Allow(strconv.Itoa(i), t0)
	}
	if th.Allow("new", t0) {
		t.Error("a newcomer must wait while every remembered key is busy")
	}
	if th.Allow("0", t0); th.Allow("0", t0) {
		t.Error("a busy key was forgotten")
	}
	if !th.Allow("new", t0.Add(time.Hour)) {
		t.Error("refused although all others are idle")
	}
	if len(th.keys) != 1 {
		t.Errorf("%d keys remembered, want 1", len(th.keys))
	}
}

func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "", "x": "x",
	} {
		if got := Address(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
