// Starts the page. The worker with the replica starts only when a workspace is opened, and the service worker stores the
// app only after the page has drawn: signing in needs neither.
import "holdfast:go";
import { assets, version } from "holdfast:assets";
import * as passkey from "./passkey.js";
import * as theme from "./theme.js";
import * as pwa from "./pwa.js";
import * as drag from "./drag.js";
import * as rows from "./rows.js";
import * as frame from "./frame.js";
import { connect } from "../../wasm/worker/tab.js";

const PAINT_MS = 300; // for a browser that does not tell

// go-app writes styles with setAttribute, which the content security policy refuses; the property is allowed.
const setAttribute = Element.prototype.setAttribute;
Element.prototype.setAttribute = function (name, value) {
  if (name === "style") this.style.cssText = value;
  else setAttribute.call(this, name, value);
};

// What go-app expects of its own start script.
globalThis.goappNav = () => {};
globalThis.goappOnUpdate = () => {};
globalThis.goappOnAppInstallChange = () => {};
globalThis.goappGetenv = (name) => (name === "GOAPP_VERSION" ? version : "");

globalThis.holdfast = {
  version,
  passkey,
  theme,
  pwa,
  drawRows: rows.draw,
  afterFrame: frame.next,
  // connect gives something like a MessagePort that speaks sync/port with the replica of one person's workspace.
  connect(tenant, person) {
    const key = `${tenant}/${person}`;
    const port = early?.key === key ? early.port : connect(tenant, person);
    if (early?.port !== port) early?.port.close();
    early = null;
    keep(key);
    let open = true;
    return {
      postMessage: (text) => port.postMessage(text),
      close() {
        open = false;
        port.close();
      },
      set onmessage(hear) {
        port.onmessage = (message) => frame.after(() => open && hear(message));
      },
    };
  },
};

// The worker of the workspace in the address starts beside the page's program, which takes as long to start as it does: when
// it was opened here before, by the person who is signed in still.
let early = begin();

function begin() {
  try {
    const key = localStorage.getItem("holdfast.replica");
    const [tenant, person] = key.split("/");
    const me = JSON.parse(localStorage.getItem("holdfast.me")).person.id;
    return me === person && location.pathname.startsWith(`/w/${tenant}/`) ? { key, port: connect(tenant, person) } : null;
  } catch {
    return null; // nothing is kept
  }
}

function keep(key) {
  try {
    localStorage.setItem("holdfast.replica", key);
  } catch {
    // a browser that refuses keeps nothing
  }
}

// painted waits until index.html is on the screen. The program takes the thread when it starts and then the page's place: without
// this, on a slow device, nobody sees anything before it has drawn. A page that nobody looks at is not painted.
function painted() {
  return new Promise((done) => {
    if (document.visibilityState === "hidden") return done();
    new PerformanceObserver(done).observe({ type: "paint", buffered: true });
    setTimeout(done, PAINT_MS);
  });
}

// pause lets keys, clicks and a frame come between two long pieces of work.
const pause = () => new Promise((go) => setTimeout(go));

theme.start();
drag.start();
frame.start();
pwa.start();

const go = new Go();
try {
  const program = await WebAssembly.compileStreaming(fetch(assets["page.wasm"]));
  await painted();
  const instance = await WebAssembly.instantiate(program, go.importObject);
  await pause();
  go.run(instance).then(() => failed("Holdfast stopped. Reload the page to go on; what you did is kept on this device."));
} catch (err) {
  console.error(err);
  failed("Holdfast could not start. Check the connection, then reload the page.");
}

function failed(text) {
  const p = document.createElement("p");
  p.className = "fatal";
  p.setAttribute("role", "alert");
  p.textContent = text;
  document.body.prepend(p);
}
