// The same work as in bench_test.go through SQLite's own JavaScript API, without Go. (lib, schema, upsert, upsertJSON) →
// operations by name, each run in its own way as often as it is called.
(lib, schema, upsert, upsertJSON) => {
  const db = new lib.oo1.DB({ filename: "/bench.bare", flags: "c", vfs: lib.capi.sqlite3_vfs_find("opfs-sahpool") ? "opfs-sahpool" : undefined });
  db.exec("PRAGMA page_size=32768; PRAGMA locking_mode=exclusive; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32768; PRAGMA wal_autocheckpoint=128");
  db.exec(schema);
  const clock = new TextEncoder().encode("0123456789abcdef0123456789abcdef0123456789abcdef");
  const hex = [...clock].map((b) => b.toString(16).padStart(2, "0")).join("");
  const pad = (v, n, base = 10) => v.toString(base).padStart(n, "0");
  const project = (i) => "project-" + pad(i, 2);
  const any = () => Math.floor(Math.random() * 20000);
  let stamp = 1;
  const task = (i) => ["0192f0c1" + pad(i, 12, 16), project(Math.floor(i / 1000)), `Task ${i}: write down what was measured`, "open", "0192f0c1-member-17",
    i % 5, 1764000000000 + i, "a" + pad(i, 8), "", 1764000000000, clock, stamp];
  const write = db.prepare(upsert);
  const page = db.prepare("SELECT * FROM task WHERE project = ? ORDER BY rank LIMIT 100");
  const merge = () => {
    stamp++;
    db.exec("BEGIN IMMEDIATE");
    for (let i = 0; i < 20000; i++) write.bind(task(i)).stepReset();
    db.exec("COMMIT");
  };
  merge();
  return {
    merge,
    commit() {
      stamp++;
      write.bind(task(any())).stepReset();
    },
    mergeJSON() {
      stamp++;
      db.exec("BEGIN IMMEDIATE");
      for (let from = 0; from < 20000; from += 5000) {
        const batch = Array.from({ length: 5000 }, (_, i) => task(from + i).with(10, hex));
        db.exec({ sql: upsertJSON, bind: [JSON.stringify(batch)] });
      }
      db.exec("COMMIT");
    },
    query() {
      page.bind([project(any() % 20)]);
      const rows = [];
      while (page.step()) rows.push(page.get([]));
      page.reset();
      if (rows.length !== 100) throw new Error(`${rows.length} rows`);
    },
    scan() {
      if (db.exec({ sql: "SELECT id, title FROM task", returnValue: "resultRows" }).length !== 20000) throw new Error("rows are missing");
    },
    close() {
      write.finalize();
      page.finalize();
      db.close();
    },
  };
};
