package tenancy

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"holdfast/server/hubdb"
	"holdfast/server/naming"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/work"
)

type world struct {
	*Service
	t   testing.TB
	ctx context.Context
	db  *sql.DB
	mu  sync.Mutex
	at  time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, ctx: context.Background(), at: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	var err error
	if w.db, err = hubdb.Open(w.ctx, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.db.Close() })
	w.Service = New(Config{DB: w.db, Now: w.now, Rand: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) pass(d time.Duration) { w.mu.Lock(); w.at = w.at.Add(d); w.mu.Unlock() }

func (w *world) person(name string) id.ID {
	w.t.Helper()
	p := id.Derive("person", name)
	if _, err := w.db.Exec("INSERT INTO person (id, name, created_ms) VALUES (?, ?, 0)", p, name); err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) create(owner id.ID) id.ID {
	w.t.Helper()
	tenant, err := w.Create(w.ctx, owner, "Acme", "eu")
	if err != nil {
		w.t.Fatal(err)
	}
	return tenant
}

func (w *world) join(tenant, inviter, person id.ID, role string) {
	w.t.Helper()
	_, code, err := w.Invite(w.ctx, tenant, inviter, role, 1)
	if err == nil {
		_, err = w.Accept(w.ctx, person, code)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// record is what the directory will carry.
func (w *world) record(tenant id.ID) (d directory.Tenant) {
	w.t.Helper()
	var b []byte
	if err := w.db.QueryRow("SELECT value FROM record WHERE key = ?", directory.TenantKey(tenant)).Scan(&b); err != nil {
		w.t.Fatal(err)
	}
	if err := json.Unmarshal(b, &d); err != nil {
		w.t.Fatal(err)
	}
	return d
}

func kind(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != want {
		t.Errorf("got %v, want kind %v", err, want)
	} else if fault.DetailOf(err) == "" {
		t.Errorf("%v has no sentence for a person", err)
	}
}

func TestCreate(t *testing.T) {
	w := newWorld(t)
	ana := w.person("Ana")
	tenant, err := w.Create(w.ctx, ana, "  Acme <&> ", "eu")
	if err != nil {
		t.Fatal(err)
	}
	d := w.record(tenant)
	if d.Name != "Acme <&>" || d.Home != "eu" || d.State != Active || len(d.Members) != 1 || !d.Serves("us") {
		t.Errorf("record %+v", d)
	}
	if m := d.Member(ana); m == nil || m.Role != work.Owner || !m.Active || m.Name != "Ana" || m.Color == "" {
		t.Errorf("owner %+v", m)
	}
	for name, want := range map[string]fault.Kind{"": fault.Invalid, " \t": fault.Invalid, "a\x00b": fault.Invalid, "\xff": fault.Invalid, strings.Repeat("n", naming.BytesMax+1): fault.TooLarge} {
		_, err := w.Create(w.ctx, ana, name, "eu")
		kind(t, err, want)
	}
	if _, err := w.Create(w.ctx, ana, strings.Repeat("n", naming.BytesMax), "eu"); err != nil {
		t.Errorf("a name at the limit: %v", err)
	}
}

func TestWorkspacesMax(t *testing.T) {
	w := newWorld(t)
	ana := w.person("Ana")
	for range WorkspacesMax {
		w.create(ana)
	}
	_, err := w.Create(w.ctx, ana, "one more", "eu")
	kind(t, err, fault.Limit)
}

// Whoever is not in a workspace cannot tell it from one that does not exist.
func TestStrangersSeeNothing(t *testing.T) {
	w := newWorld(t)
	ana, eve := w.person("Ana"), w.person("Eve")
	tenant, none := w.create(ana), id.Derive("none")
	inv, _, err := w.Invite(w.ctx, tenant, ana, work.Member, 1)
	if err != nil {
		t.Fatal(err)
	}
	role := work.Owner
	for name, try := range map[string]func(tenant id.ID) error{
		"role":    func(t id.ID) error { _, err := w.Role(w.ctx, t, eve); return err },
		"rename":  func(t id.ID) error { return w.Rename(w.ctx, t, eve, "mine") },
		"promote": func(t id.ID) error { return w.SetMember(w.ctx, t, eve, eve, MemberChange{Role: &role}) },
		"demote":  func(t id.ID) error { return w.SetMember(w.ctx, t, eve, ana, MemberChange{Active: new(bool)}) },
		"invite":  func(t id.ID) error { _, _, err := w.Invite(w.ctx, t, eve, work.Member, 1); return err },
		"list":    func(t id.ID) error { _, err := w.Invitations(w.ctx, t, eve); return err },
		"revoke":  func(t id.ID) error { return w.Revoke(w.ctx, t, eve, inv.ID) },
	} {
		real, unreal := try(tenant), try(none)
		kind(t, real, fault.NotFound)
		if real == nil || unreal == nil || real.Error() != unreal.Error() {
			t.Errorf("%s: %v differs from %v", name, real, unreal)
		}
	}
	if n := len(w.record(tenant).Members); n != 1 {
		t.Errorf("%d members", n)
	}
}

func TestInvitationLife(t *testing.T) {
	w := newWorld(t)
	ana, bo, cy, di := w.person("Ana"), w.person("Bo"), w.person("Cy"), w.person("Di")
	tenant := w.create(ana)
	inv, code, err := w.Invite(w.ctx, tenant, ana, work.Member, 2)
	if err != nil {
		t.Fatal(err)
	}
	if look, err := w.Look(w.ctx, strings.ToUpper(code)+" "); err != nil || look != (Welcome{"Acme", "Ana", work.Member}) {
		t.Errorf("look: %+v, %v", look, err)
	}
	for _, p := range []id.ID{bo, bo, ana, cy} { // who is in already uses nothing up
		if got, err := w.Accept(w.ctx, p, code); err != nil || got != tenant {
			t.Fatalf("accept: %v, %v", got, err)
		}
	}
	if d := w.record(tenant); d.Member(ana).Role != work.Owner {
		t.Error("an owner who opened an invitation lost their role")
	}
	_, err = w.Accept(w.ctx, di, code)
	kind(t, err, fault.NotFound)

	_, revoked, _ := w.Invite(w.ctx, tenant, ana, work.Viewer, 0)
	list, err := w.Invitations(w.ctx, tenant, ana)
	if err != nil || len(list) != 1 || list[0].UsesLeft != InvitationUses {
		t.Fatalf("list: %+v, %v", list, err)
	}
	if err := w.Revoke(w.ctx, tenant, ana, list[0].ID); err != nil {
		t.Fatal(err)
	}
	kind(t, w.Revoke(w.ctx, tenant, ana, list[0].ID), fault.NotFound)
	kind(t, w.Revoke(w.ctx, tenant, ana, inv.ID), fault.NotFound) // used up

	_, expired, _ := w.Invite(w.ctx, tenant, ana, work.Viewer, 0)
	w.pass(invitationTTL - time.Second)
	if _, err := w.Look(w.ctx, expired); err != nil {
		t.Errorf("one second before the end: %v", err)
	}
	w.pass(time.Second)
	var said []string
	for _, code := range []string{revoked, expired, code, "", "never-made", strings.Repeat("x", 1<<16)} {
		_, err := w.Accept(w.ctx, di, code)
		kind(t, err, fault.NotFound)
		said = append(said, fault.DetailOf(err))
	}
	for _, s := range said {
		if s != said[0] {
			t.Errorf("answers tell codes apart: %q, %q", s, said[0])
		}
	}
	var kept int
	if err := w.db.QueryRow("SELECT count(*) FROM invitation WHERE instr(CAST(hash AS TEXT), ?)", code).Scan(&kept); err != nil || kept != 0 {
		t.Errorf("the code itself is stored: %d, %v", kept, err)
	}
}

// Whoever is sent away must not come back in with a code of their own.
func TestRemovedInviter(t *testing.T) {
	w := newWorld(t)
	ana, bo := w.person("Ana"), w.person("Bo")
	tenant := w.create(ana)
	w.join(tenant, ana, bo, work.Admin)
	_, code, err := w.Invite(w.ctx, tenant, bo, work.Member, 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetMember(w.ctx, tenant, ana, bo, MemberChange{Active: new(bool)}); err != nil {
		t.Fatal(err)
	}
	_, err = w.Accept(w.ctx, bo, code)
	kind(t, err, fault.NotFound)
	_, err = w.Role(w.ctx, tenant, bo)
	kind(t, err, fault.NotFound)
}

// Who left, or was removed, comes back by an invitation that they accept, and by nothing else.
func TestFormerMembersDecideThemselves(t *testing.T) {
	w := newWorld(t)
	ana, bo := w.person("Ana"), w.person("Bo")
	tenant := w.create(ana)
	w.join(tenant, ana, bo, work.Member)
	if err := w.SetMember(w.ctx, tenant, bo, bo, MemberChange{Active: new(bool)}); err != nil {
		t.Fatal(err)
	}
	before := w.record(tenant)
	admin, yes := work.Admin, true
	for _, c := range []MemberChange{{Active: &yes}, {Active: &yes, Role: &admin}, {Role: &admin}} {
		kind(t, w.SetMember(w.ctx, tenant, ana, bo, c), fault.Conflict)
	}
	if after := w.record(tenant); !reflect.DeepEqual(before, after) {
		t.Errorf("it was refused, and yet:\n%+v\n%+v", before, after)
	}
	w.join(tenant, ana, bo, work.Viewer)
	if role, err := w.Role(w.ctx, tenant, bo); role != work.Viewer || err != nil {
		t.Errorf("back as %q, %v", role, err)
	}
}

// Who was an owner may not let in admins any more, with an invitation from before.
func TestInviterSteppedDown(t *testing.T) {
	w := newWorld(t)
	ana, bo, eve := w.person("Ana"), w.person("Bo"), w.person("Eve")
	tenant := w.create(ana)
	w.join(tenant, ana, bo, work.Admin)
	owner, admin := work.Owner, work.Admin
	if err := w.SetMember(w.ctx, tenant, ana, bo, MemberChange{Role: &owner}); err != nil {
		t.Fatal(err)
	}
	_, code, err := w.Invite(w.ctx, tenant, bo, work.Admin, 5)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.SetMember(w.ctx, tenant, ana, bo, MemberChange{Role: &admin}); err != nil {
		t.Fatal(err)
	}
	_, err = w.Accept(w.ctx, eve, code)
	kind(t, err, fault.NotFound)
}

func TestBounds(t *testing.T) {
	w := newWorld(t)
	ana, bo := w.person("Ana"), w.person("Bo")
	tenant := w.create(ana)
	for _, uses := range []int{-1, InvitationUseMax + 1} {
		_, _, err := w.Invite(w.ctx, tenant, ana, work.Member, uses)
		kind(t, err, fault.Invalid)
	}
	for _, role := range []string{"", work.Owner, "root"} {
		_, _, err := w.Invite(w.ctx, tenant, ana, role, 1)
		kind(t, err, fault.Invalid)
	}
	for range InvitationsMax {
		if _, _, err := w.Invite(w.ctx, tenant, ana, work.Member, InvitationUseMax); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err := w.Invite(w.ctx, tenant, ana, work.Member, 1)
	kind(t, err, fault.Limit)

	full := w.create(ana)
	_, code, _ := w.Invite(w.ctx, full, ana, work.Member, 1)
	err = sqlite.Tx(w.ctx, w.db, func(tx *sql.Tx) error {
		for i := range MembersMax - 1 { // the largest record there can be, with names that JSON makes twice as long
			name := strings.Repeat(`"`, naming.BytesMax)
			p := id.New(w.now(), rand.Reader)
			if _, err := tx.Exec("INSERT INTO person (id, name, created_ms) VALUES (?, ?, 0)", p, name); err != nil {
				return err
			}
			if _, err := tx.Exec("INSERT INTO member VALUES (?, ?, 'member', 'orange', 1, ?)", full, p, w.now().UnixMilli()+int64(i)); err != nil {
				return err
			}
		}
		return w.publish(w.ctx, tx, full)
	})
	if err != nil {
		t.Fatalf("a full workspace does not fit into its record: %v", err)
	}
	_, err = w.Accept(w.ctx, bo, code)
	kind(t, err, fault.Limit)
}

func TestSeats(t *testing.T) {
	w := newWorld(t)
	ana, bo, cy := w.person("Ana"), w.person("Bo"), w.person("Cy")
	start := w.now()
	tenant := w.create(ana)
	w.pass(time.Hour)
	w.join(tenant, ana, bo, work.Member)
	w.join(tenant, ana, cy, work.Viewer)
	w.pass(time.Hour)
	left := w.now()
	if err := w.SetMember(w.ctx, tenant, bo, bo, MemberChange{Active: new(bool)}); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Hour)
	for _, c := range []struct {
		name        string
		from, until time.Time
		want        [3]int64 // now, peak, hours
	}{
		{"whole", start, w.now(), [3]int64{1, 2, 4}},
		{"before", start.Add(-time.Hour), start, [3]int64{}},
		{"first-hour", start, start.Add(time.Hour), [3]int64{1, 1, 1}},
		{"second-hour", start.Add(time.Hour), left, [3]int64{2, 2, 2}},
		{"carried-over", start.Add(90 * time.Minute), left.Add(-time.Minute), [3]int64{2, 2, 0}},
		{"after", left.Add(time.Minute), w.now(), [3]int64{1, 1, 0}},
	} {
		got, err := w.SeatsIn(w.ctx, tenant, c.from, c.until)
		if err != nil || [3]int64{got.Now, got.Peak, got.Hours} != c.want {
			t.Errorf("%s: got %+v, %v; want %+v", c.name, got, err, c.want)
		}
	}
}

func TestRenamedAndState(t *testing.T) {
	w := newWorld(t)
	ana, bo := w.person("Ana"), w.person("Bo")
	tenant := w.create(ana)
	w.join(tenant, ana, bo, work.Member)
	before := w.record(tenant)
	err := sqlite.Tx(w.ctx, w.db, func(tx *sql.Tx) error {
		if _, err := tx.Exec("UPDATE person SET name = 'Bob' WHERE id = ?", bo); err != nil {
			return err
		}
		return w.Renamed(w.ctx, tx, bo)
	})
	if err != nil {
		t.Fatal(err)
	}
	after := w.record(tenant)
	if m := after.Member(bo); m.Name != "Bob" || m.ChangedMS <= before.Member(bo).ChangedMS {
		t.Errorf("got %+v: edges take a record over only when it is newer", m)
	}
	if after.Member(ana).ChangedMS != before.Member(ana).ChangedMS {
		t.Error("somebody else's record was touched")
	}
	if err := w.SetLimits(w.ctx, tenant, map[string]int64{"seats": 5}); err != nil {
		t.Fatal(err)
	}
	if err := w.SetState(w.ctx, tenant, Deleted); err != nil {
		t.Fatal(err)
	}
	if d := w.record(tenant); d.State != Deleted || d.Limits["seats"] != 5 {
		t.Errorf("record %+v", d)
	}
	_, err = w.Role(w.ctx, tenant, ana)
	kind(t, err, fault.NotFound)
}

// Whatever anybody tries in whatever order, a workspace keeps an active owner, nobody gets more than somebody with the
// right gave them, and the directory says what the database says.
func TestRolesLaw(t *testing.T) {
	w := newWorld(t)
	people := []id.ID{w.person("Ana"), w.person("Bo"), w.person("Cy"), w.person("Di")}
	rapid.Check(t, func(r *rapid.T) {
		tenant, err := w.Create(w.ctx, people[0], "Acme", "eu")
		if err != nil {
			if fault.KindOf(err) != fault.Limit {
				r.Fatal(err)
			}
			if _, err := w.db.Exec("DELETE FROM member"); err != nil {
				r.Fatal(err)
			}
			if tenant, err = w.Create(w.ctx, people[0], "Acme", "eu"); err != nil {
				r.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			before := w.record(tenant)
			by := rapid.SampledFrom(people).Draw(r, "by")
			on := rapid.SampledFrom(people).Draw(r, "on")
			role := rapid.SampledFrom(work.Roles).Draw(r, "role")
			active := rapid.Bool().Draw(r, "active")
			invite := rapid.Bool().Draw(r, "invite")
			if invite {
				if _, code, err := w.Invite(w.ctx, tenant, by, role, 1); err == nil {
					if _, err := w.Accept(w.ctx, on, code); err != nil {
						r.Fatal(err)
					}
				}
			} else if err := w.SetMember(w.ctx, tenant, by, on, MemberChange{&role, &active}); err != nil && fault.DetailOf(err) == "" {
				r.Fatal(err)
			}
			after := w.record(tenant)
			if old, now := before.Member(on), after.Member(on); !invite && now != nil && now.Active && (old == nil || !old.Active) {
				r.Fatalf("a member without an invitation: %+v, was %+v", now, old)
			}
			checkStep(r, before, after, by, on)
		}
	})
}

func checkStep(r *rapid.T, before, after directory.Tenant, by, on id.ID) {
	owners := 0
	for _, m := range after.Members {
		if m.Active && m.Role == work.Owner {
			owners++
		}
		old := before.Member(m.Person)
		if m.Person != on && (old == nil || *old != m) {
			r.Fatalf("a bystander changed: %+v", m)
		}
	}
	if owners == 0 {
		r.Fatalf("no owner left: %+v", after.Members)
	}
	actor, old, now := before.Member(by), before.Member(on), after.Member(on)
	if now == nil || old != nil && *old == *now {
		return
	}
	if actor == nil || !actor.Active {
		r.Fatalf("a stranger changed %+v to %+v", old, now)
	}
	if old != nil && now.ChangedMS <= old.ChangedMS {
		r.Fatalf("a change that is not newer: %+v, %+v", old, now)
	}
	high := func(m *directory.Member) bool { return m != nil && m.Active && rank(m.Role) <= rank(work.Admin) }
	if actor.Role == work.Owner || by == on && old != nil && rank(now.Role) >= rank(old.Role) && old.Active {
		return
	}
	if actor.Role != work.Admin || high(old) || high(now) {
		r.Fatalf("%s turned %+v into %+v", actor.Role, old, now)
	}
}

// Two owners leave at the same moment: one of them must stay.
func TestLastOwnerRace(t *testing.T) {
	w := newWorld(t)
	ana, bo := w.person("Ana"), w.person("Bo")
	for range 10 {
		tenant := w.create(ana)
		w.join(tenant, ana, bo, work.Member)
		owner := work.Owner
		if err := w.SetMember(w.ctx, tenant, ana, bo, MemberChange{Role: &owner}); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		errs := make([]error, 2)
		for i, p := range []id.ID{ana, bo} {
			wg.Go(func() { errs[i] = w.SetMember(w.ctx, tenant, p, p, MemberChange{Active: new(bool)}) })
		}
		wg.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("want exactly one to leave: %v, %v", errs[0], errs[1])
		}
	}
}
