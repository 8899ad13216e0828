package document

import (
	"bytes"
	"compress/zlib"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/govalues/decimal"
	"pgregory.net/rapid"

	"holdfast/server/invoice"
	"holdfast/server/period"
	"holdfast/server/rating"
	"holdfast/server/tax"
	"holdfast/sync/fault"
)

var rewrite = flag.Bool("update", false, "rewrite golden files")

var day1 = time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)

func at(percent string) tax.Treatment {
	return tax.Treatment{Category: tax.Standard, Name: "TVA", Country: "FR", Percent: decimal.MustParse(percent)}
}

func base(lines ...invoice.Line) invoice.Invoice {
	for i := range lines {
		lines[i].ID = fmt.Sprint("l", i)
		if lines[i].Span.Start.IsZero() {
			lines[i].Span = period.Span{Start: day1, End: day1.AddDate(0, 1, 0)}
		}
	}
	return invoice.Invoice{ID: "i1", Number: "DRAFT", State: invoice.Draft, Currency: "EUR", Lines: lines,
		Seller: invoice.Party{Name: "Holdfast SAS", Address: []string{"12 quai de la Rade", "29200 Brest"}, Country: "FR",
			VATID: "FR83404833048", CompanyID: "404833048",
			Email: "billing@holdfast.example", IBAN: "FR76 3000 6000 0112 3456 7890 189"},
		Buyer: invoice.Party{ID: "acme", Name: "Łódź & Söhne <Ελλάδα> Ltd", Address: []string{"1 High Street", "Dublin"},
			Country: "IE", VATID: "IE6388047V"}}
}

func sample(t *testing.T) (invoice.Invoice, invoice.Note) {
	t.Helper()
	v, err := base(
		invoice.Line{Name: "Team", Amount: 2900, Treatment: at("20"), Parts: []rating.Part{{What: "flat", Amount: 2900}}},
		invoice.Line{Name: "Seats", Quantity: "8", Amount: 4000, Treatment: at("20"), Share: "20/31"},
		invoice.Line{Name: "API calls", Quantity: "1227900", Amount: 115611, Treatment: at("20"), Parts: []rating.Part{
			{What: "tier", Quantity: "10000", Rate: "0", Amount: 0, From: "0", UpTo: "10000"}, {What: "tier", Quantity: "90000",
				Rate: "0.0015", Amount: 13500, From: "10000", UpTo: "100000"},
			{What: "tier", Quantity: "1127900", Rate: "0.0009", Amount: 102111, From: "100000"}}},
		invoice.Line{Name: "Handbook", Amount: 1999, TaxIncluded: true, Treatment: at("5.5")},
	).Compute([]invoice.Coupon{{ID: "TEN", Percent: decimal.MustParse("10"),
		Takes: func(l invoice.Line) bool { return !l.TaxIncluded }}})
	if err != nil {
		t.Fatal(err)
	}
	v, err = v.Issue("HF-000042", day1, day1.AddDate(0, 0, 14), []invoice.Applied{{Credit: "c", Kind: "balance", Amount: 5000}})
	if err != nil {
		t.Fatal(err)
	}
	n, err := v.Credit(nil, []invoice.Take{{Line: "l1", Amount: 1333,
		Span: period.Span{Start: day1.AddDate(0, 0, 20), End: day1.AddDate(0, 1,
			0)}, Name: "Unused time of Seats"}, {Line: "l3", Gross: 500}})
	if err != nil {
		t.Fatal(err)
	}
	n.Number, n.Issued, n.Reason, n.ToBalance = "HFC-000007", day1.AddDate(0, 0, 20), "change of quantity", n.Total
	return v, n
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := "testdata/" + name
	if *rewrite {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is kept; if it is meant, run go test with -update and read the difference", path)
	}
}

