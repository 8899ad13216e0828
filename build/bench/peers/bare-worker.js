import sqlite3InitModule from "@sqlite.org/sqlite-wasm";
import { taskOf } from "./page.js";

onmessage = async ({ data: { rows, commits } }) => {
  const lib = await sqlite3InitModule({ locateFile: () => "/sqlite3.wasm" });
  await lib.installOpfsSAHPoolVfs({});
  const db = new lib.oo1.DB({ filename: "/bare", vfs: "opfs-sahpool" });
  db.exec(`PRAGMA page_size=32768; PRAGMA locking_mode=exclusive; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=128;
    PRAGMA cache_size=-32768;
    CREATE TABLE task (id TEXT PRIMARY KEY, project TEXT, status TEXT, priority INTEGER, rank TEXT, title TEXT, author TEXT);
    CREATE INDEX task_place ON task (project, status, rank, id)`);
  const insert = db.prepare("INSERT INTO task VALUES (?, ?, ?, ?, ?, ?, ?)");
  const write = (i) => insert.bind(Object.values(taskOf(i))).stepReset();
  db.exec("BEGIN");
  for (let i = 0; i < rows; i++) write(i);
  db.exec("COMMIT");
  const took = [];
  for (let i = 0; i < commits; i++) {
    await new Promise((next) => setTimeout(next, 20)); // as a person's changes come: one by one
    const at = performance.now();
    write(rows + i);
    took.push(performance.now() - at);
  }
  postMessage(took);
};
