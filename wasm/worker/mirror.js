// A second copy, in IndexedDB, of the changes that wait to be sent or were refused: it survives a damaged database, and a
// browser that gives no place for files. globalThis.holdfastMirror: open(key), put({num, bytes}), remove(nums), all(),
// clear(). A record of a refused change also has kind and detail.
const STORE = "outbox";
let name;
let db;

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function connect() {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "num" });
  db = await done(request);
  // Another version of the app, or the browser itself, may take the connection away; the next call makes a new one.
  db.onversionchange = () => {
    db.close();
    db = undefined;
  };
  db.onclose = () => (db = undefined);
}

// A failure of any kind is a rejected promise: an exception would end the Go program that calls.
async function within(mode, work) {
  if (!db) await connect();
  return work(db.transaction(STORE, mode).objectStore(STORE));
}

globalThis.holdfastMirror = {
  open(key) {
    name = `holdfast/${key}`;
    return connect();
  },
  put: (record) => within("readwrite", (s) => done(s.put(record))),
  remove: (nums) => within("readwrite", (s) => Promise.all(nums.map((n) => done(s.delete(n))))),
  all: () => within("readonly", (s) => done(s.getAll())),
  clear: () => within("readwrite", (s) => done(s.clear())),
};
