//go:build !js

package sqlite

import (
	"container/list"
	"context"
	"database/sql/driver"
	"errors"
)

// The native driver compiles a statement anew for every call that is not on a *sql.Stmt, and a *sql.Stmt made inside a
// transaction ends with it. So each connection keeps the statements that it ran last, found by their text, as the browser's
// driver does: callers repeat a text word for word and pay for compiling it once.

// caching opens connections that keep statements.
type caching struct{ driver.Connector }

func (c caching) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := inner.(fullConn)
	if !ok {
		inner.Close()
		return nil, errors.New("the SQLite driver's connection lacks a method")
	}
	return &cachingConn{fullConn: full, byText: make(map[string]*kept), order: list.New()}, nil
}

// fullConn is what the native driver's connection can do.
type fullConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type cachingConn struct {
	fullConn
	byText map[string]*kept
	order  *list.List // of *kept, the latest used first
}

// kept is a compiled statement.
type kept struct {
	query string
	stmt  driver.Stmt
	place *list.Element
	busy  bool // its rows are being read
}

// take gives the statement, marked as busy, or nil when it cannot be a kept one.
func (c *cachingConn) take(ctx context.Context, query string) (*kept, error) {
	if k := c.byText[query]; k != nil {
		if k.busy {
			return nil, nil
		}
		c.order.MoveToFront(k.place)
		k.busy = true
		return k, nil
	}
	if !worthKeeping(query) {
		return nil, nil
	}
	s, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	k := &kept{query: query, stmt: s, busy: true}
	k.place = c.order.PushFront(k)
	c.byText[query] = k
	c.evict()
	return k, nil
}

func (c *cachingConn) evict() {
	for e := c.order.Back(); e != nil && c.order.Len() > statementsMaxNative; {
		k := e.Value.(*kept)
		e = e.Prev()
		if k.busy {
			continue
		}
		c.drop(k)
	}
}

func (c *cachingConn) drop(k *kept) error {
	c.order.Remove(k.place)
	delete(c.byText, k.query)
	return k.stmt.Close()
}

func (c *cachingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	k, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.fullConn.ExecContext(ctx, query, args)
	}
	defer func() { k.busy = false }()
	return k.stmt.(driver.StmtExecContext).ExecContext(ctx, args)
}

func (c *cachingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	k, err := c.take(ctx, query)
	if err != nil {
		return nil, err
	}
	if k == nil {
		return c.fullConn.QueryContext(ctx, query, args)
	}
	rows, err := k.stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		k.busy = false
		return nil, err
	}
	typed, ok := rows.(fullRows)
	if !ok {
		rows.Close()
		k.busy = false
		return nil, errors.New("the SQLite driver's rows lack a method")
	}
	return &keptRows{typed, k}, nil
}

// Close ends the kept statements, without which the database would stay open.
func (c *cachingConn) Close() error {
	var first error
	for _, k := range c.byText {
		if err := c.drop(k); err != nil && first == nil {
			first = err
		}
	}
	return errors.Join(first, c.fullConn.Close())
}

// fullRows is what the native driver's rows can do.
type fullRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

type keptRows struct {
	fullRows
	k *kept
}

func (r *keptRows) Close() error {
	err := r.fullRows.Close()
	r.k.busy = false
	return err
}
