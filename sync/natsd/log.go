package natsd

import (
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"golang.org/x/time/rate"
)

// logger hands the server's lines to the node's log, each as one attribute. Browsers can cause lines (every refused
// subject is one), so there is a limit; lines beyond it are counted.
type logger struct {
	log      *slog.Logger
	often    *rate.Limiter
	unlogged atomic.Int64
}

func newLogger(log *slog.Logger) *logger {
	return &logger{log: log, often: rate.NewLimiter(linesSecond, linesBurst)}
}

func (l *logger) warn(f string, v ...any) {
	if strings.HasPrefix(f, "Websocket not configured with TLS") {
		l.Noticef(f, v...) // it is on loopback, and the gateway before it has TLS
		return
	}
	if !l.often.Allow() {
		l.unlogged.Add(1)
		return
	}
	attrs := []any{"note", fmt.Sprintf(f, v...)}
	if n := l.unlogged.Swap(0); n > 0 {
		attrs = append(attrs, "unlogged", n)
	}
	l.log.Warn("message server", attrs...)
}

func (l *logger) Noticef(f string, v ...any) {
	l.log.Debug("message server", "note", fmt.Sprintf(f, v...))
}
func (l *logger) Warnf(f string, v ...any)  { l.warn(f, v...) }
func (l *logger) Errorf(f string, v ...any) { l.warn(f, v...) }
func (l *logger) Fatalf(f string, v ...any) {
	l.log.Error("message server", "note", fmt.Sprintf(f, v...))
}
func (l *logger) Debugf(string, ...any) {}
func (l *logger) Tracef(string, ...any) {}
