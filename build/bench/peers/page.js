// The page that every peer draws its tasks with. It has the addresses, the rows and the field of the product's own page, so that
// the same stop watch (watch.go) measures both, and next to no markup, which favours the peer.
//
// A peer gives
//   open()                          opens or makes its database
//   load(tasks)                     writes many tasks
//   live(statuses, limit, changed)  watches the first tasks of each status, by the peer's own live query, and the number
//                                   of all; changed(status, tasks, total) is called at once and after every change.
//                                   Returns what ends it
//   insert(task)                    resolves when the peer calls the task committed

export const STATUSES = ["doing", "review", "todo", "backlog", "done", "canceled"];
const LIST = [["doing"], 40]; // what is seen of 100,000 tasks at 1440 × 900: the first group's rows
const BATCH = 5000; // tasks written at once
const BOARD = [STATUSES, 16]; // the first cards of six columns

export const taskOf = (i) => ({
  id: "seed" + String(i).padStart(18, "0"), project: "website", status: STATUSES[i % STATUSES.length], priority: i % 5,
  rank: "m" + String(i).padStart(8, "0"), title: `Task number ${i} has a title of common length`, author: "ana-ferreira-0000000000",
});

export async function page(peer) {
  const composer = document.body.appendChild(document.createElement("div")); // above what grows, so that a click hits it
  const main = document.body.appendChild(document.createElement("main"));
  composer.innerHTML = '<button data-act="compose">New task</button>';
  await peer.open();

  let written = 0;
  let end = () => {};
  const show = async () => {
    (await end)();
    main.replaceChildren();
    if (location.pathname.endsWith("/trash")) return (end = () => {});
    const [statuses, limit] = location.pathname.endsWith("/board") ? BOARD : LIST;
    const groups = new Map(statuses.map((s) => [s, group(main, s)]));
    end = peer.live(statuses, limit, (status, tasks, total) => fill(groups.get(status), tasks, total));
  };
  addEventListener("click", (e) => {
    const a = e.target.closest("a[href]");
    if (a) {
      e.preventDefault();
      history.pushState(null, "", a.href);
      show();
    } else if (e.target.closest("[data-act=compose]") && !document.getElementById("compose")) {
      composer.insertAdjacentHTML("beforeend", '<input id="compose">');
      document.getElementById("compose").focus();
    }
  });
  composer.addEventListener("keydown", (e) => {
    const field = document.getElementById("compose");
    if (e.key === "Escape") field.remove();
    if (e.key !== "Enter") return;
    const sent = bench.wall();
    written++;
    const task = { ...taskOf(0), id: "new" + String(written).padStart(19, "0"), rank: "l" + String(1e8 - written), title: field.value };
    field.value = "";
    peer.insert(task).then(() => bench.onCommit?.({ at: bench.wall(), sent }));
  });
  globalThis.fill = async (tasks) => {
    for (let from = 0; from < tasks; from += BATCH) await peer.load(Array.from({ length: Math.min(BATCH, tasks - from) }, (_, i) => taskOf(from + i)));
  };
  globalThis.peerReady = true;
}

function group(main, status) {
  const section = main.appendChild(document.createElement("section"));
  section.innerHTML = `<h2>${status} <span class="n"></span></h2><ul></ul>`;
  return section;
}

// fill draws a group. Rows that stay are not touched.
function fill(section, tasks, total) {
  if (!section?.isConnected) return;
  section.querySelector(".n").textContent = total.toLocaleString("en");
  const ul = section.querySelector("ul");
  const have = new Map([...ul.children].map((li) => [li.dataset.row, li]));
  ul.replaceChildren(...tasks.map((t) => have.get(t.id) ?? row(t)));
}

function row(t) {
  const li = document.createElement("li");
  li.dataset.row = t.id;
  const title = li.appendChild(document.createElement("span"));
  title.className = "title";
  title.textContent = t.title;
  li.append(` ${t.status} P${t.priority}`);
  return li;
}
