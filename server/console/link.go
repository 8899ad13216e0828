package console

import (
	"net/http"

	"holdfast/server/operator"
	"holdfast/sync/fault"
)

// lookAtLink shows what a one-time link does, if it still works. Otherwise there is nothing.
func (c *console) lookAtLink(w http.ResponseWriter, r *http.Request) {
	code := r.PathValue("code")
	if err := c.Operators.Look(r.Context(), code); err != nil {
		c.refuse(w, err)
		return
	}
	p := page{Title: "Become an operator"}
	switch who, err := c.session(w, r); {
	case fault.KindOf(err) == fault.NotFound:
		p.Intro = "Sign in first, then open this link again. It works once, for fifteen minutes after it was made."
		p.Sections = []section{{Links: []link{{Text: "Sign in", Href: "/signin", Kind: "primary"}}}}
	case err != nil:
		c.refuse(w, err)
		return
	default:
		p.Intro = "Operators see every customer's billing and act on it. What they do is written down under their name."
		p.Sections = []section{{Form: &form{Action: operator.AcceptPath + code, Submit: "Continue as " + who.Person.Name, Kind: "primary"}}}
	}
	if err := p.send(w, "gate"); err != nil {
		c.refuse(w, err)
	}
}

// acceptLink makes whoever is signed in an operator.
func (c *console) acceptLink(w http.ResponseWriter, r *http.Request) {
	who, err := c.session(w, r)
	if err == nil {
		err = c.read(w, &call{r: r})
	}
	if err == nil {
		err = c.Operators.Accept(r.Context(), who.Person.ID, r.PathValue("code"))
	}
	if err != nil {
		c.refuse(w, err)
		return
	}
	w.Header().Set("Location", prefix)
	w.WriteHeader(http.StatusSeeOther)
}
