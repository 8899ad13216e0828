package document

import (
	"encoding/xml"
	"fmt"
	"math/big"
	"strings"

	"holdfast/sync/fault"
)

// read is an element of a UBL document, names without their prefixes.
type read struct {
	XMLName xml.Name
	Text    string  `xml:",chardata"`
	Nodes   []*read `xml:",any"`
}

func (r *read) all(path string) []*read {
	list := []*read{r}
	for _, name := range strings.Split(path, "/") {
		var next []*read
		for _, x := range list {
			for _, c := range x.Nodes {
				if c.XMLName.Local == name {
					next = append(next, c)
				}
			}
		}
		list = next
	}
	return list
}

func (r *read) text(path string) string {
	if l := r.all(path); len(l) > 0 {
		return strings.TrimSpace(l[0].Text)
	}
	return ""
}

// num is the number at a path; absent counts as zero.
func (r *read) num(path string) *big.Rat {
	n, ok := new(big.Rat).SetString(r.text(path))
	if !ok {
		return new(big.Rat)
	}
	return n
}

func sumOf(list []*read, path string) *big.Rat {
	s := new(big.Rat)
	for _, x := range list {
		s.Add(s, x.num(path))
	}
	return s
}

// Broken lists the rules of EN 16931-1:2017 that a UBL document breaks, of those about arithmetic (BR-CO-10 to
// BR-CO-18, BR-DEC, BR-27, and the rules of each VAT category about its rate and tax) and about what must be there
// (BR-01 to BR-26 as far as they apply). It is not the whole standard; the official Schematron (1.3.16) finds nothing
// in what the tests here make.
func Broken(doc []byte) ([]string, error) {
	var r read
	if err := xml.Unmarshal(doc, &r); err != nil {
		return nil, fault.E("document.Broken", fault.Invalid, err)
	}
	var out []string
	fail := func(ok bool, rule, format string, args ...any) {
		if !ok {
			out = append(out, rule+": "+fmt.Sprintf(format, args...))
		}
	}
	lines := append(r.all("InvoiceLine"), r.all("CreditNoteLine")...)
	for rule, path := range map[string]string{"BR-01": "CustomizationID", "BR-02": "ID", "BR-03": "IssueDate",
		"BR-05": "DocumentCurrencyCode",
		"BR-06": "AccountingSupplierParty/Party/PartyLegalEntity/RegistrationName", "BR-07": "AccountingCustomerParty/Party/PartyLegalEntity/RegistrationName",
		"BR-09": "AccountingSupplierParty/Party/PostalAddress/Country/IdentificationCode", "BR-11": "AccountingCustomerParty/Party/PostalAddress/Country/IdentificationCode",
		"BR-12": "LegalMonetaryTotal/LineExtensionAmount", "BR-13": "LegalMonetaryTotal/TaxExclusiveAmount", "BR-14": "LegalMonetaryTotal/TaxInclusiveAmount",
		"BR-15": "LegalMonetaryTotal/PayableAmount", "BR-CO-18": "TaxTotal/TaxSubtotal/TaxCategory/ID"} {
		fail(r.text(path) != "", rule, "%s is missing", path)
	}
	fail(r.text("InvoiceTypeCode")+r.text("CreditNoteTypeCode") != "", "BR-04", "the type code is missing")
	seller := r.all("AccountingSupplierParty/Party")
	known := false
	for _, x := range seller {
		known = known || x.text("PartyTaxScheme/CompanyID")+x.text("PartyLegalEntity/CompanyID")+x.text("PartyIdentification/ID") != ""
	}
	fail(known, "BR-CO-26", "the seller has no number")
	fail(len(lines) > 0, "BR-16", "there is no line")
	for i, l := range lines {
		out = append(out, lineRules(i+1, l)...)
	}
	total := func(name string) *big.Rat { return r.num("LegalMonetaryTotal/" + name) }
	same := func(rule string, got, want *big.Rat) {
		fail(got.Cmp(want) == 0, rule, "%s, want %s", got.FloatString(3), want.FloatString(3))
	}
	same("BR-CO-10", total("LineExtensionAmount"), sumOf(lines, "LineExtensionAmount"))
	net := new(big.Rat).Sub(total("LineExtensionAmount"), total("AllowanceTotalAmount"))
	same("BR-CO-13", total("TaxExclusiveAmount"), net.Add(net, total("ChargeTotalAmount")))
	subtotals := r.all("TaxTotal/TaxSubtotal")
	same("BR-CO-14", r.num("TaxTotal/TaxAmount"), sumOf(subtotals, "TaxAmount"))
	same("BR-CO-15", total("TaxInclusiveAmount"), new(big.Rat).Add(total("TaxExclusiveAmount"), r.num("TaxTotal/TaxAmount")))
	payable := new(big.Rat).Sub(total("TaxInclusiveAmount"), total("PrepaidAmount"))
	same("BR-CO-16", total("PayableAmount"), payable.Add(payable, total("PayableRoundingAmount")))
	seen := map[string]bool{}
	for _, s := range subtotals {
		key := s.text("TaxCategory/ID") + " " + s.text("TaxCategory/Percent")
		fail(!seen[key], "BR-S-08", "two subtotals for %s", key)
		seen[key] = true
		out = append(out, groupRules(&r, s, lines)...)
	}
	return append(out, decimals(&r)...), nil
}

