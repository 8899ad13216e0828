package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"holdfast/sync/fault"
)

var ctx = context.Background()

func open(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := Open(ctx, path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func exec(t testing.TB, db interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}, query string, args ...any) sql.Result {
	t.Helper()
	r, err := db.ExecContext(ctx, query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return r
}

func count(t testing.TB, db *sql.DB, table string) (n int) {
	t.Helper()
	must(t, db.QueryRow("SELECT count(*) FROM "+table).Scan(&n))
	return n
}

func TestValuesRoundTrip(t *testing.T) {
	db := open(t, newFiles(t).path("v.db"))
	exec(t, db, "CREATE TABLE v (n INTEGER PRIMARY KEY, a)")
	long := strings.Repeat("ü", 100_000)
	for i, want := range []any{
		nil, int64(0), int64(-1), int64(math.MaxInt32), int64(math.MinInt32), int64(math.MaxInt32) + 1, int64(1) << 53,
		int64(1)<<53 + 1, -(int64(1)<<53 + 1), int64(1)<<53 - 1, int64(math.MaxInt64), int64(math.MinInt64),
		0.5, -0.0, 1e300, math.Inf(1), math.SmallestNonzeroFloat64, float64(7),
		"", "a", "Zoë 🚲", "nul\x00inside", long,
		[]byte{}, []byte{0}, []byte("\x00\xff\x00"), bytes.Repeat([]byte{7}, 3<<20),
	} {
		exec(t, db, "INSERT INTO v VALUES (?, ?)", i, want)
		var got any
		var kind string
		must(t, db.QueryRow("SELECT a, typeof(a) FROM v WHERE n = ?", i).Scan(&got, &kind))
		if b, ok := want.([]byte); ok {
			if g, ok := got.([]byte); !ok || !bytes.Equal(g, b) || kind != "blob" {
				t.Errorf("value %d: got %.40v (%s), want %.40v", i, got, kind, want)
			}
		} else if got != want {
			t.Errorf("value %d: got %.40v (%s), want %.40v", i, got, kind, want)
		}
		var same bool
		must(t, db.QueryRow("SELECT a IS ? FROM v WHERE n = ?", want, i).Scan(&same))
		if !same {
			t.Errorf("value %d: what was stored is not what is asked for", i)
		}
	}
	var null, empty sql.Null[[]byte]
	must(t, db.QueryRow("SELECT NULL, x''").Scan(&null, &empty))
	if null.Valid || !empty.Valid {
		t.Errorf("NULL valid %v, empty blob valid %v, want false and true", null.Valid, empty.Valid)
	}
	var isNull bool
	must(t, db.QueryRow("SELECT ? IS NULL", []byte(nil)).Scan(&isNull))
	if !isNull {
		t.Error("a nil slice is stored as a blob, want NULL")
	}
}

func TestArguments(t *testing.T) {
	db := open(t, ":memory:")
	var s string
	must(t, db.QueryRow("SELECT :a || @b || $a", sql.Named("b", "2"), sql.Named("a", "1")).Scan(&s))
	if s != "121" {
		t.Errorf("named: got %s, want 121", s)
	}
	must(t, db.QueryRow("SELECT ?2 || ?1", "1", "2").Scan(&s))
	if s != "21" {
		t.Errorf("numbered: got %s, want 21", s)
	}
	var on bool
	must(t, db.QueryRow("SELECT ?", true).Scan(&on))
	if !on {
		t.Error("true came back as false")
	}
	if err := db.QueryRow("SELECT ?, ?", 1).Scan(&s, &s); err == nil {
		t.Error("one argument for two parameters was accepted")
	}
}

func TestLargeResults(t *testing.T) {
	db := open(t, newFiles(t).path("l.db"))
	exec(t, db, "CREATE TABLE l (n INTEGER PRIMARY KEY, a TEXT)")
	const rows = 20_000
	text := strings.Repeat("x", 300)
	must(t, Tx(ctx, db, func(tx *sql.Tx) error {
		for i := range rows {
			exec(t, tx, "INSERT INTO l VALUES (?, ?)", i, fmt.Sprint(text, i))
		}
		// Rows are read while the same connection writes, and while the same text runs a second time.
		got, err := tx.Query("SELECT n, a FROM l WHERE a > ? ORDER BY n", text)
		if err != nil {
			return err
		}
		defer got.Close()
		n := 0
		for ; got.Next(); n++ {
			var id int
			var a string
			if err := got.Scan(&id, &a); err != nil {
				return err
			}
			if id != n || a != fmt.Sprint(text, n) {
				t.Fatalf("row %d: got %d %.20s", n, id, a)
			}
			if n == 10 {
				exec(t, tx, "UPDATE l SET a = 'changed' WHERE n < 5")
				again, err := tx.Query("SELECT n, a FROM l WHERE a > ? ORDER BY n", strings.Repeat("y", 300))
				if err != nil {
					return err
				}
				again.Next()
				again.Close()
			}
		}
		if n != rows {
			t.Errorf("got %d rows, want %d", n, rows)
		}
		return got.Err()
	}))
	// A result that is abandoned half-way leaves nothing behind that would block a writer.
	got, err := db.Query("SELECT n, a FROM l")
	must(t, err)
	got.Next()
	must(t, got.Close())
	exec(t, db, "DROP TABLE l")
}

func TestTxCommitsOrRollsBack(t *testing.T) {
	db := open(t, newFiles(t).path("t.db"))
	exec(t, db, "CREATE TABLE t (a INTEGER PRIMARY KEY)")
	boom := errors.New("boom")
	must(t, Tx(ctx, db, func(tx *sql.Tx) error { exec(t, tx, "INSERT INTO t VALUES (1)"); return nil }))
	if err := Tx(ctx, db, func(tx *sql.Tx) error { exec(t, tx, "INSERT INTO t VALUES (2)"); return boom }); err != boom {
		t.Errorf("got %v, want the function's own error", err)
	}
	func() {
		defer func() { recover() }()
		Tx(ctx, db, func(tx *sql.Tx) error { exec(t, tx, "INSERT INTO t VALUES (3)"); panic(boom) })
	}()
	if n := count(t, db, "t"); n != 1 {
		t.Errorf("got %d rows, want only the committed one", n)
	}
	err := Tx(ctx, db, func(tx *sql.Tx) error { _, err := tx.Exec("INSERT INTO t VALUES (1)"); return err })
	if fault.KindOf(err) != fault.Conflict {
		t.Errorf("a second row of the same key: got %v, want kind conflict", err)
	}
	exec(t, db, "INSERT INTO t VALUES (4)") // the connection is clean again
}

func TestNestedBeginIsRefused(t *testing.T) {
	db := open(t, newFiles(t).path("n.db"))
	exec(t, db, "CREATE TABLE n (a)")
	conn, err := db.Conn(ctx)
	must(t, err)
	defer conn.Close()
	tx, err := conn.BeginTx(ctx, nil)
	must(t, err)
	if _, err := conn.BeginTx(ctx, nil); err == nil || !strings.Contains(err.Error(), "transaction") {
		t.Errorf("got %v, want an error that names the transaction", err)
	}
	exec(t, tx, "INSERT INTO n VALUES (1)")
	must(t, tx.Commit())
	var n int
	must(t, conn.QueryRowContext(ctx, "SELECT count(*) FROM n").Scan(&n))
	if n != 1 {
		t.Errorf("got %d rows, want 1: the refusal must not touch the outer transaction", n)
	}
}

func TestErrorKinds(t *testing.T) {
	db := open(t, newFiles(t).path("e.db"))
	exec(t, db, "CREATE TABLE e (a INTEGER PRIMARY KEY, b TEXT UNIQUE NOT NULL, CHECK (a < 100))")
	exec(t, db, "INSERT INTO e VALUES (1, 'x')")
	for _, c := range []struct {
		name, query        string
		kind               fault.Kind
		constraint, unique bool
	}{
		{"same-key", "INSERT INTO e VALUES (1, 'y')", fault.Conflict, true, true},
		{"same-unique", "INSERT INTO e VALUES (2, 'x')", fault.Conflict, true, true},
		{"null", "INSERT INTO e VALUES (3, NULL)", fault.Invalid, true, false},
		{"check", "INSERT INTO e VALUES (100, 'z')", fault.Invalid, true, false},
		{"wrong-type", "INSERT INTO e VALUES ('no', 'z')", fault.Invalid, false, false},
		{"syntax", "INSRT INTO e", fault.Other, false, false},
		{"no-table", "SELECT * FROM missing", fault.Other, false, false},
		{"double-quotes-are-names", `SELECT "no such column"`, fault.Other, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := db.Exec(c.query)
			if err == nil {
				t.Fatal("accepted")
			}
			if Code(err) == 0 {
				t.Errorf("%v has no result code", err)
			}
			if got := fault.KindOf(Wrap("x", err)); got != c.kind {
				t.Errorf("kind %v, want %v: %v", got, c.kind, err)
			}
			if IsConstraint(err) != c.constraint || IsUnique(err) != c.unique || IsFull(err) || IsCorrupt(err) || IsBusy(err) {
				t.Errorf("misjudged: %v", err)
			}
		})
	}
	if IsFull(nil) || IsCorrupt(nil) || IsBusy(nil) || IsConstraint(nil) || Wrap("x", nil) != nil {
		t.Error("nil is taken for an error")
	}
}

func TestDoneContextPreventsStatement(t *testing.T) {
	db := open(t, newFiles(t).path("c.db"))
	exec(t, db, "CREATE TABLE c (a)")
	done, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := db.ExecContext(done, "INSERT INTO c VALUES (1)"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	if err := Tx(done, db, func(*sql.Tx) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want canceled", err)
	}
	if n := count(t, db, "c"); n != 0 {
		t.Errorf("got %d rows, want none", n)
	}
}

func TestReopenKeepsEverything(t *testing.T) {
	path := newFiles(t).path("r.db")
	for i := range 3 {
		db, err := Open(ctx, path, Options{Durable: i == 1})
		must(t, err)
		exec(t, db, "CREATE TABLE IF NOT EXISTS r (a)")
		if n := count(t, db, "r"); n != i {
			t.Errorf("opened the %d. time: %d rows, want %d", i+1, n, i)
		}
		exec(t, db, "INSERT INTO r VALUES (?)", i)
		must(t, db.Close())
	}
	db, err := Open(ctx, path, Options{ReadOnly: true})
	must(t, err)
	defer db.Close()
	if n := count(t, db, "r"); n != 3 {
		t.Errorf("read-only: %d rows, want 3", n)
	}
	if _, err := db.Exec("INSERT INTO r VALUES (9)"); err == nil {
		t.Error("a read-only database was written")
	}
}

func TestSchemaChangeReachesPreparedStatements(t *testing.T) {
	db := open(t, newFiles(t).path("s.db"))
	exec(t, db, "CREATE TABLE s (a)")
	exec(t, db, "INSERT INTO s VALUES (1)")
	columns := func() string {
		rows, err := db.Query("SELECT * FROM s")
		must(t, err)
		defer rows.Close()
		names, err := rows.Columns()
		must(t, err)
		if !rows.Next() {
			t.Error("no row")
		}
		return strings.Join(names, " ")
	}
	if got := columns(); got != "a" {
		t.Errorf("got %s, want a", got)
	}
	exec(t, db, "ALTER TABLE s ADD COLUMN b")
	if got := columns(); got != "a b" {
		t.Errorf("got %s, want a b", got)
	}
	exec(t, db, "ALTER TABLE s RENAME COLUMN b TO c")
	if got := columns(); got != "a c" {
		t.Errorf("got %s, want a c", got)
	}
}

func TestManyStatementTexts(t *testing.T) {
	db := open(t, ":memory:")
	for round := range 2 {
		for i := range statementsMax + 10 {
			var got int
			must(t, db.QueryRow(fmt.Sprintf("SELECT %d", i)).Scan(&got))
			if got != i {
				t.Fatalf("round %d: got %d, want %d", round, got, i)
			}
		}
	}
}

func TestFileThatIsNoDatabase(t *testing.T) {
	needsDisk(t)
	f := newFiles(t)
	f.write(t, "garbage.db", []byte(strings.Repeat("this is no database ", 500)))
	if db, err := Open(ctx, f.path("garbage.db"), Options{}); !IsCorrupt(err) || fault.KindOf(err) != fault.Corrupt {
		t.Errorf("garbage: got %v, want corrupt", err)
		if err == nil {
			db.Close()
		}
	}
}

func TestDamagedDatabase(t *testing.T) {
	f := newFiles(t)
	db := open(t, f.path("good.db"))
	exec(t, db, "CREATE TABLE g (a INTEGER PRIMARY KEY, b)")
	exec(t, db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 500) INSERT INTO g SELECT i, randomblob(1000) FROM n")
	must(t, Check(ctx, db))
	must(t, db.Close())
	bytes := f.read(t, "good.db")
	for i := len(bytes) / 4; i < len(bytes)/2; i++ {
		bytes[i] = 0xaa
	}
	f.write(t, "bad.db", bytes)
	db = open(t, f.path("bad.db"))
	if err := Check(ctx, db); !IsCorrupt(err) {
		t.Errorf("Check: got %v, want corrupt", err)
	}
	if err := db.QueryRow("SELECT sum(length(b)) FROM g").Scan(new(int)); !IsCorrupt(err) {
		t.Errorf("a damaged page: got %v, want corrupt", err)
	}
}

func TestFullDatabase(t *testing.T) {
	db := open(t, newFiles(t).path("f.db"))
	exec(t, db, "CREATE TABLE f (a)")
	exec(t, db, "PRAGMA max_page_count=20")
	fill := func() error {
		return Tx(ctx, db, func(tx *sql.Tx) error {
			for range 2000 {
				if _, err := tx.Exec("INSERT INTO f VALUES (zeroblob(4000))"); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := fill()
	if !IsFull(err) || fault.KindOf(err) != fault.Full {
		t.Fatalf("got %v, want full", err)
	}
	if n := count(t, db, "f"); n != 0 {
		t.Errorf("%d rows of the failed transaction are there", n)
	}
	exec(t, db, "PRAGMA max_page_count=100000")
	must(t, fill())
}

func TestMigrate(t *testing.T) {
	path := newFiles(t).path("m.db")
	one := fstest.MapFS{"0001_first.sql": {Data: []byte("CREATE TABLE m (a); -- a comment; with a semicolon\nINSERT INTO m VALUES ('x;y');\n-- end\n")}}
	two := fstest.MapFS{"0001_first.sql": one["0001_first.sql"], "0002_second.sql": {Data: []byte("ALTER TABLE m ADD COLUMN b DEFAULT 2;\nCREATE TRIGGER mt AFTER INSERT ON m BEGIN UPDATE m SET b = 3; UPDATE m SET b = 4; END;")}, "README.md": {}}
	db := open(t, path)
	must(t, Migrate(ctx, db, one))
	must(t, Migrate(ctx, db, one))
	must(t, Migrate(ctx, db, two))
	var a string
	var b, v int
	must(t, db.QueryRow("SELECT a, b FROM m").Scan(&a, &b))
	must(t, db.QueryRow("PRAGMA user_version").Scan(&v))
	if a != "x;y" || b != 2 || v != 2 {
		t.Errorf("got %q %d version %d", a, b, v)
	}
	if err := Migrate(ctx, db, one); fault.KindOf(err) != fault.Unsupported {
		t.Errorf("a newer database: got %v, want unsupported", err)
	}
	bad := fstest.MapFS{"0003_third.sql": {Data: []byte("CREATE TABLE half (a); CREATE TABLE m (a)")}}
	for n, f := range two {
		bad[n] = f
	}
	if err := Migrate(ctx, db, bad); err == nil || !strings.Contains(err.Error(), "0003_third.sql") {
		t.Errorf("got %v, want an error that names the file", err)
	}
	if err := db.QueryRow("SELECT count(*) FROM half").Scan(&v); err == nil {
		t.Error("a failed migration left a table behind")
	}
	for _, names := range [][]string{{"0002_x.sql"}, {"0001_x.sql", "0003_x.sql"}, {"0001_x.sql", "01_y.sql"}, {"x.sql"}, {"0000_x.sql"}} {
		fsys := fstest.MapFS{}
		for _, n := range names {
			fsys[n] = &fstest.MapFile{Data: []byte("SELECT 1")}
		}
		if err := Migrate(ctx, open(t, ":memory:"), fsys); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v: got %v, want invalid", names, err)
		}
	}
	big := fstest.MapFS{"0001_big.sql": {Data: make([]byte, migrationBytesMax+1)}}
	if err := Migrate(ctx, open(t, ":memory:"), big); fault.KindOf(err) != fault.TooLarge {
		t.Errorf("got %v, want too-large", err)
	}
}

func TestFileMovesBetweenDatabases(t *testing.T) {
	f := newFiles(t)
	db := open(t, f.path("a.db"))
	exec(t, db, "CREATE TABLE a (b)")
	exec(t, db, "INSERT INTO a VALUES ('kept')")
	must(t, db.Close())
	f.write(t, "b.db", f.read(t, "a.db"))
	var s string
	must(t, open(t, f.path("b.db")).QueryRow("SELECT b FROM a").Scan(&s))
	if s != "kept" {
		t.Errorf("got %q", s)
	}
}

func TestScripts(t *testing.T) {
	db := open(t, newFiles(t).path("s.db"))
	exec(t, db, "CREATE TABLE s (a); CREATE INDEX si ON s (a)")
	for range 2 { // the second time from the kept statements, if there are any
		exec(t, db, "INSERT INTO s VALUES (1); -- first\n INSERT INTO s VALUES (2);\n\n")
	}
	if n := count(t, db, "s"); n != 4 {
		t.Errorf("%d rows, want 4", n)
	}
	if _, err := db.Exec("INSERT INTO s VALUES (5); INSERT INTO missing VALUES (6)"); err == nil {
		t.Error("a script with a mistake was accepted")
	}
	exec(t, db, "  -- only a comment\n")
	exec(t, db, "")
}

func TestWaitIsTurnedOnAndOff(t *testing.T) {
	db := open(t, newFiles(t).path("w.db"))
	for i := range 4 {
		must(t, Wait(ctx, db, i%2 == 0))
		var got int
		must(t, db.QueryRow("PRAGMA synchronous").Scan(&got))
		if want := 2 - i%2; got != want {
			t.Errorf("step %d: synchronous is %d, want %d", i, got, want)
		}
	}
}
