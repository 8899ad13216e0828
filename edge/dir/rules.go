package dir

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

//go:embed sql/value.sql
var sqlValue string

// Rules are a workspace's rules that are switched on, in ascending order and without their modules. The result is shared:
// do not write to it.
func (d *Dir) Rules(t id.ID) []directory.Rule {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.rules[t]
}

// Module reads a rule's module from node.db: thousands of them would not be good in memory.
func (d *Dir) Module(ctx context.Context, t, rule id.ID) ([]byte, error) {
	const op = "dir.Module"
	var value []byte
	if err := d.cfg.DB.QueryRowContext(ctx, sqlValue, directory.RuleKey(t, rule)).Scan(&value); err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	var r directory.Rule
	if err := json.Unmarshal(value, &r); err != nil {
		return nil, fault.E(op, fault.Corrupt, err)
	}
	return r.Module, nil
}

// setRule puts a rule into memory, or takes it away. Lists are replaced, because callers have them. mu is held.
func (d *Dir) setRule(name string, value []byte) error {
	const op = "dir.setRule"
	tenant, rule, _ := strings.Cut(name, ".")
	t, r := id.ID(tenant), directory.Rule{ID: id.ID(rule)}
	if value != nil {
		if err := json.Unmarshal(value, &r); err != nil {
			return fault.E(op, fault.Invalid, err)
		}
		if !r.Valid() || directory.RuleKey(r.Tenant, r.ID) != directory.RuleKey(t, id.ID(rule)) {
			return fault.E(op, fault.Invalid, errors.New("the record is not what its key says"))
		}
		r.Module = nil
	}
	list := slices.Clone(d.rules[t])
	at, found := slices.BinarySearchFunc(list, r, func(a, b directory.Rule) int { return strings.Compare(string(a.ID), string(b.ID)) })
	switch {
	case value == nil && found:
		list = slices.Delete(list, at, at+1)
	case value != nil && found:
		list[at] = r
	case value != nil:
		list = slices.Insert(list, at, r)
	}
	if d.rules[t] = list; len(list) == 0 {
		delete(d.rules, t)
	}
	return nil
}
