// How fast cr-sqlite merges changes of another replica, in Node, in memory. Its native extension comes from a download page,
// not from npm; its WebAssembly build does, here the one without asynchronous calls, which is the faster.
//
//	node merge.mjs <rows> <changes in a transaction>
//
// It prints row changes a second: "raw", plain inserts of the same rows with the same build, then each kind of work.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import factory from "@vlcn.io/wa-sqlite/dist/crsqlite-sync.mjs";
import * as SQLite from "@vlcn.io/wa-sqlite";
import { taskOf } from "./page.js";

const [rows, batch] = [Number(process.argv[2]), Number(process.argv[3])];
const wasmBinary = readFileSync(fileURLToPath(import.meta.resolve("@vlcn.io/wa-sqlite/dist/crsqlite-sync.wasm")));
const lib = SQLite.Factory(await factory({ wasmBinary }));
const NEWEST = 2000; // tasks that are edited
const COLS = ["project", "status", "priority", "rank", "title", "author"];
const INSERT = `INSERT INTO task (id, ${COLS}) VALUES (?, ?, ?, ?, ?, ?, ?)`;
const SINCE = "SELECT \"table\", pk, cid, val, col_version, db_version, site_id, cl, seq FROM crsql_changes WHERE db_version > ";
const MERGE = "INSERT INTO crsql_changes (\"table\", pk, cid, val, col_version, db_version, site_id, cl, seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";

async function replica(merging = true) {
  const db = await lib.open_v2(":memory:");
  await lib.exec(db, `CREATE TABLE task (id TEXT PRIMARY KEY NOT NULL, ${COLS.map((c) => c + (c === "priority" ? " INTEGER" : " TEXT"))});
    CREATE INDEX task_place ON task (project, status, rank, id);`);
  if (merging) await lib.exec(db, "SELECT crsql_as_crr('task')");
  return db;
}

// many runs one statement with each of some rows of arguments, in one transaction.
async function many(db, sql, list) {
  await lib.exec(db, "BEGIN");
  const text = lib.str_new(db, sql);
  const { stmt } = await lib.prepare_v2(db, lib.str_value(text));
  for (const args of list) {
    lib.bind_collection(stmt, args);
    await lib.step(stmt);
    await lib.reset(stmt);
  }
  await lib.finalize(stmt);
  lib.str_finish(text);
  await lib.exec(db, "COMMIT");
}

async function read(db, sql) {
  const out = [];
  await lib.exec(db, sql, (row) => out.push(row.map((v) => (v instanceof Uint8Array ? v.slice() : v))));
  return out;
}

const insertArgs = (i) => { const t = taskOf(i); return [t.id, ...COLS.map((c) => t[c])]; };

async function close(db) {
  await lib.exec(db, "SELECT crsql_finalize()");
  await lib.close(db);
}

// work makes what another replica did, one list of changes a transaction, the first of them to begin with. An edit sets one
// column of one of the newest tasks; no two in a transaction set the same, because cr-sqlite keeps only the last.
async function* work(creating) {
  const db = await replica();
  let made = 0, seen = 0;
  const news = async () => {
    const changes = await read(db, SINCE + seen);
    [[seen]] = await read(db, "SELECT crsql_db_version()");
    return changes;
  };
  const create = async (n) => { await many(db, INSERT, Array.from({ length: n }, () => insertArgs(made++))); };
  await create(NEWEST);
  yield { changes: await news(), n: 0 }; // is not counted
  for (let done = 0; done < rows; done += batch) {
    const fresh = Math.round(batch * creating);
    await create(fresh);
    let n = fresh;
    const first = made - NEWEST;
    for (const col of ["title", "status", "priority", "rank"]) {
      const at = Math.floor(Math.random() * NEWEST);
      const edits = Array.from({ length: Math.floor((batch - fresh) / 4) }, (_, i) => [col === "priority" ? done % 5 : "New value " + (done + i), taskOf(first + ((at + i) % NEWEST)).id]);
      await many(db, `UPDATE task SET ${col} = ? WHERE id = ?`, edits);
      n += edits.length;
    }
    yield { changes: await news(), n };
  }
  await close(db);
}

async function raw() {
  const db = await replica(false);
  const list = Array.from({ length: rows }, (_, i) => insertArgs(i));
  const at = performance.now();
  for (let i = 0; i < rows; i += batch) await many(db, INSERT, list.slice(i, i + batch));
  return rows / (performance.now() - at) * 1000;
}

async function merge(creating) {
  const db = await replica();
  let took = 0, merged = 0;
  for await (const { changes, n } of work(creating)) {
    const at = performance.now();
    await many(db, MERGE, changes);
    if (n) took += performance.now() - at;
    merged += n;
  }
  await close(db);
  return merged / took * 1000;
}

console.log(JSON.stringify({ raw: await raw(), "new tasks": await merge(1), "40 % new, 60 % edits": await merge(0.4), edits: await merge(0.01) }));
