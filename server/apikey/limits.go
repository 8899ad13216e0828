package apikey

import "time"

const (
	keysMax     = 50 // of a workspace, revoked ones aside
	idBytes     = 5
	secretBytes = 20 // 160 random bits: nothing to guess, so a fast hash is enough
	usedEvery   = time.Minute
	lifetimeMin = time.Minute
	lifetimeMax = 10 * 366 * 24 * time.Hour
	keyBytesMax = 100 // of what is sent as a key
)
