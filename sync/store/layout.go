package store

import (
	"strings"

	"holdfast/sync/fault"
	"holdfast/sync/work"
)

// layout is the SQL of one table of package work.
type layout struct {
	*work.Table
	required uint64 // bit set of the columns that a row needs to be born
	read     string // "SELECT id, <columns>, clock FROM <table> "
	columns  string // "<table> (id, <columns>, born, clock)"
	params   string // "(?, …)" for one row
	insert1  string
	insertN  string // writeRows rows
	read1    string
	readN    string // readRows rows
	replace  string
	remove   string
}

var (
	layouts  = newLayouts()
	layoutOf = func() map[string]*layout {
		m := make(map[string]*layout, len(layouts))
		for _, l := range layouts {
			m[l.Name] = l
		}
		return m
	}()
)

func newLayouts() []*layout {
	out := make([]*layout, 0, len(work.Tables))
	for _, t := range work.Tables {
		out = append(out, newLayout(t))
	}
	return out
}

func newLayout(t *work.Table) *layout {
	l := &layout{Table: t}
	names := make([]string, len(t.Columns))
	sets := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
		sets[i] = c.Name + "=excluded." + c.Name
		if c.Required {
			l.required |= 1 << i
		}
	}
	list := strings.Join(names, ", ")
	l.read = "SELECT id, " + list + ", clock FROM " + t.Name
	l.read1 = l.read + " WHERE id=?"
	l.readN = l.read + " WHERE id IN (?" + strings.Repeat(",?", readRows-1) + ")"
	l.columns = t.Name + " (id, " + list + ", born, clock)"
	l.params = "(?" + strings.Repeat(",?", len(t.Columns)+2) + ")"
	l.insert1 = insertInto + l.columns + " VALUES " + l.params
	l.insertN = l.insert1 + strings.Repeat(","+l.params, writeRows-1)
	l.replace = l.insert1 + " ON CONFLICT (id) DO UPDATE SET " + strings.Join(sets, ", ") + ", born=excluded.born, clock=excluded.clock"
	l.remove = "DELETE FROM " + t.Name + " WHERE id=?"
	return l
}

// update is the statement that sets the columns of a bit set, born when told to, and the clock.
func (l *layout) update(cols uint64, born bool) string {
	var b strings.Builder
	b.Grow(128)
	b.WriteString("UPDATE ")
	b.WriteString(l.Name)
	b.WriteString(" SET ")
	for i := range l.Columns {
		if cols&(1<<i) != 0 {
			b.WriteString(l.Columns[i].Name)
			b.WriteString("=?, ")
		}
	}
	if born {
		b.WriteString("born=1, ")
	}
	b.WriteString("clock=? WHERE id=?")
	return b.String()
}

// tableOf finds the layout; a table that this program does not know comes from a newer one, or from a mistake.
func tableOf(op, name string) (*layout, error) {
	if l := layoutOf[name]; l != nil {
		return l, nil
	}
	return nil, fault.Errorf(op, fault.Unsupported, "there is no table %.40q in this version", name)
}

// insertInto: with the usual ABORT, SQLite copies every page that an INSERT of many rows touches, to be able to take back
// just that statement. Nobody wants that here, as an error ends the transaction: with FAIL it does not.
const insertInto = "INSERT OR FAIL INTO "

const (
	historyColumns = "history (row, stamp, col, value, base, actor)"
	historyParams  = "(?,?,?,?,?,?)"
	// Two values under one stamp come only from a broken or hostile replica; the order of arrival must not matter then.
	historyConflict = " ON CONFLICT (row, stamp, col) DO UPDATE SET value=excluded.value, base=excluded.base, actor=excluded.actor" +
		" WHERE (quote(excluded.value), excluded.base, excluded.actor) > (quote(value), base, actor)"
)

var (
	historyInsert1 = insertInto + historyColumns + " VALUES " + historyParams + historyConflict
	historyInsertN = insertInto + historyColumns + " VALUES " + historyParams + strings.Repeat(","+historyParams, writeRows-1) + historyConflict
)
