package main

import (
	"context"

	"holdfast/build/bench/figure"
)

// measurement fills one or more rows of the table. Figures of one and the same workspace are measured together.
type measurement struct {
	id  string // "P4", or "P1 P2"
	run func(ctx context.Context, e env) ([]figure.Figure, error)
	how string // what is measured, and how, for who reads the results
}

var measurements = []measurement{
	{"P0", firstAnswer, "The built binary, from starting the process until `GET /` answers with the page; a new empty folder each time, and once more on what that left."},
	{"P4", firstVisit, "Bytes of the release build's files that a browser with brotli loads: all of them, and those before the sign-in page answers."},
	{"P1 P2 P3 P5", largeBeside, `A workspace of 100,000 tasks and 300,000 comments, pushed through the region's door, in headless Chromium at 1440 × 900 with its
profile on disk. Tasks are written at the keyboard (P1), each when the one before is in the region, the list and the board opened by a click (P2),
each timed in the page until the end of the frame with the change; a commit ends where the worker posts its answer; the server is killed and the page reloaded (P3); P5 is the first start on a device that has the app and no data.

The peers hold the same 100,000 tasks in a browser of their own, on the store that they recommend, "relaxed" where the promise of a commit does
not wait for the disk. A minimal page lists the same windows and counts by the peer's own live query (PouchDB: changes feed and ranges of ids;
cr-sqlite: rx-tbl; PGlite: live.query) and has the same addresses and field, so that the same stop watch and the same steps measure it. It draws
next to no markup; its commit ends where the page has the answer (ours in the page stands below); and the counts cost the peers as little as they cost us: triggers keep them, in PouchDB's case the page.
The bare SQLite is the build that we use too, with our settings, 100,000 rows and no more: only the commit, timed in its worker.
PouchDB replicates from express-pouchdb on this machine, 1,000 documents at a time (its default of 100 is slower).`},
	{"P6", propagation, "Two Chromium processes on one project. From the end of a change's commit in the first one's worker until the frame that shows it in the other, by one wall clock."},
	{"P7", betweenRegions, `Two regions and the hub in one process, real leaf links between, each with its delay. From sending a push in one region until the other, which has
committed it, tells its browsers; less the delay of the links. Beside a message of 200 bytes, published to a stream in one region and consumed in the other, over links of the same kind.`},
	{"P8", healing, `Two regions and the hub in one process; one region's link lets nothing through, and each side accepts 20,000 changes. From before the command that makes the link
whole until both regions tell browsers heads that have all 40,000. Cut: connections end. Silence: they stay open, what is sent over them vanishes, and after the
outage too nobody tells either end. Beside two streams that source each other over links of the same kind and were given as many messages of 200 bytes.`},
	{"P9", mergeRate, `One goroutine, a tenant's file as an edge opens it, 500 changes a transaction: each is merged with its clock, history and log. Beside plain inserts of the
same rows with the same driver. cr-sqlite's native extension is not on npm: its WebAssembly build merges the changes of another replica (INSERT INTO crsql_changes),
in memory, in Node, without a disk under it. A task of six columns is six changes there and counts as one.`},
	{"P13", usageRate, `A real meter counts into its outbox and publishes to the region's stream; a hub of its own process adds up and is killed again and again. All totals are
compared with what was counted. Beside as many events of the same size, published (asynchronously) and consumed with nats.go over the same links, nothing counted.`},
	{"P15", ruleRun, `One of the sample rules (AssemblyScript), asked about the change of a task's status as an edge asks it: the row is encoded with all columns before and after,
the rule answers, its time is counted. Beside a module that accepts at once, given the same bytes; both calls can be stopped from outside.`},
	{"Lighthouse", audits, `The npm package, with its own throttling: a wide screen on a good line, and a middling phone (a quarter of this machine's speed) on slow 4G. Each visit
is the first in a new profile. Accessibility and best practices come out the same each time and are held by a test; performance changes with the load.`},
}

func methods() (out []figure.Method) {
	for _, m := range measurements {
		out = append(out, figure.Method{IDs: m.id, Text: m.how})
	}
	return out
}
