// A page's way to the replica. connect() gives an object like a MessagePort that carries package port's JSON, whichever
// tab's worker leads at the moment.
//
// Every tab waits in line for the lock "<key>/standby"; who gets it starts a worker, which waits for "<key>/lead". A
// leading worker's tab passes "standby" on, so there is always one leader and, with more tabs, one worker that is loaded
// and ready to take over at once. Requests without an answer and all watches are sent again to a new leader; edits carry
// a key, so that one sent twice is done once.
import { assets } from "holdfast:assets";

const RESTART_MS = 1000; // after a worker that ended by itself
const STANDBY_MS = 3000; // a second tab first shows something, then gets a worker ready

class Port {
  onmessage = null;
  #key;
  #start;
  #tab = crypto.randomUUID();
  #bus;
  #line;
  #worker = null;
  #pass = null; // lets go of "standby"
  #send = null; // how requests reach the leader now
  #epoch = "";
  #open = new Map(); // request number → text, unanswered
  #watches = new Map(); // watch number → text
  #view = ""; // the last word on where the person looks
  #alive = false; // the lock "tab/<tab>" is held
  #closed = false;
  #ended = new AbortController();

  constructor(tenant, person) {
    this.#key = `${tenant}/${person}`;
    this.#start = { key: this.#key, tenant, person, tab: this.#tab };
    this.#line = new BroadcastChannel(`${this.#key}/${this.#tab}`);
    this.#line.onmessage = ({ data }) => this.#hear(data, (text) => this.#line.postMessage({ text }));
    this.#bus = new BroadcastChannel(this.#key);
    this.#bus.onmessage = ({ data }) => {
      if (data.lead && data.lead !== this.#epoch && !this.#leads) this.#hello();
    };
    // The leader takes a tab without this lock for one that has ended, so nothing is said before it is held.
    navigator.locks.request(`tab/${this.#tab}`, () => {
      if (this.#closed) return undefined;
      this.#alive = true;
      this.#hello();
      return new Promise((end) => this.#ended.signal.addEventListener("abort", end));
    });
    this.#queue(0);
    // A frozen tab must not keep the files from the others.
    document.addEventListener("freeze", this.#freeze);
    document.addEventListener("resume", this.#resume);
  }

  #leads = false;

  #hello() {
    if (this.#alive && !this.#closed) this.#bus.postMessage({ hello: this.#tab });
  }

  async #queue(wait) {
    const held = await navigator.locks.query();
    if (held.held.some((l) => l.name === `${this.#key}/lead`)) wait = Math.max(wait, STANDBY_MS);
    await new Promise((r) => setTimeout(r, wait));
    if (this.#closed || this.#worker) return;
    navigator.locks
      .request(`${this.#key}/standby`, { signal: this.#ended.signal }, () => {
        if (this.#closed || this.#worker) return undefined;
        return new Promise((pass) => {
          this.#pass = pass;
          this.#launch();
        });
      })
      .catch(() => {}); // closed while waiting
  }

  #launch() {
    const worker = new Worker(assets["worker.js"], { type: "module", name: `holdfast ${this.#key}` });
    this.#worker = worker;
    worker.onmessage = ({ data }) => {
      if (worker !== this.#worker) return;
      if (data.leading) {
        this.#leads = true;
        this.#pass();
      }
      if (data.restart) {
        this.#stop();
        this.#queue(0);
      } else if (data.fatal) this.#drop(data.fatal);
      else this.#hear(data.leading ? { welcome: data.leading } : data, (text) => worker.postMessage({ text }));
    };
    worker.onerror = (e) => worker === this.#worker && this.#drop(e.message);
    worker.postMessage({ start: this.#start });
  }

  // Ends the own worker, which may lead or stand by, and gets in line again.
  #drop(why) {
    console.error(`The replica's worker ended: ${why}`);
    this.#stop();
    this.#queue(RESTART_MS);
  }

  #stop() {
    this.#worker?.terminate();
    this.#worker = null;
    this.#pass?.();
    if (this.#leads) {
      this.#leads = false;
      this.#send = null;
      this.#epoch = "";
    }
  }

  #hear(data, send) {
    if (data.welcome) {
      if (data.welcome === this.#epoch) return;
      this.#epoch = data.welcome;
      this.#send = send;
      for (const text of this.#watches.values()) send(text);
      for (const text of this.#open.values()) send(text);
      if (this.#view) send(this.#view);
      return;
    }
    if (data.text === undefined) return;
    if (data.re) this.#open.delete(data.re);
    this.onmessage?.({ data: data.text });
  }

  postMessage(text) {
    const { id, op, watch } = JSON.parse(text);
    if (op === "watch") this.#watches.set(watch, text);
    else if (op === "unwatch") this.#watches.delete(watch);
    else if (op === "view") this.#view = text;
    else if (id) this.#open.set(id, text);
    this.#send?.(text);
  }

  #freeze = () => this.#stop();
  #resume = () => {
    this.#hello();
    this.#queue(0);
  };

  close() {
    this.#closed = true;
    document.removeEventListener("freeze", this.#freeze);
    document.removeEventListener("resume", this.#resume);
    this.#stop();
    this.#ended.abort();
    this.#bus.close();
    this.#line.close();
  }
}

// connect opens the replica of a workspace for a person. The result has postMessage(text), onmessage and close().
export function connect(tenant, person) {
  return new Port(tenant, person);
}
