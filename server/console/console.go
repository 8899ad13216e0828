// Package console is the operator's pages under /operator: customers, subscriptions, payments, revenue, meters, the catalogue, the
// reconciliation, and what operators did. Markup is made here and needs no script; it looks like the app, with whose tokens its style
// sheet is built.
//
// For whoever is not an operator there is nothing here: the answer is the one of an address that does not exist. What changes something is
// a form sent from one of our own pages (Origin), shows before it acts what it will do, acts once however often it is sent, is written
// down, and ends in a redirect. Decisions about money are billing's: a command is tried and run by the same code.
package console

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"holdfast/build/assets"
	"holdfast/server/biller"
	"holdfast/server/billingdb"
	"holdfast/server/identity"
	"holdfast/server/mail"
	"holdfast/server/metering"
	"holdfast/server/operator"
	"holdfast/sync/fault"
	"holdfast/sync/id"
	"holdfast/sync/problem"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

const prefix = "/operator"

// Operators knows who runs the installation and keeps what they did.
type Operators interface {
	IsOperator(ctx context.Context, person id.ID) (bool, error)
	Look(ctx context.Context, code string) error
	Accept(ctx context.Context, person id.ID, code string) error
	Audit(ctx context.Context, person id.ID, action, subject, detail string) error
	Entries(ctx context.Context, subject string, before int64, limit int) ([]operator.Entry, error)
}

// Meters tells how the counting goes.
type Meters interface {
	Health(ctx context.Context) ([]metering.Health, error)
	Totals(ctx context.Context, month time.Time) ([]metering.Total, error)
}

// Config is what the console needs.
type Config struct {
	Identity  *identity.Service
	Operators Operators
	Billing   *biller.Service
	Meters    Meters
	Mails     Mails
	Origins   []string
	Now       func() time.Time
	Log       *slog.Logger
}

// Mails are what was written to customers.
type Mails interface {
	// Mails lists those of an account, the newest first, below a number (0: all).
	Mails(ctx context.Context, account string, below int64, most int) ([]billingdb.Delivery, error)
	// Mail reads one with its tries.
	Mail(ctx context.Context, seq int64) (billingdb.Delivery, mail.Letter, []billingdb.Attempt, error)
}

type console struct {
	Config
	mux    *http.ServeMux
	acting sync.Mutex // one action at a time: what was confirmed is what happens

	mu    sync.Mutex
	taken map[string]remembered // figures over all customers
}

// New makes the handler of everything under /operator.
func New(cfg Config) http.Handler {
	c := &console{Config: cfg, mux: http.NewServeMux(), taken: map[string]remembered{}}
	c.routes()
	return c
}

func (c *console) routes() {
	c.get("", c.overview)
	c.get("/customers", c.customers)
	c.get("/customers/{tenant}", c.customer)
	c.get("/customers/{tenant}/do/{action}", c.ask)
	c.post("/customers/{tenant}/do/{action}", c.act)
	c.get("/customers/{tenant}/documents/{number}", c.document)
	c.get("/customers/{tenant}/mails/{mail}", c.mail)
	c.get("/subscriptions", c.subscriptions)
	c.get("/subscriptions/move", c.move)
	c.post("/subscriptions/move", c.doMove)
	c.get("/payments", c.payments)
	c.get("/payments/match", c.match)
	c.post("/payments/match", c.doMatch)
	c.get("/revenue", c.revenue)
	c.get("/revenue/{file}", c.books)
	c.get("/meters", c.meters)
	c.get("/catalogue", c.catalogue)
	c.post("/catalogue", c.planCatalogue)
	c.post("/catalogue/apply", c.applyCatalogue)
	c.get("/reconciliation", c.reconciliation)
	c.post("/reconciliation", c.reconcile)
	c.get("/audit", c.audit)
	c.mux.HandleFunc("GET "+prefix+"/assets/{file}", c.asset)
	c.mux.HandleFunc("GET "+operator.AcceptPath+"{code}", c.lookAtLink)
	c.mux.HandleFunc("POST "+operator.AcceptPath+"{code}", c.acceptLink)
	c.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { c.nothing(w) })
}

// call is one request of an operator.
type call struct {
	ctx    context.Context
	r      *http.Request
	caller identity.Caller
	form   url.Values // of a POST
	path   string     // the page in the navigation
}

// download is an answer that is a file.
type download struct {
	name, contentType string
	body              []byte
}

// to is an answer that leads elsewhere.
type to string

func (c *console) get(path string, h func(*call) (any, error))  { c.route("GET", path, h) }
func (c *console) post(path string, h func(*call) (any, error)) { c.route("POST", path, h) }

func (c *console) route(method, path string, h func(*call) (any, error)) {
	at, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	at = strings.TrimSuffix(prefix+"/"+at, "/")
	c.mux.HandleFunc(method+" "+prefix+path, func(w http.ResponseWriter, r *http.Request) {
		k, err := c.admit(w, r)
		if err != nil {
			c.refuse(w, err)
			return
		}
		k.path = at
		answer, err := c.run(w, k, h)
		if err != nil {
			c.Log.Warn("console", "route", r.Pattern, "err", err, "operator", k.caller.Person.ID)
			answer = broken(err, at)
		}
		if err := c.answer(w, k, answer); err != nil {
			c.Log.Error("console", "route", r.Pattern, "err", err)
			problem.Write(w, err)
		}
	})
}

