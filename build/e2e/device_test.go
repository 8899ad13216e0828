package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"holdfast/build/browser"
)

// damage empties the log of the workspace's database, and writes rubbish over the database itself from a byte of it on, unless that is
// negative. No tab of the app may be open.
const damage = `(async (from) => {
  const files = [];
  const walk = async (dir) => { for await (const h of dir.values()) h.kind === "file" ? files.push(h) : await walk(h); };
  await walk(await navigator.storage.getDirectory());
  // The worker of the tab that was just closed may not have let go yet.
  const free = async (h) => {
    for (;;) {
      try {
        return await h.createWritable({ keepExistingData: true });
      } catch (e) {
        if (e.name !== "NoModificationAllowedError") throw e;
        await new Promise((r) => setTimeout(r, 50));
      }
    }
  };
  let hurt = 0;
  for (const h of files) {
    const file = await h.getFile();
    const name = new TextDecoder().decode(await file.slice(0, 64).arrayBuffer()).split("\0")[0]; // the pool's own head is 4096 bytes
    if (!/^.replica-\d+(-wal)?$/.test(name)) continue;
    const out = await free(h);
    if (name.endsWith("-wal")) await out.truncate(4096);
    else if (from < 0) hurt++;
    else {
      await out.write({ type: "write", position: 4096 + from, data: new Uint8Array(Math.max(65536, file.size - 4096 - from)).fill(0xa5) });
      hurt++;
    }
    await out.close();
  }
  return hurt;
})`

const rebuild = "role=button:Rebuild"

// mirrored waits until the second copy, in IndexedDB, holds n changes that wait.
func mirrored(g *browser.Page, n int) {
	g.WaitFor("the second copy is written", `(async () => {
		const asked = (r) => new Promise((ok, bad) => { r.onsuccess = () => ok(r.result); r.onerror = () => bad(r.error); });
		for (const { name } of await indexedDB.databases()) {
			if (!name.startsWith("holdfast/")) continue;
			const db = await asked(indexedDB.open(name));
			const n = await asked(db.transaction("outbox").objectStore("outbox").count());
			db.close();
			if (n === `+strconv.Itoa(n)+`) return true;
		}
	})()`)
}

// The database on the device is damaged, its head or all but its head. The app says so and offers to fetch the rows anew; what
// waited is still there afterwards, and arrives. A database that is whole but has lost its log gets back what waited by itself.
func TestDamagedDatabase(t *testing.T) {
	s := start(t, "local")
	ana, g := newPerson(t, "ana", s.url(0))
	ana.Allow("favicon.ico", "the database cannot be opened", "query failed", "request failed")
	ownProject(g, "Written long ago")
	project := g.URL()
	_, h := member(t, s, g)
	for n, from := range []int{0, 100, -1} {
		title := fmt.Sprint("Waiting ", n)
		g.Go(project)
		g.Wait(row("Written long ago"))
		everywhere(g)
		// Everything lies in the database itself, and nothing but what waits in its log.
		browser.EvalWorker[bool](ana, "/worker.", `holdfastSQLite.exportFile(holdfastSQLite.list().at(-1)).then(() => true)`)
		ana.Offline(true)
		offline(g)
		addTasks(g, title)
		saved(g)
		mirrored(g, 1)
		g.Close()
		ana.Offline(false)
		g = ana.Open(s.url(0) + "/healthz")
		if hurt := browser.Eval[int](g, damage+"("+strconv.Itoa(from)+")"); hurt != 1 {
			t.Fatalf("%d databases were damaged", hurt)
		}
		ana.Offline(true)
		g.Go("about:blank")
		ana.Offline(false)
		g.Go(project)
		if from >= 0 {
			g.WaitText("The copy on this device is damaged. Rebuild it from the region; changes that wait here are kept.")
			if n == 0 {
				look(g, "damaged")
			}
			g.Click(rebuild)
			g.Click("#dialog-ok")
			g.WaitGone("text=damaged")
		}
		g.Wait(row("Written long ago"))
		g.Wait(row(title))
		h.Wait(row(title))
		everywhere(g)
	}
}