func TestBM26_EInvoice(t *testing.T) {
	v, n := sample(t)
	x, err := UBL(v, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	y, err := UBLNote(n, v, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for name, doc := range map[string][]byte{"invoice.xml": x, "note.xml": y} {
		if broken, err := Broken(doc); err != nil || len(broken) > 0 {
			t.Errorf("%s: %v %v", name, broken, err)
		}
		golden(t, name, doc)
	}
	if _, err := UBL(base(), time.UTC); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a draft: got %v", err)
	}
	v.Currency = "KWD"
	if _, err := UBL(v, time.UTC); fault.KindOf(err) != fault.Unsupported {
		t.Errorf("three decimals: got %v", err)
	}
}

func TestRulesFindWhatIsBroken(t *testing.T) {
	v, _ := sample(t)
	x, err := UBL(v, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for rule, change := range map[string][2]string{
		"BR-CO-10": {">1122.60</cbc:LineExtensionAmount>", ">1122.61</cbc:LineExtensionAmount>"},
		"BR-CO-14": {"", ""}, "BR-02": {"<cbc:ID>HF-000042</cbc:ID>", ""}, "BR-S-02": {">FR83404833048<",
			"><"}, "BR-27": {"<cbc:PriceAmount currencyID=\"EUR\">", "<cbc:PriceAmount currencyID=\"EUR\">-"},
		"BR-CO-16": {"<cbc:PayableAmount currencyID=\"EUR\">", "<cbc:PayableAmount currencyID=\"EUR\">1"},
		"BR-CO-15": {"<cbc:TaxInclusiveAmount currencyID=\"EUR\">", "<cbc:TaxInclusiveAmount currencyID=\"EUR\">1"},
		"BR-CO-17": {"<cbc:Percent>5.5</cbc:Percent>", "<cbc:Percent>55</cbc:Percent>"},
		"BR-DEC":   {"<cbc:TaxableAmount currencyID=\"EUR\">", "<cbc:TaxableAmount currencyID=\"EUR\">0.0001"},
	} {
		doc := string(x)
		if rule == "BR-CO-14" {
			doc = regexp.MustCompile(`(<cac:TaxTotal>\s*<cbc:TaxAmount currencyID="EUR">)`).ReplaceAllString(doc, "${1}1")
		} else if rule == "BR-CO-10" {
			doc = regexp.MustCompile(`(<cac:LegalMonetaryTotal>\s*<cbc:LineExtensionAmount currencyID="EUR">)`).ReplaceAllString(doc, "${1}1")
		} else {
			doc = strings.Replace(doc, change[0], change[1], -1)
		}
		if doc == string(x) {
			t.Errorf("%s: nothing was changed", rule)
		}
		broken, err := Broken([]byte(doc))
		if err != nil || !strings.Contains(strings.Join(broken, "\n"), rule+":") {
			t.Errorf("%s was not found: %v %v", rule, broken, err)
		}
	}
}

func TestLawEveryInvoiceIsAValidEInvoice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		treatments := []tax.Treatment{at("20"), at("5.5"), {Category: tax.Zero, Name: "VAT", Country: "FR"}}
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			treatments = []tax.Treatment{{Category: tax.Reverse, Name: "VAT", Country: "IE", Reason: "Reverse charge"}}
		case 1:
			treatments = []tax.Treatment{{Category: tax.Outside, Name: "No tax", Reason: "Not subject to tax"}}
		case 2:
			treatments = []tax.Treatment{{Category: tax.Export, Name: "VAT", Country: "US", Reason: "Export"}}
		}
		var lines []invoice.Line
		for range rapid.IntRange(1, 9).Draw(t, "lines") {
			lines = append(lines, invoice.Line{Name: "x", Amount: rapid.Int64Range(1, 1e8).Draw(t, "amount"),
				TaxIncluded: rapid.Bool().Draw(t, "included"), Treatment: rapid.SampledFrom(treatments).Draw(t, "tax")})
		}
		var coupons []invoice.Coupon
		if rapid.Bool().Draw(t, "coupon") {
			coupons = append(coupons, invoice.Coupon{ID: "c", Amount: rapid.Int64Range(1, 1e8).Draw(t, "off")})
		}
		v, err := base(lines...).Compute(coupons)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "no company number") {
			v.Seller.CompanyID = ""
		}
		if v, err = v.Issue("HF-1", day1, day1, nil); err != nil {
			t.Fatal(err)
		}
		x, err := UBL(v, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		if broken, err := Broken(x); err != nil || len(broken) > 0 {
			t.Fatalf("%v %v\n%s", broken, err, x)
		}
		l := v.Lines[0]
		if l.Net+l.Tax <= 0 {
			return
		}
		n, err := v.Credit(nil, []invoice.Take{{Line: l.ID, Gross: rapid.Int64Range(1, l.Net+l.Tax).Draw(t, "back")}})
		if err != nil {
			t.Fatal(err)
		}
		n.Number, n.Issued = "C-1", day1
		if x, err = UBLNote(n, v, time.UTC); err != nil {
			t.Fatal(err)
		}
		if broken, err := Broken(x); err != nil || len(broken) > 0 {
			t.Fatalf("note: %v %v\n%s", broken, err, x)
		}
	})
}

