// Package problem is how an error looks over HTTP: problem details in JSON (RFC 9457), the same from the hub and from an
// edge.
//
// The body has type, title, status, detail and, as an extension, kind: the name of the fault kind, which programs decide
// by. detail is a sentence for the person who asked. Causes stay in the log.
package problem

import (
	"encoding/json"
	"net/http"

	"holdfast/sync/fault"
)

// ContentType of a problem.
const ContentType = "application/problem+json"

// Problem is the body.
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Kind   string `json:"kind"`
}

type form struct {
	status        int
	title, detail string
}

var forms = map[fault.Kind]form{
	fault.Other:       {http.StatusInternalServerError, "Something broke", "That did not work, and it is our fault. Try again; if it happens again, tell the operator."},
	fault.Invalid:     {http.StatusBadRequest, "Not understood", "That request is not understood. Load the page again and retry."},
	fault.Denied:      {http.StatusForbidden, "Not allowed", "You may not do that. Ask an owner of the workspace."},
	fault.NotFound:    {http.StatusNotFound, "Not found", "There is nothing here. Check the address."},
	fault.Conflict:    {http.StatusConflict, "Conflict", "That clashes with what is there already. Load it again and retry."},
	fault.Expired:     {http.StatusUnauthorized, "Signed out", "Your session has ended. Sign in again."},
	fault.TooLarge:    {http.StatusRequestEntityTooLarge, "Too large", "That is too large. Make it smaller and retry."},
	fault.Limit:       {http.StatusTooManyRequests, "Limit reached", "That was too often. Wait a minute and try again."},
	fault.Unavailable: {http.StatusServiceUnavailable, "Away", "That cannot be reached now. Your work goes on; try this again in a minute."},
	fault.Behind:      {http.StatusServiceUnavailable, "Not there yet", "This region has not heard of that yet. Try again in a moment."},
	fault.Busy:        {http.StatusServiceUnavailable, "Busy", "Too much is going on at this moment. Try again in a minute."},
	fault.Full:        {http.StatusInsufficientStorage, "No room", "There is no room left on the server. Tell the operator."},
	fault.Corrupt:     {http.StatusInternalServerError, "Damaged", "What is stored is damaged. Tell the operator."},
	fault.Unsupported: {http.StatusNotImplemented, "Not supported", "This version cannot do that. Load the page again to get the newest one."},
}

// Of turns an error into the problem that may be shown.
func Of(err error) Problem {
	k := fault.KindOf(err)
	f, ok := forms[k]
	if !ok {
		k, f = fault.Other, forms[fault.Other]
	}
	p := Problem{"urn:holdfast:problem:" + k.String(), f.title, f.status, f.detail, k.String()}
	if d := fault.DetailOf(err); d != "" && k != fault.Other {
		p.Detail = d
	}
	return p
}

// Write answers a request with the error. 429 and 503 carry Retry-After.
func Write(w http.ResponseWriter, err error) Problem {
	p := Of(err)
	h := w.Header()
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	switch p.Status {
	case http.StatusTooManyRequests:
		h.Set("Retry-After", retryLimitS)
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", retryAwayS)
	}
	b, _ := json.Marshal(p) // strings and an integer: cannot fail
	w.WriteHeader(p.Status)
	w.Write(append(b, '\n')) // a failed write is a client that left
	return p
}
