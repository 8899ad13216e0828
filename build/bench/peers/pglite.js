// PGlite in a worker on OPFS (its access handle pool) with relaxed durability, and its live queries. Counts are kept by
// a trigger, as the product keeps them.
import { PGliteWorker } from "@electric-sql/pglite/worker";
import { live } from "@electric-sql/pglite/live";
import { page } from "./page.js";

let db;

page({
  async open() {
    db = await PGliteWorker.create(new Worker("/pglite-worker.js", { type: "module" }), { extensions: { live } });
    await db.exec(`CREATE TABLE task (id text PRIMARY KEY, project text, status text, priority int, rank text COLLATE "C", title text, author text);
      CREATE INDEX task_place ON task (project, status, rank, id);
      CREATE TABLE total (status text PRIMARY KEY, n int NOT NULL);
      CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO total SELECT status, count(*) FROM made GROUP BY status ON CONFLICT (status) DO UPDATE SET n = total.n + EXCLUDED.n;
        RETURN NULL;
      END $$;
      CREATE TRIGGER task_count AFTER INSERT ON task REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE FUNCTION counted();`);
  },
  async load(tasks) {
    await db.query("INSERT INTO task SELECT id, project, status, priority, rank, title, author FROM json_populate_recordset(NULL::task, $1)", [JSON.stringify(tasks)]);
  },
  async live(statuses, limit, changed) {
    const totals = {}, rows = {};
    const draw = (s) => rows[s] && changed(s, rows[s], totals[s] ?? 0);
    const open = [db.live.query("SELECT status, n FROM total", [], (r) => {
      for (const { status, n } of r.rows) totals[status] = n;
      for (const s of statuses) draw(s);
    })];
    for (const s of statuses) {
      open.push(db.live.query("SELECT id, title, status, priority FROM task WHERE project = 'website' AND status = $1 ORDER BY rank, id LIMIT " + limit, [s], (r) => {
        rows[s] = r.rows;
        draw(s);
      }));
    }
    const queries = await Promise.all(open);
    return () => Promise.all(queries.map((q) => q.unsubscribe()));
  },
  insert: (t) => db.query("INSERT INTO task VALUES ($1, $2, $3, $4, $5, $6, $7)", [t.id, t.project, t.status, t.priority, t.rank, t.title, t.author]),
});
