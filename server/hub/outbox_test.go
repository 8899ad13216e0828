package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/server/control"
	"holdfast/server/outbox"
)

// An owner adds a webhook by REST and by the page, and hears of a change of plan; the mail about it is kept and can be read.
func TestWhatLeavesTheHub(t *testing.T) {
	dir := t.TempDir()
	h := New(Config{DataDir: dir, LeafListen: "127.0.0.1:0", LeafSecret: "s", RPID: "localhost", Origins: []string{origin}, LocalWebhooks: true})
	must(t, h.Open(t.Context()))
	t.Cleanup(func() { h.Close(context.Background()) })
	e := newEdge(t, h.LeafAddr())
	within(t, 10*time.Second, func() error { return e.register(`{"name":"eu","url":"` + origin + `"}`) })
	e.signUp()
	ws := e.workspace("Acme")

	var mu sync.Mutex
	heard := ""
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		heard += string(b)
	}))
	t.Cleanup(srv.Close)
	rest, page := "/api/v1/workspaces/"+string(ws)+"/webhooks", "/api/workspaces/"+string(ws)
	status, _, answer := e.raw("POST", rest, `{"url":"`+srv.URL+`","on":true}`, func(r *http.Request) { r.Header.Set("Idempotency-Key", "k") })
	var made outbox.Endpoint
	must(t, json.Unmarshal([]byte(answer), &made))
	if status != 200 || !strings.HasPrefix(made.Secret, "whsec_") {
		t.Fatalf("%d %s", status, answer)
	}
	if doc := e.ok("GET", "/api/v1/openapi.json", ""); !strings.Contains(doc, `"webhook-signature"`) || !strings.Contains(doc, `"#/components/schemas/Message"`) {
		t.Error("the description of the API does not say what webhooks get")
	}
	if list := e.ok("GET", page+"/webhooks", ""); !strings.Contains(list, made.ID) || strings.Contains(list, made.Secret) {
		t.Errorf("%s", list)
	}
	e.ok("PUT", page+"/billing/details", `{"name":"Acme","email":"billing@acme.example"}`)
	e.ok("PUT", page+"/billing/method", `{"kind":"card","token":"4242 4242 4242 4242"}`)
	e.ok("POST", page+"/billing/plan", `{"plan":"business"}`)
	within(t, 10*time.Second, func() error {
		mu.Lock()
		defer mu.Unlock()
		if !strings.Contains(heard, `"type":"invoice.paid"`) {
			return errors.New("the webhook heard nothing of the invoice: " + heard)
		}
		return nil
	})
	c := control.NewClient(dir)
	var mails []outbox.Delivery
	within(t, 10*time.Second, func() error {
		must(t, c.Call(t.Context(), "GET", "/mails", nil, &mails))
		if len(mails) != 2 || mails[0].State != "kept" || mails[1].State != "kept" {
			return errors.New("the mails are not kept")
		}
		return nil
	})
	var m control.Mail
	must(t, c.Call(t.Context(), "GET", fmt.Sprintf("/mails/%d", mails[0].ID), nil, &m))
	if m.Letter.To != "billing@acme.example" || m.Letter.Attach == "" || !strings.Contains(m.Letter.Text, origin+"/w/"+string(ws)+"/billing") {
		t.Errorf("%+v", m)
	}
	var list []outbox.Delivery
	within(t, 10*time.Second, func() error { // it is noted a moment after it is heard
		list = nil
		must(t, json.Unmarshal([]byte(e.ok("GET", page+"/webhooks/"+made.ID+"/deliveries", "")), &list))
		if len(list) < 5 || list[0].State != "sent" {
			return fmt.Errorf("%+v", list)
		}
		return nil
	})
	var replayed struct{ Events int }
	must(t, json.Unmarshal([]byte(e.ok("POST", page+"/webhooks/"+made.ID+"/replay", `{"sinceMS":0}`)), &replayed))
	if replayed.Events < len(list) {
		t.Errorf("replayed %d of %d", replayed.Events, len(list))
	}
	stranger := newPerson(t, e)
	for _, path := range []string{page + "/webhooks", page + "/webhooks/" + made.ID + "/deliveries", rest} {
		if status, body := stranger.send("GET", path, ""); status != 404 {
			t.Errorf("%s for a stranger: %d %s", path, status, body)
		}
	}
}
