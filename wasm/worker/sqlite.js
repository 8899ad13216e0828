// SQLite for the Go program in this worker: the official WebAssembly build over OPFS, behind globalThis.holdfastSQLite.
//
// Go and SQLite are two WebAssembly programs with two memories. Every statement crosses once: Go fills `input` with the
// arguments, calls run(), and copies the rows out of `output`. Both are plain buffers of this file, never views of
// SQLite's memory, because such a view dies whenever that memory grows. The formats are described in sync/sqlite/codec.go.
//
// The hot functions (prepare, run, next) call SQLite's exports without the typed wrappers of its JS API, which cost
// more than the statement does. They return a byte count, or a negative result code; message() says why.

import sqlite3InitModule from "@sqlite.org/sqlite-wasm";
import { assets } from "holdfast:assets";
import { Pool } from "./sqlite-pool.js";

const ROW = 100, DONE = 101, TOO_BIG = 18, NOMEM = 7, INTERNAL = 2;
const TRANSIENT = -1; // SQLite copies the bytes; 0 means that they stay where they are until the bindings are cleared
const PREPARE_PERSISTENT = 1;
const STATUS_REPREPARE = 5;
const CHUNK_BYTES = 1 << 20; // a result is handed over in pieces of about this size
const KEEP_BYTES = 4 << 20; // larger buffers are given back after use
const MOVED = 2 ** 40;
const CACHE_KB = 32 << 10;
const PAGE_BYTES = 32 << 10;
// Tags of values, in both directions.
const NULL = 0, INT32 = 1, INT53 = 2, INT64 = 3, FLOAT = 4, TEXT = 5, BLOB = 6;

let x; // SQLite's exports
let memory;
let lib; // the sqlite3 object
let pool;
let heap = new Uint8Array(0);
let input = new Uint8Array(1 << 16);
let inputView = new DataView(input.buffer);
let output = new Uint8Array(1 << 16);
let outputView = new DataView(output.buffer);
let scratch = 0; // in SQLite's memory: SQL text and bound text and blobs
let scratchBytes = 0;
let moved = true;
let why = "";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

const freshHeap = () => (heap.length === 0 || heap.buffer !== memory.buffer ? (heap = new Uint8Array(memory.buffer)) : heap);

const cstring = (ptr) => {
  const h = freshHeap();
  return ptr ? decoder.decode(h.subarray(ptr, h.indexOf(0, ptr))) : "";
};

// fail notes the message of the connection's last error and turns its code into a return value.
function fail(db) {
  const code = x.sqlite3_extended_errcode(db) || INTERNAL;
  const real = pool.explain(code);
  why = real === code ? cstring(x.sqlite3_errmsg(db)) : "database or disk is full";
  return -real;
}

// guard keeps exceptions (memory ran out, a trap in SQLite) out of Go, where they would end the program. A result has
// MOVED added to it when `output` is another buffer than before, so that Go fetches the new one.
function guard(f) {
  return () => {
    try {
      const n = f();
      if (n < 0 || !moved) return n;
      moved = false;
      return n + MOVED;
    } catch (e) {
      why = String(e?.message ?? e);
      return e instanceof RangeError ? -NOMEM : -INTERNAL;
    }
  };
}

function needScratch(n) {
  if (n <= scratchBytes) return;
  if (scratch) x.sqlite3_free(scratch);
  scratch = 0;
  scratchBytes = 0;
  const want = Math.max(n, 1 << 16);
  const ptr = x.sqlite3_malloc(want) >>> 0;
  if (!ptr) throw new RangeError("out of memory");
  scratch = ptr;
  scratchBytes = want;
}

// toScratch copies input[from, to) into SQLite's memory and returns where it is.
function toScratch(from, to) {
  needScratch(to - from + 1);
  freshHeap().set(input.subarray(from, to), scratch);
  return scratch;
}

function needOutput(n) {
  if (n <= output.length) return;
  const grown = new Uint8Array(Math.max(n, output.length * 2));
  grown.set(output);
  setOutput(grown);
}

function setOutput(bytes) {
  output = bytes;
  outputView = new DataView(output.buffer);
  moved = true;
}

