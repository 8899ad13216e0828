package store

import (
	"encoding/json"

	"holdfast/app/browser"
	"holdfast/sync/id"
	"holdfast/sync/port"
)

// Link carries requests to the replica of one workspace. Messages come back in order, each on a goroutine of the link's.
type Link interface {
	Send(port.Request)
	Close()
}

// Worker is the Link to the browser's worker.
func Worker(tenant, person id.ID, hear func(port.Message)) Link {
	return worker{browser.Connect(string(tenant), string(person), func(text string) {
		var m port.Message
		// A message that this build cannot read is of a newer worker: the page is about to be told to reload.
		if json.Unmarshal([]byte(text), &m) == nil {
			hear(m)
		}
	})}
}

type worker struct{ port browser.Port }

func (w worker) Send(r port.Request) {
	b, err := json.Marshal(r)
	if err != nil {
		panic("store: a request that is not JSON: " + err.Error()) // only a defect can make one
	}
	w.port.Post(string(b))
}

func (w worker) Close() { w.port.Close() }
