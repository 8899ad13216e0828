//go:build js

package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"syscall/js"

	"holdfast/sync/fault"
)

type connector struct {
	bridge *bridge
	name   string
	o      Options
}

var errNotOpened = errors.New("use sqlite.Open")

func (c *connector) Driver() driver.Driver { return byName{} }

// byName exists because database/sql wants a driver; databases are opened with their options only.
type byName struct{}

func (byName) Open(string) (driver.Conn, error) { return nil, errNotOpened }

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	db, err := c.bridge.await(ctx, "open", c.name, map[string]any{
		"readOnly": c.o.ReadOnly, "durable": c.o.Durable, "cacheKB": c.o.CacheKB, "walPages": walPagesJS,
	})
	if err != nil {
		return nil, err
	}
	return &conn{bridge: c.bridge, db: uint32(db.Int()), cache: newStatements()}, nil
}

// conn is one SQLite connection. database/sql never uses it from two goroutines at once.
type conn struct {
	bridge *bridge
	db     uint32 // sqlite3*; 0 after Close
	cache  *statements
}

var (
	_ driver.ExecerContext     = (*conn)(nil)
	_ driver.QueryerContext    = (*conn)(nil)
	_ driver.ConnBeginTx       = (*conn)(nil)
	_ driver.NamedValueChecker = (*conn)(nil)
	_ driver.Pinger            = (*conn)(nil)
)

func (c *conn) Ping(ctx context.Context) error { return ctx.Err() }

func (c *conn) Close() error {
	if c.db == 0 {
		return nil
	}
	_, err := c.bridge.try("close", c.db) // finalizes the statements, too
	c.db = 0
	return err
}

// CheckNamedValue converts as database/sql does, and refuses times: the two drivers would store them in different forms.
func (c *conn) CheckNamedValue(v *driver.NamedValue) (err error) {
	switch x := v.Value.(type) {
	case int64, string, []byte, float64, nil, bool:
		return nil
	case int:
		v.Value = int64(x)
		return nil
	}
	if v.Value, err = driver.DefaultParameterConverter.ConvertValue(v.Value); err != nil {
		return err
	}
	_, err = appendValue(nil, v.Value)
	return err
}

func (c *conn) Begin() (driver.Tx, error) { return c.BeginTx(context.Background(), driver.TxOptions{}) }

func (c *conn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if o.Isolation != 0 {
		return nil, fault.Errorf("sqlite.Begin", fault.Unsupported, "SQLite has one isolation level, serializable: leave it unset")
	}
	begin := "BEGIN IMMEDIATE"
	if o.ReadOnly {
		begin = "BEGIN"
	}
	if _, err := c.ExecContext(ctx, begin, nil); err != nil {
		return nil, err
	}
	return tx{c}, nil
}

func (c *conn) inTx() bool { return c.bridge.inTx.Invoke(c.db).Bool() }

type tx struct{ c *conn }

// Commit ends the transaction in any case: database/sql takes the connection for clean afterwards.
func (t tx) Commit() error {
	_, err := t.c.ExecContext(context.Background(), "COMMIT", nil)
	if err != nil {
		t.Rollback() //nolint:errcheck // the failed commit is what the caller has to hear of
	}
	return err
}

// Rollback is content when SQLite has rolled back by itself, as it does when the disk is full.
func (t tx) Rollback() error {
	if !t.c.inTx() {
		return nil
	}
	_, err := t.c.ExecContext(context.Background(), "ROLLBACK", nil)
	return err
}

// ExecContext runs one statement, or several without arguments.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, err := c.prepare(query)
		if err != nil {
			return nil, err
		}
		if s.stmt == 0 { // only spaces or comments
			return result{}, nil
		}
		if s.tail == "" {
			return c.exec(ctx, s, args)
		}
		if len(args) > 0 {
			c.release(s)
			return nil, fault.Errorf("sqlite.Exec", fault.Invalid, "arguments are for one statement, this text has several")
		}
		query = s.tail
		if _, err := c.exec(ctx, s, nil); err != nil {
			return nil, err
		}
	}
}

