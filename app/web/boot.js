// Starts the page: the Go program that draws, the worker that keeps the replica, and the service worker.
import "holdfast:go";
import { assets, version } from "holdfast:assets";

globalThis.goappNav = () => {};
globalThis.goappOnUpdate = () => {};
globalThis.goappOnAppInstallChange = () => {};
globalThis.goappGetenv = (name) => (name === "GOAPP_VERSION" ? version : "");

async function start() {
  const go = new Go();
  const { instance } = await WebAssembly.instantiateStreaming(fetch(assets["page.wasm"]), go.importObject);
  await go.run(instance);
}

start();
globalThis.holdfastWorker = new Worker(assets["worker.js"], { type: "module", name: "holdfast" });
navigator.serviceWorker?.register("/sw.js");
