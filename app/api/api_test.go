package api

import (
	"testing"

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
