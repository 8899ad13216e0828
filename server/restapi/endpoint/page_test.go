package endpoint

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"holdfast/server/money"
	"holdfast/sync/fault"
)

// GW13: whoever reads page by page sees what was there at the beginning, each once and in order, whatever is added at the front meanwhile.
func TestPagesAreStableUnderWrites(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 60).Draw(t, "items")
		var list, want []int
		for i := range n {
			list = append(list, n-i)
		}
		want = slices.Clone(list)
		var got []int
		next := n
		for p := (Paging{Limit: rapid.IntRange(0, 20).Draw(t, "limit")}); ; {
			page, err := Cut(p, list, strconv.Itoa)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, page.Items...)
			if page.Next == "" {
				break
			}
			p.Cursor = page.Next
			for range rapid.IntRange(0, 3).Draw(t, "added") {
				next++
				list = append([]int{next}, list...)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

func TestPagesAreBounded(t *testing.T) {
	list := make([]int, 3*pageMax)
	for i := range list {
		list[i] = i
	}
	for limit, want := range map[int]int{0: pageDefault, 1: 1, pageMax: pageMax, pageMax + 1: pageMax} {
		if page, err := Cut(Paging{Limit: limit}, list, strconv.Itoa); err != nil || len(page.Items) != want {
			t.Errorf("%d: %d items (%v)", limit, len(page.Items), err)
		}
	}
	for _, cursor := range []string{"?", "AAAA", fmt.Sprint(list[0])} {
		if _, err := Cut(Paging{Cursor: cursor}, list, strconv.Itoa); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", cursor, err)
		}
	}
}

func TestMoneyIsExact(t *testing.T) {
	for _, c := range []struct {
		m    Money
		want int64
		kind fault.Kind
	}{
		{Money{"12.50", "EUR"}, 1250, 0}, {Money{"12.5", ""}, 1250, 0}, {Money{"-0.01", "EUR"}, -1, 0}, {Money{"1", "USD"}, 0, fault.Invalid}, {Money{"1", "NUTS"}, 0, fault.Invalid},
		{Money{"0.001", "EUR"}, 0, fault.Invalid}, {Money{"", "EUR"}, 0, fault.Invalid}, {Money{"1e3", "EUR"}, 0, fault.Invalid},
	} {
		got, err := c.m.Minor("EUR")
		if c.kind == 0 && (err != nil || got != c.want) || c.kind != 0 && (err == nil || fault.KindOf(err) != c.kind) {
			t.Errorf("%v: %d, %v", c.m, got, err)
		}
		if c.kind == 0 {
			if back, err := Of(got, "EUR").Minor("EUR"); err != nil || back != got {
				t.Errorf("%d came back as %d (%v)", got, back, err)
			}
		}
	}
	for _, c := range []money.Currency{"JPY", "EUR", "KWD"} {
		if n, err := Of(-12345, c).Minor(c); err != nil || n != -12345 {
			t.Errorf("%s: %d %v", c, n, err)
		}
	}
}
