package browser

import (
	"context"
	"encoding/json"
)

// giveAuthenticator adds a virtual platform authenticator (W3C WebAuthn §11) with the person's passkeys to a page.
// Chromium keeps one per page; the person's set is kept equal in all of their pages, and survives the browser.
func (p *Person) giveAuthenticator(ctx context.Context, t *target) {
	p.mu.Lock()
	presence := p.presence
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
			"automaticPresenceSimulation": presence,
			// What a synced passkey of a phone or a desktop says of itself.
			"defaultBackupEligibility": true, "defaultBackupState": true,
		}}, &res)
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
	if err != nil {
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

// Touch decides whether the authenticator answers by itself (the default), or waits as if nobody touched it.
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
		p.must(t.b.call(ctx, t.session, "WebAuthn.setAutomaticPresenceSimulation", map[string]any{
			"authenticatorId": t.authenticator, "enabled": on,
		}, nil))
	}
}
