package route

import (
	"testing"

	"holdfast/sync/id"
)

var (
	ws   = id.Derive("workspace")
	proj = id.Derive("project")
	task = id.Derive("task")
)

func TestEveryPageHasAnAddressThatReadsBack(t *testing.T) {
	for _, r := range []Route{
		{Page: Home}, {Page: SignIn}, {Page: SignIn, Next: "/w/" + string(ws)}, {Page: SignUp}, {Page: SignUp, Next: "/join/abc"},
		{Page: Join, Code: "abc-1"}, {Page: Link, Code: "xyz"}, {Page: Choose}, {Page: Account}, {Page: Start, Tenant: ws},
		{Page: Project, Tenant: ws, Project: proj}, {Page: Project, Tenant: ws, Project: proj, Board: true},
		{Page: Project, Tenant: ws, Project: proj, Task: task}, {Page: Project, Tenant: ws, Project: proj, Board: true, Task: task},
		{Page: All, Tenant: ws}, {Page: All, Tenant: ws, Board: true, Task: task}, {Page: Trash, Tenant: ws}, {Page: Attention, Tenant: ws},
		{Page: Members, Tenant: ws}, {Page: Labels, Tenant: ws}, {Page: Usage, Tenant: ws}, {Page: Device, Tenant: ws},
	} {
		if got := Parse(r.Path()); got != r {
			t.Errorf("Parse(%q) = %+v, want %+v", r.Path(), got, r)
		}
	}
}

func TestStrangeAddressesAreLost(t *testing.T) {
	for _, path := range []string{"/nope", "/w/short", "/w/" + string(ws) + "/x", "/w/" + string(ws) + "/p", "/w/" + string(ws) + "/p/zz",
		"/w/" + string(ws) + "/trash/t/" + string(task), "/w/" + string(ws) + "/p/" + string(proj) + "/t/1", "/join", "/join/a/b", "/signin/x"} {
		if got := Parse(path); got.Page != Lost {
			t.Errorf("Parse(%q).Page = %s, want %s", path, got.Page, Lost)
		}
	}
}

func TestNextStaysInTheApp(t *testing.T) {
	for _, evil := range []string{"https://example.com", "//example.com", "/\\example.com", "/%2f/example.com", "javascript:1"} {
		if got := Parse("/signin?next=" + evil); got.Next != "" {
			t.Errorf("next=%q gives %q, want nothing", evil, got.Next)
		}
	}
}
