package sim

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/sqlite"
	"holdfast/sync/work"
)

// region is one edge: its door, and the part of a node around it that carries entries to and fro.
type region struct {
	w     *World
	index int
	name  string
	db    *sql.DB
	door  *ingress.Ingress
	skew  time.Duration
	held  []offer
	roles map[id.ID]string
	heard map[id.ID]time.Time // of a person's role, the newest news
}

var regionNames = []string{"eu", "us", "ap", "sa"}

// directory is the replica number in the stamps of what regions project from the hub.
const directory = 1

func (w *World) newRegion(i int) (*region, error) {
	db, err := sqlite.Open(w.ctx, ":memory:", sqlite.Options{})
	if err != nil {
		return nil, err
	}
	r := &region{w: w, index: i, name: regionNames[i], db: db, roles: map[id.ID]string{}, heard: map[id.ID]time.Time{}}
	r.skew = time.Duration(w.rnd.IntN(4000)-2000) * time.Millisecond
	if err := r.start(); err != nil {
		return nil, err
	}
	create := change.Tx{Stamp: hlc.Make(w.now.UnixMilli(), 0, directory), Actor: w.people[0].id, Command: "workspace.project",
		Rows: []change.Row{{Table: "workspace", ID: tenant, Cells: []change.Cell{{Col: "name", Val: change.V("The works")}}}}}
	if err := r.system(create); err != nil {
		return nil, err
	}
	for _, p := range w.people {
		if err := r.project(p, w.now); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// start opens the door on the database as it is.
func (r *region) start() error {
	r.door = ingress.New(ingress.Config{DB: r.db, Region: r.name, Tenant: tenant, Log: r.w.cfg.Log,
		Now:     func() time.Time { return r.w.now.Add(r.skew) },
		Admit:   r.admit,
		Regions: func() []string { return regionNames[:r.w.cfg.Regions] }})
	return r.door.Open(r.w.ctx)
}

// admit refuses a change now and then, as limits and rules do, and not the same ones in all regions.
func (r *region) admit(_ context.Context, _ ingress.Actor, t change.Tx, _ work.Lookup) error {
	if !r.w.calm && (t.Num+t.Replica()+uint64(r.index))%17 == 0 {
		return fault.Errorf("sim.admit", fault.Limit, "No more today.")
	}
	return nil
}

// project puts a person's record into the workspace's rows, unless it is old news.
func (r *region) project(p person, at time.Time) error {
	if !at.After(r.heard[p.id]) && r.roles[p.id] != "" {
		return nil
	}
	r.roles[p.id], r.heard[p.id] = p.role, at
	return r.system(change.Tx{Stamp: hlc.Make(at.UnixMilli(), 1, directory), Actor: p.id, Command: "member.project",
		Rows: []change.Row{{Table: "member", ID: p.id, Cells: []change.Cell{{Col: "active", Val: change.V(1)}, {Col: "color", Val: change.V("red")},
			{Col: "name", Val: change.V(p.name)}, {Col: "role", Val: change.V(p.role)}}}}})
}

func (r *region) system(t change.Tx) error {
	done, err := r.door.System(r.w.ctx, t)
	if err != nil {
		return err
	}
	r.publish(done)
	return nil
}

// publish sends new entries of this region to the others and to the devices here.
func (r *region) publish(entries []change.Entry) {
	if len(entries) == 0 {
		return
	}
	r.w.ops.logged(entries)
	for _, to := range r.w.regions {
		if to != r && r.w.reach(r.index, to.index) {
			r.w.send(fmt.Sprintf("%s → %s: entries to %d", r.name, to.name, entries[len(entries)-1].Seq), func() error { return to.apply(entries) })
		}
	}
	r.feed(entries)
}

// feed tells the devices that are connected here.
func (r *region) feed(entries []change.Entry) {
	everywhere := r.door.Everywhere()
	for _, d := range r.w.devices {
		if d.online && d.at == r {
			session := d.session
			r.w.send(fmt.Sprintf("feed %s → %s", r.name, d.name), func() error { return d.hear(session, entries, everywhere) })
		}
	}
}

// apply merges entries of other regions, and asks for what is missing.
func (r *region) apply(entries []change.Entry) error {
	a, err := r.door.ApplyRemote(r.w.ctx, entries)
	if err != nil {
		return err
	}
	if len(a.Entries) > 0 {
		r.feed(a.Entries)
		heads := r.door.Heads()
		for _, to := range r.w.regions {
			if to != r && r.w.reach(r.index, to.index) {
				r.w.send(fmt.Sprintf("%s has %v", r.name, heads), func() error { return to.door.Acked(r.w.ctx, r.name, heads) })
			}
		}
	}
	for range a.Missing {
		if err := r.fetch(); err != nil {
			return err
		}
	}
	return nil
}

// fetch asks some other region for what it has of some origin's log.
func (r *region) fetch() error {
	r.fetchFrom(pick(r.w, r.w.regions), pick(r.w, r.w.regions))
	return nil
}

func (r *region) fetchFrom(from, origin *region) {
	if from == r || !r.w.reach(r.index, from.index) {
		return
	}
	after := r.door.Heads()[origin.name]
	r.w.send(fmt.Sprintf("%s asks %s for %s after %d", r.name, from.name, origin.name, after), func() error {
		return from.answer(r, origin.name, after)
	})
}

func (r *region) answer(to *region, origin string, after uint64) error {
	if r.door.Floors()[origin] > after {
		path, err := r.export()
		if err != nil || !r.w.reach(r.index, to.index) {
			return err
		}
		r.w.send(fmt.Sprintf("%s answers %s: its rows as a whole", r.name, to.name), func() error { return to.adopt(path) })
		return nil
	}
	entries, err := r.door.Log(r.w.ctx, origin, after, 4000+r.w.rnd.IntN(20_000))
	if err != nil || len(entries) == 0 {
		return err
	}
	if r.w.reach(r.index, to.index) {
		r.w.send(fmt.Sprintf("%s answers %s: %s to %d", r.name, to.name, origin, entries[len(entries)-1].Seq), func() error { return to.apply(entries) })
	}
	return nil
}

// crash loses everything but the database.
func (r *region) crash() error {
	r.w.report.Crashes++
	r.w.say("region %s dies", r.name)
	r.held = nil
	heads, every := fmt.Sprint(r.door.Heads()), fmt.Sprint(r.door.Everywhere())
	for _, d := range r.w.devices {
		if d.at == r {
			d.session++
		}
	}
	if err := r.start(); err != nil {
		return err
	}
	if got := fmt.Sprint(r.door.Heads()); got != heads {
		return fmt.Errorf("region %s came back at %s, was at %s", r.name, got, heads)
	}
	if got := fmt.Sprint(r.door.Everywhere()); got != every {
		return fmt.Errorf("region %s came back knowing %s everywhere, was %s", r.name, got, every)
	}
	return nil
}

// trim drops a part of the log that all regions have, and now and then of what some region still lacks.
func (r *region) trim() error {
	v := r.door.Everywhere()
	if r.w.dice(3) {
		v = r.door.Heads()
	}
	for name, seq := range v {
		v[name] = seq * 3 / 4
	}
	r.w.say("region %s trims to %v", r.name, v)
	return r.door.Trim(r.w.ctx, v)
}

func (r *region) export() (string, error) {
	path := r.w.file()
	_, err := r.door.Export(r.w.ctx, path)
	return path, err
}

// adopt takes another region's rows over.
func (r *region) adopt(path string) error {
	heads := r.door.Heads()
	if err := r.door.Adopt(r.w.ctx, path); err != nil {
		return err
	}
	r.w.report.Adoptions++
	r.w.say("region %s had %v and has %v", r.name, heads, r.door.Heads())
	return nil
}

// lose destroys the database. The region answers nobody before it has all again that it had, so it happens only while
// another region that can be reached has that.
func (r *region) lose() error {
	heads := r.door.Heads()
	for _, from := range r.w.regions {
		if from == r || !r.w.reach(r.index, from.index) || !from.door.Heads().Covers(heads) {
			continue
		}
		r.w.report.Rebuilds++
		r.w.say("region %s loses its file and gets it again from %s", r.name, from.name)
		r.w.ops.lostFile(r.name)
		r.db.Close()
		var err error
		if r.db, err = sqlite.Open(r.w.ctx, ":memory:", sqlite.Options{}); err != nil {
			return err
		}
		if err := r.start(); err != nil {
			return err
		}
		if err := r.rebuild(from); err != nil {
			return err
		}
		if got := r.door.Heads(); !got.Covers(heads) || got[r.name] != heads[r.name] {
			return fmt.Errorf("region %s had %v and got %v again", r.name, heads, got)
		}
		return r.crash()
	}
	return nil
}

// rebuild fetches all that another region has.
func (r *region) rebuild(from *region) error {
	path, err := from.export()
	if err != nil {
		return err
	}
	if err := r.adopt(path); err != nil {
		return err
	}
	for _, origin := range from.door.Heads().Origins() {
		for {
			entries, err := from.door.Log(r.w.ctx, origin, r.door.Heads()[origin], 4000)
			if err != nil {
				return err
			}
			if len(entries) == 0 {
				break
			}
			if _, err := r.door.ApplyRemote(r.w.ctx, entries); err != nil {
				return err
			}
		}
	}
	return nil
}
