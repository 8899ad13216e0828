// Package webhook sends signed events to addresses that customers name: Standard Webhooks 1.0.0.
//
// Who receives one checks webhook-signature over "id.timestamp.body" with the secret, and drops what it has had under the same webhook-id.
// An address may lead anywhere, so it is never trusted: every connection is checked when it is made, after names are resolved, and
// nothing but the status of the answer is used.
package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"holdfast/sync/fault"
)

const secretPrefix = "whsec_"

// NewSecret makes a secret out of randomness.
func NewSecret(rand io.Reader) (string, error) {
	b := make([]byte, secretBytes)
	if _, err := io.ReadFull(rand, b); err != nil {
		return "", fault.E("webhook.NewSecret", fault.Unavailable, err)
	}
	return secretPrefix + base64.StdEncoding.EncodeToString(b), nil
}

// Sign makes the headers of a webhook. Several secrets give several signatures, so that receivers can change theirs in their own time.
func Sign(secrets []string, id string, at time.Time, body []byte) (http.Header, error) {
	const op = "webhook.Sign"
	ts := strconv.FormatInt(at.Unix(), 10)
	var signatures []string
	for _, s := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, secretPrefix))
		if err != nil || !strings.HasPrefix(s, secretPrefix) {
			return nil, fault.Errorf(op, fault.Corrupt, "a secret does not have the form whsec_…")
		}
		m := hmac.New(sha256.New, key)
		m.Write([]byte(id + "." + ts + "."))
		m.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
	}
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", ts)
	h.Set("webhook-signature", strings.Join(signatures, " "))
	return h, nil
}
