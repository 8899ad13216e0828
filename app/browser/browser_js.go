package browser

import (
	"syscall/js"
)

var (
	window   = js.Global()
	document = window.Get("document")
)

func holdfast() js.Value { return window.Get("holdfast") }

// await blocks until a promise is settled.
func await(promise js.Value) (js.Value, *js.Value) {
	type settled struct {
		value js.Value
		bad   bool
	}
	done := make(chan settled, 1)
	then := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- settled{value: args[0]}
		return nil
	})
	catch := js.FuncOf(func(_ js.Value, args []js.Value) any {
		done <- settled{value: args[0], bad: true}
		return nil
	})
	defer then.Release()
	defer catch.Release()
	promise.Call("then", then, catch)
	s := <-done
	if s.bad {
		return js.Value{}, &s.value
	}
	return s.value, nil
}

// Fetch makes a same-origin request. A body is sent as JSON. Any answer is a success; only its absence is ErrNetwork.
func Fetch(method, path, body string) (status int, answer string, err error) {
	opts := map[string]any{"method": method, "credentials": "same-origin", "headers": map[string]any{"Accept": "application/json"}}
	if body != "" {
		opts["body"] = body
		opts["headers"].(map[string]any)["Content-Type"] = "application/json"
	}
	res, bad := await(window.Call("fetch", path, opts))
	if bad != nil {
		return 0, "", ErrNetwork
	}
	text, bad := await(res.Call("text"))
	if bad != nil {
		return 0, "", ErrNetwork
	}
	return res.Get("status").Int(), text.String(), nil
}

// CreatePasskey runs the browser's dialog for a new passkey; options and answer are JSON.
func CreatePasskey(options string) (string, error) {
	return ceremony(holdfast().Get("passkey").Call("create", options))
}

// GetPasskey asks for a passkey, in a dialog or, with autofill, in the field that has autocomplete="webauthn".
func GetPasskey(options string, autofill bool) (string, error) {
	mediation := ""
	if autofill {
		mediation = "conditional"
	}
	return ceremony(holdfast().Get("passkey").Call("get", options, mediation))
}

// CancelPasskey ends a waiting autofill request.
func CancelPasskey() { holdfast().Get("passkey").Call("cancel") }

// HasAutofill tells whether passkeys can be offered in a field.
func HasAutofill() bool {
	v, bad := await(holdfast().Get("passkey").Call("autofill"))
	return bad == nil && v.Truthy()
}

func ceremony(promise js.Value) (string, error) {
	v, bad := await(promise)
	if bad == nil {
		return v.String(), nil
	}
	switch bad.Get("name").String() {
	case "InvalidStateError":
		return "", ErrKnown
	case "SecurityError", "NotSupportedError", "TypeError":
		return "", ErrUnsupported
	}
	return "", ErrAborted
}

type port struct {
	v  js.Value
	on js.Func
}

func (p port) Post(text string) { p.v.Call("postMessage", text) }
func (p port) Close()           { p.v.Call("close"); p.on.Release() }

// Connect opens the replica of a workspace for a person; hear gets each message's JSON.
func Connect(tenant, person string, hear func(string)) Port {
	on := js.FuncOf(func(_ js.Value, args []js.Value) any {
		hear(args[0].Get("data").String())
		return nil
	})
	v := holdfast().Call("connect", tenant, person)
	v.Set("onmessage", on)
	return port{v, on}
}

// Location is the path and query of the page.
func Location() string {
	l := window.Get("location")
	return l.Get("pathname").String() + l.Get("search").String()
}

// Origin is the scheme and host of the page.
func Origin() string { return window.Get("location").Get("origin").String() }

// Go changes the location without loading; replace writes over the present entry of the history.
func Go(path string, replace bool) {
	method := "pushState"
	if replace {
		method = "replaceState"
	}
	window.Get("history").Call(method, nil, "", path)
}

// Back goes one entry back in the history.
func Back() { window.Get("history").Call("back") }

// Leave goes to a page of somebody else.
func Leave(address string) { window.Get("location").Call("assign", address) }

// Reload loads the page again.
func Reload() { window.Get("location").Call("reload") }

// Title sets the window's title.
func Title(t string) { document.Set("title", t) }

func byID(id string) (js.Value, bool) {
	el := document.Call("getElementById", id)
	return el, el.Truthy()
}

// Focus moves the keyboard to an element, without scrolling when it is in view.
func Focus(id string) bool {
	el, ok := byID(id)
	if ok {
		el.Call("focus")
	}
	return ok
}

// FocusFirst moves the keyboard to the first element that a selector finds.
func FocusFirst(selector string) bool {
	el := document.Call("querySelector", selector)
	if !el.Truthy() {
		return false
	}
	el.Call("focus")
	return true
}

// Select selects the text of a field.
func Select(id string) {
	if el, ok := byID(id); ok {
		el.Call("select")
	}
}

// Focused is the id of the element that has the keyboard.
func Focused() string {
	if el := document.Get("activeElement"); el.Truthy() {
		return el.Get("id").String()
	}
	return ""
}

// Typing tells whether the keyboard is in a text field.
func Typing() bool {
	el := document.Get("activeElement")
	return el.Truthy() && el.Call("matches", "input, textarea, select, [contenteditable]").Bool()
}

