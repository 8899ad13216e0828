package sim_test

import (
	"testing"

	"holdfast/sync/sim"
)

// The cases that people argue about.
func TestHistories(t *testing.T) {
	for name, text := range map[string]string{
		"different-columns-are-both-kept": `
			ana: create T | sync
			ana: rename T to Fence | bo: status T doing | sync
			ana sees T title = Fence | bo sees T title = Fence | cy sees T status = doing | ana sees T lost = | all equal`,
		"same-column-the-later-wins-the-other-is-kept": `
			ana: create T | sync | ana: offline | bo: offline
			ana: rename T to Red | bo: rename T to Blue | ana: online | bo: online | sync
			ana sees T title = Blue | bo sees T title = Blue | cy sees T lost = Red | all equal`,
		"knowing-replacement-loses-nothing": `
			ana: create T | sync | ana: rename T to Red | sync | bo: rename T to Blue | sync
			cy sees T past = T, Red, Blue | cy sees T lost = | all equal`,
		"a-week-old-edit-does-not-overwrite-newer-work": `
			ana: create T | sync | bo: offline | bo: rename T to Old idea | later 168h
			ana: rename T to New plan | sync | bo: online | sync
			bo sees T title = New plan | ana sees T lost = Old idea | all equal`,
		"deleted-and-edited-lies-in-trash-with-the-edit": `
			ana: create T | sync | bo: offline | ana: trash T | bo: rename T to Still needed | bo: online | sync
			ana sees T trashed = true | ana sees T title = Still needed | bo: restore T | sync | cy sees T trashed = false | all equal`,
		"label-on-and-off-at-once": `
			ana: create T | ana: make-label urgent | sync | ana: label T urgent | sync
			ana: offline | bo: offline | ana: unlabel T urgent | bo: unlabel T urgent | bo: label T urgent | ana: online | bo: online | sync
			ana sees T labels = 1 | bo sees T labels = 1 | all equal`,
		"label-by-two-is-one": `
			ana: create T | ana: make-label urgent | sync | ana: offline | bo: offline
			ana: label T urgent | bo: label T urgent | ana: online | bo: online | sync | cy sees T labels = 1
			cy: unlabel T urgent | sync | ana sees T labels = 0 | bo sees T labels = 0 | all equal`,
		"a-region-cut-off-keeps-working": `
			ana: create T | sync | cut eu us | bo: at us
			ana: rename T to In Europe | bo: status T doing | bo: comment T hello | sync
			ana waits 0 | bo waits 0 | ana sees T status = todo | bo sees T title = T | bo sees T mark = region
			join eu us | sync | ana sees T status = doing | bo sees T title = In Europe | ana sees T comments = hello | sync | ana sees T mark = everywhere | all equal`,
		"roaming-goes-on-exactly": `
			ana: create T | sync | bo: rename T to One | sync | bo: at us | bo: rename T to Two | sync | bo: at eu | bo: rename T to Three | sync
			ana sees T title = Three | ana sees T lost = | all equal`,
		"building-on-what-the-region-has-not-seen-waits": `
			cut eu us | ana: create T | sync | ana: at us | ana: rename T to Later | sync
			ana waits 1 | ana refused 0 | ana sees T title = Later | join eu us | sync | ana waits 0 | cy sees T title = Later | all equal`,
		"a-viewer-is-refused-and-nothing-is-left": `
			ana: create T | sync | bo: offline | bo: rename T to Mine | bo: status T done | role bo viewer | bo: online | sync
			bo refused 2 | bo waits 0 | bo sees T title = T | bo sees T mark = refused | bo cannot rename T to Mine
			bo: discard | bo refused 1 | role bo member | sync | bo: retry | sync | bo refused 0 | ana sees T status = done | ana sees T title = T | all equal`,
		"a-refusal-does-not-block-what-follows": `
			ana: create T | sync | bo: offline | role bo viewer | bo: rename T to No | sync | bo: online | role bo member | bo: status T review | sync
			bo refused 0 | ana sees T title = No | ana sees T status = review | all equal`,
		"what-hangs-on-a-refused-creation-is-refused-with-it": `
			bo: offline | bo: create T | bo: rename T to Better | role bo viewer | bo: online | sync | bo refused 2 | bo sees T title = nothing
			role bo member | sync | bo: retry | bo: retry | sync | ana sees T title = Better | all equal`,
		"clock-a-year-ahead": `
			ana: create T | sync | bo: clock 8760h | bo: rename T to From the future | bo: rename T to From the future again | sync
			ana sees T title = From the future again | later 2m | ana: rename T to Now | sync | bo sees T title = Now
			bo: rename T to After | sync | ana sees T title = After | ana sees T lost = | all equal`,
		"clock-a-year-behind": `
			ana: create T | sync | bo: clock -8760h | bo: dies | bo: rename T to Seen and changed | sync
			ana sees T title = Seen and changed | ana sees T lost = | all equal`,
		"dying-loses-nothing": `
			ana: create T | ana: dies | ana: offline | ana: rename T to Kept | ana: dies | ana waits 2 | ana: online | sync | ana: dies
			bo sees T title = Kept | ana waits 0 | all equal`,
		"a-lost-database-comes-back-from-the-mirror": `
			ana: create T | sync | ana: offline | ana: rename T to Kept | ana: status T doing | ana: loses | ana waits 2 | ana: online | sync
			ana sees T title = Kept | bo sees T status = doing | all equal`,
		"a-snapshot-keeps-what-waits": `
			ana: create T | sync | bo: rename T to Waiting | bo: snapshot | bo waits 1 | bo sees T title = Waiting | bo sees T mark = device | sync
			ana sees T title = Waiting | all equal`,
		"two-devices-of-one-person": `
			ana: create T | sync | ana: offline | ana2: offline | ana: rename T to Phone | ana2: rename T to Desk | ana: online | ana2: online | sync
			ana sees T title = Desk | ana2 sees T lost = Phone | all equal`,
		"comment-of-another-is-not-mine-to-change": `
			ana: create T | sync | bo: comment T hello | sync | cy cannot edit-comment hello to bye | ana: edit-comment hello to moderated | sync | bo sees T comments = moderated | all equal`,
		"marks": `
			ana: create T | ana sees T mark = device | sync | sync | ana sees T mark = everywhere | cut eu us | ana: rename T to X | sync | ana sees T mark = region | join eu us | sync | sync | ana sees T mark = everywhere`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := sim.History(t.Context(), t.TempDir(), text); err != nil {
				t.Fatal(err)
			}
		})
	}
}
