package browser

import (
	"context"
	"encoding/json"
	"strconv"
)

// giveAuthenticator adds a virtual platform authenticator (W3C WebAuthn §11) with the person's passkeys to a page.
// Chromium keeps one per page; the person's set is kept equal in all of their pages, and survives the browser.
func (p *Person) giveAuthenticator(ctx context.Context, t *target) {
	p.mu.Lock()
	open := p.presence
	keys := make([]json.RawMessage, 0, len(p.passkeys))
	for _, k := range p.passkeys {
		keys = append(keys, k)
	}
	p.mu.Unlock()
	var res struct{ AuthenticatorID string }
	err := t.b.call(ctx, t.session, "WebAuthn.enable", map[string]any{"enableUI": false}, nil)
	if err == nil {
		err = t.b.call(ctx, t.session, "WebAuthn.addVirtualAuthenticator", map[string]any{"options": map[string]any{
			"protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal",
			"hasResidentKey": true, "hasUserVerification": true, "isUserVerified": true,
			"automaticPresenceSimulation": true,
			// What a synced passkey of a phone or a desktop says of itself.
			"defaultBackupEligibility": true, "defaultBackupState": true,
		}}, &res)
	}
	if err == nil {
		err = p.putGate(ctx, t, open)
	}
	if err != nil {
		p.complain(t, "error", "no virtual authenticator: "+err.Error())
		return
	}
	p.mu.Lock()
	t.authenticator = res.AuthenticatorID
	p.mu.Unlock()
	for _, k := range keys {
		p.putPasskey(ctx, t, k)
	}
}

func (p *Person) putPasskey(ctx context.Context, t *target, credential json.RawMessage) {
	err := t.b.call(ctx, t.session, "WebAuthn.addCredential", map[string]any{
		"authenticatorId": t.authenticator, "credential": credential,
	}, nil)
	if err != nil && t.b.byID(t.id) != nil { // a page that was closed needs none
		p.complain(t, "error", "passkey not handed to the page: "+err.Error())
	}
}

// passkeyChanged keeps the person's set in step with what one page's authenticator reports.
func (p *Person) passkeyChanged(t *target, params json.RawMessage) {
	var ev struct {
		Credential json.RawMessage
	}
	var head struct{ CredentialID string }
	if json.Unmarshal(params, &ev) != nil || json.Unmarshal(ev.Credential, &head) != nil {
		return
	}
	p.mu.Lock()
	_, known := p.passkeys[head.CredentialID]
	p.passkeys[head.CredentialID] = ev.Credential
	var others []*target
	for _, o := range p.targets {
		if o != t && o.authenticator != "" {
			others = append(others, o)
		}
	}
	p.mu.Unlock()
	if known {
		return // signed in: only the signature counter moved
	}
	go func() {
		ctx, cancel := p.patience()
		defer cancel()
		for _, o := range others {
			p.putPasskey(ctx, o, ev.Credential)
		}
	}()
}

func (p *Person) passkeyDeleted(params json.RawMessage) {
	var ev struct{ CredentialID string }
	if json.Unmarshal(params, &ev) == nil {
		p.mu.Lock()
		delete(p.passkeys, ev.CredentialID)
		p.mu.Unlock()
	}
}

// Passkeys returns how many passkeys the person's device holds.
func (p *Person) Passkeys() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.passkeys)
}

// SyncPasskeys copies the passkeys of another person's device to this one, as a password manager does. Pages that are
// open keep what they had: open a new one.
func (p *Person) SyncPasskeys(from *Person) {
	from.mu.Lock()
	keys := make(map[string]json.RawMessage, len(from.passkeys))
	for id, k := range from.passkeys {
		keys[id] = k
	}
	from.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, k := range keys {
		p.passkeys[id] = k
	}
}

// SwapAuthenticator takes the authenticator out of a tab and puts in one that has no passkey, as somebody does with a new
// security key. Other tabs keep theirs.
func (g *Page) SwapAuthenticator() {
	g.p.tb.Helper()
	ctx, cancel := g.p.patience()
	defer cancel()
	g.p.must(g.call(ctx, "WebAuthn.removeVirtualAuthenticator", map[string]any{"authenticatorId": g.t.authenticator}, nil))
	g.p.mu.Lock()
	g.p.passkeys = map[string]json.RawMessage{}
	g.p.mu.Unlock()
	g.p.giveAuthenticator(ctx, g.t)
}

// gate holds ceremonies back in a page while nobody touches the authenticator. Chromium's own switch for that does not do: what
// has been asked for while it was off is never answered, so that a test would hang on which of the two came first.
const gate = `(() => {
  if (!navigator.credentials) return; // not a secure context
  let touched, waiting = [];
  globalThis.__touch = (on) => {
    touched = on;
    if (on) for (const go of waiting.splice(0)) go();
  };
  for (const name of ["create", "get"]) {
    const real = navigator.credentials[name].bind(navigator.credentials);
    navigator.credentials[name] = async (options) => {
      if (options?.publicKey && !touched && !options.signal?.aborted) {
        await new Promise((go, fail) => {
          // What is offered in a field waits for being picked there: a touch is meant for a dialog.
          if (options.mediation !== "conditional") waiting.push(go);
          options.signal?.addEventListener("abort", () => fail(options.signal.reason));
        });
      }
      return real(options);
    };
  }
})();`

// putGate gives the documents that a page opens from now on the gate, open or shut.
func (p *Person) putGate(ctx context.Context, t *target, open bool) error {
	var res struct{ Identifier string }
	source := gate + "globalThis.__touch?.(" + strconv.FormatBool(open) + ")"
	if err := t.b.call(ctx, t.session, "Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": source}, &res); err != nil {
		return err
	}
	p.mu.Lock()
	old := t.gate
	t.gate = res.Identifier
	p.mu.Unlock()
	if old == "" {
		return nil
	}
	return t.b.call(ctx, t.session, "Page.removeScriptToEvaluateOnNewDocument", map[string]any{"identifier": old}, nil)
}

// Touch decides whether the person touches their authenticator whenever it asks (the default), or not until Touch(true). What waits
// then goes on, but for passkeys that are offered in a field.
func (p *Person) Touch(on bool) {
	p.tb.Helper()
	p.mu.Lock()
	p.presence = on
	var with []*target
	for _, t := range p.targets {
		if t.authenticator != "" {
			with = append(with, t)
		}
	}
	p.mu.Unlock()
	ctx, cancel := p.patience()
	defer cancel()
	for _, t := range with {
		p.must(p.putGate(ctx, t, on))
		p.must(evaluate(ctx, t, "globalThis.__touch?.("+strconv.FormatBool(on)+")", nil))
	}
}
