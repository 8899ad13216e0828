package usage

import (
	"strconv"
	"strings"

	"holdfast/sync/id"
)

// An event's ID has one of two forms. "<series>:<from>-<to>" says that the event covers the members from…to of a
// numbered series, each of which is counted once for ever: the sequences of a region's log of one tenant, the rows of an
// edge's outbox. The hub keeps such a series as a few intervals, however many events there were. Any other text is
// opaque, and the hub remembers each one for at least 32 days.
//
// An event that overlaps members already counted is counted for the rest only, which needs a quantity of one per member
// (to-from+1); with any other quantity it is set aside for an operator.

// RangeID is the ID of an event for the members from…to of a series. A series' name has no colon.
func RangeID(series string, from, to uint64) string {
	return series + ":" + strconv.FormatUint(from, 10) + "-" + strconv.FormatUint(to, 10)
}

// ParseRange reads RangeID's form; ok is false for an opaque ID.
func ParseRange(eventID string) (series string, from, to uint64, ok bool) {
	series, span, found := strings.Cut(eventID, ":")
	lo, hi, dash := strings.Cut(span, "-")
	if !found || !dash || series == "" {
		return "", 0, 0, false
	}
	from, err1 := strconv.ParseUint(lo, 10, 63)
	to, err2 := strconv.ParseUint(hi, 10, 63)
	if err1 != nil || err2 != nil || to < from || RangeID(series, from, to) != eventID {
		return "", 0, 0, false
	}
	return series, from, to, true
}

// ChangesSeries is the series of a tenant's own log in one region.
func ChangesSeries(tenant id.ID) string { return Changes + "/" + string(tenant) }

// TwiceSeries is the series of the entries in a tenant's own log that another region counts.
func TwiceSeries(tenant id.ID) string { return Twice + "/" + string(tenant) }

// StorageID is the opaque ID of the reading of a tenant's size in one hour, counted since 1970.
func StorageID(tenant id.ID, unixHour int64) string {
	return Storage + "/" + string(tenant) + "/" + strconv.FormatInt(unixHour, 10)
}
