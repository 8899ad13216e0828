// PouchDB on IndexedDB, its default store. The id of a document carries status and rank, as its guide advises ("use and
// abuse your doc IDs"), so a window is a range of ids and needs no second index. Its own counts would be a map and reduce
// over all documents at each look; the page keeps them from the changes feed instead.
import PouchDB from "pouchdb/dist/pouchdb.js"; // as it is built for browsers
import { page } from "./page.js";

const db = new PouchDB("tasks");
const totals = {};
const watchers = new Set();
const doc = (t) => ({ ...t, _id: `task/${t.project}/${t.status}/${t.rank}/${t.id}` });
const range = (status) => ({ startkey: `task/website/${status}/`, endkey: `task/website/${status}/\uffff` });
const count = ({ status }) => (totals[status] = (totals[status] ?? 0) + 1);

let feed;
const follow = () => db.changes({ since: "now", live: true, include_docs: true }).on("change", ({ doc }) => {
  count(doc);
  for (const w of watchers) if (w.statuses.includes(doc.status)) w.look(doc.status);
});

page({
  open: () => db.info(),
  async load(tasks) {
    await db.bulkDocs(tasks.map(doc));
    tasks.forEach(count);
  },
  live(statuses, limit, changed) {
    feed ??= follow();
    const w = {
      statuses,
      async look(status) {
        const { rows } = await db.allDocs({ ...range(status), limit, include_docs: true });
        changed(status, rows.map((r) => r.doc), totals[status] ?? 0);
      },
    };
    watchers.add(w);
    for (const s of statuses) w.look(s);
    return () => watchers.delete(w);
  },
  insert: (task) => db.put(doc(task)),
});

// Replication into an empty browser: the library's own, with larger batches than its default of 100, which is slower.
globalThis.replicate = async (from) => {
  const at = performance.now();
  const done = await PouchDB.replicate(from, db, { batch_size: 1000, batches_limit: 5 });
  return { took: performance.now() - at, docs: done.docs_written };
};
