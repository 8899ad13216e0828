package operator

import (
	"context"
	"database/sql"

	"holdfast/sync/id"
	"holdfast/sync/sqlite"
)

// Entry is one thing that an operator did.
type Entry struct {
	N       int64  `json:"n"` // grows by one with each entry
	AtMS    int64  `json:"atMS"`
	Person  id.ID  `json:"person,omitempty"` // empty: the command line of the hub
	Name    string `json:"name,omitempty"`
	Action  string `json:"action"`            // such as invoice.void
	Subject string `json:"subject,omitempty"` // whom or what it was done to, such as a workspace's id
	Detail  string `json:"detail,omitempty"`
}

type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Audit writes down what an operator did (person empty: the command line of the hub), to whom, and how.
func (s *Service) Audit(ctx context.Context, person id.ID, action, subject, detail string) error {
	return sqlite.Wrap("operator.Audit", s.write(ctx, s.cfg.DB, person, action, subject, detail))
}

func (s *Service) write(ctx context.Context, db execer, person id.ID, action, subject, detail string) error {
	if len(detail) > textMax {
		detail = detail[:textMax]
	}
	_, err := db.ExecContext(ctx, q.Get("add-audit"), s.cfg.Now().UnixMilli(), person, action, subject, detail)
	if err == nil {
		s.cfg.Log.Info("an operator acted", "operator", person, "action", action, "subject", subject)
	}
	return err
}

// Entries lists what was done, the newest first: of one subject if it is not empty, before an entry's number if that is not 0, and at most
// EntriesMax.
func (s *Service) Entries(ctx context.Context, subject string, before int64, limit int) ([]Entry, error) {
	const op = "operator.Entries"
	rows, err := s.cfg.DB.QueryContext(ctx, q.Get("audit"), before, subject, min(max(limit, 1), EntriesMax))
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	list := []Entry{}
	for rows.Next() {
		var e Entry
		if err := rows.Scan(&e.N, &e.AtMS, &e.Person, &e.Name, &e.Action, &e.Subject, &e.Detail); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		list = append(list, e)
	}
	return list, sqlite.Wrap(op, rows.Err())
}
