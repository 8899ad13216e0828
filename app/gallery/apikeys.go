package gallery

import (
	"encoding/json"
	"slices"

	"holdfast/app/api"
)

var keysPath = "/api/workspaces/" + string(Tenant) + "/keys"

var keys = []api.Key{
	{ID: "k3xq7nbd", Name: "Web shop", Start: "hfk_k3xq7nbd", Scopes: []string{"events:write", "billing:read"}, Creator: "Ana Duarte", CreatedMS: Noon.AddDate(0, -2, 0).UnixMilli(), UsedMS: Noon.UnixMilli() - 7_200_000, ExpiresMS: Noon.AddDate(0, 1, 0).UnixMilli()},
	{ID: "p2mw5tzc", Name: "Bookkeeping", Start: "hfk_p2mw5tzc", Scopes: []string{"billing:write"}, Creator: "Bo Lindqvist", CreatedMS: Noon.AddDate(-1, 0, 0).UnixMilli(), ExpiresMS: Noon.AddDate(0, 0, -3).UnixMilli()}}

// keysOf answers for API keys, which are kept as long as the page is open.
func (w *world) keysOf(method, rest, body string) (int, string, error) {
	switch method {
	case "POST":
		var k api.Key
		if err := json.Unmarshal([]byte(body), &k); err != nil {
			return 400, `{"kind":"invalid"}`, nil
		}
		k.ID, k.Creator, k.CreatedMS = "w7h4c2ya", "Ana Duarte", w.now().UnixMilli()
		k.Start = "hfk_" + k.ID
		w.keys = append([]api.Key{k}, w.keys...)
		k.Text = k.Start + "_3mzk6v2pq7xw4ndtb5yhc2rs7gfa4juo"
		return reply(k)
	case "DELETE":
		w.keys = slices.DeleteFunc(slices.Clone(w.keys), func(k api.Key) bool { return "/"+k.ID == rest })
		return reply(struct{}{})
	}
	return reply(map[string]any{"keys": w.keys})
}
