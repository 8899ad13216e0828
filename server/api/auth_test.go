package api

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"holdfast/server/identity"
	"holdfast/server/naming"
	"holdfast/server/throttle"
	"holdfast/sync/directory"
	"holdfast/sync/token"
	"holdfast/sync/wire"
)

func TestSignUpOutAndIn(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	b := w.browser()
	up := b.signUp(" Ana ")
	if up.Person.Name != "Ana" || !up.Person.ID.Valid() || up.Session.ExpiresMS != w.now().Add(token.TTL).UnixMilli() {
		t.Errorf("%+v", up)
	}
	cookie := b.last.Get("Set-Cookie")
	for _, want := range []string{token.Cookie + "=", "Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=2592000"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %s", cookie, want)
		}
	}
	if strings.Contains(cookie, "Secure") || strings.Contains(cookie, "Domain") {
		t.Errorf("cookie %q: on http://localhost it would not be kept", cookie)
	}
	old := b.token()
	b.ok("POST", "/api/auth/signout", "", nil)
	if b.token() != "" {
		t.Error("the cookie stayed")
	}
	b.refused("expired", 401, "GET", "/api/auth/sessions", "")
	stolen := func(r *http.Request) { r.AddCookie(&http.Cookie{Name: token.Cookie, Value: old}) }
	b.refused("expired", 401, "GET", "/api/auth/sessions", "", stolen)
	b.refused("expired", 401, "POST", "/api/auth/renew", "", stolen)
	in := b.signIn()
	if in.Person != up.Person || in.Session.ID == up.Session.ID {
		t.Errorf("signed in as %+v, signed up as %+v", in, up)
	}
	// An edge verifies the token with what the directory says.
	d := w.directory()
	keys := func(kid string) (ed25519.PublicKey, bool) {
		var k directory.Key
		err := json.Unmarshal([]byte(d[directory.SigningKey(kid)]), &k)
		return k.Public, err == nil
	}
	if c, err := token.Verify(b.token(), keys, w.now()); err != nil || c.Person != up.Person.ID || c.Name != "Ana" {
		t.Errorf("%+v, %v", c, err)
	}
	if d[directory.RevokedKey(up.Session.ID)] == "" || d[directory.RevokedKey(in.Session.ID)] != "" {
		t.Errorf("revocations: %v", d)
	}
	if b.ok("POST", "/api/auth/signout", "", nil); b.last.Get(wire.HeaderDirectory) == "" {
		t.Error("no revision for the edge to wait for")
	}
	if status, _ := b.send("POST", "/api/auth/signout", ""); status != 204 {
		t.Errorf("signing out twice: %d", status)
	}
}

func TestSecureCookie(t *testing.T) {
	c := call{r: &http.Request{Header: http.Header{"Origin": {"https://eu.example.com"}}}}
	if !c.cookie("x", 1).Secure {
		t.Error("over TLS the cookie must be Secure")
	}
}

func TestNames(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	b := w.browser()
	for _, name := range []string{"", "  ", "a\u0007b"} {
		q, _ := json.Marshal(map[string]string{"name": name})
		b.refused("invalid", 400, "POST", "/api/auth/signup/begin", string(q))
	}
	b.refused("too-large", 413, "POST", "/api/auth/signup/begin", `{"name":"`+strings.Repeat("n", naming.BytesMax+1)+`"}`)
	b.signUp(strings.Repeat("n", naming.BytesMax))
	var ws struct{ ID string }
	b.ok("POST", "/api/workspaces", `{"name":"Acme"}`, &ws)
	var s session
	b.ok("PATCH", "/api/people/me", `{"name":"Bea"}`, &s)
	if s.Person.Name != "Bea" || !strings.Contains(w.directory()["tenant."+ws.ID], `"name":"Bea"`) {
		t.Errorf("%+v, %v", s, w.directory())
	}
}

