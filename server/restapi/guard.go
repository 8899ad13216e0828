package restapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"

	"holdfast/server/billingdb"
	"holdfast/server/restapi/endpoint"
	"holdfast/sync/fault"
	"holdfast/sync/problem"
)

// keys are those whose first request is under way.
type keys struct {
	mu    sync.Mutex
	under map[[2]string]bool
}

func (k *keys) take(owner, key string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.under[[2]string{owner, key}] {
		return false
	}
	k.under[[2]string{owner, key}] = true
	return true
}

func (k *keys) leave(owner, key string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.under, [2]string{owner, key})
}

// guard finds out who asks, and keeps the promise of idempotency keys.
func (s *service) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if strings.HasPrefix(r.URL.Path, "/api/v1/openapi") && r.Method == http.MethodGet {
			next.ServeHTTP(w, r)
			return
		}
		if err := s.admit(w, r, next); err != nil {
			problem.Write(w, err)
		}
	})
}

func (s *service) admit(w http.ResponseWriter, r *http.Request, next http.Handler) error {
	const op = "restapi.admit"
	who, err := s.who(r)
	if err != nil {
		return err
	}
	if !s.pace(w, who) {
		return nil
	}
	r = r.WithContext(context.WithValue(r.Context(), callerKey{}, who))
	if strings.HasPrefix(r.URL.Path, operatorPath) { // before a body is looked at: its mistakes would tell that something is there
		if err := s.mayOperate(r.Context(), "", ""); err != nil {
			return err
		}
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		next.ServeHTTP(w, r)
		return nil
	}
	if who.key == nil && !slices.Contains(s.Origins, r.Header.Get("Origin")) {
		return fault.Errorf(op, fault.Denied, "Requests with a session's cookie need an Origin header with one of Holdfast's own origins.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyBytesMax))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return fault.Errorf(op, fault.TooLarge, "A request holds at most %d bytes.", bodyBytesMax)
	}
	if err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return s.once(w, r, who.name(), body, next)
}

// once does a request with a key one time.
func (s *service) once(w http.ResponseWriter, r *http.Request, owner string, body []byte, next http.Handler) error {
	const op = "restapi.once"
	key := r.Header.Get("Idempotency-Key")
	if key == "" || len(key) > endpoint.KeyMax {
		return fault.Errorf(op, fault.Invalid, "This request needs an Idempotency-Key header of 1 to %d characters. Make a new one for each new request.", endpoint.KeyMax)
	}
	if !s.keys.take(owner, key) {
		return fault.Errorf(op, fault.Conflict, "The first request with this idempotency key is still under way. Send it again in a moment.")
	}
	defer s.keys.leave(owner, key)
	h := sha256.New()
	for _, part := range []string{r.Method, r.URL.RequestURI(), string(body)} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	print := h.Sum(nil)
	db := s.Billing.Replies()
	was, found, err := db.Reply(r.Context(), owner, key, s.Now())
	switch {
	case err != nil:
		return err
	case found && !bytes.Equal(was.Print, print):
		return sendProblem(w, http.StatusUnprocessableEntity, problem.Problem{Type: "urn:holdfast:problem:idempotency-key", Title: "Key used twice", Status: http.StatusUnprocessableEntity,
			Kind: fault.Invalid.String(), Detail: "This idempotency key was used for another request. Make a new one for each new request."})
	case found:
		w.Header().Set("Idempotency-Replayed", "true")
		send(w, was)
		return nil
	}
	rec := &recorder{header: w.Header(), status: http.StatusOK}
	next.ServeHTTP(rec, r)
	reply := billingdb.Reply{Print: print, Status: rec.status, Type: rec.header.Get("Content-Type"), Body: rec.body.Bytes()}
	if rec.status < http.StatusInternalServerError {
		if err := db.PutReply(context.WithoutCancel(r.Context()), owner, key, reply, s.Now()); err != nil {
			s.Log.Error("a reply was not kept", "err", err) // the request was done; its answer goes out all the same
		}
	}
	send(w, reply)
	return nil
}

func sendProblem(w http.ResponseWriter, status int, p any) error {
	b, err := json.Marshal(p)
	if err != nil {
		return fault.E("restapi.sendProblem", fault.Other, err)
	}
	send(w, billingdb.Reply{Status: status, Type: problem.ContentType, Body: b})
	return nil
}

func send(w http.ResponseWriter, r billingdb.Reply) {
	if r.Type != "" {
		w.Header().Set("Content-Type", r.Type)
	}
	w.WriteHeader(r.Status)
	w.Write(r.Body) // a failed write is a client that left
}

// recorder holds an answer back until it is kept.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
