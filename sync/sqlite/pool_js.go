//go:build js

package sqlite

import (
	"context"
	"errors"
	"syscall/js"
	"time"

	"holdfast/sync/fault"
)

// PoolConfig says where a worker keeps its databases.
type PoolConfig struct {
	Directory string // in the origin private file system; "" means the one the boot script configured, or "holdfast"
	Memory    bool   // keep nothing on disk, as where the file system is missing
	// Wait is how long OpenPool and Resume try to get files that another worker holds: a browser frees those of a
	// closed tab a moment after its Web Locks. 0 means handoverWait, negative not to wait.
	Wait time.Duration
}

// Pool is the set of database files of this worker. There is one, and while it is open and not paused no other tab can
// open it: the caller elects the tab that may (Web Locks).
type Pool struct {
	bridge     *bridge
	persistent bool
	reason     string
	wait       time.Duration
}

var thePool *Pool

// OpenPool loads SQLite and takes hold of the files. The first call's config counts; later ones return the same pool.
// It fails with kind Busy when another tab keeps the files longer than Wait, and may then be called again. A browser without the file
// system is no error: see Persistent.
func OpenPool(ctx context.Context, c PoolConfig) (*Pool, error) {
	const op = "sqlite.OpenPool"
	if thePool != nil {
		return thePool, nil
	}
	b, err := loadBridge()
	if err != nil {
		return nil, fault.E(op, fault.Unsupported, err)
	}
	p := &Pool{bridge: b, wait: c.Wait}
	if p.wait == 0 {
		p.wait = handoverWait
	}
	v, err := p.patiently(ctx, "init", map[string]any{"directory": c.Directory, "memory": c.Memory})
	if err != nil {
		return nil, poolFault(op, err)
	}
	p.persistent, p.reason = v.Get("persistent").Bool(), v.Get("reason").String()
	thePool = p
	return p, nil
}

// patiently repeats a method while another worker holds the files, at most for p.wait.
func (p *Pool) patiently(ctx context.Context, method string, args ...any) (js.Value, error) {
	for waited := time.Duration(0); ; waited += handoverRetry {
		v, err := p.bridge.await(ctx, method, args...)
		if !IsBusy(err) || waited >= p.wait {
			return v, err
		}
		select {
		case <-time.After(handoverRetry):
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			return v, err // who holds the files says more than that the time is over
		}
	}
}

// Persistent tells whether databases outlive this worker. When they do not, all operations work on memory.
func (p *Pool) Persistent() bool { return p.persistent }

// Reason says, for logs, why the pool is not persistent.
func (p *Pool) Reason() string { return p.reason }

// List returns the names of all databases, sorted.
func (p *Pool) List() ([]string, error) {
	v, err := p.bridge.try("list")
	if err != nil {
		return nil, poolFault("sqlite.Pool.List", err)
	}
	names := make([]string, v.Length())
	for i := range names {
		names[i] = v.Index(i).String()
	}
	return names, nil
}

// Import writes a whole database file under name and replaces what was there; it returns the size in bytes.
//
// source is a URL (string, fetched from this origin with its cookies), the file itself ([]byte), or a js.Value that is
// a Response, Blob, ReadableStream, ArrayBuffer or Uint8Array. A URL and streams go to the disk piece by piece, never
// whole through memory. progress, which may be nil, hears the bytes written so far and their total, 0 when unknown.
//
// What was there stays until the first block of a database has come. When it fails later, and when the worker dies
// meanwhile, no database of that name exists. Kinds: Corrupt (not a database, or
// cut short), Full, Busy (name is open), Unavailable (the server).
func (p *Pool) Import(ctx context.Context, name string, source any, progress func(done, total int64)) (int64, error) {
	const op = "sqlite.Pool.Import"
	if err := checkName(name); err != nil {
		return 0, fault.E(op, fault.Invalid, err)
	}
	from, err := jsSource(source)
	if err != nil {
		return 0, fault.E(op, fault.Invalid, err)
	}
	report := js.Null()
	if progress != nil {
		f := js.FuncOf(func(_ js.Value, a []js.Value) any {
			progress(int64(a[0].Float()), int64(a[1].Float()))
			return nil
		})
		defer f.Release()
		report = f.Value
	}
	abort := js.Global().Get("AbortController").New()
	defer context.AfterFunc(ctx, func() { abort.Call("abort") })()
	v, err := p.bridge.await(ctx, "importFile", name, from, report, abort.Get("signal"))
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if err != nil {
		return 0, poolFault(op, err)
	}
	return int64(v.Float()), nil
}

func jsSource(source any) (js.Value, error) {
	switch s := source.(type) {
	case string:
		return js.ValueOf(s), nil
	case []byte:
		a := js.Global().Get("Uint8Array").New(len(s))
		js.CopyBytesToJS(a, s)
		return a, nil
	case js.Value:
		return s, nil
	}
	return js.Undefined(), errors.New("a database is imported from a URL, bytes or a JavaScript object")
}

// Export returns the whole database as a Uint8Array, as of now, without a log beside it. A database that is inside a
// transaction or being read is Busy, one that does not exist NotFound.
func (p *Pool) Export(ctx context.Context, name string) (js.Value, error) {
	v, err := p.bridge.await(ctx, "exportFile", name)
	if err != nil {
		return js.Undefined(), poolFault("sqlite.Pool.Export", err)
	}
	return v, nil
}

// Remove deletes a database, which must not be open, and tells whether there was one.
func (p *Pool) Remove(name string) (bool, error) {
	v, err := p.bridge.try("remove", name)
	if err != nil {
		return false, poolFault("sqlite.Pool.Remove", err)
	}
	return v.Bool(), nil
}

// Pause lets go of all files so that another tab can open them. While a database is open it fails with kind Busy and changes nothing.
func (p *Pool) Pause() error {
	_, err := p.bridge.try("pause")
	return poolFault("sqlite.Pool.Pause", err)
}

// Resume takes the files back. It fails with kind Busy when another tab keeps them longer than PoolConfig.Wait, and may be called again.
func (p *Pool) Resume(ctx context.Context) error {
	_, err := p.patiently(ctx, "resume")
	return poolFault("sqlite.Pool.Resume", err)
}

// poolFault is Wrap, but that a file which is not there is NotFound, and what only the network can have caused is Unavailable.
func poolFault(op string, err error) error {
	if err == nil {
		return nil
	}
	switch Code(err) & 0xff {
	case codeCantOpen:
		return fault.E(op, fault.NotFound, err)
	case codeIOErr:
		return fault.E(op, fault.Unavailable, err)
	}
	return Wrap(op, err)
}
