// Package quota says whether a workspace's plan allows one more change in this region.
//
// The hub publishes each hard limit with what all regions had used when it was published. What is left is lent to the
// regions in equal parts, and each counts what it has accepted itself and the hub has not seen yet. So a region decides without asking
// anybody, also while it is cut off, and all regions together exceed a limit by no more than what is on its way to the hub.
// A larger plan, or use that was corrected, takes effect with the directory record.
//
// A refusal is of kind Limit: the device keeps the change under "Needs attention", from where it can be sent again.
package quota

import (
	"context"
	"fmt"
	"sync"
	"time"

	"holdfast/sync/change"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/ingress"
	"holdfast/sync/work"
)

// Changes is the limit on changes accepted; beside it in directory.Tenant.Limits stand UsedKey and UntilKey.
const (
	Changes  = "changes"
	UsedKey  = Changes + ".used"
	UntilKey = Changes + ".until" // unix milliseconds; then counting starts again
)

// Config is what a Quota needs.
type Config struct {
	Tenant  func(id.ID) (directory.Tenant, bool)
	Regions func(id.ID) []string // that serve a workspace
	Now     func() time.Time
}

// Quota is safe for concurrent use.
type Quota struct {
	cfg Config

	mu   sync.Mutex
	lent map[id.ID]*loan
}

// loan is what this region has accepted and the hub has not counted, as of a record.
type loan struct {
	used, until int64
	taken       int64
}

// New makes a Quota.
func New(cfg Config) *Quota { return &Quota{cfg: cfg, lent: map[id.ID]*loan{}} }

// Admit takes one change, or refuses it.
func (q *Quota) Admit(_ context.Context, tenant id.ID, _ ingress.Actor, _ change.Tx, _ work.Lookup) error {
	t, ok := q.cfg.Tenant(tenant)
	limit, limited := t.Limits[Changes]
	if !ok || !limited {
		return nil
	}
	used, until := t.Limits[UsedKey], t.Limits[UntilKey]
	if now := q.cfg.Now().UnixMilli(); until > 0 && now >= until {
		used, until = 0, until+1 // the hub has not spoken since: a new stretch has begun
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lent[tenant]
	switch {
	case l == nil || l.until != until:
		l = &loan{used: used, until: until}
		q.lent[tenant] = l
	case l.used != used:
		l.taken, l.used = max(0, l.taken-max(0, used-l.used)), used
	}
	share := max(0, limit-used)
	if n := int64(len(q.cfg.Regions(tenant))); n > 1 && share > 0 {
		share = max(1, share/n)
	}
	if l.taken >= share {
		return refusal(limit, t.Limits[UntilKey])
	}
	l.taken++
	return nil
}

func refusal(limit, untilMS int64) error {
	again := ""
	if untilMS > 0 {
		again = fmt.Sprintf(" from %s on, or", time.UnixMilli(untilMS).UTC().Format("2 January"))
	}
	return fault.Errorf("quota.Admit", fault.Limit,
		"This workspace's plan allows %d changes a month, and they are used up. Nothing you wrote is lost: it waits here and can be sent again%s as soon as an owner chooses a larger plan under Billing.", limit, again)
}
