// A CouchDB for PouchDB to replicate from: express-pouchdb, its own server, over LevelDB.
//
//	node couch.mjs <folder> <tasks> <comments of each>
//
// It prints its address when it holds that many documents, and ends with its standard input.
import express from "express";
import serve from "express-pouchdb";
import PouchDB from "pouchdb";
import { taskOf } from "./page.js";

const [folder, tasks, each] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const Here = PouchDB.defaults({ prefix: folder + "/" });
const app = express();
app.use("/", serve(Here, { mode: "minimumForPouchDB", logPath: folder + "/log.txt", inMemoryConfig: true }));
const listener = app.listen(0, "127.0.0.1", async () => {
  const address = `http://127.0.0.1:${listener.address().port}`;
  await fetch(address + "/tasks", { method: "PUT" });
  const db = new Here("tasks");
  for (let from = 0; from < tasks; from += 1000) {
    const docs = [];
    for (let i = from; i < Math.min(from + 1000, tasks); i++) {
      const t = taskOf(i);
      docs.push({ ...t, _id: `task/website/${t.status}/${t.rank}/${t.id}` });
      for (let c = 0; c < each; c++) {
        docs.push({ _id: `comment/${t.id}/${c}`, task: t.id, author: t.author, text: "A comment with a sentence or two, as people write them." });
      }
    }
    await db.bulkDocs(docs);
  }
  console.log(address);
});
process.stdin.resume().on("end", () => process.exit());
