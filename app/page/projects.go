package page

import (
	"strings"

	"holdfast/app/browser"
	"holdfast/app/route"
	"holdfast/app/view"
	"holdfast/sync/id"
	"holdfast/sync/work"
)

// newProject asks for a name and makes a project at the end of the list.
func (a *App) newProject() {
	if a.store == nil || !a.store.CanWrite() {
		return
	}
	s := a.store
	a.ask(dialog{Title: "New project", Confirm: "Create project", Color: a.nextColor(), Back: "project-new",
		Fields: []view.Field{{DOM: "project-name", Label: "Name", Placeholder: "Website, Hiring, Spring release", Max: work.NameBytesMax, Required: true}},
		Submit: func(v map[string]string, done func(string)) {
			f, _ := s.Frame()
			rank, ok := s.ProjectRankAt(len(f.Projects), "")
			if !ok {
				done("The workspace is still loading. Try again in a moment.")
				return
			}
			project := s.NewID()
			s.Do(work.NewProject(project, line(v["project-name"]), v["color"], rank))
			done("")
			a.Go(route.Route{Page: route.Project, Tenant: s.Tenant(), Project: project, Board: a.route.Board})
			a.later(func() { a.do(func() { a.startCompose(work.Todo) }) })
		}})
}

func line(s string) string { return strings.Join(strings.Fields(s), " ") }

func (a *App) projectMenu(project id.ID, anchor string) {
	s := a.store
	p, ok := s.Project(project)
	if !ok {
		return
	}
	a.open(picker{Label: "Menu of " + p.Name, Menu: true, Back: anchor,
		Options: func() []option {
			out := []option{{Key: "edit", Label: "Rename or recolor", Sign: sign("edit")}}
			out = append(out, option{Key: "link", Label: "Copy link", Sign: sign("link")})
			if s.CanManage() {
				out = append(out, option{Key: "trash", Label: "Move to Trash", Sign: sign("trash"), Danger: true})
			}
			return out
		},
		Pick: func(k string) {
			switch k {
			case "edit":
				a.ask(dialog{Title: "Project", Confirm: "Save", Color: p.Color, Back: anchor,
					Fields: []view.Field{{DOM: "project-name", Label: "Name", Value: p.Name, Max: work.NameBytesMax, Required: true}},
					Submit: func(v map[string]string, done func(string)) {
						if name := line(v["project-name"]); name != p.Name {
							s.Do(work.RenameProject(project, name))
						}
						if v["color"] != p.Color {
							s.Do(work.ColorProject(project, v["color"]))
						}
						done("")
					}})
			case "link":
				a.copy(browser.Origin()+a.route.ToProject(project).Path(), "The project's link is copied.")
			case "trash":
				s.Do(work.TrashProject(project, a.Now().UnixMilli()))
				if a.route.Project == project {
					a.Go(a.route.To(route.Start))
				}
				a.toast("“"+short(p.Name)+"” is in Trash, with its tasks.", "Undo", func() { s.Do(work.RestoreProject(project)) })
			}
		}}, anchor)
}

// copy puts text on the clipboard and says so.
func (a *App) copy(text, said string) {
	go func() {
		ok := browser.Copy(text)
		a.do(func() {
			if ok {
				a.toast(said, "", nil)
				return
			}
			a.ask(dialog{Title: "Copy this", Text: "The browser did not let Holdfast use the clipboard. Select the text and copy it.",
				Fields: []view.Field{{DOM: "copy", Label: "Text", Value: text}}})
		})
	}()
}

// workspaceMenu is about the workspace and the person.
func (a *App) workspaceMenu() {
	s := a.store
	f, _ := s.Frame()
	a.open(picker{Label: "Workspace", Menu: true, Back: "ws-menu",
		Options: func() []option {
			var out []option
			if s.CanManage() {
				out = append(out, option{Key: "rename", Label: "Rename workspace", Sign: sign("edit")})
			}
			out = append(out,
				option{Key: "switch", Label: "Switch workspace", Sign: sign("arrow-right")},
				option{Key: "account", Label: "Account and passkeys", Sign: sign("key")},
				option{Key: "theme-light", Label: "Light", Section: "Look", Sign: sign("sun"), On: browser.Theme() == "light"},
				option{Key: "theme-dark", Label: "Dark", Section: "Look", Sign: sign("moon"), On: browser.Theme() == "dark"},
				option{Key: "theme-system", Label: "As the device", Section: "Look", Sign: sign("device"), On: browser.Theme() == "system"},
			)
			if a.install {
				out = append(out, option{Key: "install", Label: "Install the app", Section: "This browser", Sign: sign("download")})
			}
			out = append(out, option{Key: "keys", Label: "Keyboard shortcuts", Section: "This browser", Sign: sign("help"), Keys: []string{"?"}},
				option{Key: "out", Label: "Sign out", Section: "This browser", Sign: sign("out")})
			return out
		},
		Pick: func(k string) {
			switch k {
			case "rename":
				a.ask(dialog{Title: "Rename workspace", Confirm: "Save", Back: "ws-menu",
					Fields: []view.Field{{DOM: "ws-name", Label: "Name", Value: f.Workspace.Name, Max: work.NameBytesMax, Required: true}},
					Submit: func(v map[string]string, done func(string)) {
						s.Do(work.RenameWorkspace(s.Tenant(), line(v["ws-name"])))
						done("")
					}})
			case "switch":
				a.Go(route.Route{Page: route.Choose})
			case "account":
				a.Go(route.Route{Page: route.Account})
			case "install":
				browser.Install()
			case "keys":
				a.shortcuts()
			case "out":
				a.askSignOut()
			default:
				if theme, ok := strings.CutPrefix(k, "theme-"); ok {
					browser.SetTheme(theme)
				}
			}
		}}, "ws-menu")
}
