// Package vies asks the EU's register of VAT numbers (VIES) over its REST service.
//
// Only "valid" and "invalid" are answers. Everything else (a member state's register that is closed for the night, too many requests, no
// answer) is Unavailable and says nothing about the number.
package vies

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"holdfast/server/tax"
	"holdfast/sync/fault"
)

// URL is the service of the European Commission.
const URL = "https://ec.europa.eu/taxation_customs/vies/rest-api"

const (
	askMax         = 20 * time.Second // member states take their time
	answerBytesMax = 64 << 10
)

// Client asks. It is safe for concurrent use.
type Client struct {
	url  string
	http http.Client
}

// New makes a client of a service, such as URL; it sends nothing.
func New(url string) *Client {
	return &Client{url: url, http: http.Client{Timeout: askMax, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Knows tells whether a number is of a country whose register VIES asks.
func Knows(vatID string) bool {
	if len(vatID) < 4 {
		return false
	}
	c := vatID[:2]
	return c == "EL" || c == "XI" || c != "GR" && tax.EU(c)
}

// answer is what the service writes: about a number, or about itself.
type answer struct {
	Valid     *bool  `json:"valid"`
	UserError string `json:"userError"`
	Errors    []struct {
		Error string `json:"error"`
	} `json:"errorWrappers"`
}

// Check asks about a number, which begins with its country.
func (c *Client) Check(ctx context.Context, vatID string) (tax.Status, error) {
	const op = "vies.Check"
	if !Knows(vatID) {
		return tax.Unchecked, fault.Errorf(op, fault.Invalid, "VIES does not know numbers such as this.")
	}
	body, err := json.Marshal(map[string]string{"countryCode": vatID[:2], "vatNumber": vatID[2:]})
	if err != nil {
		return tax.Unchecked, fault.E(op, fault.Other, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.url, "/")+"/check-vat-number", bytes.NewReader(body))
	if err != nil {
		return tax.Unchecked, fault.E(op, fault.Invalid, err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	res, err := c.http.Do(req)
	if err != nil {
		return tax.Unchecked, fault.E(op, fault.Unavailable, err)
	}
	defer res.Body.Close()
	var a answer
	if err := json.NewDecoder(io.LimitReader(res.Body, answerBytesMax)).Decode(&a); err != nil {
		return tax.Unchecked, fault.E(op, fault.Unavailable, err)
	}
	why := a.UserError
	if len(a.Errors) > 0 {
		why = a.Errors[0].Error
	}
	switch {
	case why == "INVALID_INPUT" || why == "INVALID":
		return tax.Bad, nil
	case res.StatusCode != http.StatusOK || a.Valid == nil || why != "" && why != "VALID":
		return tax.Unchecked, fault.Errorf(op, fault.Unavailable, "VIES answered %d %.40q.", res.StatusCode, why)
	case *a.Valid:
		return tax.Valid, nil
	}
	return tax.Bad, nil
}