// input: u32 connection, SQL text. output: u32 statement (0 for an empty text), u32 bytes of SQL used, u32 parameters,
// u8 read-only, columns, then the name of each parameter ("" for '?').
const prepare = guard(() => {
  const db = inputView.getUint32(0, true);
  const end = inputView.getUint32(4, true);
  const sql = toScratch(8, end);
  freshHeap()[sql + end - 8] = 0;
  const slots = x.sqlite3_malloc(8) >>> 0;
  if (!slots) throw new RangeError("out of memory");
  try {
    if (x.sqlite3_prepare_v3(db, sql, end - 8, PREPARE_PERSISTENT, slots, slots + 4)) return fail(db);
    const slot = new DataView(memory.buffer, slots, 8);
    const stmt = slot.getUint32(0, true);
    needOutput(64);
    outputView.setUint32(0, stmt, true);
    outputView.setUint32(4, slot.getUint32(4, true) - sql, true);
    const params = stmt ? x.sqlite3_bind_parameter_count(stmt) : 0;
    outputView.setUint32(8, params, true);
    output[12] = stmt && x.sqlite3_stmt_readonly(stmt) ? 1 : 0;
    let at = putColumns(stmt, 13);
    for (let i = 1; i <= params; i++) at = putString(at, cstring(x.sqlite3_bind_parameter_name(stmt, i)));
    return at;
  } finally {
    x.sqlite3_free(slots);
  }
});

function putString(at, text) {
  const bytes = encoder.encode(text);
  needOutput(at + 4 + bytes.length);
  outputView.setUint32(at, bytes.length, true);
  output.set(bytes, at + 4);
  return at + 4 + bytes.length;
}

function putColumns(stmt, at) {
  const n = stmt ? x.sqlite3_column_count(stmt) : 0;
  needOutput(at + 4);
  outputView.setUint32(at, n, true);
  at += 4;
  for (let i = 0; i < n; i++) at = putString(at, cstring(x.sqlite3_column_name(stmt, i)));
  return at;
}

// Binds the values of input[16, end). Text and blobs are read from the scratch copy; a statement that returns rows may
// be continued after the scratch was used again, so its bytes are copied.
function bind(stmt, count, end, lasting) {
  let base = -1;
  let at = 16;
  const keep = lasting ? TRANSIENT : 0;
  for (let i = 1; i <= count; i++) {
    let rc = 0;
    switch (input[at++]) {
      case NULL:
        rc = x.sqlite3_bind_null(stmt, i);
        break;
      case INT32:
        rc = x.sqlite3_bind_int(stmt, i, inputView.getInt32(at, true));
        at += 4;
        break;
      case INT64:
        rc = x.sqlite3_bind_int64(stmt, i, inputView.getBigInt64(at, true));
        at += 8;
        break;
      case FLOAT:
        rc = x.sqlite3_bind_double(stmt, i, inputView.getFloat64(at, true));
        at += 8;
        break;
      case TEXT:
      case BLOB: {
        const n = inputView.getUint32(at, true);
        const text = input[at - 1] === TEXT;
        at += 4;
        if (base < 0) base = toScratch(0, end);
        rc = text ? x.sqlite3_bind_text(stmt, i, base + at, n, keep) : x.sqlite3_bind_blob(stmt, i, base + at, n, keep);
        at += n;
        break;
      }
      default:
        throw new TypeError("unknown tag in the arguments");
    }
    if (rc) return rc;
  }
  return 0;
}

// input: u32 connection, u32 statement, u32 number of arguments, u32 end, arguments.
// output of a statement with columns: as next(). Without: f64 changes, i64 last row id.
const run = guard(() => {
  if (output.length > KEEP_BYTES) setOutput(new Uint8Array(1 << 16));
  const db = inputView.getUint32(0, true);
  const stmt = inputView.getUint32(4, true);
  const columns = x.sqlite3_column_count(stmt);
  if (bind(stmt, inputView.getUint32(8, true), inputView.getUint32(12, true), columns > 0)) {
    const rc = fail(db);
    finish(stmt);
    return rc;
  }
  if (columns > 0) return rows(db, stmt, true);
  const rc = x.sqlite3_step(stmt);
  const result = rc === DONE ? 0 : fail(db);
  finish(stmt);
  if (result) return result;
  outputView.setFloat64(0, Number(x.sqlite3_changes64(db)), true);
  outputView.setBigInt64(8, x.sqlite3_last_insert_rowid(db), true);
  return 16;
});

