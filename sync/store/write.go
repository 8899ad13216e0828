package store

import (
	"slices"

	"holdfast/sync/change"
)

// write stores the changed rows and adds to the history.
func (m *merger) write() error {
	fresh := make([]*slot, 0, len(m.order))
	var args []any
	for i, s := range m.order {
		switch {
		case s.written == 0:
		case !s.stored:
			fresh = append(fresh, s)
		default:
			args = s.updateArgs(args[:0])
			if _, err := m.tx.ExecContext(m.ctx, s.l.update(s.valued, s.births()), args...); err != nil {
				return err
			}
		}
		if last := i+1 == len(m.order) || m.order[i+1].l != s.l; last || len(fresh) == writeRows {
			if err := m.insert(fresh); err != nil {
				return err
			}
			fresh = fresh[:0]
		}
	}
	return m.writePast()
}

// births tells whether the row is born now.
func (s *slot) births() bool { return !s.born && s.row.Born() }

func (s *slot) updateArgs(to []any) []any {
	for i := range s.row.Cells {
		if s.valued&(1<<i) != 0 {
			to = append(to, s.row.Cells[i].Val.Any())
		}
	}
	return append(to, s.row.clock(), string(s.row.ID))
}

func (m *merger) insert(fresh []*slot) error {
	if len(fresh) == 0 {
		return nil
	}
	l := fresh[0].l
	each := len(l.Columns) + 3
	args := make([]any, 0, each*len(fresh))
	for _, s := range fresh {
		args = s.row.args(args)
	}
	if len(fresh) == writeRows {
		_, err := m.tx.ExecContext(m.ctx, l.insertN, args...)
		return err
	}
	for one := range slices.Chunk(args, each) {
		if _, err := m.tx.ExecContext(m.ctx, l.insert1, one...); err != nil {
			return err
		}
	}
	return nil
}

func (m *merger) writePast() error {
	slices.SortFunc(m.past, past.compare)
	var args []any
	for chunk := range slices.Chunk(m.past, writeRows) {
		args = args[:0]
		for i := range chunk {
			args = chunk[i].args(args)
		}
		if len(chunk) == writeRows {
			if _, err := m.tx.ExecContext(m.ctx, historyInsertN, args...); err != nil {
				return err
			}
			continue
		}
		for one := range slices.Chunk(args, len(args)/len(chunk)) {
			if _, err := m.tx.ExecContext(m.ctx, historyInsert1, one...); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *past) args(to []any) []any {
	base := []byte{}
	if !p.base.IsZero() {
		base = p.base[:]
	}
	return append(to, string(p.row), p.stamp[:], p.col, p.val.Any(), base, string(p.actor))
}

// compare orders entries as the history's primary key does, and equal keys so that the order of arrival leaves no trace.
func (p past) compare(q past) int {
	if p.row != q.row {
		return change.V(p.row).Compare(change.V(q.row))
	}
	if c := p.stamp.Compare(q.stamp); c != 0 {
		return c
	}
	return change.V(p.col).Compare(change.V(q.col))
}
