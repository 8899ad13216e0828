// Runs a Go test program and posts what it prints to the server that started it.
import "holdfast:go";

let pending = [];
let posting = Promise.resolve();

function post(path, body) {
  posting = posting.then(() => fetch(path, { method: "POST", body })).catch((e) => console.error("post " + path + ": " + e));
  return posting;
}

function flush() {
  if (pending.length === 0) return;
  const body = new Blob(pending);
  pending = [];
  post("/output", body);
}

// The write may come in the middle of anything, and the memory it points to is Go's: copy, and send later.
globalThis.fs.writeSync = (fd, buf) => {
  pending.push(buf.slice());
  if (pending.length === 1) setTimeout(flush, 20);
  return buf.length;
};

const go = new Go();
go.argv = await (await fetch("/args")).json();
go.env = { TMPDIR: "/tmp" };
let code = 0;
go.exit = (c) => {
  code = c;
  // Go's runtime leaves timers behind, and wakes up in vain when one of them ends before this worker does.
  for (const timer of go._scheduledTimeouts.values()) clearTimeout(timer);
};
try {
  const { instance } = await WebAssembly.instantiateStreaming(fetch("/test.wasm"), go.importObject);
  await go.run(instance);
} catch (e) {
  code = code || 2;
  pending.push(new TextEncoder().encode("\n" + (e.stack ?? e) + "\n"));
}
flush();
await post("/exit", JSON.stringify(code));
