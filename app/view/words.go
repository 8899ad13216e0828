package view

import (
	"strconv"
	"strings"
	"time"

	"holdfast/sync/fault"
	"holdfast/sync/work"
)

// StatusName, PriorityName and RoleName are the words for stored values.
func StatusName(s string) string {
	switch s {
	case work.Backlog:
		return "Backlog"
	case work.Todo:
		return "To do"
	case work.Doing:
		return "In progress"
	case work.Review:
		return "In review"
	case work.Done:
		return "Done"
	case work.Canceled:
		return "Canceled"
	}
	return s
}

func PriorityName(p int) string {
	switch p {
	case work.Urgent:
		return "Urgent"
	case work.High:
		return "High"
	case work.Medium:
		return "Medium"
	case work.Low:
		return "Low"
	}
	return "No priority"
}

func RoleName(r string) string {
	if r == "" {
		return ""
	}
	return strings.ToUpper(r[:1]) + r[1:]
}

// ColumnName is what a task's column is called in its history.
func ColumnName(col string) string {
	switch col {
	case "due":
		return "due date"
	case "deleted":
		return "place"
	}
	return col
}

// Due is a due date's words and its tone: "late", "soon" or "".
func Due(date string, now time.Time) (text, tone string) {
	d, err := time.ParseInLocation(time.DateOnly, date, now.Location())
	if err != nil {
		return "", ""
	}
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch days := int(d.Sub(today).Round(24*time.Hour).Hours() / 24); {
	case days == 0:
		return "Today", "soon"
	case days == 1:
		return "Tomorrow", "soon"
	case days == -1:
		return "Yesterday", "late"
	case days < 0:
		tone = "late"
	case days < 7:
		return d.Format("Monday")[:3], ""
	}
	if d.Year() == now.Year() {
		return d.Format("2 Jan"), tone
	}
	return d.Format("2 Jan 2006"), tone
}

// Ago is a moment in the past as people say it.
func Ago(ms int64, now time.Time) string {
	t := time.UnixMilli(ms).In(now.Location())
	switch d := now.Sub(t); {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " min ago"
	case d < 24*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h ago"
	case d < 7*24*time.Hour:
		return t.Format("Mon 15:04")
	case t.Year() == now.Year():
		return t.Format("2 Jan")
	}
	return t.Format("2 Jan 2006")
}

// Count is a number and its noun: Count(2, "task", "tasks").
func Count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Number(int64(n)) + " " + many
}

// Number groups digits by threes.
func Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Bytes is a size in the unit that reads best.
func Bytes(n int64) string {
	units := []string{"bytes", "KB", "MB", "GB", "TB"}
	v, u := float64(n), 0
	for v >= 1000 && u < len(units)-1 {
		v, u = v/1000, u+1
	}
	if u == 0 || v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64) + " " + units[u]
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[u]
}

// Sentence says what a fault means to a person and what to do next. The detail, if any, says what exactly.
func Sentence(k fault.Kind, detail string) string {
	detail = strings.TrimSuffix(detail, ".")
	if detail != "" {
		r := []rune(detail)
		detail = strings.ToUpper(string(r[:1])) + string(r[1:]) + ". "
	}
	switch k {
	case fault.Invalid:
		return detail + "Change it and try again."
	case fault.Denied:
		return detail + "You may not do this here. Ask an owner of the workspace for the role it needs."
	case fault.NotFound:
		return detail + "It is not there any more."
	case fault.Conflict:
		return detail + "Somebody changed it in the meantime. Look at it and try again."
	case fault.Expired:
		return "Your session is over. Sign in again; your work on this device is kept."
	case fault.TooLarge:
		return detail + "It is too large. Shorten it and try again."
	case fault.Limit:
		return detail + "This is over a limit. Wait a little and try again, or ask an owner about the plan."
	case fault.Unavailable, fault.Behind:
		return detail + "The service cannot be reached now. Try again in a moment."
	case fault.Busy:
		return detail + "It is in use elsewhere at the moment. Try again."
	case fault.Full:
		return "This device has no room left. Free some space, then try again."
	case fault.Corrupt:
		return detail + "The copy on this device is damaged. Rebuild it on the page This device."
	case fault.Unsupported:
		return detail + "This version of the app cannot do that. Reload the page to get the newest."
	}
	return detail + "Something went wrong. Try again; if it stays, reload the page."
}
