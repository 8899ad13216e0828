package payment

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"holdfast/sync/fault"
)

// Sign makes the headers of a webhook by Standard Webhooks 1.0.0: HMAC-SHA256 over id.timestamp.body.
func Sign(secret []byte, id string, at time.Time, body []byte) http.Header {
	ts := strconv.FormatInt(at.Unix(), 10)
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", ts)
	h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac(secret, id, ts, body)))
	return h
}

func mac(secret []byte, id, ts string, body []byte) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(id + "." + ts + "."))
	m.Write(body)
	return m.Sum(nil)
}

// Verify checks a webhook's signature and age against now and reads its event. Several signatures (during a change of
// secret) are separated by spaces; one must be right. Anything wrong is Denied, and nothing of the body is looked at
// before.
func Verify(secret []byte, h http.Header, body []byte, now time.Time) (Event, error) {
	const op = "payment.Verify"
	if len(body) > BodyMax {
		return Event{}, fault.Errorf(op, fault.TooLarge, "a webhook of more than %d bytes", BodyMax)
	}
	id, ts := h.Get("webhook-id"), h.Get("webhook-timestamp")
	sec, err := strconv.ParseInt(ts, 10, 64)
	if id == "" || err != nil {
		return Event{}, fault.Errorf(op, fault.Denied, "the webhook is not signed")
	}
	if age := now.Sub(time.Unix(sec, 0)); age > Tolerance || age < -Tolerance {
		return Event{}, fault.Errorf(op, fault.Denied, "the webhook's time is more than %s off", Tolerance)
	}
	want, ok := mac(secret, id, ts, body), false
	for _, s := range strings.Fields(h.Get("webhook-signature")) {
		v, sig, _ := strings.Cut(s, ",")
		got, err := base64.StdEncoding.DecodeString(sig)
		ok = ok || v == "v1" && err == nil && hmac.Equal(got, want)
	}
	if !ok {
		return Event{}, fault.Errorf(op, fault.Denied, "the webhook's signature is wrong")
	}
	var e Event
	if err := json.Unmarshal(body, &e); err != nil {
		return Event{}, fault.E(op, fault.Invalid, err)
	}
	if e.ID != id {
		return Event{}, fault.Errorf(op, fault.Invalid, "the webhook's id and its event's differ")
	}
	return e, nil
}
