package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"holdfast/build/bench/figure"
	"holdfast/build/browser"
)

// pouchPart is the part of P5's documents that PouchDB replicates: all of them take minutes. The whole is taken to be as
// fast as this part, which favours it, since its rate falls with what is there already.
const pouchPart = 8

// replication lets PouchDB fetch tasks and comments into an empty browser, beside the product's bootstrap (P5).
func (t *trial) replication(figures []figure.Figure) {
	g := pouchDB.page(t, map[string]http.Handler{"/tasks/": httputil.NewSingleHostReverseProxy(t.couch(largeTasks / pouchPart))})
	got := browser.Eval[struct {
		Took float64
		Docs int
	}](g, "replicate(location.origin + '/tasks')")
	if want := largeTasks / pouchPart * (1 + largeComments); got.Docs != want {
		t.Fatalf("PouchDB replicated %d documents, want %d", got.Docs, want)
	}
	t.say("PouchDB replicated %d documents in %.0f ms", got.Docs, got.Took)
	name := fmt.Sprintf("%s, replication, %d × 1/%d of it", pouchDB.title(t), pouchPart, pouchPart)
	for i, f := range figures {
		if f.ID == "P5" {
			figures[i].Beside = append(figures[i].Beside, figure.Peer{Name: name, Value: got.Took * pouchPart, Min: 10})
		}
	}
}

// couch starts the server that PouchDB replicates from.
func (t *trial) couch(tasks int) *url.URL {
	cmd := exec.CommandContext(t.ctx, "node", "couch.mjs", t.TempDir(), strconv.Itoa(tasks), strconv.Itoa(largeComments))
	cmd.Dir, cmd.Stderr = filepath.Join(t.root, peersDir), os.Stderr
	in, err := cmd.StdinPipe()
	t.must(err)
	out, err := cmd.StdoutPipe()
	t.must(err)
	t.must(cmd.Start())
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Wait() // it ends with its input
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	t.must(err)
	u, err := url.Parse(strings.TrimSpace(line))
	t.must(err)
	go io.Copy(io.Discard, out)
	return u
}
