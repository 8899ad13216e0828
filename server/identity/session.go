package identity

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"time"

	"holdfast/server/hubdb"
	"holdfast/sync/directory"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/sqlite"
	"holdfast/sync/token"

	outbox "holdfast/server/directory"
)

//go:embed sql/session.sql
var sessionSQL string

var sessionQ = hubdb.Parse(sessionSQL)

// How a session was started.
const (
	viaPasskey = "passkey"
	viaLink    = "link"
)

// Grant is a fresh token and what it says.
type Grant struct {
	Token  string
	Claims token.Claims
}

// Caller is whoever a request with a valid session comes from.
type Caller struct {
	Person  Person
	Session id.ID
}

// Session is one browser on which a person is signed in.
type Session struct {
	ID        id.ID  `json:"id"`
	Agent     string `json:"agent"`
	IP        string `json:"ip"`
	Region    string `json:"region"`
	CreatedMS int64  `json:"createdMS"`
	SeenMS    int64  `json:"seenMS"`
	Current   bool   `json:"current"` // the one that asks
}

// startSession makes a session and its first token within tx. Beyond SessionsMax the one unseen for longest ends.
func (s *Service) startSession(ctx context.Context, tx *sql.Tx, p Person, v Visitor, via string) (Grant, error) {
	now := s.now()
	rows, err := tx.QueryContext(ctx, sessionQ.Get("surplus"), p.ID, SessionsMax-1)
	if err != nil {
		return Grant{}, err
	}
	surplus, err := scanIDs(rows)
	if err != nil {
		return Grant{}, err
	}
	for _, old := range surplus {
		if err := s.end(ctx, tx, p.ID, old); err != nil {
			return Grant{}, err
		}
	}
	sid := id.New(now, s.cfg.Rand)
	_, err = tx.ExecContext(ctx, sessionQ.Get("add"), sid, p.ID, via, cut(describeAgent(v.Agent), agentBytesMax), cut(v.IP, agentBytesMax),
		cut(v.Region, agentBytesMax), now.UnixMilli(), now.UnixMilli())
	if err != nil {
		return Grant{}, err
	}
	return s.grant(p, sid)
}

func scanIDs(rows *sql.Rows) (list []id.ID, err error) {
	defer rows.Close()
	for rows.Next() {
		var i id.ID
		if err := rows.Scan(&i); err != nil {
			return nil, err
		}
		list = append(list, i)
	}
	return list, rows.Err()
}

func (s *Service) grant(p Person, session id.ID) (Grant, error) {
	now := s.now().Truncate(time.Second)
	c := token.Claims{Session: session, Person: p.ID, Name: p.Name, Issued: now, Expires: now.Add(token.TTL)}
	s.mu.RLock()
	defer s.mu.RUnlock()
	raw, err := token.Sign(c, s.keys.private)
	return Grant{raw, c}, err
}

// Authenticate tells who sends a token. Kind Expired: sign in again, or renew; Denied: no token of ours.
func (s *Service) Authenticate(ctx context.Context, raw string) (Caller, error) {
	const op = "identity.Authenticate"
	claims, err := token.Verify(raw, s.publicKey, s.now())
	if err != nil {
		return Caller{}, fault.Wrap(op, err)
	}
	p, _, err := s.standing(ctx, s.cfg.DB, claims)
	if err != nil {
		return Caller{}, fault.Wrap(op, err)
	}
	return Caller{p, claims.Session}, nil
}

// Renew gives a new token for a session that stands, also when the old token has expired.
func (s *Service) Renew(ctx context.Context, raw string, v Visitor) (Grant, error) {
	const op = "identity.Renew"
	claims, err := token.Verify(raw, s.publicKey, s.now())
	if err != nil && (fault.KindOf(err) != fault.Expired || claims.Session == "") {
		return Grant{}, fault.Wrap(op, err)
	}
	if !s.person.Allow(string(claims.Person), s.now()) {
		return Grant{}, tooOften(op)
	}
	var g Grant
	err = sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		p, seen, err := s.standing(ctx, tx, claims)
		if err != nil {
			return err
		}
		if now := s.now(); now.Sub(seen) >= seenGranularity {
			if _, err := tx.ExecContext(ctx, sessionQ.Get("seen"), now.UnixMilli(), cut(v.IP, agentBytesMax), cut(v.Region, agentBytesMax), claims.Session); err != nil {
				return err
			}
		}
		g, err = s.grant(p, claims.Session)
		return err
	})
	return g, fault.Wrap(op, err)
}