func (c *console) run(w http.ResponseWriter, k *call, h func(*call) (any, error)) (any, error) {
	if k.r.Method == http.MethodPost {
		if err := c.read(w, k); err != nil {
			return nil, err
		}
	}
	return h(k)
}

func (c *console) answer(w http.ResponseWriter, k *call, answer any) error {
	switch a := answer.(type) {
	case page:
		if a.At == "" {
			a.At = k.path
		}
		return a.write(w, k.caller)
	case to:
		w.Header().Set("Location", string(a))
		w.WriteHeader(http.StatusSeeOther)
	case download:
		w.Header().Set("Content-Type", a.contentType)
		kind := "attachment"
		if strings.HasPrefix(a.contentType, "text/html") {
			kind = "inline"
			w.Header().Set("Content-Security-Policy", paperPolicy)
		}
		w.Header().Set("Content-Disposition", mime.FormatMediaType(kind, map[string]string{"filename": a.name}))
		w.Write(a.body)
	}
	return nil
}

// admit lets operators in. Everybody else is told what is told of any address that does not exist.
func (c *console) admit(w http.ResponseWriter, r *http.Request) (*call, error) {
	const op = "console.admit"
	k := &call{ctx: r.Context(), r: r}
	var err error
	if k.caller, err = c.session(w, r); err != nil {
		return nil, err
	}
	is, err := c.Operators.IsOperator(k.ctx, k.caller.Person.ID)
	if err == nil && !is {
		err = fault.Errorf(op, fault.NotFound, "There is nothing at this address.")
	}
	return k, err
}

// session finds who is signed in; NotFound: nobody. A token that has expired is renewed, as the app does while it is open.
func (c *console) session(w http.ResponseWriter, r *http.Request) (identity.Caller, error) {
	const op = "console.session"
	raw := ""
	if k, err := r.Cookie(token.Cookie); err == nil {
		raw = k.Value
	}
	caller, err := c.Identity.Authenticate(r.Context(), raw)
	if fault.KindOf(err) == fault.Expired {
		caller, err = c.renew(w, r, raw)
	}
	if k := fault.KindOf(err); k == fault.Denied || k == fault.Expired {
		err = &fault.Error{Op: op, Kind: fault.NotFound, Detail: "There is nothing at this address.", Err: err}
	}
	return caller, err
}

func (c *console) renew(w http.ResponseWriter, r *http.Request, raw string) (identity.Caller, error) {
	visitor := identity.Visitor{IP: r.Header.Get(wire.HeaderClient), Agent: r.UserAgent(), Region: r.Header.Get(wire.HeaderRegion)}
	g, err := c.Identity.Renew(r.Context(), raw, visitor)
	if err != nil {
		return identity.Caller{}, err
	}
	// Only http://localhost can be one of our origins without TLS, and there a Secure cookie is not kept everywhere.
	http.SetCookie(w, &http.Cookie{Name: token.Cookie, Value: g.Token, Path: "/", MaxAge: int(identity.CookieTTL / time.Second), HttpOnly: true,
		Secure: !strings.HasPrefix(c.Origins[0], "http://"), SameSite: http.SameSiteLaxMode})
	return c.Identity.Authenticate(r.Context(), g.Token)
}

// read takes in a form, which must come from one of our own pages.
func (c *console) read(w http.ResponseWriter, k *call) error {
	const op = "console.read"
	if !slices.Contains(c.Origins, k.r.Header.Get("Origin")) {
		return fault.Errorf(op, fault.Denied, "This did not come from one of Holdfast's own pages. Open the console and do it there.")
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, k.r.Body, formBytesMax))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return fault.Errorf(op, fault.TooLarge, "A form holds at most %d bytes.", formBytesMax)
	}
	if err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	if k.form, err = url.ParseQuery(string(b)); err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	return nil
}

func (c *console) refuse(w http.ResponseWriter, err error) {
	if fault.KindOf(err) == fault.NotFound {
		c.nothing(w)
		return
	}
	c.Log.Error("console", "err", err)
	problem.Write(w, err)
}

// nothing is what the gateway turns into its page for addresses that do not exist.
func (c *console) nothing(w http.ResponseWriter) {
	problem.Write(w, fault.Errorf("console", fault.NotFound, "There is nothing at this address."))
}

// policy is stricter than the app's: these pages run one small script, that sets the look, and connect to nothing.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// paperPolicy lets a document bring its own style and nothing else.
const paperPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"

// ServeHTTP answers one request.
func (c *console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // a form's Origin would be null without
	c.mux.ServeHTTP(w, r)
}

// asset serves the console's own style sheet and script from the hub's own binary, whatever version the regions run.
func (c *console) asset(w http.ResponseWriter, r *http.Request) {
	path := "/assets/" + r.PathValue("file")
	file, ok := assets.Lookup(path)
	if !ok || path != assets.URL("console.css") && path != assets.URL("console.js") {
		c.nothing(w)
		return
	}
	file.ServeHTTP(w, r)
}
