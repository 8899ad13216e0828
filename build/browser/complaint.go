package browser

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
)

// complaint is one line of a console, an uncaught exception, a failed request or a request to another machine.
type complaint struct {
	where string // page, worker, service_worker …
	level string // error, warning, info, foreign
	text  string
}

func (c complaint) String() string { return fmt.Sprintf("[%s %s] %s", c.where, c.level, c.text) }

// complaintsMax bounds what is kept of a page that repeats itself.
const complaintsMax = 5000

// Allow accepts complaints that match any of these regular expressions: they do not fail the test.
// It counts for what was said before the call too.
func (p *Person) Allow(patterns ...string) {
	p.tb.Helper()
	for _, pattern := range patterns {
		re, err := regexp.Compile(pattern)
		p.must(err)
		p.mu.Lock()
		p.allow = append(p.allow, re)
		p.mu.Unlock()
	}
}

// Console returns everything that the person's pages and workers have printed or complained about so far, one line each.
func (p *Person) Console() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lines []string
	for _, c := range p.complaints {
		lines = append(lines, c.String())
	}
	return lines
}

// event takes what a target reports; it runs on the connection's reading goroutine and does not call back.
func (p *Person) event(t *target, method string, params json.RawMessage) {
	switch method {
	case "Runtime.consoleAPICalled":
		var ev struct {
			Type string
			Args []remoteObject
		}
		if json.Unmarshal(params, &ev) == nil {
			var words []string
			for _, a := range ev.Args {
				words = append(words, a.String())
			}
			p.complain(t, ev.Type, strings.Join(words, " "))
		}
	case "Runtime.exceptionThrown":
		var ev struct{ ExceptionDetails exceptionDetails }
		if json.Unmarshal(params, &ev) == nil {
			p.complain(t, "error", "uncaught: "+ev.ExceptionDetails.String())
		}
	case "Log.entryAdded":
		var ev struct {
			Entry struct{ Source, Level, Text, URL string }
		}
		if json.Unmarshal(params, &ev) == nil {
			p.complain(t, ev.Entry.Level, strings.TrimSpace(ev.Entry.Text+" "+ev.Entry.URL))
		}
	case "Network.requestWillBeSent":
		var ev struct{ Request struct{ URL string } }
		if json.Unmarshal(params, &ev) == nil && foreign(ev.Request.URL) {
			p.complain(t, "foreign", "asked another machine: "+ev.Request.URL)
		}
	case "WebAuthn.credentialAdded", "WebAuthn.credentialAsserted", "WebAuthn.credentialUpdated":
		p.passkeyChanged(t, params)
	case "WebAuthn.credentialDeleted":
		p.passkeyDeleted(params)
	}
}

func (p *Person) complain(t *target, level, text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.complaints) < complaintsMax {
		p.complaints = append(p.complaints, complaint{where: t.kind, level: level, text: text})
	}
}

// unexpected returns the complaints that fail a test.
func (p *Person) unexpected() []complaint {
	p.mu.Lock()
	defer p.mu.Unlock()
	var bad []complaint
next:
	for _, c := range p.complaints {
		if c.level != "error" && c.level != "assert" && c.level != "foreign" {
			continue
		}
		for _, re := range p.allow {
			if re.MatchString(c.text) {
				continue next
			}
		}
		bad = append(bad, c)
	}
	return bad
}

func (p *Person) reportComplaints() {
	bad := p.unexpected()
	if len(bad) == 0 {
		return
	}
	var lines strings.Builder
	for i, c := range bad {
		if i == 20 {
			fmt.Fprintf(&lines, "\n  … and %d more", len(bad)-i)
			break
		}
		fmt.Fprintf(&lines, "\n  %s", c)
	}
	p.tb.Errorf("%s's browser complained:%s", p.o.Name, lines.String())
}

// showFailure logs the console and leaves a picture of every page, for whoever looks at the failed test.
func (p *Person) showFailure() {
	lines := p.Console()
	if skip := len(lines) - 60; skip > 0 {
		lines = lines[skip:]
	}
	p.tb.Logf("%s's console:\n  %s", p.o.Name, strings.Join(lines, "\n  "))
	p.mu.Lock()
	pages := slices.Clone(p.pages)
	p.mu.Unlock()
	for i, page := range pages {
		png, err := page.picture()
		if err != nil {
			continue // the page is gone; there is nothing to see
		}
		path, err := artifact(p.tb, fmt.Sprintf("%s-%d.png", p.o.Name, i))
		if err == nil {
			err = os.WriteFile(path, png, 0o644)
		}
		if err == nil {
			p.tb.Logf("%s's page %d: %s", p.o.Name, i, path)
		}
	}
}

type remoteObject struct {
	Type, Subtype, Description, UnserializableValue string
	Value                                           json.RawMessage
}

func (o remoteObject) String() string {
	var s string
	switch {
	case json.Unmarshal(o.Value, &s) == nil:
		return s
	case o.Description != "":
		return o.Description
	case o.UnserializableValue != "":
		return o.UnserializableValue
	case len(o.Value) > 0:
		return string(o.Value)
	}
	return o.Type
}

type exceptionDetails struct {
	Text       string
	URL        string
	LineNumber int
	Exception  *remoteObject
}

func (e exceptionDetails) String() string {
	s := e.Text
	if e.Exception != nil {
		s = strings.TrimSpace(strings.TrimPrefix(s, "Uncaught") + " " + e.Exception.String())
	}
	if e.URL != "" {
		s += fmt.Sprintf(" (%s:%d)", e.URL, e.LineNumber+1)
	}
	return s
}

// foreign is true for addresses on other machines.
func foreign(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return true
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
	default:
		return false // data:, blob:, about: and the like stay inside
	}
	ip := net.ParseIP(u.Hostname())
	return !(isLocalName(u.Hostname()) || ip != nil && ip.IsLoopback())
}

func isLocalName(host string) bool {
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}