func lineRules(n int, l *read) []string {
	var out []string
	for rule, path := range map[string]string{"BR-21": "ID", "BR-24": "LineExtensionAmount", "BR-25": "Item/Name",
		"BR-26": "Price/PriceAmount", "BR-CO-04": "Item/ClassifiedTaxCategory/ID"} {
		if l.text(path) == "" {
			out = append(out, fmt.Sprintf("%s: line %d has no %s", rule, n, path))
		}
	}
	if l.num("Price/PriceAmount").Sign() < 0 {
		out = append(out, fmt.Sprintf("BR-27: line %d has a price below zero", n))
	}
	want := l.num("Price/PriceAmount")
	q := l.num("InvoicedQuantity")
	if l.text("CreditedQuantity") != "" {
		q = l.num("CreditedQuantity")
	}
	want.Mul(want, q)
	for _, a := range l.all("AllowanceCharge") {
		if a.text("ChargeIndicator") == "true" {
			want.Add(want, a.num("Amount"))
		} else {
			want.Sub(want, a.num("Amount"))
		}
	}
	if got := l.num("LineExtensionAmount"); got.Cmp(want) != 0 {
		out = append(out, fmt.Sprintf("PEPPOL-EN16931-R120: line %d is %s, want %s", n, got.FloatString(3), want.FloatString(3)))
	}
	return out
}

// groupRules are the rules of one VAT breakdown: BR-CO-17 with its tolerance of one, BR-x-08 and BR-x-09.
func groupRules(r, s *read, lines []*read) []string {
	var out []string
	id, percent := s.text("TaxCategory/ID"), s.text("TaxCategory/Percent")
	base := new(big.Rat)
	for _, l := range lines {
		if l.text("Item/ClassifiedTaxCategory/ID") == id && l.text("Item/ClassifiedTaxCategory/Percent") == percent {
			base.Add(base, l.num("LineExtensionAmount"))
		}
	}
	if got := s.num("TaxableAmount"); got.Cmp(base) != 0 {
		out = append(out, fmt.Sprintf("BR-%s-08: taxable %s, the lines sum to %s", id, got.FloatString(3), base.FloatString(3)))
	}
	want := new(big.Rat).Mul(s.num("TaxableAmount"), s.num("TaxCategory/Percent"))
	want.Quo(want, big.NewRat(100, 1))
	if off := want.Sub(want, s.num("TaxAmount")); off.Abs(off).Cmp(big.NewRat(1, 1)) > 0 {
		out = append(out, "BR-CO-17: the tax is more than one off its base and rate")
	}
	zero := id != "S"
	if zero && s.num("TaxAmount").Sign() != 0 {
		out = append(out, "BR-"+id+"-09: tax in a category without tax")
	}
	needsReason := id == "E" || id == "AE" || id == "G" || id == "O"
	if needsReason && s.text("TaxCategory/TaxExemptionReason") == "" {
		out = append(out, "BR-"+id+"-10: no reason why there is no tax")
	}
	vat := func(who string) string { return r.text(who + "/Party/PartyTaxScheme/CompanyID") }
	if id != "O" && vat("AccountingSupplierParty") == "" {
		out = append(out, "BR-"+id+"-02: the seller's VAT number is missing")
	}
	if id == "AE" && vat("AccountingCustomerParty") == "" {
		out = append(out, "BR-AE-02: the buyer's VAT number is missing")
	}
	if id == "O" && vat("AccountingSupplierParty")+vat("AccountingCustomerParty") != "" {
		out = append(out, "BR-O-02: a VAT number on what is outside VAT")
	}
	return out
}

// decimals is BR-DEC: amounts have two decimals at most.
func decimals(r *read) []string {
	var out []string
	for _, c := range r.Nodes {
		if n := c.XMLName.Local; strings.HasSuffix(n, "Amount") && n != "PriceAmount" {
			if _, frac, _ := strings.Cut(strings.TrimSpace(c.Text), "."); len(frac) > 2 {
				out = append(out, "BR-DEC: "+n+" has more than two decimals")
			}
		}
		out = append(out, decimals(c)...)
	}
	return out
}
