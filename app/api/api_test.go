package api

import (
	"testing"
	"time"

	"holdfast/app/browser"
	"holdfast/sync/fault"
)

func answering(status int, body string, err error) Client {
	return Client{Fetch: func(method, path, in string) (int, string, error) { return status, body, err }}
}

func TestProblemsBecomeFaults(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		err    error
		want   fault.Kind
	}{
		"named-kind":    {409, `{"status":409,"kind":"limit","detail":"ten passkeys"}`, nil, fault.Limit},
		"unknown-kind":  {409, `{"status":409,"kind":"who-knows"}`, nil, fault.Conflict},
		"a-proxy's-own": {503, `<html>busy</html>`, nil, fault.Unavailable},
		"signed-out":    {401, ``, nil, fault.Expired},
		"no-answer":     {0, ``, browser.ErrNetwork, fault.Unavailable},
		"not-json":      {200, `hello`, nil, fault.Unsupported},
	} {
		_, p := answering(c.status, c.body, c.err).Me()
		if p == nil || p.Fault != c.want {
			t.Errorf("%s: got %+v, want %s", name, p, c.want)
		}
	}
}

func TestListsAreReadBareOrWrapped(t *testing.T) {
	for _, body := range []string{`[{"id":"a"}]`, `{"passkeys":[{"id":"a"}]}`} {
		if list, p := answering(200, body, nil).Passkeys(); p != nil || len(list) != 1 || list[0].ID != "a" {
			t.Errorf("%s gives %v, %v", body, list, p)
		}
	}
}

func TestDaysAreThoseOfBilling(t *testing.T) {
	const hour = 3_600_000
	march := time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC).UnixMilli()
	b := Billing{Zone: []Offset{{march - 9000*hour, hour}, {march, 2 * hour}}}
	for at, want := range map[string]string{"2026-02-28T23:00:00Z": "1 March 2026", "2026-03-31T22:00:00Z": "1 April 2026", "2026-03-31T21:59:59Z": "31 March 2026", "2020-01-31T23:30:00Z": "1 February 2020"} {
		m, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Day(m.UnixMilli()); got != want {
			t.Errorf("%s: got %s, want %s", at, got, want)
		}
	}
	if got := (&Billing{}).Day(march); got != "29 March 2026" {
		t.Errorf("without a zone: %s", got)
	}
}