func TestPasskeys(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	b := w.browser()
	b.signUp("Ana")
	list := func() []identity.Passkey {
		var v struct{ Passkeys []identity.Passkey }
		b.ok("GET", "/api/auth/passkeys", "", &v)
		return v.Passkeys
	}
	one := list()
	if len(one) != 1 || one[0].Name != "Chrome on Linux" || one[0].CreatedMS != w.now().UnixMilli() || one[0].UsedMS != 0 {
		t.Fatalf("%+v", one)
	}
	only := b.refused("conflict", 409, "DELETE", "/api/auth/passkeys/"+one[0].ID, "")
	if !strings.Contains(only, "Add another") {
		t.Errorf("%q does not say what to do", only)
	}
	options := b.ok("POST", "/api/auth/passkeys/begin", "", nil)
	if !strings.Contains(options, `"excludeCredentials":[{`) || !strings.Contains(options, one[0].ID) {
		t.Errorf("the first passkey is not excluded: %s", options)
	}
	same := b.attest(options)
	b.refused("conflict", 409, "POST", "/api/auth/passkeys/finish", same)

	w.pass(time.Minute)
	second := w.browser()
	second.jar = b.jar
	second.ok("POST", "/api/auth/passkeys/finish", second.attest(second.ok("POST", "/api/auth/passkeys/begin", "", nil)), nil)
	two := list()
	if two[1].Name != two[0].Name+" 2" {
		t.Errorf("two passkeys made in one browser are called %q and %q", two[0].Name, two[1].Name)
	}
	b.ok("PATCH", "/api/auth/passkeys/"+two[1].ID, `{"name":" Blue key "}`, nil)
	b.refused("invalid", 400, "PATCH", "/api/auth/passkeys/"+two[1].ID, `{"name":""}`)
	b.refused("not-found", 404, "PATCH", "/api/auth/passkeys/none", `{"name":"x"}`)
	if two = list(); two[1].Name != "Blue key" {
		t.Errorf("%+v", two)
	}
	second.signIn()
	if two = list(); two[1].UsedMS != w.now().UnixMilli() {
		t.Errorf("%+v", two)
	}
	b.ok("DELETE", "/api/auth/passkeys/"+two[0].ID, "", nil)
	b.refused("denied", 403, "POST", "/api/auth/signin/finish", b.assert(b.ok("POST", "/api/auth/signin/begin", "", nil)))
	second.signIn()

	eve := w.browser()
	eve.signUp("Eve")
	eve.refused("not-found", 404, "DELETE", "/api/auth/passkeys/"+two[1].ID, "")
	eve.refused("not-found", 404, "PATCH", "/api/auth/passkeys/"+two[1].ID, `{"name":"x"}`)
}

// Two browsers remove the two passkeys at the same moment: one must stay.
func TestLastPasskeyRace(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	b := w.browser()
	b.signUp("Ana")
	for range 5 {
		b.cred = newKey()
		b.ok("POST", "/api/auth/passkeys/finish", b.attest(b.ok("POST", "/api/auth/passkeys/begin", "", nil)), nil)
		var v struct{ Passkeys []identity.Passkey }
		b.ok("GET", "/api/auth/passkeys", "", &v)
		var wg sync.WaitGroup
		for _, k := range v.Passkeys {
			x := *b
			wg.Go(func() { x.send("DELETE", "/api/auth/passkeys/"+k.ID, "") })
		}
		wg.Wait()
		if b.ok("GET", "/api/auth/passkeys", "", &v); len(v.Passkeys) != 1 {
			t.Fatalf("%d passkeys left", len(v.Passkeys))
		}
	}
}

func TestPasskeysMax(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	b := w.browser()
	b.signUp("Ana")
	for range identity.PasskeysMax - 1 {
		b.cred = newKey()
		b.ok("POST", "/api/auth/passkeys/finish", b.attest(b.ok("POST", "/api/auth/passkeys/begin", "", nil)), nil)
	}
	b.refused("limit", 429, "POST", "/api/auth/passkeys/begin", "")
}

// A ceremony is answered once, in time, by whom it was begun for, and for what it was begun.
func TestCeremonies(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	b, other := w.browser(), w.browser()
	up := b.attest(b.ok("POST", "/api/auth/signup/begin", `{"name":"Ana"}`, nil))
	b.ok("POST", "/api/auth/signup/finish", up, nil)
	b.refused("denied", 403, "POST", "/api/auth/signup/finish", up)

	in := b.assert(b.ok("POST", "/api/auth/signin/begin", "", nil))
	b.ok("POST", "/api/auth/signin/finish", in, nil)
	b.refused("denied", 403, "POST", "/api/auth/signin/finish", in)

	late := b.assert(b.ok("POST", "/api/auth/signin/begin", "", nil))
	w.pass(5*time.Minute - time.Second)
	b.ok("POST", "/api/auth/signin/finish", late, nil)
	late = b.assert(b.ok("POST", "/api/auth/signin/begin", "", nil))
	w.pass(5 * time.Minute)
	b.refused("denied", 403, "POST", "/api/auth/signin/finish", late)

	other.signUp("Bo")
	theirs := b.ok("POST", "/api/auth/passkeys/begin", "", nil)
	other.cred = newKey()
	other.refused("denied", 403, "POST", "/api/auth/passkeys/finish", other.attest(theirs))
	b.refused("denied", 403, "POST", "/api/auth/signup/finish", b.attest(b.ok("POST", "/api/auth/passkeys/begin", "", nil)))

	wrong := b.assert(b.ok("POST", "/api/auth/signin/begin", "", nil))
	spoiled := strings.Replace(wrong, `"signature":"`, `"signature":"AAAA`, 1)
	b.refused("denied", 403, "POST", "/api/auth/signin/finish", spoiled)
	b.refused("denied", 403, "POST", "/api/auth/signin/finish", wrong) // a wrong answer uses it up too
}

