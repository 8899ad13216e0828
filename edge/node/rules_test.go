package node_test

import (
	"strings"
	"testing"
	"time"

	"holdfast/edge/edgetest"
	"holdfast/sync/change"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/guest/guesttest"
	"holdfast/sync/id"
	"holdfast/sync/usage"
	"holdfast/sync/wire"
)

// refused pushes one change and wants it refused for good, with a sentence that has want in it.
func refused(t *testing.T, b *edgetest.Browser, want string) {
	t.Helper()
	tx := b.Next("what a rule looks at")
	for range 2 { // a fate lasts
		r, err := b.Push(tx)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.DetailOf(err), want) {
			t.Fatalf("got %v, want a refusal with %q", err, want)
		}
		if f := r.Fates[0]; f.Table != "project" || f.Row != tx.Rows[0].ID {
			t.Errorf("the refusal is about %s/%s", f.Table, f.Row)
		}
	}
}

// feels waits until a change is accepted (want is empty) or refused with a sentence that has want in it; each try is another change.
func feels(t *testing.T, what string, b *edgetest.Browser, want string) {
	t.Helper()
	edgetest.Eventually(t, patience, what, func() bool {
		_, err := b.Push(b.Next("again"))
		return want == "" && err == nil || want != "" && strings.Contains(fault.DetailOf(err), want)
	})
}

func TestRulesAtTheDoor(t *testing.T) {
	h := edgetest.NewHub(t)
	eu, us := newEdge(t, h, "eu"), newEdge(t, h, "us")
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	rule, second := edgetest.NewID(), edgetest.NewID()
	know(t, h.PutRule(acme.ID, rule, "Never", guesttest.Refuse("Not today.")), eu)
	b := eu.connect(ana, acme.ID)
	refused(t, b, "Rule “Never”: Not today.")

	// Others go on: of three changes, one after the other, that a rule refuses, each has a fate of its own.
	r, err := b.Offer(wire.PushRequest{Replica: b.Replica, Txs: []change.Tx{b.Next("x"), b.Next("y"), b.Next("z")}})
	if err != nil || r.Err != nil || len(r.Fates) != 3 {
		t.Fatalf("a refusal holds up what comes after it: %v %v %v", r.Fates, r.Err, err)
	}

	// Another region's rules are its own business: what us lets in comes to eu unasked.
	h.DropRule(acme.ID, rule)
	feels(t, "the rule is off", b, "")
	know(t, h.PutRule(acme.ID, rule, "Never", guesttest.Refuse("Not here.")), eu, us)
	refused(t, b, "Not here.")
	refused(t, us.connect(ana, acme.ID), "Not here.")

	// A module in the place of another, a second rule, and off again.
	know(t, h.PutRule(acme.ID, rule, "Sometimes", guesttest.Accept()), eu)
	feels(t, "the rule is another one", b, "")
	know(t, h.PutRule(acme.ID, second, "Second", guesttest.Refuse("The second says no.")), eu)
	refused(t, b, "Rule “Second”: The second says no.")

	// Without the hub, and after a restart, rules are asked all the same.
	h.Stop()
	refused(t, b, "The second says no.")
	eu.restart()
	refused(t, eu.connect(ana, acme.ID), "The second says no.")
	h.Start()
	h.DropRule(acme.ID, second)
	feels(t, "the hub is back and the second rule off", eu.connect(ana, acme.ID), "")
}

// A region merges what another one accepted, also when its own rules would have refused it.
func TestRegionsNeverAskAboutEachOthersChanges(t *testing.T) {
	h := edgetest.NewHub(t)
	eu, us := newEdge(t, h, "eu"), newEdge(t, h, "us")
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	know(t, h.Revoke(h.NewPerson()), eu, us)
	us.link.Cut()
	rule := edgetest.NewID()
	know(t, h.PutRule(acme.ID, rule, "Never", guesttest.Refuse("Not today.")), eu)
	refused(t, eu.connect(ana, acme.ID), "Not today.")
	b := us.connect(ana, acme.ID) // which does not know of the rule yet
	pushMany(t, b, 5)
	us.link.Heal()
	edgetest.Eventually(t, patience, "eu has what us accepted", func() bool {
		_, v := eu.digest(acme.ID)
		return v["us"] >= 5
	})
	feels(t, "the rule has come to us", b, "Not today.")
}

