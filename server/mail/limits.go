package mail

import "time"

const (
	sendMax    = time.Minute // for one mail, from the dial to the server's last word
	addressMax = 254         // characters (RFC 5321, 4.5.3.1)
	reasonMax  = 300         // characters of a server's refusal that are kept
)