func (c *conn) exec(ctx context.Context, s *statement, args []driver.NamedValue) (driver.Result, error) {
	defer c.release(s)
	in, err := c.arguments(s, args)
	if err != nil {
		return nil, err
	}
	if _, err := c.bridge.invoke(c.bridge.run, in); err != nil {
		return nil, err
	}
	if len(s.columns) > 0 { // a PRAGMA or a RETURNING whose rows nobody wants, but all of which must be made
		return result{}, c.drain(s)
	}
	var out [16]byte
	js.CopyBytesToGo(out[:], c.bridge.output)
	changes := math.Float64frombits(binary.LittleEndian.Uint64(out[:]))
	return result{changes: int64(changes), rowID: int64(binary.LittleEndian.Uint64(out[8:]))}, nil
}

// drain steps a statement to its end and drops the rows.
func (c *conn) drain(s *statement) error {
	for {
		var flags [1]byte
		js.CopyBytesToGo(flags[:], c.bridge.output)
		if flags[0]&flagMore == 0 {
			return nil
		}
		if _, err := c.bridge.invoke(c.bridge.next, c.head(s)); err != nil {
			return err
		}
	}
}

// QueryContext runs one statement. Rows beyond the first chunk are fetched as they are read.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	if s.tail != "" {
		c.release(s)
		return nil, fault.Errorf("sqlite.Query", fault.Invalid, "a query is one statement, this text has several")
	}
	in, err := c.arguments(s, args)
	if err != nil {
		c.release(s)
		return nil, err
	}
	return c.query(s, in)
}

func (c *conn) query(s *statement, in []byte) (driver.Rows, error) {
	if s.stmt == 0 {
		return nil, fault.Errorf("sqlite.Query", fault.Invalid, "the text has no statement")
	}
	chunk, err := c.bridge.call(c.bridge.run, in)
	if err != nil {
		c.release(s)
		return nil, err
	}
	r := &rows{conn: c, s: s, columns: s.columns}
	if len(s.columns) == 0 {
		r.end()
		return r, nil
	}
	if err := r.load(chunk); err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}

func (c *conn) head(s *statement) []byte {
	return binary.LittleEndian.AppendUint32(c.bridge.begin(c.db), s.stmt)
}

// arguments is the input of run: the statement and its arguments, in the order of its parameters.
func (c *conn) arguments(s *statement, args []driver.NamedValue) (b []byte, err error) {
	b = binary.LittleEndian.AppendUint32(c.head(s), uint32(len(s.params)))
	b = append(b, 0, 0, 0, 0)
	if !s.named && len(args) != len(s.params) {
		return nil, fmt.Errorf("%d arguments for %d parameters", len(args), len(s.params))
	}
	for i, name := range s.params {
		a, err := argument(i, name, args)
		if err != nil {
			return nil, err
		}
		if b, err = appendValue(b, a.Value); err != nil {
			return nil, err
		}
	}
	binary.LittleEndian.PutUint32(b[12:], uint32(len(b)))
	return b, nil
}

// argument is the one for the i-th parameter: by name when there is one of that name, else by position.
func argument(i int, name string, args []driver.NamedValue) (*driver.NamedValue, error) {
	if name != "" && name[0] != '?' {
		for k := range args {
			if args[k].Name == name[1:] {
				return &args[k], nil
			}
		}
	}
	if i >= len(args) || args[i].Name != "" {
		return nil, fmt.Errorf("no argument for parameter %d %s", i+1, name)
	}
	return &args[i], nil
}

type result struct{ changes, rowID int64 }

func (r result) LastInsertId() (int64, error) { return r.rowID, nil }
func (r result) RowsAffected() (int64, error) { return r.changes, nil }