// A browser without a place for files works in memory and says so. What waits, and what was refused, is there after a reload; when
// not even that is kept, it is said.
func TestBrowserWithoutFiles(t *testing.T) {
	s := start(t, "local")
	_, g := owner(t, s, "Written by Ana")
	project := g.URL()
	bo := browser.New(t, browser.Options{Name: "bo", Width: 1440, Height: 900, NoFiles: true, Allow: []string{"no place for files"}})
	h := bo.Open(s.url(0) + "/")
	join(h, invite(g, s.url(0)), "Bo Lindqvist")
	const place = "no place for files, as in some private windows. Work goes on: changes are kept until they are sent"
	openProject(h, "Website")
	h.WaitText(place)
	h.Wait(row("Written by Ana"))
	look(h, "no-files")

	bo.Offline(true)
	offline(h)
	addTasks(h, "Kept without files")
	saved(h)
	h.Reload()
	h.WaitText("1 change kept here")
	bo.Offline(false)
	h.Wait(row("Written by Ana"))
	h.Wait(row("Kept without files"))
	g.Go(project)
	g.Wait(row("Kept without files"))

	// While Bo is offline he may only read any more: what he wrote is refused, and waits for him over a reload.
	everywhere(h)
	bo.Offline(true)
	offline(h)
	addTasks(h, "Not allowed any more")
	g.Go(s.url(0) + strings.Split(strings.TrimPrefix(project, s.url(0)), "/p/")[0] + "/members")
	g.Click("role=button:Member")
	g.Click("text=reads")
	g.Wait("role=button:Viewer")
	bo.Offline(false)
	h.Click(`a[href$="/attention"]`)
	h.WaitText("Not allowed any more")
	h.Reload()
	h.WaitText("Not allowed any more")
	h.Reload()
	h.WaitText("Not allowed any more")
	h.Click("role=button:More for this change")
	h.Click("text=Give it up")
	h.Click("role=button:Give it up")
	h.WaitNoText("Not allowed any more")
	openProject(h, "Website")
	h.Reload()
	h.Wait(row("Written by Ana"))
	h.WaitGone(`a[href$="/attention"]`)

	g.Click("role=button:Viewer")
	g.Click("text=all the work")
	g.Wait("role=button:Member")
	h.Wait("#new-task")
	browser.EvalWorker[bool](bo, "/worker.", `(IDBObjectStore.prototype.put = () => { throw new DOMException("no room", "QuotaExceededError") }, true)`)
	bo.Allow("second copy")
	bo.Offline(true)
	offline(h)
	addTasks(h, "Kept nowhere")
	h.WaitText("closing every tab loses what has not been sent")
	bo.Offline(false)
	everywhere(h)
	h.WaitNoText("closing every tab loses")
}

// The browser has no room left: what is written then is not kept, which is said at once, and nothing that was kept before is lost.
// With room again it is kept and arrives.
func TestBrowserWithoutRoom(t *testing.T) {
	s := start(t, "local")
	ana, g := newPerson(t, "ana", s.url(0))
	ana.Allow("QuotaExceeded", "full", "second copy")
	ownProject(g, "Written before")
	ana.Offline(true)
	offline(g)
	g.Quota(1)
	compose(g)
	kept := 0
	const noRoom = `document.body.innerText.includes("This device had no room for your last")`
	for ; kept < 400 && !browser.Eval[bool](g, noRoom); kept++ {
		g.Insert(fmt.Sprint("Task ", kept, " ", strings.Repeat("and more ", 40)))
		g.Press("Enter")
		saved(g)
	}
	if !browser.Eval[bool](g, noRoom) {
		t.Fatalf("%d tasks were written into a full browser, and nothing was said", kept)
	}
	t.Logf("%d tasks fit", kept-1)
	g.Press("Escape")
	look(g, "no-room")
	total(g, kept) // the first of the project, and all but the last
	g.Click("role=button:Try again")
	g.WaitText("This device had no room for your last change")
	g.Quota(0)
	g.Click("role=button:Try again")
	g.WaitNoText("This device had no room")
	total(g, kept+1)
	saved(g)
	g.Reload()
	total(g, kept+1)
	ana.Offline(false)
	everywhere(g)
	g.Reload()
	total(g, kept+1)
}
