package gallery

import (
	"encoding/json"
	"slices"

	"holdfast/app/api"
)

var rulesPath = "/api/workspaces/" + string(Tenant) + "/rules"

var rules = []api.Rule{
	{ID: "r1", Name: "Done needs somebody", On: true, Bytes: 2_630, ChangedMS: Noon.AddDate(0, 0, -3).UnixMilli()},
	{ID: "r2", Name: "Short titles", Bytes: 4_628, ChangedMS: Noon.AddDate(0, -1, 0).UnixMilli()}}

// rulesOf answers for rules, which are kept as long as the page is open.
func (w *world) rulesOf(method, rest, body string) (int, string, error) {
	var in struct {
		api.Rule
		Module []byte `json:"module"`
	}
	if body != "" && json.Unmarshal([]byte(body), &in) != nil {
		return 400, `{"kind":"invalid"}`, nil
	}
	switch method {
	case "POST":
		if string(in.Module[:min(len(in.Module), 4)]) != "\x00asm" {
			return 400, `{"kind":"invalid","detail":"The file is not a WebAssembly module. Choose the .wasm file that your compiler wrote."}`, nil
		}
		in.ID, in.Bytes, in.ChangedMS = "r3", int64(len(in.Module)), w.now().UnixMilli()
		w.rules = append(slices.Clone(w.rules), in.Rule)
		return reply(in.Rule)
	case "PUT":
		w.rules = slices.Clone(w.rules)
		for i, r := range w.rules {
			if "/"+r.ID == rest {
				w.rules[i].On, w.rules[i].ChangedMS = in.On, w.now().UnixMilli()
			}
		}
		return reply(in.Rule)
	case "DELETE":
		w.rules = slices.DeleteFunc(slices.Clone(w.rules), func(r api.Rule) bool { return "/"+r.ID == rest })
		return 204, "", nil
	}
	return reply(w.rules)
}
