//go:build js

package sqlite

import (
	"database/sql/driver"
	"io"
)

// rows reads a result chunk by chunk. The statement stays in use until the last chunk is there or Close is called.
type rows struct {
	conn    *conn
	s       *statement // nil once it is released
	columns []string
	chunk   cursor
	left    int  // rows in chunk not read yet
	more    bool // another chunk follows
}

func (r *rows) Columns() []string { return r.columns }

func (r *rows) load(chunk []byte) error {
	r.chunk = cursor{b: chunk}
	flags := r.chunk.u8()
	if flags&flagColumns != 0 {
		r.columns = r.chunk.texts(r.chunk.u32())
		r.s.columns = r.columns
	}
	r.left = r.chunk.u32()
	r.more = flags&flagMore != 0
	if !r.more {
		r.end()
	}
	return r.chunk.err
}

func (r *rows) Next(dest []driver.Value) error {
	for r.left == 0 {
		if !r.more {
			return io.EOF
		}
		r.more = false
		chunk, err := r.conn.bridge.call(r.conn.bridge.next, r.conn.head(r.s))
		if err == nil {
			err = r.load(chunk)
		}
		if err != nil {
			r.end()
			return err
		}
	}
	r.left--
	for i := range dest {
		dest[i] = r.chunk.value()
	}
	return r.chunk.err
}

func (r *rows) Close() error {
	if r.more && r.conn.db != 0 {
		r.conn.bridge.reset.Invoke(r.s.stmt)
	}
	r.more = false
	r.left = 0
	r.end()
	return nil
}

// end gives the statement back. SQLite has reset it already when its last row was handed over.
func (r *rows) end() {
	if r.s != nil {
		r.conn.release(r.s)
		r.s = nil
	}
}