// Whatever a rule does wrong refuses the change with its name and whom to ask, and the workspace beside it does not notice.
func TestRulesThatDoNotAnswer(t *testing.T) {
	h := edgetest.NewHub(t)
	eu := newEdge(t, h, "eu")
	ana, bo := h.NewPerson(), h.NewPerson()
	acme, other := h.NewTenant(ana), h.NewTenant(bo)
	wasi := guesttest.New()
	wasi.Imports = [][2]string{{"wasi_snapshot_preview1", "fd_write"}}
	rule := edgetest.NewID()
	know(t, h.PutRule(other.ID, edgetest.NewID(), "Fine", guesttest.Accept()), eu)
	a, b := eu.connect(ana, acme.ID), eu.connect(bo, other.ID)
	for _, c := range []struct {
		name, want string
		module     []byte
	}{
		{"Traps", "it failed (unreachable)", guesttest.Trap()},
		{"Hogs", "it failed (unreachable)", guesttest.Hog()},
		{"Imports", "imports wasi_snapshot_preview1.fd_write", wasi.Bytes()},
		{"Rubbish", "outside its memory", guesttest.Answer(1<<30, 5)},
		{"Endless", "it took longer than 250ms", guesttest.Endless()},
		{"Start", "it took longer than 250ms to start", guesttest.EndlessStart()},
	} {
		know(t, h.PutRule(acme.ID, rule, c.name, c.module), eu)
		refused(t, a, "Rule “"+c.name+"” gave no answer")
		refused(t, a, c.want)
		refused(t, a, "Ask an owner or admin of the workspace")
		pushMany(t, b, 3)
	}
	know(t, h.PutRule(acme.ID, rule, "Good again", guesttest.Accept()), eu)
	pushMany(t, a, 3)
	know(t, h.Put(directory.RuleKey(acme.ID, rule), directory.Rule{Tenant: other.ID, ID: rule, Name: "Foreign", Module: guesttest.Trap()}), eu)
	pushMany(t, a, 1) // a record that is not what its key says changes nothing
}

// A leaking rule is started anew before it has no memory left.
func TestRulesNeedNotFreeMemory(t *testing.T) {
	h := edgetest.NewHub(t)
	eu := newEdge(t, h, "eu")
	ana := h.NewPerson()
	acme := h.NewTenant(ana)
	know(t, h.PutRule(acme.ID, edgetest.NewID(), "Leaks", guesttest.Leak()), eu)
	pushMany(t, eu.connect(ana, acme.ID), 200)
}

// Two workspaces with one and the same module have nothing in common: each is shown its own changes only.
func TestRulesOfWorkspacesAreApart(t *testing.T) {
	h := edgetest.NewHub(t)
	eu := newEdge(t, h, "eu")
	ana, bo := h.NewPerson(), h.NewPerson()
	acme, other := h.NewTenant(ana), h.NewTenant(bo)
	for _, w := range []id.ID{acme.ID, other.ID} {
		know(t, h.PutRule(w, edgetest.NewID(), "Counts", guesttest.Count()), eu)
	}
	a, b := eu.connect(ana, acme.ID), eu.connect(bo, other.ID)
	for _, want := range []string{"1", "2", "3"} {
		refused(t, a, "Counts”: "+want)
	}
	refused(t, b, "Counts”: 1")
	refused(t, a, "Counts”: 4")
}

// How long rules ran is counted for the workspace whose they are, in the same way as what else is counted, also before a stop.
func TestRuleTimeIsCounted(t *testing.T) {
	h := edgetest.NewHub(t)
	eu := newEdge(t, h, "eu")
	ana := h.NewPerson()
	acme, other, none := h.NewTenant(ana), h.NewTenant(ana), h.NewTenant(ana)
	know(t, h.PutRule(acme.ID, edgetest.NewID(), "Slow", guesttest.Endless()), eu)
	know(t, h.PutRule(other.ID, edgetest.NewID(), "Quick", guesttest.Accept()), eu)
	refused(t, eu.connect(ana, acme.ID), "longer than")
	pushMany(t, eu.connect(ana, other.ID), 50)
	pushMany(t, eu.connect(ana, none.ID), 5)
	eu.restart()
	ran := func(w id.ID) time.Duration { return time.Duration(sum(t, h, "eu", usage.RuleTime, w)) }
	edgetest.Eventually(t, patience, "what rules took is in the stream", func() bool { return ran(acme.ID) > 0 && ran(other.ID) > 0 })
	if got := ran(acme.ID); got < 250*time.Millisecond {
		t.Errorf("a rule that was stopped after 250 ms is counted with %v", got)
	}
	if got := ran(none.ID); got != 0 {
		t.Errorf("a workspace without rules: %v", got)
	}
	before := ran(acme.ID)
	refused(t, eu.connect(ana, acme.ID), "longer than") // the restart forgot that it rests, so it ran again
	edgetest.Eventually(t, patience, "the second time is added", func() bool { return ran(acme.ID) >= before+250*time.Millisecond })
}
