package main

import (
	"context"
	"errors"

	"holdfast/build/assets"
	"holdfast/build/bench/figure"
	"holdfast/build/rules"
)

// firstVisit adds up what a browser with brotli loads (P4).
func firstVisit(context.Context, env) ([]figure.Figure, error) {
	m, err := assets.Manifest()
	if err != nil {
		return nil, err
	}
	if !m.Release {
		return nil, errors.New("the web app is built quickly, not for release: run make build")
	}
	all, first := rules.Weigh(m)
	return []figure.Figure{
		{ID: "P4", What: "first visit, bytes over the wire, all", Value: float64(all) / 1e6, Unit: "MB", Target: rules.BytesAllMax / 1e6},
		{ID: "P4", What: "the same, before the sign-in page answers", Value: float64(first) / 1e6, Unit: "MB", Target: rules.BytesFirstMax / 1e6},
	}, nil
}
