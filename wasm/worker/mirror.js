// A second copy of the changes that wait to be sent, in IndexedDB: it survives a damaged database, and a browser that
// gives no place for files. globalThis.holdfastMirror: open(key), put(num, bytes), remove(nums), all() → [{num, bytes}].
const STORE = "outbox";
let db;

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

async function open(key) {
  const request = indexedDB.open(`holdfast/${key}`, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "num" });
  db = await done(request);
  db.onversionchange = () => db.close();
}

const store = (mode) => db.transaction(STORE, mode).objectStore(STORE);

globalThis.holdfastMirror = {
  open,
  put: (num, bytes) => done(store("readwrite").put({ num, bytes })),
  async remove(nums) {
    const s = store("readwrite");
    await Promise.all(nums.map((n) => done(s.delete(n))));
  },
  all: () => done(store("readonly").getAll()),
  clear: () => done(store("readwrite").clear()),
};
