// Package rules holds what is always true of Holdfast's source tree and of its build, each rule with its reason:
// which folder may import which, what the programs for the browser may not contain, how long files may be, and how many
// bytes a browser may have to load. Its tests fail when one is broken and say why the rule is there.
package rules

// Import is a rule of architecture.md: packages under From may not import packages under any of Not.
type Import struct {
	From string   // folder, such as "sync"; "." is main.go
	Not  []string // folders
	Why  string
}

// Imports point one way: wasm/page → app → sync, wasm/worker → sync, edge → sync, server → sync, main.go → edge, server.
var Imports = []Import{
	{"sync", []string{"app", "edge", "server", "wasm", "build"},
		"sync is what all nodes share and builds for the browser: importing a node would tie every node to it"},
	{"edge", []string{"server", "app", "wasm"},
		"an edge serves its region while the hub is away: what they share is a contract in sync"},
	{"server", []string{"edge", "app", "wasm"},
		"the hub knows edges only by the contracts in sync, so that either can be replaced or run elsewhere"},
	{"app", []string{"edge", "server", "wasm", "build"},
		"the app is compiled into the page: whatever it imports, every browser loads"},
	{"wasm/page", []string{"edge", "server", "wasm/worker", "build"},
		"the page only draws; it reaches the replica through messages"},
	{"wasm/worker", []string{"app", "edge", "server", "wasm/page", "build"},
		"the worker keeps data and never draws: views in it would be loaded twice"},
	{".", []string{"app", "wasm"},
		"the binary carries the app as built files, not as code"},
	{"build/assets", []string{"app", "edge", "server", "sync", "wasm", "build/pipeline", "build/browser"},
		"the gateway imports the embedded files; tools must not come along into the binary"},
	{"build/pipeline", []string{"app", "edge", "server", "sync", "wasm"},
		"the build tool must run when the product does not compile"},
	{"build/browser", []string{"app", "edge", "server", "sync", "wasm"},
		"the tests of every folder stand on the kit: it may stand on none of them"},
}

// ToolsOnly are folders of build that only tests, commands and other parts of build may import.
var ToolsOnly = Import{"build", []string{"build/pipeline", "build/browser", "build/rules", "build/bench", "build/lighthouse"},
	"the product must not carry its own tools; build/assets and build/manifest are all that it needs"}

// AppUsers may import app. Everyone else shows data in other ways.
var AppUsers = []string{"app", "wasm/page"}

// Program is a WebAssembly program with the packages that it may not contain, directly or through others. A name that
// ends in "/..." stands for everything below it too.
type Program struct {
	Package string
	Not     map[string]string // package → why
}

// Programs are judged by what `go list -deps` says for js/wasm.
var Programs = []Program{
	{"holdfast/wasm/page", map[string]string{
		"database/sql":                      "the page holds no data; SQLite lives in the worker",
		"modernc.org/...":                   "the native SQLite does not build for the browser",
		"github.com/nats-io/...":            "the link to the region lives in the worker; NATS costs 0.8 MB",
		"github.com/coder/websocket":        "the link to the region lives in the worker",
		"github.com/klauspost/compress/...": "what the page receives from the worker is not compressed",
		"holdfast/sync/sqlite":              "the page holds no data",
		"holdfast/sync/store":               "the page holds no data",
		"holdfast/sync/replica":             "the replica lives in the worker",
		"net/http/httputil":                 "a server's package: 0.1 MB for nothing",
		"net/http/pprof":                    "a server's package",
		"html/template":                     "go-app makes the elements; templates cost 0.3 MB",
		"text/template":                     "go-app makes the elements; its reflection keeps every method of the program",
		"go/ast":                            "a tool's package",
		"testing":                           "a test's package",
		"os/exec":                           "there is nothing to run in a browser",
	}},
	{"holdfast/wasm/worker", map[string]string{
		"github.com/maxence-charriere/...": "the worker never draws",
		"modernc.org/...":                  "the worker's SQLite is the official WebAssembly build",
		"github.com/nats-io/...":           "sync/nats does what a browser needs of it; the full client is 0.6 MB",
		"github.com/coder/websocket":       "sync/nats uses the browser's own WebSocket",
		"net/http":                         "a worker has fetch; net/http is a quarter of a megabyte",
		"regexp":                           "60 KB for what a loop over the string does",
		"github.com/evanw/...":             "a tool's package",
		"github.com/danielgtaylor/...":     "a server's package",
		"net/http/httputil":                "a server's package",
		"html/template":                    "the worker makes no markup",
		"text/template":                    "its reflection keeps every method of the program",
		"testing":                          "a test's package",
		"pgregory.net/...":                 "a test's package",
		"os/exec":                          "there is nothing to run in a browser",
	}},
}

// Lengths of source files and functions, in lines.
const (
	fileLinesMax = 500
	funcLinesMax = 100 // the aim is 60; a table or a switch may need more
)