function finish(stmt) {
  x.sqlite3_reset(stmt);
  x.sqlite3_clear_bindings(stmt);
  if (scratchBytes > KEEP_BYTES) {
    x.sqlite3_free(scratch);
    scratch = scratchBytes = 0;
  }
}

// input as for run(). Goes on with a statement whose last output had the flag `more`.
const next = guard(() => rows(inputView.getUint32(0, true), inputView.getUint32(4, true), false));

// output: u8 flags (1 more rows follow, 2 columns follow), [columns], u32 rows, values row by row.
function rows(db, stmt, first) {
  let at = 1;
  let flags = 0;
  let rc = x.sqlite3_step(stmt);
  if (first && x.sqlite3_stmt_status(stmt, STATUS_REPREPARE, 1)) {
    flags = 2; // the schema changed since the statement was prepared: its columns may have, too
    at = putColumns(stmt, 1);
  }
  const countAt = at;
  at += 4;
  needOutput(at);
  const columns = x.sqlite3_column_count(stmt);
  let count = 0;
  while (rc === ROW) {
    at = putRow(stmt, columns, at);
    count++;
    if (at > CHUNK_BYTES) {
      flags |= 1;
      break;
    }
    rc = x.sqlite3_step(stmt);
  }
  if (rc !== ROW) {
    const result = rc === DONE ? 0 : fail(db);
    finish(stmt);
    if (result) return result;
  }
  output[0] = flags;
  outputView.setUint32(countAt, count, true);
  return at;
}

function putRow(stmt, columns, at) {
  needOutput(at + columns * 9);
  for (let i = 0; i < columns; i++) {
    switch (x.sqlite3_column_type(stmt, i)) {
      case 1: {
        // A double holds integers up to 2^53 exactly and spares a BigInt for nearly all of them.
        const near = x.sqlite3_column_double(stmt, i);
        if (near === (near | 0)) {
          output[at] = INT32;
          outputView.setInt32(at + 1, near, true);
          at += 5;
        } else if (near > -9007199254740992 && near < 9007199254740992) {
          output[at] = INT53;
          outputView.setFloat64(at + 1, near, true);
          at += 9;
        } else {
          output[at] = INT64;
          outputView.setBigInt64(at + 1, x.sqlite3_column_int64(stmt, i), true);
          at += 9;
        }
        break;
      }
      case 2:
        output[at] = FLOAT;
        outputView.setFloat64(at + 1, x.sqlite3_column_double(stmt, i), true);
        at += 9;
        break;
      case 3:
        at = putBytes(TEXT, x.sqlite3_column_text(stmt, i) >>> 0, x.sqlite3_column_bytes(stmt, i), at, (columns - i) * 9);
        break;
      case 4:
        at = putBytes(BLOB, x.sqlite3_column_blob(stmt, i) >>> 0, x.sqlite3_column_bytes(stmt, i), at, (columns - i) * 9);
        break;
      default:
        output[at++] = NULL;
    }
  }
  return at;
}

function putBytes(tag, ptr, n, at, reserve) {
  needOutput(at + 5 + n + reserve);
  output[at] = tag;
  outputView.setUint32(at + 1, n, true);
  at += 5;
  if (heap.length === 0) freshHeap(); // fetching the value can have grown SQLite's memory
  if (n > 48) output.set(heap.subarray(ptr, ptr + n), at);
  else for (let i = 0; i < n; i++) output[at + i] = heap[ptr + i];
  return at + n;
}

// ---- everything below is called rarely ----

class SQLiteError extends Error {
  constructor(code, message) {
    super(message);
    this.name = "SQLiteError";
    this.code = code;
  }
}

let loading;
let directory = "holdfast";

async function load() {
  const response = await fetch(assets["sqlite3.wasm"], { credentials: "same-origin" });
  if (!response.ok) throw new Error(`SQLite could not be loaded: ${response.status}`);
  const module = await WebAssembly.compileStreaming(response);
  // The pool's errors reach SQLite only as "disk I/O error"; its log is the one place that tells a full disk apart.
  globalThis.sqlite3ApiConfig = {
    error: (...args) => Pool.note(args.find((a) => a instanceof Error), args),
    disable: { vfs: { opfs: true, "opfs-wl": true, kvvfs: true } },
  };
  lib = await sqlite3InitModule({
    instantiateWasm(imports, done) {
      WebAssembly.instantiate(module, imports).then((instance) => done(instance, module));
      return {};
    },
  });
  x = lib.wasm.exports;
  memory = lib.wasm.memory;
  freshHeap();
}

