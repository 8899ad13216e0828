package browser

import (
	"context"
	"encoding/json"
	"slices"
)

// Profile samples what the person's pages and dedicated workers do until the function it returns is called, which gives a
// .cpuprofile (Chrome DevTools reads it) for each, by kind. Go's functions have names when the programs were built with
// HOLDFAST_WASM_NAMES set.
func (p *Person) Profile() (stop func() map[string]json.RawMessage) {
	p.tb.Helper()
	p.mu.Lock()
	targets := slices.DeleteFunc(slices.Clone(p.targets), func(t *target) bool { return t.kind != "page" && t.kind != "worker" })
	p.mu.Unlock()
	each := func(do func(ctx context.Context, t *target)) {
		ctx, cancel := p.patience()
		defer cancel()
		for _, t := range targets {
			do(ctx, t)
		}
	}
	each(func(ctx context.Context, t *target) {
		p.must(t.b.call(ctx, t.session, "Profiler.enable", nil, nil))
		p.must(t.b.call(ctx, t.session, "Profiler.setSamplingInterval", map[string]any{"interval": 200}, nil))
		p.must(t.b.call(ctx, t.session, "Profiler.start", nil, nil))
	})
	return func() map[string]json.RawMessage {
		all := map[string]json.RawMessage{}
		each(func(ctx context.Context, t *target) {
			var res struct{ Profile json.RawMessage }
			p.must(t.b.call(ctx, t.session, "Profiler.stop", nil, &res))
			all[t.kind] = res.Profile
		})
		return all
	}
}
