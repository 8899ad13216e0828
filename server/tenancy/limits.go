package tenancy

import "time"

// Bounds.
const (
	MembersMax       = 2000 // former ones included: they are one directory record, and a message holds 1 MiB
	WorkspacesMax    = 50   // that one person is in
	InvitationsMax   = 100  // open ones of a workspace
	InvitationUses   = 25   // when the inviter does not say
	InvitationUseMax = 100
	invitationTTL    = 7 * 24 * time.Hour
	codeBytes        = 16
)
