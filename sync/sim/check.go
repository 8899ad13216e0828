package sim

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"holdfast/sync/change"
	"holdfast/sync/hlc"
	"holdfast/sync/id"
	"holdfast/sync/store"
	"holdfast/sync/work"
)

// healRounds bounds how long everything may take to agree once nothing fails any more.
const healRounds = 200

// drainMax bounds the messages of one round: more would be a conversation without end.
const drainMax = 20_000

// Heal ends all trouble and lets everybody catch up.
func (w *World) Heal() error {
	w.say("everything heals")
	w.calm = true
	w.cut = map[[2]int]bool{}
	for _, d := range w.devices {
		d.online = true
	}
	for range healRounds {
		if err := w.drain(); err != nil {
			return err
		}
		if w.agreed() {
			return nil
		}
		w.now = w.now.Add(1e9)
		for _, r := range w.regions {
			for _, origin := range w.regions {
				r.fetchFrom(origin, origin)
			}
			heads := r.door.Heads()
			for _, to := range w.regions {
				if to == r {
					continue
				}
				if err := to.door.Acked(w.ctx, r.name, heads); err != nil {
					return err
				}
			}
		}
		for _, d := range w.devices {
			if err := d.push(); err != nil {
				return err
			}
			if err := d.pull(); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("not healed after %d rounds: %s", healRounds, w.status())
}

// drain delivers everything that is on its way, and what that gives rise to.
func (w *World) drain() error {
	for n := 0; len(w.net) > 0; n++ {
		if n == drainMax {
			return fmt.Errorf("still talking after %d messages, now: %s", n, w.net[0].what)
		}
		if err := w.deliver(); err != nil {
			return err
		}
	}
	return nil
}

func (w *World) agreed() bool {
	heads := w.regions[0].door.Heads()
	for _, r := range w.regions {
		v, every := r.door.Heads(), r.door.Everywhere()
		if !v.Covers(heads) || !heads.Covers(v) || !every.Covers(heads) {
			return false
		}
	}
	for _, d := range w.devices {
		if c := d.replica.Counts(); c.Behind || !d.replica.Cursor().Covers(heads) {
			return false
		}
	}
	return true
}

func (w *World) status() string {
	var b strings.Builder
	for _, r := range w.regions {
		fmt.Fprintf(&b, "\n%s: heads %v, everywhere %v", r.name, r.door.Heads(), r.door.Everywhere())
	}
	for _, d := range w.devices {
		fmt.Fprintf(&b, "\n%s at %s: cursor %v, %+v", d.name, d.at.name, d.replica.Cursor(), d.replica.Counts())
	}
	return b.String()
}

// Check holds every replica against the ledger.
func (w *World) Check() error {
	if w.ops.wrong != nil {
		return w.ops.wrong
	}
	m := newModel()
	seen := map[[2]uint64]string{}
	for _, r := range w.regions {
		last := map[uint64]hlc.Stamp{}
		if head := r.door.Heads()[r.name]; head != uint64(len(w.ops.log[r.name])) {
			return fmt.Errorf("%s has %d entries, and acknowledged %d", r.name, head, len(w.ops.log[r.name]))
		}
		for _, e := range w.ops.log[r.name] {
			m.add(e.Tx)
			w.report.Entries++
			if e.Tx.Num == 0 {
				continue
			}
			k := [2]uint64{e.Tx.Replica(), e.Tx.Num}
			if !last[k[0]].Before(e.Tx.Stamp) && !w.ops.late[push{r.name, k[0], k[1]}] {
				return fmt.Errorf("%s gave %d of replica %d the stamp %s, not after %s", r.name, k[1], k[0], e.Tx.Stamp, last[k[0]])
			}
			if last[k[0]].Before(e.Tx.Stamp) {
				last[k[0]] = e.Tx.Stamp
			}
			switch was := seen[k]; was {
			case "":
				seen[k] = r.name
			case r.name:
				return fmt.Errorf("%s logged %d of replica %d twice", r.name, e.Tx.Num, e.Tx.Replica())
			default:
				w.report.Doubled++
			}
		}
	}
	if err := w.checkOps(); err != nil {
		return err
	}
	want, err := store.Digest(w.ctx, w.regions[0].db)
	if err != nil {
		return err
	}
	for _, r := range w.regions {
		if err := w.checkReplica(r.name, r.db, m, want); err != nil {
			return err
		}
	}
	for _, d := range w.devices {
		if err := w.checkReplica(d.name, d.db, m, want); err != nil {
			return err
		}
		if err := d.checkQuiet(); err != nil {
			return err
		}
		if err := d.checkTally(); err != nil {
			return err
		}
	}
	return nil
}

// checkOps: every edit has one fate, and what was acknowledged is in the log.
func (w *World) checkOps() error {
	for _, key := range slices.Sorted(maps.Keys(w.ops.ops)) {
		o := w.ops.ops[key]
		if o.lost {
			continue
		}
		if o.ends != 1 {
			return fmt.Errorf("edit %s has %d fates", key, o.ends)
		}
		if !o.fate.Accepted {
			w.report.Refused++
			continue
		}
		w.report.Accepted++
		log := w.ops.log[o.fate.Origin]
		if o.fate.Seq == 0 || o.fate.Seq > uint64(len(log)) {
			return fmt.Errorf("edit %s was acknowledged as %s %d, which is not in the log", key, o.fate.Origin, o.fate.Seq)
		}
		if t := log[o.fate.Seq-1].Tx; t.Num != o.fate.Num || t.Stamp != o.fate.Stamp {
			return fmt.Errorf("edit %s was acknowledged as %+v, and the log has %d at %v", key, o.fate, t.Num, t.Stamp)
		}
	}
	return nil
}

func (w *World) checkReplica(name string, db *sql.DB, m *model, want [32]byte) error {
	if err := m.compare(w, db); err != nil {
		return fmt.Errorf("%s differs from the merge of all logs: %w", name, err)
	}
	sum, err := store.Digest(w.ctx, db)
	if err == nil && sum != want {
		err = fmt.Errorf("%s differs from %s: %s", name, w.regions[0].name, difference(db, w.regions[0].db))
	}
	return err
}

// difference is the first few entries of the history that only one database has, for whoever looks for the reason.
func difference(a, b *sql.DB) string {
	read := func(db *sql.DB) map[string]bool {
		m := map[string]bool{}
		rows, err := db.Query("SELECT row || ' ' || hex(stamp) || ' ' || col || ' ' || quote(value) || ' base ' || hex(base) || ' by ' || actor FROM history")
		if err != nil {
			return m
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if rows.Scan(&s) == nil {
				m[s] = true
			}
		}
		return m
	}
	in, out := read(a), read(b)
	var list []string
	for s := range in {
		if !out[s] {
			list = append(list, "+ "+s)
		}
	}
	for s := range out {
		if !in[s] {
			list = append(list, "- "+s)
		}
	}
	slices.Sort(list)
	return fmt.Sprintf("%d entries of the history: %s", len(list), strings.Join(list[:min(len(list), 6)], "; "))
}

// checkQuiet: nothing lies over the confirmed rows any more.
func (d *device) checkQuiet() error {
	for _, table := range []string{"outbox", "sent", "shadow"} {
		var n int
		if err := d.db.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("%s has %d rows left in %s", d.name, n, table)
		}
	}
	return nil
}

func (d *device) checkTally() error {
	var n int
	err := d.db.QueryRow(`SELECT count(*) FROM (
		SELECT project, CASE WHEN deleted IS NULL THEN status ELSE 'trash' END AS status, count(*) AS n FROM task WHERE born = 1 GROUP BY 1, 2
		EXCEPT SELECT project, status, n FROM tally)`).Scan(&n)
	if err == nil && n > 0 {
		err = fmt.Errorf("%s counts its tasks wrongly", d.name)
	}
	return err
}

// model is the naive merge: all writes of a cell, and the greatest of them.
type model struct {
	cells map[cell]written
	past  map[moment]bool // what the history must hold
	birth map[cell]map[hlc.Stamp]bool
	rows  map[string]map[id.ID]bool
}

type cell struct {
	table string
	row   id.ID
	col   string
}

type written struct {
	stamp hlc.Stamp
	val   change.Value
}

type moment struct {
	row   id.ID
	stamp hlc.Stamp
	col   string
}

func newModel() *model {
	return &model{map[cell]written{}, map[moment]bool{}, map[cell]map[hlc.Stamp]bool{}, map[string]map[id.ID]bool{}}
}

func (m *model) add(t change.Tx) {
	for _, r := range t.Rows {
		table := work.TableOf(r.Table)
		if m.rows[r.Table] == nil {
			m.rows[r.Table] = map[id.ID]bool{}
		}
		m.rows[r.Table][r.ID] = true
		birth := work.Creates(r)
		for _, c := range r.Cells {
			_, col := table.Column(c.Col)
			k, in := cell{r.Table, r.ID, c.Col}, written{t.Stamp, c.Val}
			was, ok := m.cells[k]
			later := was.stamp.Before(in.stamp)
			if col.Merge == work.Length && was.val.Int != in.val.Int {
				later = was.val.Int < in.val.Int
			}
			if !ok || later {
				m.cells[k] = in
			}
			switch {
			case !col.Kept():
			case birth:
				if m.birth[k] == nil {
					m.birth[k] = map[hlc.Stamp]bool{}
				}
				m.birth[k][t.Stamp] = true
			default:
				m.past[moment{r.ID, t.Stamp, c.Col}] = true
			}
		}
	}
}

// compare reads a whole database.
func (m *model) compare(w *World, db *sql.DB) error {
	for _, table := range work.Tables {
		var n int
		if err := db.QueryRow("SELECT count(*) FROM " + table.Name).Scan(&n); err != nil {
			return err
		}
		if n != len(m.rows[table.Name]) {
			return fmt.Errorf("%d rows of %s, want %d", n, table.Name, len(m.rows[table.Name]))
		}
		for _, rowID := range slices.Sorted(maps.Keys(m.rows[table.Name])) {
			row, _, err := store.Get(w.ctx, db, table.Name, rowID)
			if err != nil {
				return err
			}
			for _, col := range table.Columns {
				want := m.cells[cell{table.Name, rowID, col.Name}]
				if got := row.Cell(col.Name); got.Stamp != want.stamp || got.Val != want.val {
					return fmt.Errorf("%s %s %s is %+v at %s, want %+v at %s", table.Name, rowID, col.Name, got.Val, got.Stamp, want.val, want.stamp)
				}
			}
		}
	}
	return m.comparePast(db)
}

func (m *model) comparePast(db *sql.DB) error {
	want := maps.Clone(m.past)
	for k, stamps := range m.birth {
		for s := range stamps {
			if m.cells[k].stamp != s {
				want[moment{k.row, s, k.col}] = true
			}
		}
	}
	rows, err := db.Query("SELECT row, stamp, col FROM history")
	if err != nil {
		return err
	}
	defer rows.Close()
	all := maps.Clone(want)
	for rows.Next() {
		var k moment
		var stamp []byte
		if err := rows.Scan(&k.row, &stamp, &k.col); err != nil {
			return err
		}
		copy(k.stamp[:], stamp)
		if !all[k] {
			return fmt.Errorf("the history has %v, which nobody wrote", k)
		}
		delete(want, k)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for k := range want {
		return fmt.Errorf("the history lacks %d of %d entries, one of them of %s of %s at %s; it is %+v now", len(want), len(all), k.col, k.row, k.stamp,
			m.cells[cell{"task", k.row, k.col}])
	}
	return nil
}
