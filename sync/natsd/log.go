package natsd

import (
	"fmt"
	"log/slog"
)

// logger hands the server's lines to the node's log, each as one attribute.
type logger struct{ log *slog.Logger }

func (l *logger) Noticef(f string, v ...any) {
	l.log.Debug("message server", "note", fmt.Sprintf(f, v...))
}
func (l *logger) Warnf(f string, v ...any) {
	l.log.Warn("message server", "note", fmt.Sprintf(f, v...))
}
func (l *logger) Errorf(f string, v ...any) {
	l.log.Warn("message server", "note", fmt.Sprintf(f, v...))
}
func (l *logger) Fatalf(f string, v ...any) {
	l.log.Error("message server", "note", fmt.Sprintf(f, v...))
}
func (l *logger) Debugf(f string, v ...any) {}
func (l *logger) Tracef(f string, v ...any) {}
