package api

import "holdfast/sync/id"

// Key lets a customer's own programs call the public API for one workspace. The text is there only when it is new.
type Key struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Start     string   `json:"start"` // how the key begins
	Scopes    []string `json:"scopes"`
	Creator   string   `json:"creator"`
	CreatedMS int64    `json:"createdMS"`
	ExpiresMS int64    `json:"expiresMS,omitempty"` // 0: never
	UsedMS    int64    `json:"usedMS,omitempty"`    // 0: never
	Text      string   `json:"text,omitempty"`
}

// Keys lists a workspace's; the others change them.
func (c Client) Keys(tenant id.ID) ([]Key, *Problem) {
	var out struct {
		Keys []Key `json:"keys"`
	}
	p := c.call("GET", ws(tenant)+"/keys", nil, &out)
	return out.Keys, p
}

// MakeKey makes one that is good until expiresMS, or for ever with 0.
func (c Client) MakeKey(tenant id.ID, name string, scopes []string, expiresMS int64) (k Key, p *Problem) {
	p = c.call("POST", ws(tenant)+"/keys", map[string]any{"name": name, "scopes": scopes, "expiresMS": expiresMS}, &k)
	return
}

func (c Client) RevokeKey(tenant id.ID, key string) *Problem {
	return c.call("DELETE", ws(tenant)+"/keys"+one(key), nil, nil)
}
