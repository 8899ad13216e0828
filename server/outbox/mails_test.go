package outbox

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"holdfast/server/mail"
)

func subjects(list []letter) string {
	var out []string
	for _, l := range list {
		out = append(out, l.subject)
	}
	return strings.Join(out, "|")
}

// A card that declines, until the owner gives another: every mail once, to the billing e-mail and to nobody else.
func TestBM29_MailsOfDunning(t *testing.T) {
	w, p := newWorld(t), newPost(t, "127.0.0.1:0")
	w.through(p.addr)
	w.address("billing@acme.example")
	w.card("4000000000009995")
	w.plan("team")
	w.pass()
	w.pass()
	if got, want := subjects(p.all()), "Acme is on the plan Team|Invoice HF-000001 over 4.80 EUR|The payment of 4.80 EUR for Acme failed"; got != want {
		t.Fatalf("got %s\nwant %s", got, want)
	}
	if got, want := w.log(), "subscription.plan-changed sent|invoice.issued sent|payment.failed sent|account.past_due skipped"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	bill, failed := p.all()[1], p.all()[2]
	if bill.attached != "HF-000001.pdf" || !bytes.HasPrefix(bill.pdf, []byte("JVBER")) { // %PDF- in Base64
		t.Errorf("the invoice is not attached: %s %.20q", bill.attached, bill.pdf)
	}
	for _, part := range []string{"not enough money", "We try again on 12 November 2026", "by 25 November 2026", "https://holdfast.example/w/" + string(w.ws) + "/billing"} {
		if !strings.Contains(failed.text, part) || !strings.Contains(failed.html, part) {
			t.Errorf("the failed payment does not say %q:\n%s", part, failed.text)
		}
	}
	for range 15 {
		w.after(24 * time.Hour)
	}
	w.card("4242424242424242")
	w.pass()
	list := p.all()
	if got := subjects(list[3:]); got != strings.Repeat("The payment of 4.80 EUR for Acme failed|", 4)+"Acme can only be read now|Acme can be written again" {
		t.Errorf("got %s", got)
	}
	ids := map[string]bool{}
	for _, l := range list {
		if fmt.Sprint(l.to) != "[billing@acme.example]" || ids[l.id] || l.id == "" || l.listUnsubscribe != "" {
			t.Errorf("%s: to %v, id %s, unsubscribe %q", l.subject, l.to, l.id, l.listUnsubscribe)
		}
		ids[l.id] = true
	}
	if len(w.times) != len(list) || len(slices.Compact(slices.Sorted(slices.Values(w.times)))) != len(list) {
		t.Errorf("metered %v", w.times)
	}
}

func TestMailWithoutAnAddress(t *testing.T) {
	w, p := newWorld(t), newPost(t, "127.0.0.1:0")
	w.through(p.addr)
	w.tell("account.recovered", true)
	w.pass()
	v, _, _ := w.last()
	if v.State != "skipped" || !strings.Contains(v.Reason, "no billing e-mail") || len(p.all()) != 0 {
		t.Fatalf("%+v", v)
	}
	w.address("new@acme.example")
	must(t, w.out.SendMail(t.Context(), v.Seq))
	w.pass()
	if list := p.all(); len(list) != 1 || list[0].to[0] != "new@acme.example" {
		t.Errorf("%+v", list)
	}
}

func TestNT9_RefusedAddress(t *testing.T) {
	w, p := newWorld(t), newPost(t, "127.0.0.1:0")
	w.through(p.addr)
	w.address("no-one@acme.example")
	w.tell("account.recovered", true)
	w.pass()
	w.after(24 * time.Hour)
	v, _, tries := w.last()
	if v.State != "failed" || len(tries) != 1 || !strings.Contains(v.Reason, "No such mailbox") {
		t.Fatalf("%+v %+v", v, tries)
	}
	w.address("some@acme.example")
	must(t, w.out.SendMail(t.Context(), v.Seq))
	w.pass()
	if v, _, tries = w.last(); v.State != "sent" || len(tries) != 2 || v.Recipient != "some@acme.example" {
		t.Errorf("%+v %+v", v, tries)
	}
}

func TestMailServerDownThenUp(t *testing.T) {
	w := newWorld(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	addr := l.Addr().String()
	l.Close()
	w.through(addr)
	w.address("billing@acme.example")
	w.tell("account.recovered", true)
	w.pass()
	v, _, tries := w.last()
	if v.State != "pending" || len(tries) != 1 || v.Due.Sub(w.now) != time.Minute || v.Reason == "" {
		t.Fatalf("%+v %+v", v, tries)
	}
	w.after(30 * time.Second)
	if _, _, tries = w.last(); len(tries) != 1 {
		t.Errorf("tried before its time: %+v", tries)
	}
	w.after(31 * time.Second)
	p := newPost(t, addr)
	w.after(5 * time.Minute)
	if v, _, tries = w.last(); v.State != "sent" || len(tries) != 3 || len(p.all()) != 1 {
		t.Errorf("%+v %+v", v, tries)
	}
	w.address("later-billing@acme.example")
	w.tell("account.recovered", true)
	for range 200 {
		w.after(time.Hour)
	}
	if v, _, tries = w.last(); v.State != "failed" || len(tries) != len(mailSchedule)+1 {
		t.Errorf("%+v, %d tries", v, len(tries))
	}
}

func TestWithoutAServerMailsAreKept(t *testing.T) {
	w := newWorld(t)
	w.address("billing@acme.example")
	w.tell("account.recovered", true)
	w.pass()
	v, l, tries := w.last()
	if v.State != "kept" || len(tries) != 0 || l.To != "billing@acme.example" || l.Subject != "Everything is paid for Acme" {
		t.Fatalf("%+v %+v", v, l)
	}
	p := newPost(t, "127.0.0.1:0")
	w.through(p.addr)
	w.pass()
	if len(p.all()) != 0 {
		t.Error("old mails were sent when a server was set")
	}
	must(t, w.out.SendMail(t.Context(), v.Seq))
	w.pass()
	if len(p.all()) != 1 {
		t.Error("not sent by hand")
	}
}

// Whatever billing mails has a letter, and every letter is used.
func TestEveryMailHasALetter(t *testing.T) {
	var said []string
	find := regexp.MustCompile(`\.mail\("([a-z_.-]+)"|Kind: "([a-z_.]+)", Ref`)
	for _, dir := range []string{"../billing", "."} {
		files, err := filepath.Glob(dir + "/*.go")
		must(t, err)
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			b, err := os.ReadFile(f)
			must(t, err)
			for _, m := range find.FindAllStringSubmatch(string(b), -1) {
				said = append(said, m[1]+m[2])
			}
		}
	}
	slices.Sort(said)
	if got := mail.Kinds(); !slices.Equal(got, slices.Compact(said)) {
		t.Errorf("letters %v\nmails   %v", got, slices.Compact(said))
	}
}
