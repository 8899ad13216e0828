// Package usage is the contract of what edges count and the hub bills: one event per fact.
//
// An event's ID is derived from the fact, not from the attempt to send it, so that sending twice counts once: the range
// of a log, the number of an edge's outbox row, the hour of a reading. Edges write events to the local stream USAGE in
// order; the hub reads each stream in order and keeps its watermark in the transaction of its totals. Events are
// CloudEvents 1.0 in structured JSON (https://github.com/cloudevents/spec).
package usage

import (
	"encoding/json"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// Meters that edges count.
const (
	Changes   = "changes"           // transactions accepted; quantity: how many
	Twice     = "changes-twice"     // changes accepted that another region accepted too and counts; quantity: how many the hub takes off Changes
	APICalls  = "api-calls"         // requests answered for a workspace; quantity: how many
	Storage   = "storage-bytes"     // a reading of the workspace's size at Time; quantity: bytes
	Connected = "connected-seconds" // time that people's browsers were connected; quantity: seconds, of all browsers together
	Egress    = "egress-bytes"      // what was sent to the workspace's browsers and API callers; quantity: bytes
	RuleTime  = "rule-nanoseconds"  // how long the workspace's rules ran; quantity: nanoseconds
)

// Meters that the hub counts.
const (
	Notifications = "notifications" // mails and webhooks that were sent for a workspace; quantity: how many
)

// Event is one fact to be counted.
type Event struct {
	ID       string            // unique per Source; derived from the fact
	Source   string            // "edge/<region>"
	Meter    string            // CloudEvents type, with prefix "holdfast."
	Tenant   id.ID             // CloudEvents subject
	Time     time.Time         //
	Quantity int64             // never negative
	Dims     map[string]string // dimensions, such as region
}

const typePrefix = "holdfast."

type cloudEvent struct {
	SpecVersion string    `json:"specversion"`
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Subject     string    `json:"subject"`
	Time        time.Time `json:"time"`
	Data        data      `json:"data"`
}

type data struct {
	Quantity int64             `json:"quantity"`
	Dims     map[string]string `json:"dims,omitempty"`
}

// Encode gives the event as CloudEvents JSON.
func (e Event) Encode() []byte {
	b, err := json.Marshal(cloudEvent{"1.0", e.ID, e.Source, typePrefix + e.Meter, string(e.Tenant), e.Time.UTC(),
		data{e.Quantity, e.Dims}})
	if err != nil {
		panic("usage.Encode: " + err.Error()) // only a time beyond year 9999 can fail
	}
	return b
}

// Decode reads and checks an event.
func Decode(b []byte) (Event, error) {
	const op = "usage.Decode"
	var c cloudEvent
	if err := json.Unmarshal(b, &c); err != nil {
		return Event{}, fault.E(op, fault.Invalid, err)
	}
	switch {
	case c.SpecVersion != "1.0":
		return Event{}, fault.Errorf(op, fault.Unsupported, "CloudEvents version %q; want 1.0", c.SpecVersion)
	case c.ID == "" || c.Source == "":
		return Event{}, fault.Errorf(op, fault.Invalid, "an event needs an id and a source")
	case len(c.Type) <= len(typePrefix) || c.Type[:len(typePrefix)] != typePrefix:
		return Event{}, fault.Errorf(op, fault.Invalid, "an event of type %q; want %s…", c.Type, typePrefix)
	case !id.ID(c.Subject).Valid():
		return Event{}, fault.Errorf(op, fault.Invalid, "an event's subject must be a workspace's id")
	case c.Data.Quantity < 0:
		return Event{}, fault.Errorf(op, fault.Invalid, "a quantity of %d", c.Data.Quantity)
	case c.Time.IsZero():
		return Event{}, fault.Errorf(op, fault.Invalid, "an event needs a time")
	}
	return Event{c.ID, c.Source, c.Type[len(typePrefix):], id.ID(c.Subject), c.Time, c.Data.Quantity, c.Data.Dims}, nil
}
