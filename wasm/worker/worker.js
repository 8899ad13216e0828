// The worker that may keep a workspace's replica on this device. Its page starts it (tab.js); the Go program in it does
// the work. Of all tabs' workers one leads: it holds the Web Lock "<key>/lead", and so the files. One more is kept ready.
//
// Messages with the page that started it: {start: {key, tenant, person, tab}} in; {leading: epoch}, {fatal: text}, {restart: true} out.
// Messages with every tab once it leads: text (package port) in; {text, re} out, re being the answered request's number.
// The own tab is reached by postMessage, the others through a BroadcastChannel each, named "<key>/<tab>".
import "holdfast:go";
import "./mirror.js";
import "./sqlite.js";
import { assets } from "holdfast:assets";

const tabs = new Map(); // tab → {post, close}
const early = []; // requests that came before the Go program asked for them
let start;
let bus;
let epoch;
let lead;

const host = {
  tenant: "",
  person: "",
  origin: self.location.origin,
  onrequest: null, // (tab, text)
  ongone: null, // (tab)
  // Resolves when this worker leads, and never lets go.
  lead: () => lead,
  // Opens the doors: from now on requests are taken.
  serve() {
    for (const [tab, text] of early.splice(0)) host.onrequest(tab, text);
    announce();
  },
  send: (tab, re, text) => tabs.get(tab)?.post({ text, re }),
  fatal: (text) => self.postMessage({ fatal: text }),
  // Asks the tab for a new worker, as after the files were replaced. The answer to the request that led to it goes first:
  // a request without one is sent again to the new worker, which would replace the files again, for ever.
  restart: () => setTimeout(() => self.postMessage({ restart: true })),
};
globalThis.holdfastHost = host;

function take(tab, text) {
  if (host.onrequest) host.onrequest(tab, text);
  else early.push([tab, text]);
}

function announce() {
  bus.postMessage({ lead: epoch });
}

// A tab holds the lock "tab/<tab>" as long as it lives.
function join(tab) {
  const known = tabs.get(tab);
  if (known) {
    known.post({ welcome: epoch }); // what it sent after the first welcome is on its way on the line that there is
    return;
  }
  const line = new BroadcastChannel(`${start.key}/${tab}`);
  line.onmessage = ({ data }) => {
    if (data.text) take(tab, data.text);
  };
  tabs.set(tab, { post: (m) => line.postMessage(m), close: () => line.close() });
  line.postMessage({ welcome: epoch });
  navigator.locks.request(`tab/${tab}`, { mode: "shared" }, () => leave(tab));
}

function leave(tab) {
  if (!tabs.has(tab)) return;
  tabs.get(tab).close();
  tabs.delete(tab);
  host.ongone?.(tab);
}

function becomeLeader(granted) {
  navigator.locks.request(`${start.key}/lead`, () => {
    epoch = `${Date.now()}-${crypto.randomUUID()}`;
    tabs.set(start.tab, { post: (m) => self.postMessage(m), close() {} });
    bus = new BroadcastChannel(start.key);
    bus.onmessage = ({ data }) => {
      if (data.hello && data.hello !== start.tab) join(data.hello);
    };
    self.postMessage({ leading: epoch });
    announce();
    granted();
    return new Promise(() => {}); // until this worker ends
  });
}

self.onmessage = ({ data }) => {
  if (data.start) begin(data.start);
  else if (data.text) take(start.tab, data.text);
};

async function begin(o) {
  start = o;
  host.tenant = o.tenant;
  host.person = o.person;
  globalThis.holdfastSQLite.configure({ wasmURL: assets["sqlite3.wasm"], directory: `holdfast/${o.key}` });
  lead = new Promise(becomeLeader);
  try {
    const go = new Go();
    const { instance } = await WebAssembly.instantiateStreaming(fetch(assets["worker.wasm"]), go.importObject);
    await go.run(instance);
    throw new Error("the program ended");
  } catch (e) {
    host.fatal(String(e?.message ?? e));
  }
}
