// The files of SQLite in this worker: names, import, export, hand-over to another tab. On disk through the official
// opfs-sahpool VFS; where OPFS is missing, in memory, with the same operations and nothing kept after the worker ends.
//
// opfs-sahpool keeps a fixed number of opened files and gives them names. More can only be opened asynchronously, so
// every operation that may need one makes room first.

const FULL = 13, BUSY = 5, CORRUPT = 11, CANTOPEN = 14, IOERR = 10, NOTADB = 26, MISUSE = 21;
const SPARE_FILES = 4; // free files kept ready: a database, its log, a journal, an import
const BLOCK_BYTES = 1 << 20; // an import is written in blocks of this size: every write is one costly call
const MAGIC = "SQLite format 3\0";

let noted; // the pool's last error; each failed read or write of a file leaves one here

export class Pool {
  persistent = false;
  reason = "";
  #lib;
  #o;
  #util;
  #installing;
  #open = new Map(); // connection → name
  #busy = new Set(); // names being opened or imported
  #saved = new Map(); // name → bytes, in memory only

  static note(error, args) {
    if (error) noted = error;
    else console.error(...args);
  }

  constructor(lib, o) {
    this.#lib = lib;
    this.#o = o;
  }

  // Resolves when the files are held by this worker, or when it is certain that there can be none on disk.
  ready() {
    this.#installing ??= this.#install().catch((e) => {
      this.#installing = undefined; // another tab may let go of them later
      throw e;
    });
    return this.#installing;
  }

  async #install() {
    if (this.#o.memory) return void (this.reason = "asked for");
    try {
      this.#util = await this.#lib.installOpfsSAHPoolVfs({
        directory: this.#o.directory,
        initialCapacity: 2 * SPARE_FILES,
        verbosity: 1,
        // Without this a start while another tab still holds the files would delete them all.
        preserveOnInitFailure: true,
        forceReinitIfPreviouslyFailed: true,
      });
      this.persistent = true;
    } catch (e) {
      const missing = ["SecurityError", "NotAllowedError", "NotSupportedError", "TypeError"].includes(e?.name) || /OPFS APIs|too old/.test(e?.message);
      if (!missing) throw this.#error(e);
      this.reason = String(e.message);
    }
  }

  #fault(code, message) {
    return new this.#o.SQLiteError(code, message);
  }

  // Gives errors of the browser a result code of SQLite.
  #error(e) {
    if (e?.code && e instanceof this.#o.SQLiteError) return e;
    if (isFull(e)) return this.#fault(FULL, "no room left on this device");
    if (e?.name === "NoModificationAllowedError") return this.#fault(BUSY, "another tab holds the files");
    return this.#fault(IOERR, String(e?.message ?? e));
  }

  // SQLite reports a failed write as an I/O error; the pool's own error knows whether the disk was full.
  explain(code) {
    const primary = code & 0xff;
    if (primary !== IOERR && primary !== CANTOPEN) return code;
    const full = isFull(noted);
    noted = undefined;
    return full ? FULL : code;
  }

  get #paused() {
    return this.persistent && this.#util.isPaused();
  }

  #free(name) {
    if (this.#paused) throw this.#fault(BUSY, "the files are handed over to another tab");
    if (this.#busy.has(name) || [...this.#open.values()].includes(name)) throw this.#fault(BUSY, `${name} is open`);
  }

  #has(name) {
    return this.persistent ? this.#util.getFileNames().includes("/" + name) : this.#saved.has(name);
  }

  async #alone(name, work) {
    this.#free(name);
    this.#busy.add(name);
    try {
      if (this.persistent) await this.#util.reserveMinimumCapacity(this.#util.getFileCount() + SPARE_FILES);
      return await work();
    } catch (e) {
      throw this.#error(e);
    } finally {
      this.#busy.delete(name);
    }
  }

  async open(name, readOnly) {
    if (name === ":memory:") {
      const db = this.#o.open(":memory:");
      this.#open.set(db, Symbol("private"));
      return db;
    }
    return this.#alone(name, () => {
      if (readOnly && !this.#has(name)) throw this.#fault(CANTOPEN, "there is no such database");
      const db = this.persistent ? this.#openFile(name, readOnly) : this.#openMemory(name);
      this.#open.set(db, name);
      return db;
    });
  }

  #openFile(name, readOnly) {
    // A log left behind by a database that is gone would be replayed into the new one.
    if (!this.#has(name)) this.#unlink(name);
    return this.#o.open("/" + name, this.#util.vfsName, readOnly);
  }

  #openMemory(name) {
    const { capi, wasm } = this.#lib;
    const db = this.#o.open(":memory:");
    const bytes = this.#saved.get(name);
    if (!bytes?.length) return db;
    const ptr = wasm.allocFromTypedArray(bytes);
    wasm.heap8u().fill(1, Number(ptr) + 18, Number(ptr) + 20); // a file in WAL mode cannot be opened in memory
    const rc = capi.sqlite3_deserialize(db, "main", ptr, bytes.length, bytes.length, capi.SQLITE_DESERIALIZE_FREEONCLOSE | capi.SQLITE_DESERIALIZE_RESIZEABLE);
    if (rc) {
      this.#o.close(db);
      throw this.#fault(rc, capi.sqlite3_js_rc_str(rc));
    }
    return db;
  }

  close(db) {
    const name = this.#open.get(db);
    if (name === undefined) return;
    this.#open.delete(db);
    try {
      if (!this.persistent && typeof name === "string") this.#saved.set(name, this.#lib.capi.sqlite3_js_db_export(db));
    } finally {
      this.#o.close(db);
    }
  }

  list() {
    const names = this.persistent ? this.#util.getFileNames().map((p) => p.slice(1)) : [...this.#saved.keys(), ...this.#open.values()].filter((n) => typeof n === "string");
    return [...new Set(names)].filter((n) => !/-(wal|journal)$/.test(n)).sort();
  }

  #unlink(name) {
    if (!this.persistent) return this.#saved.delete(name);
    const was = this.#util.unlink("/" + name);
    this.#util.unlink(`/${name}-wal`);
    this.#util.unlink(`/${name}-journal`);
    return was;
  }

  remove(name) {
    this.#free(name);
    return this.#unlink(name);
  }

  // Writes a whole database file under name, replacing what was there. source: a URL, Response, Blob, ReadableStream or
  // bytes. Until the last byte is there the name does not exist, also when the worker dies half-way. Resolves to the size.
  async import(name, source, progress, signal) {
    return this.#alone(name, async () => {
      const blocks = await openBlocks(source, progress, signal, (code, text) => this.#fault(code, text));
      try {
        await blocks.peek(); // what was there stays until something to replace it has come
        this.#unlink(name);
        return this.persistent ? await this.#importFile(name, blocks.next) : await this.#importMemory(name, blocks.next);
      } finally {
        blocks.cancel();
      }
    });
  }

  async #importFile(name, next) {
    // Takes a file for this name now: the streaming import alone would leave it free for others until its end.
    const empty = new Uint8Array(512);
    empty.set(new TextEncoder().encode(MAGIC));
    this.#util.importDb("/" + name, empty);
    try {
      return await this.#util.importDb("/" + name, next);
    } catch (e) {
      this.#unlink(name);
      throw e;
    }
  }

  async #importMemory(name, next) {
    const parts = [];
    for (let b; (b = await next()); ) parts.push(b.slice());
    const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
    this.#saved.set(name, bytes);
    return bytes.length;
  }

  // The whole database as a file that any SQLite tool opens. A database that is open must not be inside a transaction.
  async export(name) {
    if (this.#paused) throw this.#fault(BUSY, "the files are handed over to another tab");
    if (!this.list().includes(name)) throw this.#fault(CANTOPEN, "there is no such database");
    let db = [...this.#open].find(([, n]) => n === name)?.[0];
    const bytes = db ? this.#bytes(db, name) : await this.#exportClosed(name);
    bytes.fill(1, 18, 20); // not in WAL mode: the copy has no log beside it
    return bytes;
  }

  async #exportClosed(name) {
    const db = await this.open(name);
    try {
      if (this.persistent) this.#o.exec(db, "PRAGMA locking_mode=exclusive; SELECT count(*) FROM sqlite_schema");
      return this.#bytes(db, name);
    } finally {
      this.close(db);
    }
  }

  #bytes(db, name) {
    if (this.#o.inTransaction(db)) throw this.#fault(BUSY, "a transaction is open");
    if (!this.persistent) return this.#lib.capi.sqlite3_js_db_export(db);
    this.#o.exec(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    return this.#util.exportFile("/" + name);
  }

  // Lets go of all files so that another tab can take them. All databases must be closed.
  pause() {
    const names = [...this.#open.values(), ...this.#busy].filter((n) => typeof n === "string");
    if (names.length) throw this.#fault(BUSY, `still open: ${names.join(", ")}`);
    if (this.persistent) this.#util.pauseVfs();
  }

  async resume() {
    try {
      if (this.persistent) await this.#util.unpauseVfs();
    } catch (e) {
      throw this.#error(e);
    }
  }
}

function isFull(e) {
  return e?.name === "QuotaExceededError" || /Unknown write\(\) failure|Expected to write/.test(e?.message ?? "");
}

// openBlocks turns a source into { peek, next, cancel }. next resolves to the next block, valid until the next call, and
// to undefined at the end, once the bytes seen are one whole database. peek rejects when the source does not start as one.
async function openBlocks(source, progress, signal, fault) {
  const { stream, total } = await openSource(source, signal, fault);
  const reader = stream.getReader();
  const block = new Uint8Array(BLOCK_BYTES);
  let rest = new Uint8Array(0); // of the chunk being taken apart
  let seen = 0;
  let expected; // 0 when the header does not say
  let ended = false;
  const cancel = () => void reader.cancel().catch(() => {});
  let peeked;
  const peek = async () => void (peeked = await read());
  async function next() {
    const b = peeked ?? (await read());
    peeked = undefined;
    seen += b?.length ?? 0;
    if (b) progress?.(seen, total);
    else if (expected && seen !== expected) throw fault(CORRUPT, `the file has ${seen} of ${expected} bytes`);
    return b;
  }
  async function read() {
    let n = 0;
    while (n < BLOCK_BYTES && !ended) {
      if (!rest.length) {
        signal?.throwIfAborted();
        const { done, value } = await reader.read();
        if (done) ended = true;
        else rest = value;
        continue;
      }
      const take = Math.min(rest.length, BLOCK_BYTES - n);
      block.set(rest.subarray(0, take), n);
      rest = rest.subarray(take);
      n += take;
    }
    if (expected === undefined) expected = checkHeader(block.subarray(0, n), fault);
    return n ? block.subarray(0, n) : undefined;
  }
  return { peek, next, cancel };
}

async function openSource(source, signal, fault) {
  if (typeof source === "string") {
    source = await fetch(source, { credentials: "same-origin", signal });
  }
  if (source instanceof Response) {
    if (!source.ok) throw fault(IOERR, `the server answered ${source.status}`);
    const packed = source.headers.get("Content-Encoding"); // then the length is not that of the file
    return { stream: source.body, total: packed ? 0 : Number(source.headers.get("Content-Length")) || 0 };
  }
  if (source instanceof ReadableStream) return { stream: source, total: 0 };
  if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) source = new Blob([source]);
  if (source instanceof Blob) return { stream: source.stream(), total: source.size };
  throw fault(MISUSE, "not something to import from");
}

// The size that the file's header promises, or 0 when an old writer left it open (https://sqlite.org/fileformat.html §1.3).
function checkHeader(b, fault) {
  if (b.length < 100 || new TextDecoder("latin1").decode(b.subarray(0, 16)) !== MAGIC) throw fault(NOTADB, "the file is not a database");
  const v = new DataView(b.buffer, b.byteOffset, 100);
  const page = v.getUint16(16) === 1 ? 65536 : v.getUint16(16);
  return v.getUint32(24) === v.getUint32(92) ? page * v.getUint32(28) : 0;
}
