package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"holdfast/server/biller"
	"holdfast/server/control"
	"holdfast/server/mail"
	"holdfast/server/outbox"
	"holdfast/server/payment/stripe"
	"holdfast/server/vies"
	"holdfast/sync/fault"
)

// mailFlags say how the hub's mails leave.
type mailFlags struct {
	SMTP             string `name:"smtp" env:"HOLDFAST_SMTP" help:"Mail server, such as smtp.example.com:587. Without one mails are kept: see 'holdfast mail list'. It must offer TLS, except on this machine."`
	SMTPFrom         string `name:"smtp-from" env:"HOLDFAST_SMTP_FROM" help:"Sender of mails, such as 'Holdfast <billing@example.com>'."`
	SMTPUser         string `name:"smtp-user" env:"HOLDFAST_SMTP_USER" help:"Name at the mail server, if it wants one."`
	SMTPPasswordFile string `name:"smtp-password-file" env:"HOLDFAST_SMTP_PASSWORD_FILE" type:"path" help:"File with the password at the mail server."`
}

func (f mailFlags) config() (mail.Config, error) {
	c := mail.Config{Addr: f.SMTP, From: f.SMTPFrom, User: f.SMTPUser}
	if f.SMTP == "" {
		return mail.Config{}, nil
	}
	if f.SMTPPasswordFile != "" {
		b, err := os.ReadFile(f.SMTPPasswordFile)
		if err != nil {
			return c, fault.Errorf("mail", fault.NotFound, "The password file %s cannot be read.", f.SMTPPasswordFile)
		}
		c.Password = strings.TrimSpace(string(b))
	}
	_, err := mail.NewSender(c)
	return c, err
}

// stripeFlags connect the payment processor.
type stripeFlags struct {
	StripeKeyFile           string `name:"stripe-key-file" env:"HOLDFAST_STRIPE_KEY_FILE" type:"path" help:"File with Stripe's secret key (sk_…). Without one a built-in test bank is used, which moves no money."`
	StripeWebhookSecretFile string `name:"stripe-webhook-secret-file" env:"HOLDFAST_STRIPE_WEBHOOK_SECRET_FILE" type:"path" help:"File with the signing secret (whsec_…) of Stripe's webhook to /api/webhooks/stripe of any region."`
}

// processor makes Stripe's; nil: the test bank.
func (f stripeFlags) processor() (*stripe.Processor, error) {
	if f.StripeKeyFile == "" && f.StripeWebhookSecretFile == "" {
		return nil, nil
	}
	key, err := readKey("Stripe's secret key", f.StripeKeyFile, "sk_", "rk_")
	if err != nil {
		return nil, err
	}
	secret, err := readKey("the signing secret of Stripe's webhook", f.StripeWebhookSecretFile, "whsec_")
	if err != nil {
		return nil, err
	}
	return stripe.New(stripe.Config{Key: key, WebhookSecret: secret}), nil
}

// readKey reads a key and checks how it begins; what it holds is in no sentence.
func readKey(what, path string, begins ...string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fault.Errorf("stripe", fault.NotFound, "The file with %s cannot be read: %q. Name it with --stripe-key-file or --stripe-webhook-secret-file; both are needed.", what, path)
	}
	key := strings.TrimSpace(string(b))
	for _, s := range begins {
		if strings.HasPrefix(key, s) && len(key) > len(s)+8 && !strings.ContainsAny(key, " \n\r") {
			return key, nil
		}
	}
	return "", fault.Errorf("stripe", fault.Invalid, "The file %s does not hold %s: it begins with %s.", path, what, strings.Join(begins, " or "))
}

// viesFlags have VAT numbers checked.
type viesFlags struct {
	VIES    bool   `name:"vies" env:"HOLDFAST_VIES" help:"Ask the EU's register whether customers' VAT numbers are valid. Only then reverse charge is used."`
	VIESURL string `name:"vies-url" env:"HOLDFAST_VIES_URL" default:"${vies_url}" help:"The register's service."`
}

// register makes its client; nil: nothing is asked.
func (f viesFlags) register() biller.Register {
	if !f.VIES {
		return nil
	}
	return vies.New(f.VIESURL)
}

type mailCmd struct {
	List mailListCmd `cmd:"" help:"List the mails, the newest first: sent, waiting, refused or kept."`
	Show mailShowCmd `cmd:"" help:"Print a mail and what became of it."`
	Send mailSendCmd `cmd:"" help:"Send a mail once more, to the address of now."`
}

type mailListCmd struct {
	running
	Workspace string `help:"Only those of a workspace, by its id."`
}

// Run lists mails.
func (c mailListCmd) Run(ctx context.Context) error {
	var list []outbox.Delivery
	if err := c.call(ctx, http.MethodGet, "/mails?workspace="+url.QueryEscape(c.Workspace), nil, &list); err != nil {
		return err
	}
	return printDeliveries(list)
}

func printDeliveries(list []outbox.Delivery) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, d := range list {
		note := d.Reason
		if d.NextMS > 0 {
			note = strings.TrimSpace("next try " + time.UnixMilli(d.NextMS).Format(time.DateTime) + " " + note)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", d.ID, time.UnixMilli(d.AtMS).Format(time.DateTime), d.State, d.Event, d.To, note)
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "There is nothing yet.")
	}
	return w.Flush()
}

