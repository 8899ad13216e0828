package e2e

import (
	"flag"
	"testing"
)

var picture = flag.String("picture", "", "where to write the README's picture anew")

// The board that the README shows is made by people's steps, so it shows what there is.
func TestReadmePicture(t *testing.T) {
	s := start(t, "local")
	_, g := newPerson(t, "ana", s.url(0))
	signUp(g, "Ana Ferreira")
	newWorkspace(g, "Harbor Studio")
	newProject(g, "Website")
	g.Click("text=Board")
	for _, column := range []struct {
		name   string
		titles []string
	}{
		{"Backlog", []string{"Translate the help pages", "A page for the press"}},
		{"To do", []string{"Write the copy for the pricing page", "Choose a typeface", "Fix the footer on small screens"}},
		{"In progress", []string{"Sign-in without a password", "Pictures of the workshop"}},
		{"In review", []string{"Works on the train"}},
	} {
		g.Click("role=button:New task in " + column.name)
		g.WaitFor("the new task's field has the keyboard", `document.activeElement?.id === "compose"`)
		for _, title := range column.titles {
			g.Insert(title)
			g.Press("Enter")
			g.WaitText(title)
		}
		g.Press("Escape")
	}
	for title, priority := range map[string]string{"Sign-in without a password": "Urgent", "Choose a typeface": "High", "Works on the train": "Medium"} {
		g.Focus(row(title))
		setPriority(g, priority)
	}
	_, h := newPerson(t, "bo", s.url(0))
	project := g.URL()
	join(h, invite(g, s.url(0)), "Bo Lindqvist")
	h.Go(project)
	g.Go(project)
	g.Wait(row("Works on the train"))
	g.Wait(".avatars[title*='Bo Lindqvist']")
	everywhere(g)
	if *picture != "" {
		g.Resize(1440, 900, false)
		g.Picture(*picture)
	}
}
