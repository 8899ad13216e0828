package main

import (
	"context"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"holdfast/build/bench/figure"
)

const starts = 5

// firstAnswer is how long `holdfast dev` takes from its start until the first page comes back: on an empty folder, and on
// the folder that it has left.
func firstAnswer(ctx context.Context, e env) (out []figure.Figure, err error) {
	err = try(ctx, e, func(t *trial) {
		_, err := program()
		t.must(err)
		var fresh, again []time.Duration
		for range starts {
			dir := t.TempDir()
			fresh, again = append(fresh, t.timeStart(dir)), append(again, t.timeStart(dir))
		}
		for _, f := range []struct {
			what string
			took []time.Duration
		}{{"an empty folder", fresh}, {"the folder of before", again}} {
			out = append(out, figure.Figure{ID: "P0", What: "start of holdfast dev on " + f.what + " → first page, worst", Unit: "ms", Value: figure.Percentile(f.took, 1), Target: 2000,
				Note: fmt.Sprintf("p50 %.0f ms, %d starts", figure.Percentile(f.took, 0.5), starts)})
		}
	})
	return out, err
}

func (t *trial) timeStart(dir string) time.Duration {
	port := strconv.Itoa(t.freePorts(1))
	began := time.Now()
	p := t.run("dev", "--data", dir, "--port", port)
	t.eventually(startMax, "holdfast dev answers", func() bool { return answers(t.ctx, "http://localhost:"+port+"/") })
	took := time.Since(began)
	p.stop(syscall.SIGTERM)
	return took
}