type mailShowCmd struct {
	running
	Mail int64 `arg:"" help:"The mail's number, as 'holdfast mail list' prints it."`
	HTML bool  `help:"Print the HTML instead of the text."`
}

// Run prints a mail.
func (c mailShowCmd) Run(ctx context.Context) error {
	var m control.Mail
	if err := c.call(ctx, http.MethodGet, "/mails/"+strconv.FormatInt(c.Mail, 10), nil, &m); err != nil {
		return err
	}
	if c.HTML {
		_, err := fmt.Print(m.Letter.HTML)
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "State: %s\n", strings.TrimSpace(m.State+" "+m.Reason))
	for _, t := range m.Attempts {
		what := "accepted by the server"
		if t.Reason != "" {
			what = t.Reason
		}
		fmt.Fprintf(&b, "%s: %s\n", time.UnixMilli(t.AtMS).Format(time.DateTime), what)
	}
	fmt.Fprintf(&b, "To: %s\nSubject: %s\n", m.Letter.To, m.Letter.Subject)
	if m.Letter.Attach != "" {
		fmt.Fprintf(&b, "Attached: %s.pdf\n", m.Letter.Attach)
	}
	_, err := fmt.Printf("%s\n%s", b.String(), m.Letter.Text)
	return err
}

type mailSendCmd struct {
	running
	Mail int64 `arg:"" help:"The mail's number, as 'holdfast mail list' prints it."`
}

// Run has a mail sent again.
func (c mailSendCmd) Run(ctx context.Context) error {
	if err := c.call(ctx, http.MethodPost, "/mails/"+strconv.FormatInt(c.Mail, 10)+"/send", nil, nil); err != nil {
		return err
	}
	_, err := fmt.Println("It is sent now. Look with: holdfast mail list")
	return err
}

type webhookCmd struct {
	List   webhookListCmd   `cmd:"" help:"List the operator's webhooks."`
	Add    webhookAddCmd    `cmd:"" help:"Have an address told what happens in every workspace's billing. Prints its secret, once."`
	Remove webhookRemoveCmd `cmd:"" help:"Remove one."`
	Rotate webhookRotateCmd `cmd:"" help:"Make a new secret. For a day the old one signs too."`
	Log    webhookLogCmd    `cmd:"" help:"List what was sent to one, the newest first."`
	Replay webhookReplayCmd `cmd:"" help:"Send every event since a moment once more."`
}

type webhookListCmd struct{ running }

// Run lists webhooks.
func (c webhookListCmd) Run(ctx context.Context) error {
	var list []outbox.Endpoint
	if err := c.call(ctx, http.MethodGet, "/webhooks", nil, &list); err != nil {
		return err
	}
	for _, e := range list {
		state := "on"
		if !e.On {
			state = "off " + e.Reason
		}
		if _, err := fmt.Printf("%s  %s  %s  %s\n", e.ID, e.URL, state, strings.Join(e.Events, ",")); err != nil {
			return err
		}
	}
	return nil
}

type webhookAddCmd struct {
	running
	URL    string   `arg:"" help:"The address, such as https://example.com/hooks."`
	Events []string `help:"Kinds of events, such as invoice.issued. None: all."`
	Tests  bool     `help:"Also of workspaces on a test clock; their events say \"test\": true."`
}

// Run adds one.
func (c webhookAddCmd) Run(ctx context.Context) error {
	var e outbox.Endpoint
	if err := c.call(ctx, http.MethodPost, "/webhooks", control.Webhook{Wish: outbox.Wish{URL: c.URL, Events: c.Events}, Tests: c.Tests}, &e); err != nil {
		return err
	}
	_, err := fmt.Printf("%s\nSecret: %s\n", e.ID, e.Secret)
	return err
}

// oneWebhook names a webhook of the operator.
type oneWebhook struct {
	running
	ID string `arg:"" help:"The webhook's id, as 'holdfast webhook list' prints it."`
}

func (c oneWebhook) path(rest string) string { return "/webhooks/" + url.PathEscape(c.ID) + rest }

type webhookRemoveCmd struct{ oneWebhook }

// Run removes one.
func (c webhookRemoveCmd) Run(ctx context.Context) error {
	return c.call(ctx, http.MethodDelete, c.path(""), nil, nil)
}

type webhookRotateCmd struct{ oneWebhook }

// Run makes a new secret.
func (c webhookRotateCmd) Run(ctx context.Context) error {
	var e outbox.Endpoint
	if err := c.call(ctx, http.MethodPost, c.path("/secret"), nil, &e); err != nil {
		return err
	}
	_, err := fmt.Printf("Secret: %s\n", e.Secret)
	return err
}

type webhookLogCmd struct{ oneWebhook }

// Run lists deliveries.
func (c webhookLogCmd) Run(ctx context.Context) error {
	var list []outbox.Delivery
	if err := c.call(ctx, http.MethodGet, c.path("/deliveries"), nil, &list); err != nil {
		return err
	}
	return printDeliveries(list)
}

type webhookReplayCmd struct {
	oneWebhook
	Since time.Time `required:"" help:"From when on, such as 2026-11-23T10:00:00Z."`
}

// Run replays.
func (c webhookReplayCmd) Run(ctx context.Context) error {
	var n int
	if err := c.call(ctx, http.MethodPost, c.path("/replay?since="+url.QueryEscape(c.Since.Format(time.RFC3339))), nil, &n); err != nil {
		return err
	}
	_, err := fmt.Printf("%d events are sent once more.\n", n)
	return err
}
