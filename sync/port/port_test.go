package port

import (
	"encoding/json"
	"reflect"
	"testing"

	"holdfast/sync/change"
	"holdfast/sync/fault"
	"holdfast/sync/id"
)

// What one side writes the other reads as it was; the page and the worker are compiled apart.
func TestMessagesRoundTrip(t *testing.T) {
	task := id.Derive("T")
	edit := Edit{Command: "task.set", Rows: []EditRow{{Table: "task", ID: task, Set: map[string]change.Value{
		"title": change.V("\u2028 \"x\" </script>"), "priority": change.V(int64(1)<<53 + 1), "due": change.V(nil)}}}}
	for _, m := range []any{
		&edit,
		&Request{ID: 7, Op: OpWatch, Args: json.RawMessage(`{"kind":"tasks"}`), Watch: 3},
		&Query{Kind: Tasks, Project: id.Derive("P"), Status: "todo", Filter: Filter{Text: "é", Assignee: Nobody, Priority: 2}, Offset: 100, Limit: 50},
		&Message{Reply: &Reply{ID: 7, Error: &Error{Kind: fault.TooLarge, Detail: "Too long."}}},
		&Message{Result: &Result{Watch: 3, Body: json.RawMessage(`{"total":1}`)}},
		&Message{Status: &Status{Ready: true, Loading: 0.5, Storage: "disk", Link: Online, People: []Person{{Member: task, View: "task/x", Me: true}}}},
		&DetailResult{Found: true, Task: Task{ID: task, Labels: []id.ID{"l"}, Mark: Device}, Comments: []Comment{{ID: "c", Edited: true}},
			History: []HistItem{{Col: "priority", Value: change.V(3), Lost: true}, {Col: "due", Now: true}}},
		&AttentionResult{Items: []AttentionItem{{Num: 4, Kind: fault.Denied, Rows: edit.Rows}}},
	} {
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		back := reflect.New(reflect.TypeOf(m).Elem()).Interface()
		if err := json.Unmarshal(b, back); err != nil || !reflect.DeepEqual(back, m) {
			t.Errorf("%s\nread as %+v, %v", b, back, err)
		}
	}
}

// The page's scripts and styles know these by number and word.
func TestNamesAreKept(t *testing.T) {
	if Everywhere != 0 || Region != 1 || Device != 2 || Refused != 3 {
		t.Error("a mark has another number")
	}
	b, err := json.Marshal(Message{Status: &Status{}})
	if want := `{"status":{"ready":false,"loading":0,"storage":"","link":"","region":"","waiting":0,"attention":0,"behind":false,"offsetMS":0,"people":null}}`; err != nil || string(b) != want {
		t.Errorf("got %s, want %s", b, want)
	}
}