func TestBM26_HTML(t *testing.T) {
	v, n := sample(t)
	for name, p := range map[string]Paper{"invoice.html": Invoice(v, time.UTC), "note.html": Note(n, time.UTC)} {
		var b bytes.Buffer
		if err := p.HTML(&b); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{p.Number, "Łódź &amp; Söhne &lt;Ελλάδα&gt; Ltd", "FR83404833048"} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: %q is missing", name, want)
			}
		}
		golden(t, name, b.Bytes())
	}
}

func TestBM26_PDFSaysWhatTheInvoiceSays(t *testing.T) {
	v, n := sample(t)
	for name, p := range map[string]Paper{"invoice.pdf": Invoice(v, time.UTC), "note.pdf": Note(n, time.UTC)} {
		b, err := p.PDF(day1)
		if err != nil {
			t.Fatal(err)
		}
		if dir := os.Getenv("HOLDFAST_PAPERS"); dir != "" {
			if err := os.WriteFile(dir+"/"+name, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text := pdfText(t, b)
		want := []string{p.Title, p.Number, "Łódź", "Ελλάδα", "FR83404833048"}
		for _, s := range p.Sums {
			want = append(want, s.Text)
		}
		for _, l := range p.Lines {
			want = append(want, l.Name, l.Net)
		}
		for _, w := range want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is not in the text:\n%s", name, w, text)
			}
		}
	}
}

func TestLongInvoicesRunOverPages(t *testing.T) {
	var lines []invoice.Line
	for i := range 120 {
		lines = append(lines, invoice.Line{Name: fmt.Sprintf("Line %d with a name that is long enough to need a second row on the paper", i), Amount: int64(i + 1), Treatment: at("20")})
	}
	v, err := base(lines...).Compute(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Invoice(v, time.UTC).PDF(day1)
	if err != nil {
		t.Fatal(err)
	}
	if text := pdfText(t, b); !strings.Contains(text, "Line 119") || bytes.Count(b, []byte("/Type /Page\n")) < 4 {
		t.Errorf("%d pages, last line there: %v", bytes.Count(b, []byte("/Type /Page\n")), strings.Contains(text, "Line 119"))
	}
}

var (
	stream = regexp.MustCompile(`(?s)stream\r?\n(.*?)endstream`)
	shown  = regexp.MustCompile(`(?s)\(((?:\\.|[^\\)])*)\)\s*Tj`)
)

// pdfText reads the words back out of the file: its streams are inflated, and shown strings are UTF-16.
func pdfText(t *testing.T, b []byte) string {
	t.Helper()
	var out strings.Builder
	for _, m := range stream.FindAllSubmatch(b, -1) {
		z, err := zlib.NewReader(bytes.NewReader(m[1]))
		if err != nil {
			continue
		}
		page, err := io.ReadAll(z)
		if err != nil {
			continue
		}
		for _, s := range shown.FindAllSubmatch(page, -1) {
			raw := regexp.MustCompile(`(?s)\\(.)`).ReplaceAllFunc(s[1], func(e []byte) []byte {
				if e[1] == 'r' {
					return []byte{'\r'}
				}
				return e[1:]
			})
			var u []uint16
			for i := 0; i+1 < len(raw); i += 2 {
				u = append(u, uint16(raw[i])<<8|uint16(raw[i+1]))
			}
			out.WriteString(string(utf16.Decode(u)) + "\n")
		}
	}
	return out.String()
}

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		n    int64
		want string
	}{{0, "0.00"}, {-5, "-0.05"}, {123456, "1,234.56"}, {-100000000, "-1,000,000.00"}} {
		if got := Amount(c.n, "EUR"); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if got := Amount(1234567, "JPY"); got != "1,234,567" {
		t.Errorf("got %s", got)
	}
}
