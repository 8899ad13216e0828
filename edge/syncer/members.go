package syncer

import (
	"context"

	"holdfast/edge/tenant"
	"holdfast/sync/change"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/hlc"
)

// hubReplica stamps what the hub decided. Every region projects the same record to the same change, so merging them all
// is merging one.
const hubReplica = 1

// Project brings the people of a workspace from the directory into its rows, unless that was done since the record last
// changed: so they merge, show and can be referred to like everything else. It comes before every push, because a change
// may refer to somebody who has only just joined.
func (s *Syncer) Project(ctx context.Context, t *tenant.Tenant) error {
	rev := s.cfg.Directory.TenantRevision(t.ID)
	s.mu.Lock()
	done := s.projected[t.ID] == rev
	s.mu.Unlock()
	r, ok := s.cfg.Directory.Tenant(t.ID)
	if done || !ok {
		return nil
	}
	txs := make([]change.Tx, 0, len(r.Members)+1)
	txs = append(txs, change.Tx{Stamp: hlc.Make(r.CreatedMS, 0, hubReplica), Command: "directory.workspace", Rows: []change.Row{{
		Table: "workspace", ID: r.ID, Cells: []change.Cell{{Col: "name", Val: change.V(r.Name)}}}}})
	for _, m := range r.Members {
		txs = append(txs, memberTx(m))
	}
	if err := t.System(ctx, txs...); err != nil {
		return fault.Wrap("syncer.Project", err)
	}
	s.mu.Lock()
	s.projected[t.ID] = rev
	s.mu.Unlock()
	return nil
}

func memberTx(m directory.Member) change.Tx {
	stamp := hlc.Make(m.ChangedMS, 0, hubReplica)
	// The hub knew all that it had written before, so nothing of it is a lost edit.
	base := hlc.Make(m.ChangedMS-1, 0, hubReplica)
	cell := func(col string, v any) change.Cell { return change.Cell{Col: col, Val: change.V(v), Base: base} }
	return change.Tx{Stamp: stamp, Command: "directory.member", Rows: []change.Row{{Table: "member", ID: m.Person, Cells: []change.Cell{
		cell("active", m.Active), cell("color", m.Color), cell("name", m.Name), cell("role", m.Role)}}}}
}
