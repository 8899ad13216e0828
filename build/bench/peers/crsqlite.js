// cr-sqlite's WebAssembly build on its own store, IndexedDB with relaxed durability (it ships no other), with rx-tbl,
// its live queries: a table that changed runs the query again. Counts are kept by triggers, as the product keeps them.
import initWasm from "@vlcn.io/crsqlite-wasm";
import tblrx from "@vlcn.io/rx-tbl";
import { page } from "./page.js";

let db, rx, insert, list, total;

page({
  async open() {
    const lib = await initWasm(() => "/crsqlite.wasm");
    db = await lib.open("tasks.db");
    await db.exec(`PRAGMA cache_size=-32768;
      CREATE TABLE task (id TEXT PRIMARY KEY NOT NULL, project TEXT, status TEXT, priority INTEGER, rank TEXT, title TEXT, author TEXT);
      CREATE INDEX task_place ON task (project, status, rank, id);
      CREATE TABLE total (status TEXT PRIMARY KEY, n INTEGER NOT NULL);
      CREATE TRIGGER task_count AFTER INSERT ON task BEGIN
        INSERT INTO total VALUES (NEW.status, 1) ON CONFLICT DO UPDATE SET n = n + 1;
      END;`);
    await db.exec("SELECT crsql_as_crr('task')");
    rx = tblrx(db);
    insert = await db.prepare("INSERT INTO task (id, project, status, priority, rank, title, author) VALUES (?, ?, ?, ?, ?, ?, ?)");
    list = await db.prepare("SELECT id, title, status, priority FROM task WHERE project = 'website' AND status = ? ORDER BY rank, id LIMIT ?");
    total = await db.prepare("SELECT n FROM total WHERE status = ?");
  },
  load: (tasks) => db.exec(`INSERT INTO task (id, project, status, priority, rank, title, author)
    SELECT value->>'id', value->>'project', value->>'status', value->>'priority', value->>'rank', value->>'title', value->>'author' FROM json_each(?)`, [JSON.stringify(tasks)]),
  live(statuses, limit, changed) {
    const look = async () => {
      for (const s of statuses) {
        const rows = await list.all(null, s, limit);
        const n = await total.get(null, s);
        changed(s, rows, n?.n ?? 0);
      }
    };
    look();
    return rx.onRange(["task"], look);
  },
  insert: (t) => insert.run(null, t.id, t.project, t.status, t.priority, t.rank, t.title, t.author),
});
