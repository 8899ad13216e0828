package port

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
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
		&Message{Results: []Result{{Watch: 3, Body: json.RawMessage(`{"total":1}`)}, {Watch: 4, Error: &Error{}}}},
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

// A window is what it was made from, whatever came before; and no field of a task is left out of the comparison.
func TestWindowsSinceAndOver(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var before TasksResult
	for seq := range int64(2000) {
		now := TasksResult{Tasks: []Task{}, Seq: seq + 1}
		for _, i := range rng.Perm(12)[:rng.IntN(12)] {
			now.Tasks = append(now.Tasks, Task{ID: id.Derive("t", fmt.Sprint(i)), Title: fmt.Sprint(rng.IntN(2))})
		}
		if rng.IntN(2) == 0 { // as it is nearly always: little is new
			now.Tasks = slices.Clone(before.Tasks)
			if n := len(now.Tasks); n > 2 {
				now.Tasks[rng.IntN(n)].Title = "new"
				now.Tasks = slices.Delete(now.Tasks, 1, 2)
			}
		}
		said := now.Since(before)
		got, ok := said.Over(before)
		if !ok || len(got.Runs) > 0 || !slices.EqualFunc(got.Tasks, now.Tasks, Task.Equal) {
			t.Fatalf("%+v over %+v is %+v, want %+v", said, before, got, now)
		}
		if _, ok := said.Over(now); ok && len(said.Runs) > 0 {
			t.Fatalf("%+v goes over an answer that it was not made for", said)
		}
		if len(said.Runs) > 0 && len(said.Tasks) >= len(now.Tasks) {
			t.Fatalf("nothing is spared by %+v", said)
		}
		before = now
	}
	for _, runs := range [][]Run{{{0, 13}}, {{5, -1}}, {{Fresh, 1}}, {{-2, 1}}} {
		if _, ok := (TasksResult{Runs: runs, Seq: 1}).Over(TasksResult{Tasks: make([]Task, 12)}); ok {
			t.Errorf("%v is a window", runs)
		}
	}
	for i := range reflect.TypeFor[Task]().NumField() {
		var other Task
		switch f := reflect.ValueOf(&other).Elem().Field(i); f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Int, reflect.Int64:
			f.SetInt(1)
		case reflect.Uint8:
			f.SetUint(1)
		case reflect.Slice:
			f.Set(reflect.ValueOf([]id.ID{"x"}))
		default:
			t.Fatalf("a field of kind %s: extend this test", f.Kind())
		}
		if other.Equal(Task{}) {
			t.Errorf("field %s is not compared", reflect.TypeFor[Task]().Field(i).Name)
		}
	}
}