func TestWrongAnswers(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	b := w.browser()
	b.signUp("Ana")
	begin := func() string { return b.ok("POST", "/api/auth/signin/begin", "", nil) }
	said := map[string]string{}
	try := func(name string, change func(*browser)) {
		x := *b
		change(&x)
		said[name] = x.refused("denied", 403, "POST", "/api/auth/signin/finish", x.assert(begin()))
	}
	try("unknown-person", func(x *browser) { x.auth.Options.UserHandle = make([]byte, 16) })
	try("no-handle", func(x *browser) { x.auth.Options.UserHandle = nil })
	try("long-handle", func(x *browser) { x.auth.Options.UserHandle = make([]byte, 64) })
	try("unknown-passkey", func(x *browser) { x.cred = newKey() })
	try("wrong-key", func(x *browser) { x.cred.Key = newKey().Key })
	try("wrong-origin", func(x *browser) { x.rp.Origin = "https://evil.example" })
	try("wrong-site", func(x *browser) { x.rp.ID = "evil.example" })
	try("not-verified", func(x *browser) { x.auth.Options.UserNotVerified = true })
	try("not-present", func(x *browser) { x.auth.Options.UserNotPresent = true })
	for name, s := range said {
		if s != said["unknown-person"] {
			t.Errorf("%s is answered with %q: that tells accounts apart", name, s)
		}
	}
	for name, body := range map[string]string{"empty": "", "not-json": "{", "array": "[]", "half": `{"id":"AAAA","type":"public-key"}`} {
		if status, answer := b.send("POST", "/api/auth/signin/finish", body); status != 400 {
			t.Errorf("%s: %d %s", name, status, answer)
		}
	}
	for _, change := range []func(*browser){
		func(x *browser) { x.rp.Origin = "https://evil.example" },
		func(x *browser) { x.rp.ID = "evil.example" },
		func(x *browser) { x.auth.Options.UserNotVerified = true },
	} {
		x := w.browser()
		change(x)
		x.refused("denied", 403, "POST", "/api/auth/signup/finish", x.attest(x.ok("POST", "/api/auth/signup/begin", `{"name":"Bo"}`, nil)))
	}
}

// A passkey whose backup eligibility changes is unsound (WebAuthn L3 §7.2 step 20): a clear answer, to its holder only.
func TestBackupEligibility(t *testing.T) {
	for _, eligible := range []bool{false, true} {
		w := newWorld(t, identity.Rates{})
		b := w.browser()
		b.auth.Options.BackupEligible, b.auth.Options.BackupState = eligible, eligible
		b.signUp("Ana")
		b.signIn() // unchanged flags, as stored, keep working
		b.signIn()
		var v struct{ Passkeys []identity.Passkey }
		if b.ok("GET", "/api/auth/passkeys", "", &v); v.Passkeys[0].Synced != eligible {
			t.Errorf("%+v", v)
		}
		if eligible {
			b.auth.Options.BackupState = false // may change at any time
			b.signIn()
		}
		flipped := *b
		flipped.auth.Options.BackupEligible, flipped.auth.Options.BackupState = !eligible, false
		begin := func() string { return b.ok("POST", "/api/auth/signin/begin", "", nil) }
		if d := flipped.refused("conflict", 409, "POST", "/api/auth/signin/finish", flipped.assert(begin())); !strings.Contains(d, "another passkey") {
			t.Errorf("%q does not say what to do", d)
		}
		forged := flipped
		forged.cred.Key = newKey().Key
		forged.refused("denied", 403, "POST", "/api/auth/signin/finish", forged.assert(begin()))
		b.signIn() // the sound one is not locked out
	}
}