// standing reads the session of a verified token and checks that it is not over.
func (s *Service) standing(ctx context.Context, q querier, c token.Claims) (p Person, seen time.Time, err error) {
	const op = "identity.standing"
	over := fault.Errorf(op, fault.Expired, "Your session has ended. Sign in again.")
	var created, seenMS int64
	var ended sql.NullInt64
	err = q.QueryRowContext(ctx, sessionQ.Get("get"), c.Session).Scan(&p.ID, &p.Name, &created, &seenMS, &ended)
	if errors.Is(err, sql.ErrNoRows) {
		return p, seen, over
	}
	if err != nil {
		return p, seen, sqlite.Wrap(op, err)
	}
	now := s.now()
	seen = time.UnixMilli(seenMS)
	if p.ID != c.Person || ended.Valid || now.Sub(seen) > sessionIdleMax || now.Sub(time.UnixMilli(created)) > sessionLifeMax {
		return p, seen, over
	}
	return p, seen, nil
}

// Sessions lists the browsers on which the caller is signed in, the latest seen first.
func (s *Service) Sessions(ctx context.Context, c Caller) ([]Session, error) {
	const op = "identity.Sessions"
	now := s.now()
	rows, err := s.cfg.DB.QueryContext(ctx, sessionQ.Get("list"), c.Person.ID, now.Add(-sessionIdleMax).UnixMilli(), now.Add(-sessionLifeMax).UnixMilli())
	if err != nil {
		return nil, sqlite.Wrap(op, err)
	}
	defer rows.Close()
	list := []Session{}
	for rows.Next() {
		var x Session
		if err := rows.Scan(&x.ID, &x.Agent, &x.IP, &x.Region, &x.CreatedMS, &x.SeenMS); err != nil {
			return nil, sqlite.Wrap(op, err)
		}
		x.Current = x.ID == c.Session
		list = append(list, x)
	}
	return list, sqlite.Wrap(op, rows.Err())
}

// EndSession ends one of the caller's sessions, which may be the caller's own (signing out). The revocation is on its
// way to every edge when the directory is flushed.
func (s *Service) EndSession(ctx context.Context, c Caller, session id.ID) error {
	const op = "identity.EndSession"
	return fault.Wrap(op, sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		return s.end(ctx, tx, c.Person.ID, session)
	}))
}

// EndOthers ends all of the caller's sessions but the one that asks, and says how many that were.
func (s *Service) EndOthers(ctx context.Context, c Caller) (n int, err error) {
	const op = "identity.EndOthers"
	err = sqlite.Tx(ctx, s.cfg.DB, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, sessionQ.Get("others"), c.Person.ID, c.Session)
		if err != nil {
			return err
		}
		list, err := scanIDs(rows)
		if err != nil {
			return err
		}
		for _, sid := range list {
			if err := s.end(ctx, tx, c.Person.ID, sid); err != nil {
				return err
			}
		}
		n = len(list)
		return nil
	})
	return n, fault.Wrap(op, err)
}

// end ends a session within tx: the row, the revocation, and the codes that it made.
func (s *Service) end(ctx context.Context, tx *sql.Tx, person, session id.ID) error {
	now := s.now()
	r, err := tx.ExecContext(ctx, sessionQ.Get("end"), now.UnixMilli(), session, person)
	if err != nil {
		return err
	}
	if err := oneRow("identity.end", r, "That session has ended already."); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, linkQ.Get("of-session"), session); err != nil {
		return err
	}
	until := now.Add(token.TTL + time.Minute) // by then every token of the session has expired
	s.cfg.Log.Info("session ended", "person", person, "session", session)
	return outbox.Put(ctx, tx, directory.RevokedKey(session), directory.Revoked{Until: until}, until)
}
