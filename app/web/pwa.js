// Installing the app, and changing to a new version when the person says so.
let prompt;
let registration;
let asked = false;

const tell = (name) => dispatchEvent(new CustomEvent(name));

export const installable = () => prompt !== undefined;
export const updatable = () => registration?.waiting != null && navigator.serviceWorker.controller != null;

export async function install() {
  const p = prompt;
  prompt = undefined;
  await p?.prompt();
  tell("hf-install");
}

// update lets the waiting version take over; the page reloads when it has.
export function update() {
  asked = true;
  if (registration?.waiting) registration.waiting.postMessage("activate");
  else location.reload();
}

export function start() {
  addEventListener("beforeinstallprompt", (event) => {
    event.preventDefault();
    prompt = event;
    tell("hf-install");
  });
  addEventListener("appinstalled", () => {
    prompt = undefined;
    tell("hf-install");
  });
}

// register is called when the first page has been drawn, so that storing the app does not slow the first visit.
export async function register() {
  if (!navigator.serviceWorker || registration) return;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (asked) location.reload();
  });
  registration = await navigator.serviceWorker.register("/sw.js");
  const watch = (worker) => worker?.addEventListener("statechange", () => worker.state === "installed" && tell("hf-update"));
  watch(registration.installing);
  registration.addEventListener("updatefound", () => watch(registration.installing));
  if (registration.waiting) tell("hf-update");
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") registration.update().catch(() => {});
  });
}

// keep asks the browser to hold on to this site's data. A browser that cannot, or a person who does not want to, changes nothing.
export function keep() {
  navigator.storage?.persist?.().catch(() => {});
}