// configure may be called by the worker's boot script before Go starts: it says where the files are (a folder of the
// origin private file system), and both programs load at the same time.
function configure(o) {
  directory = o.directory ?? directory;
  loading ??= load();
  loading.catch(() => {}); // init() reports it
}

async function init(o) {
  if (!pool) {
    loading ??= load();
    await loading.catch((e) => {
      loading = undefined; // a later try may succeed
      throw e;
    });
    pool ??= new Pool(lib, { directory: o?.directory || directory, memory: !!o?.memory, open: openRaw, close: closeRaw, exec, inTransaction, SQLiteError });
  }
  await pool.ready();
  return { persistent: pool.persistent, reason: pool.reason, version: lib.version.libVersion };
}

function exec(db, sql) {
  const rc = lib.capi.sqlite3_exec(db, sql, 0, 0, 0);
  if (rc) throw new SQLiteError(-fail(db), why);
}

function openRaw(path, vfs, readOnly) {
  const { capi, wasm } = lib;
  const scope = wasm.scopedAllocPush();
  let db = 0;
  try {
    const out = wasm.scopedAllocPtr();
    const rc = capi.sqlite3_open_v2(path, out, readOnly ? capi.SQLITE_OPEN_READONLY : capi.SQLITE_OPEN_READWRITE | capi.SQLITE_OPEN_CREATE, vfs || 0);
    db = wasm.peekPtr(out) >>> 0;
    if (rc) {
      const code = db ? -fail(db) : rc;
      throw new SQLiteError(code, db ? why : capi.sqlite3_js_rc_str(rc));
    }
    x.sqlite3_extended_result_codes(db, 1);
    return db;
  } catch (e) {
    if (db) x.sqlite3_close_v2(db);
    throw e;
  } finally {
    wasm.scopedAllocPop(scope);
  }
}

function closeRaw(db) {
  for (let stmt; (stmt = x.sqlite3_next_stmt(db, 0)); ) x.sqlite3_finalize(stmt);
  x.sqlite3_close_v2(db);
}

const inTransaction = (db) => !x.sqlite3_get_autocommit(db);

async function open(name, o) {
  await init();
  const db = await pool.open(name, o.readOnly);
  try {
    if (!o.readOnly) exec(db, `PRAGMA page_size=${PAGE_BYTES}`);
    exec(db, `PRAGMA locking_mode=exclusive; PRAGMA foreign_keys=0; PRAGMA query_only=${o.readOnly ? 1 : 0}`); // exclusive first: WAL needs it here
    if (!o.readOnly) exec(db, `PRAGMA journal_mode=WAL; PRAGMA synchronous=${o.durable ? "FULL" : "NORMAL"}; PRAGMA wal_autocheckpoint=${o.walPages}`);
    exec(db, `PRAGMA cache_size=-${o.cacheKB || CACHE_KB}; SELECT count(*) FROM sqlite_schema`);
    return db;
  } catch (e) {
    pool.close(db);
    throw e;
  }
}

globalThis.holdfastSQLite = {
  configure,
  init,
  open,
  close: (db) => pool.close(db),
  prepare,
  run,
  next,
  reset: (stmt) => finish(stmt),
  finalize: (stmt) => void x.sqlite3_finalize(stmt),
  inTransaction,
  message: () => why,
  input(n) {
    if (n > input.length || (input.length > KEEP_BYTES && n <= KEEP_BYTES)) {
      input = new Uint8Array(n > KEEP_BYTES ? n : Math.max(1 << 16, 1 << Math.ceil(Math.log2(n))));
      inputView = new DataView(input.buffer);
    }
    return input;
  },
  output() {
    return output;
  },
  library: () => lib, // SQLite's own API, to measure beside
  list: () => pool.list(),
  importFile: (name, source, progress, signal) => pool.import(name, source, progress, signal),
  exportFile: (name) => pool.export(name),
  remove: (name) => pool.remove(name),
  pause: () => pool.pause(),
  resume: () => pool.resume(),
};
