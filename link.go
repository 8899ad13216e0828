package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"holdfast/sync/fault"
)

const (
	controlFile = "dev.sock" // in the data folder: how `holdfast link` reaches `holdfast dev`
	controlMax  = 5 * time.Second
)

type linkCmd struct {
	Action string        `arg:"" enum:"cut,mute,heal,delay" help:"cut: connections end. mute: they stay, and nothing arrives. heal: all is well again. delay: slow it by --by."`
	Region string        `arg:"" help:"The region whose link it is."`
	By     time.Duration `help:"Delay in each direction, for 'delay'."`
	Data   string        `default:"./data" env:"HOLDFAST_DATA" type:"path" help:"Data folder of the running 'holdfast dev'."`
}

// Run asks the running process.
func (c linkCmd) Run(ctx context.Context) error {
	const op = "link"
	ctx, cancel := context.WithTimeout(ctx, controlMax)
	defer cancel()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(c.Data, controlFile))
	}}}
	url := fmt.Sprintf("http://dev/link/%s/%s?by=%s", c.Region, c.Action, c.By)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return fault.Errorf(op, fault.Invalid, "%q cannot be a region's name.", c.Region)
	}
	res, err := client.Do(req)
	if err != nil {
		return fault.Errorf(op, fault.Unavailable, "No 'holdfast dev' runs on %s. Start one, or name its folder with --data.", c.Data)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	if err != nil {
		return fault.E(op, fault.Unavailable, err)
	}
	if res.StatusCode != http.StatusOK {
		return fault.Errorf(op, fault.Invalid, "%s", strings.TrimSpace(string(text)))
	}
	_, err = fmt.Printf("%s", text)
	return err
}

// openControl listens for `holdfast link`. Only who may open the data folder reaches it.
func (s *devStack) openControl() error {
	path := filepath.Join(s.cmd.Data, controlFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) { // left by a killed process; the folder's lock is ours
		return fault.E("dev.control", fault.Other, err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return fault.E("dev.control", fault.Unavailable, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /link/{region}/{action}", s.setLink)
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: controlMax}
	go func() { _ = srv.Serve(ln) }() // ends with Close
	s.nodes = append(s.nodes, closer(srv.Close))
	return nil
}

func (s *devStack) setLink(w http.ResponseWriter, r *http.Request) {
	region, action := r.PathValue("region"), r.PathValue("action")
	l := s.links[region]
	if l == nil {
		http.Error(w, fmt.Sprintf("There is no region %q here. Running: %s.", region, strings.Join(s.cmd.Regions, ", ")), http.StatusNotFound)
		return
	}
	switch action {
	case "cut":
		l.Cut()
	case "mute":
		l.Mute()
	case "heal":
		l.Heal()
	case "delay":
		by, err := time.ParseDuration(r.URL.Query().Get("by"))
		if err != nil || by < 0 {
			http.Error(w, "Say how much with --by, such as --by 40ms.", http.StatusBadRequest)
			return
		}
		l.SetDelay(by)
	default:
		http.Error(w, "Say cut, mute, heal or delay.", http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s: %s\n", region, action)
}
