package control

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"

	"holdfast/sync/fault"
	"holdfast/sync/problem"
)

// Client calls the hub that runs on a data folder.
type Client struct {
	dir  string
	http http.Client
}

// hubFolder is where `holdfast dev` keeps the hub within its own folder.
const hubFolder = "hub"

// NewClient makes a client for a data folder: a hub's own, or that of `holdfast dev`.
func NewClient(dir string) *Client {
	c := &Client{dir: dir}
	c.http.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "unix", filepath.Join(dir, File))
		if err != nil {
			conn, err = d.DialContext(ctx, "unix", filepath.Join(dir, hubFolder, File))
		}
		return conn, err
	}}
	return c
}

// Call sends in (nil: nothing) as JSON, or as it is if it is []byte, and reads the answer into out (nil: dropped; *[]byte: as it is).
// Refusals of the hub come back as its sentences.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	const op = "control.Call"
	body, raw := in.([]byte)
	if in != nil && !raw {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fault.E(op, fault.Invalid, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, CallMax)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://hub"+path, bytes.NewReader(body))
	if err != nil {
		return fault.E(op, fault.Invalid, err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return fault.Errorf(op, fault.Unavailable, "The hub did not answer in time. Look at its log.")
		}
		return &fault.Error{Op: op, Kind: fault.Unavailable, Err: err, Detail: "No hub runs on " + c.dir + ". Start one, or name its folder with --data."}
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, AnswerBytesMax))
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	if res.StatusCode >= http.StatusBadRequest {
		var p problem.Problem
		if json.Unmarshal(b, &p) != nil || p.Detail == "" {
			p.Detail = "The hub refused that: " + res.Status + "."
		}
		return fault.Errorf(op, fault.Invalid, "%s", p.Detail)
	}
	if keep, ok := out.(*[]byte); ok {
		*keep = b
		return nil
	}
	if out == nil {
		return nil
	}
	return fault.As(op, fault.Corrupt, json.Unmarshal(b, out))
}
