// Package route names every page of the app and its address. It is pure: reading and writing the browser's location is
// the caller's.
package route

import (
	"strings"

	"holdfast/sync/id"
)

// Page is which page is shown.
type Page string

const (
	Home      Page = "home"   // "/": the last workspace, or sign in
	SignIn    Page = "signin" //
	SignUp    Page = "signup"
	Join      Page = "join"       // an invitation
	Link      Page = "link"       // sign a second browser in
	Choose    Page = "workspaces" // choose or make a workspace
	Account   Page = "account"
	Project   Page = "project" // tasks of a project, as list or board, perhaps with a task open
	All       Page = "all"     // tasks of all projects
	Start     Page = "start"   // a workspace without a project named: its first one
	Trash     Page = "trash"
	Attention Page = "attention"
	Members   Page = "members"
	Labels    Page = "labels"
	Usage     Page = "usage"
	Billing   Page = "billing"
	Device    Page = "device"
	Lost      Page = "lost" // no such page
)

// Route is where the person is. It is comparable.
type Route struct {
	Page    Page
	Tenant  id.ID  // pages of a workspace
	Project id.ID  // Project; empty for All
	Task    id.ID  // Project, All: the open task
	Board   bool   // Project, All
	Code    string // Join, Link
	Next    string // SignIn, SignUp: the path to go to afterwards
}

var simple = map[string]Page{"": Home, "signin": SignIn, "signup": SignUp, "w": Choose, "account": Account}

var inWorkspace = map[string]Page{"all": All, "trash": Trash, "attention": Attention, "members": Members, "labels": Labels, "usage": Usage, "billing": Billing, "device": Device}

// Parse reads a location's path and query, such as "/w/…/p/…?next=…".
func Parse(location string) Route {
	path, query, _ := strings.Cut(location, "?")
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if p, ok := simple[parts[0]]; ok && len(parts) == 1 {
		return Route{Page: p, Next: next(query)}
	}
	switch parts[0] {
	case "join", "link":
		if len(parts) == 2 && parts[1] != "" {
			return Route{Page: Page(parts[0]), Code: parts[1]}
		}
	case "w":
		return workspace(parts[1:])
	}
	return Route{Page: Lost}
}

func workspace(parts []string) Route {
	r := Route{Page: Start, Tenant: id.ID(parts[0])}
	if !r.Tenant.Valid() {
		return Route{Page: Lost}
	}
	rest := parts[1:]
	if len(rest) == 0 {
		return r
	}
	if p, ok := inWorkspace[rest[0]]; ok {
		r.Page, rest = p, rest[1:]
		if p != All {
			if len(rest) > 0 {
				return Route{Page: Lost, Tenant: r.Tenant}
			}
			return r
		}
	} else if rest[0] == "p" && len(rest) > 1 && id.ID(rest[1]).Valid() {
		r.Page, r.Project, rest = Project, id.ID(rest[1]), rest[2:]
	} else {
		return Route{Page: Lost, Tenant: r.Tenant}
	}
	if len(rest) > 0 && rest[0] == "board" {
		r.Board, rest = true, rest[1:]
	}
	if len(rest) == 2 && rest[0] == "t" && id.ID(rest[1]).Valid() {
		r.Task, rest = id.ID(rest[1]), nil
	}
	if len(rest) > 0 {
		return Route{Page: Lost, Tenant: r.Tenant}
	}
	return r
}

// next reads the parameter next; anything but a path of this app is dropped, so that a link cannot lead elsewhere.
func next(query string) string {
	for _, kv := range strings.Split(query, "&") {
		if v, ok := strings.CutPrefix(kv, "next="); ok && strings.HasPrefix(v, "/") && !strings.HasPrefix(v, "//") && !strings.ContainsAny(v, "\\%\n\t") {
			return v
		}
	}
	return ""
}

// Path is the location of r; Parse reads it back.
func (r Route) Path() string {
	switch r.Page {
	case SignIn, SignUp:
		p := "/" + string(r.Page)
		if r.Next != "" {
			p += "?next=" + r.Next
		}
		return p
	case Join, Link:
		return "/" + string(r.Page) + "/" + r.Code
	case Choose:
		return "/w"
	case Account:
		return "/account"
	case Home, Lost:
		return "/"
	}
	p := "/w/" + string(r.Tenant)
	switch r.Page {
	case Start:
		return p
	case Project:
		p += "/p/" + string(r.Project)
	default:
		p += "/" + string(r.Page)
	}
	if r.Board {
		p += "/board"
	}
	if r.Task != "" {
		p += "/t/" + string(r.Task)
	}
	return p
}

// InWorkspace tells whether r shows one workspace.
func (r Route) InWorkspace() bool { return r.Tenant != "" }

// Tasks tells whether r shows tasks.
func (r Route) Tasks() bool { return r.Page == Project || r.Page == All }

// View is r for presence: what others are told about where this person looks.
func (r Route) View() string {
	switch {
	case r.Task != "":
		return "task/" + string(r.Task)
	case r.Project != "":
		return "project/" + string(r.Project)
	}
	return string(r.Page)
}

// To is the same workspace at another page.
func (r Route) To(p Page) Route { return Route{Page: p, Tenant: r.Tenant} }

// ToProject is a project of the same workspace, in the same form as now.
func (r Route) ToProject(project id.ID) Route {
	return Route{Page: Project, Tenant: r.Tenant, Project: project, Board: r.Board}
}

// ToTask opens a task over the same list or board; the empty task closes it.
func (r Route) ToTask(task id.ID) Route {
	r.Task = task
	return r
}