// Value reads a field.
func Value(id string) string {
	if el, ok := byID(id); ok {
		return el.Get("value").String()
	}
	return ""
}

// SetValue writes a field, unless the person is writing in it.
func SetValue(id, v string) {
	if el, ok := byID(id); ok && !el.Equal(document.Get("activeElement")) && el.Get("value").String() != v {
		el.Set("value", v)
	}
}

// ForceValue writes a field, also while it has the keyboard.
func ForceValue(id, v string) {
	if el, ok := byID(id); ok {
		el.Set("value", v)
	}
}

// RectOf is where an element is.
func RectOf(id string) Rect {
	el, ok := byID(id)
	if !ok {
		return Rect{}
	}
	r := el.Call("getBoundingClientRect")
	return Rect{int(r.Get("left").Float()), int(r.Get("top").Float()), int(r.Get("width").Float()), int(r.Get("height").Float())}
}

// Size is the viewport's.
func Size() (w, h int) { return window.Get("innerWidth").Int(), window.Get("innerHeight").Int() }

// ScrollTop is how far an element is scrolled, and ClientHeight how much of it is seen.
func ScrollTop(id string) (top, seen int) {
	if el, ok := byID(id); ok {
		return int(el.Get("scrollTop").Float()), el.Get("clientHeight").Int()
	}
	return 0, 0
}

// DrawRows makes the rows of a list what text says (rows.js). It is false when the element does not hold what the text takes for
// drawn.
func DrawRows(zone string, height, total int, text string) bool {
	return holdfast().Call("drawRows", zone, height, total, text).Bool()
}

// AfterFrame calls f when what is in the document now has been painted (frame.js).
func AfterFrame(f func()) {
	var once js.Func
	once = js.FuncOf(func(js.Value, []js.Value) any {
		once.Release()
		f()
		return nil
	})
	holdfast().Call("afterFrame", once)
}

// SetScrollTop scrolls an element.
func SetScrollTop(id string, top int) {
	if el, ok := byID(id); ok {
		el.Set("scrollTop", top)
	}
}

// ScrollIntoView scrolls the least that shows an element.
func ScrollIntoView(id string) {
	if el, ok := byID(id); ok {
		el.Call("scrollIntoView", map[string]any{"block": "nearest"})
	}
}

// ShowModal opens a dialog element.
func ShowModal(id string) {
	if el, ok := byID(id); ok && !el.Get("open").Bool() {
		el.Call("showModal")
	}
}

// Copy puts a text on the clipboard.
func Copy(text string) bool {
	clip := window.Get("navigator").Get("clipboard")
	if !clip.Truthy() {
		return false
	}
	_, bad := await(clip.Call("writeText", text))
	return bad == nil
}

// File reads the file that was chosen in an input, if it has at most so many bytes. It waits: not for the drawing goroutine.
func File(dom string, max int) ([]byte, bool) {
	el, ok := byID(dom)
	if !ok {
		return nil, false
	}
	file := el.Get("files").Index(0)
	if !file.Truthy() || file.Get("size").Int() > max {
		return nil, false
	}
	data, bad := await(file.Call("arrayBuffer"))
	if bad != nil {
		return nil, false
	}
	b := make([]byte, data.Get("byteLength").Int())
	js.CopyBytesToGo(b, js.Global().Get("Uint8Array").New(data))
	return b, true
}

// Load and Store keep small texts on this device; a browser that refuses keeps nothing.
func Load(key string) string {
	v, err := storage("getItem", key)
	if err || !v.Truthy() {
		return ""
	}
	return v.String()
}

func Store(key, value string) {
	if value == "" {
		storage("removeItem", key)
		return
	}
	storage("setItem", key, value)
}

func storage(method string, args ...any) (v js.Value, failed bool) {
	defer func() {
		if recover() != nil {
			failed = true
		}
	}()
	return window.Get("localStorage").Call(method, args...), false
}

// Theme and SetTheme: "light", "dark" or "system".
func Theme() string      { return holdfast().Get("theme").Call("get").String() }
func SetTheme(to string) { holdfast().Get("theme").Call("set", to) }

// Installing and updating the app.
func Installable() bool { return holdfast().Get("pwa").Call("installable").Bool() }
func Install()          { holdfast().Get("pwa").Call("install") }
func Updatable() bool   { return holdfast().Get("pwa").Call("updatable").Bool() }
func Update()           { holdfast().Get("pwa").Call("update") }
func KeepApp()          { holdfast().Get("pwa").Call("register") }

// KeepData asks the browser not to throw this site's data away when it wants room; some ask the person.
func KeepData() { holdfast().Get("pwa").Call("keep") }

// Version is of the app's files.
func Version() string { return holdfast().Get("version").String() }

// Hidden tells whether nobody sees the page.
func Hidden() bool { return document.Get("visibilityState").String() == "hidden" }

// Mac tells whether shortcuts use the command key.
func Mac() bool {
	p := window.Get("navigator").Get("platform").String()
	return len(p) >= 3 && (p[:3] == "Mac" || p[:3] == "iPh" || p[:3] == "iPa")
}
