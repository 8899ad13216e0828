// Keeps the app on the device: every file of this version is stored on install, and "/" answers every view, so that the
// app starts without a network. Data is not here: the worker keeps that.
import { assets, version } from "holdfast:assets";

const name = "app-" + version;
const paths = Object.values(assets).filter((path) => path === "/" || path === "/manifest.webmanifest" || path.startsWith("/assets/"));
const own = new Set(paths);
const remote = /^\/(api|operator|sync|nats|healthz)(\/|$)/;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const cache = await caches.open(name);
    // Files with a hash in their name may come from the browser's cache; the others must be this version's.
    await cache.addAll(paths.map((path) => new Request(path, { cache: path.startsWith("/assets/") ? "default" : "no-cache" })));
    if (!self.registration.active) await self.skipWaiting();
  })());
});

self.addEventListener("message", (event) => {
  if (event.data === "activate") self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    // Tabs of the version before this one may still start its worker: its files stay until the next change of version.
    const others = (await caches.keys()).filter((n) => n.startsWith("app-") && n !== name);
    for (const old of others.slice(0, -1)) await caches.delete(old);
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin || remote.test(url.pathname)) return;
  if (request.mode === "navigate") {
    event.respondWith(caches.match("/", { cacheName: name }).then((hit) => hit ?? fetch(request)));
  } else if (own.has(url.pathname) || url.pathname.startsWith("/assets/")) {
    event.respondWith(caches.match(url.pathname).then((hit) => hit ?? fetch(request)));
  }
});
