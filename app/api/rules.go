package api

import "holdfast/sync/id"

// Rule is a WebAssembly module that may refuse changes.
type Rule struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	On        bool   `json:"on"`
	Bytes     int64  `json:"bytes"`
	ChangedMS int64  `json:"changedMS"`
}

// Rules lists a workspace's; the others change them.
func (c Client) Rules(tenant id.ID) (list []Rule, p *Problem) {
	p = c.call("GET", ws(tenant)+"/rules", nil, &list)
	return
}

// AddRule adds one that is on.
func (c Client) AddRule(tenant id.ID, name string, module []byte) *Problem {
	return c.call("POST", ws(tenant)+"/rules", map[string]any{"name": name, "on": true, "module": module}, nil)
}

// SwitchRule puts a rule on or off.
func (c Client) SwitchRule(tenant id.ID, r Rule, on bool) *Problem {
	return c.call("PUT", ws(tenant)+"/rules"+one(r.ID), map[string]any{"name": r.Name, "on": on}, nil)
}

func (c Client) RemoveRule(tenant id.ID, rule string) *Problem {
	return c.call("DELETE", ws(tenant)+"/rules"+one(rule), nil, nil)
}
