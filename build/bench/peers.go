package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"holdfast/build/bench/figure"
	"holdfast/build/browser"
	"holdfast/build/pipeline"
)

const (
	peersDir     = "build/bench/peers" // of the root
	peerPatience = 100 * time.Second   // for a peer to take 100,000 tasks
)

// peer is another store for a browser, with a page of ours around it (peers/page.js).
type peer struct {
	name    string // "PouchDB"
	pkg     string // its npm package
	store   string // where it keeps things
	scripts []string
	files   map[string]string // address to file of the root
}

const peerModules = peersDir + "/node_modules/"

var (
	pouchDB  = peer{name: "PouchDB", pkg: "pouchdb", store: "IndexedDB", scripts: []string{"pouchdb.js"}}
	crSQLite = peer{name: "cr-sqlite WASM", pkg: "@vlcn.io/crsqlite-wasm", store: "IndexedDB, relaxed", scripts: []string{"crsqlite.js"},
		files: map[string]string{"/crsqlite.wasm": peerModules + "@vlcn.io/crsqlite-wasm/dist/crsqlite.wasm"}}
	pgLite = peer{name: "PGlite", pkg: "@electric-sql/pglite", store: "OPFS, relaxed", scripts: []string{"pglite.js", "pglite-worker.js"},
		files: map[string]string{"/pglite.wasm": peerModules + "@electric-sql/pglite/dist/pglite.wasm",
			"/pglite.data": peerModules + "@electric-sql/pglite/dist/pglite.data", "/initdb.wasm": peerModules + "@electric-sql/pglite/dist/initdb.wasm"}}
	bareSQLite = peer{name: "bare SQLite", pkg: "@sqlite.org/sqlite-wasm", store: "OPFS", scripts: []string{"bare.js", "bare-worker.js"},
		files: map[string]string{"/sqlite3.wasm": pipeline.SQLiteWasm}}
)

// title names the peer with its version and store.
func (p peer) title(t *trial) string { return p.name + " " + t.version(p.pkg) + " (" + p.store + ")" }

// installPeers brings the peers' packages, as their lock file pins them.
func (t *trial) installPeers() {
	t.must(pipeline.NPM(t.ctx, filepath.Join(t.root, peersDir), t.say))
}

// version is that of an npm package of the peers, or of the product.
func (t *trial) version(pkg string) string {
	body, err := os.ReadFile(filepath.Join(t.root, peerModules, pkg, "package.json"))
	if errors.Is(err, os.ErrNotExist) {
		body, err = os.ReadFile(filepath.Join(t.root, "node_modules", pkg, "package.json"))
	}
	t.must(err)
	var p struct{ Version string }
	t.must(json.Unmarshal(body, &p))
	return p.Version
}

// page opens the peer's page in a Chromium of its own. handle serves what else it asks for.
func (p peer) page(t *trial, handle map[string]http.Handler) *browser.Page {
	srv := p.serve(t, handle)
	t.Cleanup(srv.Close)
	person := browser.New(t, browser.Options{Name: p.name, Width: 1440, Height: 900, OwnProcess: true, Direct: true, NoPasskeys: true, Patience: peerPatience, Allow: []string{".*"}})
	g := person.Open(srv.URL + "/w/peer/trash")
	g.WaitFor(p.name+" to open", "globalThis.peerReady")
	return g
}

func (p peer) serve(t *trial, handle map[string]http.Handler) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>%s</title><link rel="icon" href="data:,"><body><script type="module" src="/%s"></script>`, p.name, p.scripts[0])
	})
	for _, s := range p.scripts {
		body, err := pipeline.Bundle(pipeline.Script{Root: t.root, Entry: peersDir + "/" + s, Minify: true, External: []string{"node:*"}})
		t.must(err)
		mux.HandleFunc("/"+s, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write(body) // a page that has gone asks for nothing more
		})
	}
	for path, file := range p.files {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, filepath.Join(t.root, file)) })
	}
	for path, h := range handle {
		mux.Handle(path, h)
	}
	return httptest.NewServer(mux)
}

// largeBeside measures the product in a large workspace, and puts what the peers do in the same run beside its figures.
// A peer that fails is left out, with the reason.
func largeBeside(ctx context.Context, e env) ([]figure.Figure, error) {
	figures, err := large(ctx, e)
	errs := []error{err}
	beside := func(p peer, f func(t *trial)) {
		err := try(ctx, e, func(t *trial) {
			t.installPeers()
			f(t)
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.name, err))
		}
	}
	beside(bareSQLite, func(t *trial) { t.bareCommits(figures) })
	for _, p := range []peer{pouchDB, crSQLite, pgLite} {
		beside(p, func(t *trial) { t.viewsAndWrites(p, figures) })
	}
	beside(pouchDB, func(t *trial) { t.replication(figures) })
	return figures, errors.Join(errs...)
}

// viewsAndWrites measures a peer with the product's own steps and stop watch.
func (t *trial) viewsAndWrites(p peer, figures []figure.Figure) {
	g := p.page(t, nil)
	began := time.Now()
	g.Run(fmt.Sprintf("fill(%d)", largeTasks))
	t.say("%s took %d tasks in %s", p.name, largeTasks, time.Since(began).Round(100*time.Millisecond))
	probe(g)
	for _, theirs := range append(opens(g, "/w/peer/p/website"), writes(nil, g)...) {
		t.say("%s: %s %.1f %s", p.name, theirs.What, theirs.Value, theirs.Unit)
		for i := range figures {
			if figures[i].What == theirs.What {
				figures[i].Beside = append(figures[i].Beside, figure.Peer{Name: p.title(t), Value: theirs.Value})
			}
		}
	}
}

// bareCommits puts a commit of SQLite alone beside the product's.
func (t *trial) bareCommits(figures []figure.Figure) {
	g := bareSQLite.page(t, nil)
	var took []time.Duration
	for _, d := range browser.Eval[[]float64](g, fmt.Sprintf("bareCommits(%d, %d)", largeTasks, largeWrites)) {
		took = append(took, ms(d))
	}
	t.say("bare SQLite commits, p50 %.1f ms, p95 %.1f ms", figure.Percentile(took, 0.5), figure.Percentile(took, 0.95))
	for i, f := range figures {
		if f.What == commitWhat {
			figures[i].Beside = append(figures[i].Beside, figure.Peer{Name: bareSQLite.title(t), Value: figure.Percentile(took, 0.95), Min: 0.5})
		}
	}
}
