package wire

import "time"

// RegionBeat is how often an edge tells the hub that its region is there.
const RegionBeat = 30 * time.Second

// Bounds of messages. PayloadMax is also the NATS servers' max_payload.
const (
	PayloadMax   = 1 << 20
	PushTxsMax   = 500 // transactions in one push
	PushBytesMax = 512 << 10
	PullBytesMax = 768 << 10 // entries in one pull's answer, before compression
	ViewBytesMax = 64
	NameBytesMax = 200
	PresentMax   = 500 // people listed in one presence message
	DetailMax    = 500
	packFrom     = 1 << 10 // smaller bodies are sent as they are
	bodyMax      = 8 << 20 // a body after decompression
	fatesMax     = PushTxsMax
)
