package problem

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"holdfast/sync/fault"
)

func TestEveryKind(t *testing.T) {
	for k := fault.Kind(0); k.Known(); k++ {
		p := Of(fault.E("x", k, errors.New("secret cause")))
		if p.Kind != k.String() || p.Status < 400 || p.Title == "" || !strings.HasSuffix(p.Detail, ".") {
			t.Errorf("%v: %+v", k, p)
		}
		if strings.Contains(p.Detail, "secret") {
			t.Errorf("%v shows its cause: %+v", k, p)
		}
	}
	if p := Of(errors.New("plain")); p.Status != 500 || strings.Contains(p.Detail, "plain") {
		t.Errorf("%+v", p)
	}
	if p := Of(fault.E("x", 200, nil)); p.Kind != "other" {
		t.Errorf("a kind of a newer peer: %+v", p)
	}
}

func TestWrite(t *testing.T) {
	w := httptest.NewRecorder()
	Write(w, fault.Wrap("outer", fault.Errorf("inner", fault.Limit, "Wait.")))
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Detail != "Wait." || w.Code != 429 {
		t.Fatalf("%v %+v", err, p)
	}
	if h := w.Header(); h.Get("Content-Type") != ContentType || h.Get("Retry-After") == "" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", h)
	}
}