func TestCounterGoesBack(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	b := w.browser()
	b.signUp("Ana")
	b.cred.Counter = 10
	b.signIn()
	b.cred.Counter = 3
	b.signIn()
	if !strings.Contains(w.logs.String(), "may have been copied") {
		t.Error("a counter that goes back is not in the log")
	}
}

func TestRenew(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	b := w.browser()
	up := b.signUp("Ana")
	w.pass(token.TTL + time.Hour)
	b.refused("expired", 401, "GET", "/api/auth/sessions", "")
	var s session
	b.ok("POST", "/api/auth/renew", "", &s)
	if s.Session.ID != up.Session.ID || s.Session.ExpiresMS != w.now().Add(token.TTL).UnixMilli() {
		t.Errorf("%+v", s)
	}
	b.ok("GET", "/api/auth/sessions", "", nil)
	old := b.token()
	w.pass(30*24*time.Hour + time.Second)
	b.refused("expired", 401, "POST", "/api/auth/renew", "", func(r *http.Request) { r.Header.Set("Cookie", token.Cookie+"="+old) })
	b.refused("expired", 401, "POST", "/api/auth/renew", "", func(r *http.Request) { r.Header.Set("Cookie", token.Cookie+"=x.y.z") })

	b.signIn()
	for range 400 / 20 { // renewed all the time, a session still ends after a year
		w.pass(20 * 24 * time.Hour)
		if status, _ := b.send("POST", "/api/auth/renew", ""); status != 200 {
			break
		}
	}
	b.refused("expired", 401, "POST", "/api/auth/renew", "")
}

func TestSessions(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	a, b, c := w.browser(), w.browser(), w.browser()
	a.signUp("Ana")
	b.auth, b.cred, c.auth, c.cred = a.auth, a.cred, a.auth, a.cred
	w.pass(time.Minute)
	sb := b.signIn()
	w.pass(time.Minute)
	sc := c.signIn()
	var v struct{ Sessions []identity.Session }
	a.ok("GET", "/api/auth/sessions", "", &v)
	if len(v.Sessions) != 3 || v.Sessions[0].ID != sc.Session.ID || v.Sessions[0].Current || !v.Sessions[2].Current ||
		v.Sessions[0].Agent != "Chrome on Linux" || v.Sessions[0].IP != "192.0.2.1" || v.Sessions[0].Region != "eu" {
		t.Errorf("%+v", v)
	}
	eve := w.browser()
	eve.signUp("Eve")
	eve.refused("not-found", 404, "DELETE", "/api/auth/sessions/"+string(sb.Session.ID), "")
	a.ok("DELETE", "/api/auth/sessions/"+string(sb.Session.ID), "", nil)
	a.refused("not-found", 404, "DELETE", "/api/auth/sessions/"+string(sb.Session.ID), "")
	var rec directory.Revoked
	must(t, json.Unmarshal([]byte(w.directory()[directory.RevokedKey(sb.Session.ID)]), &rec))
	if rec.Until.Before(time.UnixMilli(sb.Session.ExpiresMS)) {
		t.Errorf("the revocation ends at %v, before the token", rec.Until)
	}
	b.refused("expired", 401, "GET", "/api/auth/sessions", "")
	c.ok("GET", "/api/auth/sessions", "", nil)
	if got := a.ok("DELETE", "/api/auth/sessions", "", nil); got != "{\"ended\":1}\n" {
		t.Errorf("%s", got)
	}
	c.refused("expired", 401, "POST", "/api/auth/renew", "")
	a.ok("GET", "/api/auth/sessions", "", &v)
	if len(v.Sessions) != 1 || !v.Sessions[0].Current {
		t.Errorf("%+v", v)
	}
}

func TestSessionsMax(t *testing.T) {
	w := newWorld(t, identity.Rates{Finish: throttle.Rate{Every: 1, Burst: 1000}})
	a := w.browser()
	first := a.signUp("Ana")
	for range identity.SessionsMax {
		w.pass(time.Second)
		x := w.browser()
		x.auth, x.cred = a.auth, a.cred
		x.signIn()
	}
	a.refused("expired", 401, "GET", "/api/auth/sessions", "")
	if w.directory()[directory.RevokedKey(first.Session.ID)] == "" {
		t.Error("the session that had to go is not revoked")
	}
}

