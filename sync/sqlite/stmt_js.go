//go:build js

package sqlite

import (
	"container/list"
	"context"
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"strings"
)

// statement is a prepared statement inside SQLite. It is used by one execution at a time.
type statement struct {
	query    string
	stmt     uint32 // sqlite3_stmt*; 0 for a text without a statement
	tail     string // what follows the first statement of query
	columns  []string
	params   []string // names with their prefix, "" for '?'
	named    bool     // some parameter has a name
	readOnly bool
	busy     bool
	place    *list.Element // in the cache; nil when it is not kept
}

// statements keeps prepared statements by their text, the latest used first.
type statements struct {
	byText map[string]*statement
	order  *list.List
}

func newStatements() *statements {
	return &statements{byText: make(map[string]*statement), order: list.New()}
}

// prepare returns a statement that is not in use, marked as used. Every way out leads to release.
func (c *conn) prepare(query string) (*statement, error) {
	s := c.cache.byText[query]
	if s != nil && !s.busy {
		s.busy = true
		c.cache.order.MoveToFront(s.place)
		return s, nil
	}
	fresh, err := c.compile(query)
	if err != nil {
		return nil, err
	}
	fresh.busy = true
	if s != nil || fresh.stmt == 0 || fresh.tail != "" || !worthKeeping(query) {
		return fresh, nil // a second one of its text, part of a script, or run once: not kept
	}
	c.cache.byText[query] = fresh
	fresh.place = c.cache.order.PushFront(fresh)
	c.evict()
	return fresh, nil
}

func (c *conn) evict() {
	for e := c.cache.order.Back(); e != nil && c.cache.order.Len() > statementsMax; {
		s := e.Value.(*statement)
		e = e.Prev()
		if s.busy {
			continue
		}
		c.cache.order.Remove(s.place)
		delete(c.cache.byText, s.query)
		c.bridge.finalize.Invoke(s.stmt)
	}
}

func (c *conn) release(s *statement) {
	s.busy = false
	if s.place == nil && s.stmt != 0 && c.db != 0 {
		c.bridge.finalize.Invoke(s.stmt)
		s.stmt = 0
	}
}

func (c *conn) compile(query string) (*statement, error) {
	in := c.bridge.begin(c.db)
	in = binary.LittleEndian.AppendUint32(in, uint32(8+len(query)))
	out, err := c.bridge.call(c.bridge.prepare, append(in, query...))
	if err != nil {
		return nil, err
	}
	b := cursor{b: out}
	s := &statement{query: query, stmt: uint32(b.u32())}
	used, params := b.u32(), b.u32()
	s.readOnly = b.u8() == 1
	s.columns = b.texts(b.u32())
	s.params = b.texts(params)
	if b.err != nil || used > len(query) {
		return nil, errShort
	}
	if rest := query[used:]; strings.TrimSpace(rest) != "" {
		s.tail = rest
	}
	for _, p := range s.params {
		s.named = s.named || p != ""
	}
	return s, nil
}

// prepared is a statement that database/sql holds. It is only the text: the connection keeps the compiled form.
type prepared struct {
	conn  *conn
	query string
}

func (c *conn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

// PrepareContext compiles the text, so that its mistakes show here.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	defer c.release(s)
	if s.tail != "" {
		return nil, fmt.Errorf("a prepared statement is one statement, this text has several")
	}
	return &prepared{c, query}, nil
}

var (
	_ driver.StmtExecContext    = (*prepared)(nil)
	_ driver.StmtQueryContext   = (*prepared)(nil)
	_ driver.ConnPrepareContext = (*conn)(nil)
)

func (p *prepared) Close() error  { return nil }
func (p *prepared) NumInput() int { return -1 } // named ones may serve several parameters: arguments counts

func (p *prepared) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return p.conn.ExecContext(ctx, p.query, args)
}

func (p *prepared) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return p.conn.QueryContext(ctx, p.query, args)
}

func (p *prepared) Exec(args []driver.Value) (driver.Result, error) {
	return p.ExecContext(context.Background(), named(args))
}

func (p *prepared) Query(args []driver.Value) (driver.Rows, error) {
	return p.QueryContext(context.Background(), named(args))
}

func named(args []driver.Value) []driver.NamedValue {
	list := make([]driver.NamedValue, len(args))
	for i, v := range args {
		list[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return list
}
