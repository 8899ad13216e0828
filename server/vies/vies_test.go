package vies

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"holdfast/server/tax"
	"holdfast/sync/fault"
)

func TestAnswers(t *testing.T) {
	var asked string
	status, answer := 200, ""
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		asked = r.Method + " " + r.URL.Path + " " + string(b)
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	c := New(srv.URL + "/rest-api")
	for _, x := range []struct {
		name   string
		status int
		answer string
		want   tax.Status
		kind   fault.Kind
	}{
		{"valid", 200, `{"countryCode":"DE","vatNumber":"136695976","valid":true,"name":"---","userError":"VALID"}`, tax.Valid, 0},
		{"valid-without-words", 200, `{"valid":true}`, tax.Valid, 0},
		{"invalid", 200, `{"valid":false,"userError":"INVALID"}`, tax.Bad, 0},
		{"invalid-input", 400, `{"actionSucceed":false,"errorWrappers":[{"error":"INVALID_INPUT"}]}`, tax.Bad, 0},
		{"state-closed", 200, `{"valid":false,"userError":"MS_UNAVAILABLE"}`, tax.Unchecked, fault.Unavailable},
		{"too-many", 500, `{"actionSucceed":false,"errorWrappers":[{"error":"GLOBAL_MAX_CONCURRENT_REQ"}]}`, tax.Unchecked, fault.Unavailable},
		{"a-page", 503, `<html>`, tax.Unchecked, fault.Unavailable},
		{"nothing", 200, `{}`, tax.Unchecked, fault.Unavailable},
	} {
		status, answer = x.status, x.answer
		got, err := c.Check(t.Context(), "DE136695976")
		if got != x.want || (err == nil) != (x.kind == 0) || err != nil && fault.KindOf(err) != x.kind {
			t.Errorf("%s: %q %v", x.name, got, err)
		}
	}
	if want := `POST /rest-api/check-vat-number {"countryCode":"DE","vatNumber":"136695976"}`; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
	srv.Close()
	if _, err := c.Check(t.Context(), "DE136695976"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("away: %v", err)
	}
	if Knows("CHE123456789") || Knows("GR123456789") || !Knows("EL123456789") || !Knows("XI123456789") || Knows("DE") {
		t.Error("countries")
	}
}
