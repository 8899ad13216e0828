package identity

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol"

	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// vector is one example of Web Authentication Level 3, §16 "Test Vectors" (https://www.w3.org/TR/webauthn-3/#sctn-test-vectors),
// for the site example.org. Values are hexadecimal.
type vector struct {
	Section string
	ID      string
	Create  struct{ Challenge, ClientDataJSON, AttestationObject string }
	Get     struct{ Challenge, ClientDataJSON, AuthenticatorData, Signature string }
}

func vectors(t *testing.T) []vector {
	t.Helper()
	b, err := os.ReadFile("testdata/webauthn-l3.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []vector
	if err := json.Unmarshal(b, &list); err != nil || len(list) != 14 {
		t.Fatalf("%d vectors, %v", len(list), err)
	}
	return list
}

func b64(t *testing.T, h string) string {
	t.Helper()
	b, err := hex.DecodeString(h)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ask makes the challenge of a ceremony under way the vector's, as if we had drawn it.
func (s *Service) ask(t *testing.T, kind, challenge string, person id.ID, uv protocol.UserVerificationRequirement) {
	t.Helper()
	u := &user{Person: Person{person, "Vector"}}
	_, data, err := s.web.BeginRegistration(u)
	if kind == kindSignIn {
		_, data, err = s.web.BeginDiscoverableLogin()
	}
	if err != nil {
		t.Fatal(err)
	}
	data.Challenge, data.UserVerification = b64(t, challenge), uv
	if err := s.remember(t.Context(), ceremony{kind, person, "Vector", data}); err != nil {
		t.Fatal(err)
	}
}

// madeUp are the formats that chain to a vendor's certificate. The specification made those up, and only the real ones count.
var madeUp = []string{"TPM", "Android Key", "Apple"}

// Every example registers and signs in through our own code, except those that were made inside another site's frame and
// those with a made-up vendor, which we refuse.
func TestSpecificationVectors(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Section, func(t *testing.T) {
			s := newService(t, time.Now, rand.Reader)
			s.web.Config.RPID, s.web.Config.RPOrigins = "example.org", []string{"https://example.org"}
			person := id.Derive("vector", v.ID)
			register := func(uv protocol.UserVerificationRequirement) error {
				s.ask(t, kindSignUp, v.Create.Challenge, person, uv)
				body, _ := json.Marshal(map[string]any{"id": b64(t, v.ID), "rawId": b64(t, v.ID), "type": "public-key", "response": map[string]any{
					"attestationObject": b64(t, v.Create.AttestationObject), "clientDataJSON": b64(t, v.Create.ClientDataJSON)}})
				_, err := s.FinishSignUp(t.Context(), Visitor{}, body)
				return err
			}
			err := register(protocol.VerificationPreferred)
			if data, _ := hex.DecodeString(v.Create.ClientDataJSON); strings.Contains(string(data), `"crossOrigin":true`) {
				if fault.KindOf(err) != fault.Denied {
					t.Errorf("made inside another site's frame: %v", err)
				}
				return
			}
			if slices.ContainsFunc(madeUp, func(name string) bool { return strings.Contains(v.Section, name) }) {
				if fault.KindOf(err) != fault.Denied {
					t.Errorf("vouched for by a vendor that does not exist: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatalf("not registered: %v", err)
			}
			s.ask(t, kindSignIn, v.Get.Challenge, "", protocol.VerificationPreferred)
			handle := person.Bytes()
			signIn := func(signature string) error {
				body, _ := json.Marshal(map[string]any{"id": b64(t, v.ID), "rawId": b64(t, v.ID), "type": "public-key", "response": map[string]any{
					"authenticatorData": b64(t, v.Get.AuthenticatorData), "clientDataJSON": b64(t, v.Get.ClientDataJSON), "signature": b64(t, signature),
					"userHandle": base64.RawURLEncoding.EncodeToString(handle[:])}})
				_, err := s.FinishSignIn(t.Context(), Visitor{}, body)
				return err
			}
			if err := signIn(v.Get.Signature); err != nil {
				t.Errorf("not signed in: %v", err)
			}
			s.ask(t, kindSignIn, v.Get.Challenge, "", protocol.VerificationPreferred)
			if err := signIn(v.Get.Signature[:len(v.Get.Signature)-2] + "00"); fault.KindOf(err) != fault.Denied {
				t.Errorf("signed in with a signature that is not right: %v", err)
			}
			raw, _ := hex.DecodeString(v.Get.AuthenticatorData)
			if verified := raw[32]&4 != 0; !verified {
				s.ask(t, kindSignIn, v.Get.Challenge, "", protocol.VerificationRequired)
				if err := signIn(v.Get.Signature); fault.KindOf(err) != fault.Denied {
					t.Errorf("signed in without user verification, which we ask for: %v", err)
				}
			}
		})
	}
}
