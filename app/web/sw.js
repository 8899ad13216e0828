// Keeps the app itself on the device: every file of this version is stored on install, and "/" answers all views.
import { assets, version } from "holdfast:assets";

const store = "app-" + version;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(store).then((c) => c.addAll(Object.values(assets))).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) {
      if (name !== store) await caches.delete(name);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return;
  const page = event.request.mode === "navigate";
  event.respondWith((async () => {
    const hit = await caches.match(page ? "/" : event.request, { cacheName: store });
    return hit ?? fetch(event.request);
  })());
});
