package page

import (
	"strconv"
	"strings"

	"github.com/maxence-charriere/go-app/v10/pkg/app"

	"holdfast/app/api"
	"holdfast/app/view"
	"holdfast/sync/work"
)

// APIKeys is the part of the billing page where owners make keys for their own programs.
type APIKeys struct {
	app.Compo
	App *App

	cards[api.Key]
}

// keyScopes are what a key may be allowed, and what that is in words.
var keyScopes = [][2]string{{"events:write", "send usage events"}, {"billing:read", "read the billing"}, {"billing:write", "change the billing"}, {"rules:read", "see the rules"}, {"rules:write", "change the rules"}}

// keyDays are how long a key may be good; 0 is for ever.
var keyDays = [][2]string{{"30", "30"}, {"90", "90"}, {"365", "365"}, {"0", "Never"}}

const dayMS = 24 * 60 * 60 * 1000

func (c *APIKeys) OnMount(ctx app.Context) { c.reload(ctx) }

func (c *APIKeys) reload(ctx app.Context) {
	tenant := c.App.store.Tenant()
	c.load(ctx, func() ([]api.Key, *api.Problem) { return c.App.API.Keys(tenant) })
}

func date(ms int64) string { return timeOf(ms).UTC().Format("2 January 2006") }

// keyMay says what a key may do.
func keyMay(k api.Key) string {
	var may []string
	for _, s := range keyScopes {
		for _, has := range k.Scopes {
			if has == s[0] {
				may = append(may, s[1])
			}
		}
	}
	return strings.Join(may, ", ")
}

func (c *APIKeys) Render() app.UI {
	text := cardsText{Title: "API keys", Add: "New key", DOM: "key-add",
		None: "There are none yet: with a key your own programs send usage events, and read or change the billing of this workspace."}
	return app.Section().OnClick(c.onClick).Body(c.section(c.App.store.Role() == work.Owner, text, c.line)...)
}

func (c *APIKeys) line(k api.Key) (string, []app.UI, app.UI) {
	now := c.App.Now()
	used, end, over := "never used", "does not expire", false
	if k.UsedMS > 0 {
		used = "last used " + view.Ago(k.UsedMS, now)
	}
	if k.ExpiresMS > 0 {
		over = k.ExpiresMS <= now.UnixMilli()
		end = pick(over, "expired on ", "expires on ") + date(k.ExpiresMS)
	}
	return pick(over, "alert", "key"), []app.UI{
		app.Span().Class("address").Text(k.Name), app.Elem("small").Body(app.Code().Text(k.Start+"…"), app.Text(" · May "+keyMay(k))),
		app.Elem("small").Text("Made " + view.Ago(k.CreatedMS, now) + " by " + k.Creator + " · " + used + " · " + end),
	}, view.IconButton{Act: "revoke", ID: k.ID, DOM: "key-" + k.ID, Label: "Revoke " + k.Name, Icon: "trash"}.UI()
}

func (c *APIKeys) onClick(ctx app.Context, e app.Event) {
	switch act, i, _ := view.Act(e); act {
	case "add":
		c.add(ctx)
	case "revoke":
		for _, k := range c.list {
			if k.ID == i {
				c.revoke(ctx, k)
			}
		}
	}
}

func (c *APIKeys) add(ctx app.Context) {
	a, tenant := c.App, c.App.store.Tenant()
	may, days := map[string]bool{}, "90"
	a.ask(dialog{Title: "New API key", Confirm: "Make the key", Back: "key-add",
		Fields: []view.Field{{DOM: "k-name", Label: "Name", Hint: "Which program will use it, such as Web shop.", Max: 100, Required: true}},
		Body: func() app.UI {
			checks := []app.UI{app.Span().Class("label").ID("k-may").Text("It may")}
			for _, s := range keyScopes {
				checks = append(checks, view.Check(s[0], "k-"+s[0], strings.ToUpper(s[1][:1])+s[1][1:]+" ("+s[0]+")", may[s[0]]))
			}
			return app.Div().Class("hook").Body(app.Div().Class("field").Role("group").Aria("labelledby", "k-may").Body(checks...),
				app.Div().Class("field").Body(app.Span().Class("label").Text("Days until it expires"), view.Choice("Days until it expires", "days", days, keyDays...)))
		},
		Act: func(act, i string) {
			if act == "days" {
				days = i
				return
			}
			may[act] = !may[act]
		},
		Submit: func(v map[string]string, done func(string)) {
			var scopes []string
			for _, s := range keyScopes {
				if may[s[0]] {
					scopes = append(scopes, s[0])
				}
			}
			if len(scopes) == 0 {
				done("Choose what the key may do.")
				return
			}
			var until int64
			if n, _ := strconv.ParseInt(days, 10, 64); n > 0 {
				until = a.Now().UnixMilli() + n*dayMS
			}
			go func() {
				k, p := a.API.MakeKey(tenant, v["k-name"], scopes, until)
				if p != nil {
					done(p.Sentence())
					return
				}
				c.reload(ctx)
				a.do(func() {
					a.showOnce("The key “"+k.Name+"”", "Your program sends it as “Authorization: Bearer” and the key. It is not shown again: copy it now.", k.Text, "key-add")
				})
			}()
		}})
}

func (c *APIKeys) revoke(ctx app.Context, k api.Key) {
	a, tenant := c.App, c.App.store.Tenant()
	a.ask(dialog{Title: "Revoke “" + k.Name + "”?", Confirm: "Revoke", Danger: true, Back: "key-" + k.ID,
		Text: "Programs that use " + k.Start + "… are refused at once: they can no longer " + strings.ReplaceAll(keyMay(k), ", ", " or ") + ". This cannot be undone.",
		Submit: func(_ map[string]string, done func(string)) {
			go func() {
				if p := a.API.RevokeKey(tenant, k.ID); p != nil {
					done(p.Sentence())
					return
				}
				a.do(func() {
					if a.dialog != nil {
						a.dialog.Back = "key-add" // the key's own button goes
					}
				})
				done("")
				c.reload(ctx)
				a.told(nil, "The key is revoked.")
			}()
		}})
}
