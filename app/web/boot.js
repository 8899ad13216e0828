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

theme.start();
drag.start();
frame.start();
pwa.start();

const go = new Go();
try {
  const { instance } = await WebAssembly.instantiateStreaming(fetch(assets["page.wasm"]), go.importObject);
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