func TestLink(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	a, b := w.browser(), w.browser()
	up := a.signUp("Ana")
	b.ip = "192.0.2.2"
	var link struct {
		Code, URL string
		ExpiresMS int64
	}
	a.ok("POST", "/api/auth/link/begin", "", &link)
	if link.URL != origin+"/link/"+link.Code || len(link.Code) != 14 || link.ExpiresMS != w.now().Add(10*time.Minute).UnixMilli() {
		t.Errorf("%+v", link)
	}
	typed, _ := json.Marshal(map[string]string{"code": strings.ToUpper(strings.ReplaceAll(link.Code, "-", " "))})
	var s session
	b.ok("POST", "/api/auth/link/finish", string(typed), &s)
	if s.Person != up.Person || s.Session.ID == up.Session.ID {
		t.Errorf("%+v", s)
	}
	c := w.browser()
	c.ip = "192.0.2.3"
	c.refused("denied", 403, "POST", "/api/auth/link/finish", string(typed))
	b.ok("POST", "/api/auth/passkeys/finish", b.attest(b.ok("POST", "/api/auth/passkeys/begin", "", nil)), nil)
	b.ok("POST", "/api/auth/signout", "", nil)
	if in := b.signIn(); in.Person != up.Person {
		t.Errorf("%+v", in)
	}

	code := func() string {
		a.ok("POST", "/api/auth/link/begin", "", &link)
		q, _ := json.Marshal(map[string]string{"code": link.Code})
		return string(q)
	}
	late := code()
	w.pass(10 * time.Minute)
	c.refused("denied", 403, "POST", "/api/auth/link/finish", late)
	orphan := code()
	a.ok("POST", "/api/auth/signout", "", nil)
	c.refused("denied", 403, "POST", "/api/auth/link/finish", orphan)
}

func TestRates(t *testing.T) {
	small := throttle.Rate{Every: time.Minute, Burst: 2}
	w := newWorld(t, identity.Rates{Begin: small, Finish: small, Code: small, Person: small})
	b := w.browser()
	b.signUp("Ana")
	b.ok("POST", "/api/auth/signin/begin", "", nil)
	b.refused("limit", 429, "POST", "/api/auth/signin/begin", "")
	if b.last.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	b.refused("limit", 429, "POST", "/api/auth/signup/begin", `{"name":"Bo"}`)
	other := w.browser()
	other.ip = "192.0.2.9"
	other.ok("POST", "/api/auth/signin/begin", "", nil) // somebody else is not slowed down
	for range 2 {
		b.refused("denied", 403, "POST", "/api/auth/link/finish", `{"code":"x"}`)
	}
	b.refused("limit", 429, "POST", "/api/auth/link/finish", `{"code":"x"}`)
	b.ok("POST", "/api/auth/link/begin", "", nil)
	b.ok("POST", "/api/auth/renew", "", nil)
	b.refused("limit", 429, "POST", "/api/auth/renew", "")
	w.pass(time.Minute)
	b.ok("POST", "/api/auth/renew", "", nil)
}

// Signing keys turn without anybody being signed out.
func TestKeysTurn(t *testing.T) {
	w := newWorld(t, identity.Rates{})
	b := w.browser()
	b.signUp("Ana")
	kid := func() string {
		var h struct{ Kid string }
		raw, err := base64.RawURLEncoding.DecodeString(strings.Split(b.token(), ".")[0])
		must(t, err)
		must(t, json.Unmarshal(raw, &h))
		return h.Kid
	}
	reopen := func() { w.people.Close(); must(t, w.people.Open(w.ctx)) }
	listed := func(kid string) bool { return w.directory()[directory.SigningKey(kid)] != "" }
	first := kid()
	for range 4 {
		w.pass(24 * time.Hour * 90 / 4)
		b.ok("POST", "/api/auth/renew", "", nil)
	}
	reopen()
	b.ok("POST", "/api/auth/renew", "", nil)
	if kid() != first {
		t.Error("signed with a key that edges may not know yet")
	}
	w.pass(11 * time.Minute)
	reopen()
	b.ok("GET", "/api/auth/sessions", "", nil)
	b.ok("POST", "/api/auth/renew", "", nil)
	second := kid()
	if second == first {
		t.Fatal("the key did not turn")
	}
	w.eventually("both keys in the directory", func() bool { return listed(first) && listed(second) })
	w.pass(26 * time.Hour)
	reopen()
	w.eventually("only the new key in the directory", func() bool { return !listed(first) && listed(second) })
	b.ok("POST", "/api/auth/renew", "", nil) // with an expired token of the retired key's successor
	b.signIn()
	var private int
	must(t, w.db.QueryRow("SELECT count(*) FROM signing_key WHERE private IS NOT NULL").Scan(&private))
	if private != 1 {
		t.Errorf("%d private keys kept", private)
	}
}
