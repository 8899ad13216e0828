package hub

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net/url"
	"regexp"
	"time"

	"github.com/nats-io/nats.go"

	"holdfast/server/directory"
	"holdfast/server/metering"
	"holdfast/sync/fault"
	"holdfast/sync/sqlite"
	"holdfast/sync/wire"

	contract "holdfast/sync/directory"
)

// regions keeps the list of regions, as they report themselves, and has their usage read.
type regions struct {
	db    *sql.DB
	dir   *directory.Publisher
	meter *metering.Service
	now   func() time.Time
	log   *slog.Logger
	sub   *nats.Subscription
}

// A region's name is a JetStream domain and part of subjects.
var regionName = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// open follows the usage of every region known and begins to take registrations.
func (r *regions) open(ctx context.Context, nc *nats.Conn) error {
	const op = "hub.regions.open"
	rows, err := r.db.QueryContext(ctx, "SELECT name FROM region ORDER BY name")
	if err != nil {
		return sqlite.Wrap(op, err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return sqlite.Wrap(op, err)
		}
		r.meter.Follow(name)
	}
	if err := rows.Err(); err != nil {
		return sqlite.Wrap(op, err)
	}
	ctx = context.WithoutCancel(ctx)
	r.sub, err = nc.QueueSubscribe(wire.HubRegion, "hub", func(m *nats.Msg) { r.answer(ctx, m) })
	return fault.As(op, fault.Unavailable, err)
}

func (r *regions) close() {
	if r.sub != nil {
		_ = r.sub.Unsubscribe() // the connection is closed next anyway
	}
}

// answer takes one registration. Registrations are rare and come one after another.
func (r *regions) answer(ctx context.Context, m *nats.Msg) {
	ctx, cancel := context.WithTimeout(ctx, requestMax)
	defer cancel()
	var said struct {
		Error string `json:"error,omitempty"`
	}
	if err := r.register(ctx, m.Data); err != nil {
		r.log.Warn("a region was not registered", "err", err)
		if said.Error = fault.DetailOf(err); said.Error == "" {
			said.Error = "The hub could not store the region. It is tried again."
		}
	}
	b, _ := json.Marshal(said) // a string: cannot fail
	if err := m.Respond(b); err != nil {
		r.log.Warn("a region was not answered", "err", err)
	}
}

func (r *regions) register(ctx context.Context, data []byte) error {
	const op = "hub.register"
	var region contract.Region
	if err := json.Unmarshal(data, &region); err != nil {
		return fault.Errorf(op, fault.Invalid, "A registration is JSON with a name and a url.")
	}
	if err := checkRegion(op, region); err != nil {
		return err
	}
	changed := false
	err := sqlite.Tx(ctx, r.db, func(tx *sql.Tx) error {
		var n int
		var url string
		err := tx.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM region), coalesce((SELECT url FROM region WHERE name = ?), '')", region.Name).Scan(&n, &url)
		if err != nil {
			return err
		}
		if url == "" && n >= regionsMax {
			return fault.Errorf(op, fault.Limit, "There are %d regions, the most there can be.", regionsMax)
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO region (name, url, seen_ms) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET url = excluded.url, seen_ms = excluded.seen_ms",
			region.Name, region.URL, r.now().UnixMilli())
		if changed = url != region.URL; err != nil || !changed {
			return err
		}
		return directory.Put(ctx, tx, contract.RegionKey(region.Name), region, time.Time{})
	})
	if err != nil {
		return fault.Wrap(op, err)
	}
	if changed {
		r.log.Info("region registered", "region", region.Name, "url", region.URL)
		r.dir.Wake()
	}
	r.meter.Follow(region.Name)
	return nil
}

func checkRegion(op string, region contract.Region) error {
	if len(region.Name) > nameBytesMax || !regionName.MatchString(region.Name) || region.Name == wire.HubDomain {
		return fault.Errorf(op, fault.Invalid, "A region's name is 1 to %d small letters, digits and dashes, begins with a letter and is not %q.", nameBytesMax, wire.HubDomain)
	}
	u, err := url.Parse(region.URL)
	if err != nil || len(region.URL) > urlBytesMax || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.String() != u.Scheme+"://"+u.Host {
		return fault.Errorf(op, fault.Invalid, "A region's url is an origin such as https://eu.example.com.")
	}
	return nil
}
