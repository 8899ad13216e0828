// No more than SQLite: how long a commit of one row takes in the official build on OPFS, with the settings of the product's
// worker (wasm/worker/sqlite.js) and as many rows. Times are taken in the worker.
const worker = new Worker("/bare-worker.js", { type: "module" });
const answer = () => new Promise((done, fail) => {
  worker.onmessage = ({ data }) => done(data);
  worker.onerror = (e) => fail(new Error(e.message));
});
globalThis.bareCommits = (rows, commits) => {
  worker.postMessage({ rows, commits });
  return answer();
};
globalThis.peerReady = true;
