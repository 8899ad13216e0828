package document

import (
	"encoding/xml"
	"strings"
	"time"

	"github.com/govalues/decimal"

	"holdfast/server/invoice"
	"holdfast/server/money"
	"holdfast/server/tax"
	"holdfast/sync/fault"
)

// The namespaces of UBL 2.1.
const (
	nsInvoice = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
	nsNote    = "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"
	nsCAC     = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
	nsCBC     = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
	// customization is BT-24: the core of EN 16931 without any extension.
	customization = "urn:cen.eu:en16931:2017"
)

// node is an element; the schema's order is the order of writing.
type node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Nodes   []*node
}

func el(name string, children ...*node) *node {
	n := &node{XMLName: xml.Name{Local: name}}
	for _, c := range children {
		if c != nil {
			n.Nodes = append(n.Nodes, c)
		}
	}
	return n
}

// val is an element with text; nil without, because UBL allows no empty elements.
func val(name, text string, attrs ...string) *node {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil
	}
	n := &node{XMLName: xml.Name{Local: name}, Text: text}
	for i := 0; i+1 < len(attrs); i += 2 {
		n.Attrs = append(n.Attrs, xml.Attr{Name: xml.Name{Local: attrs[i]}, Value: attrs[i+1]})
	}
	return n
}

// ublDoc is what an invoice and a credit note have in common.
type ublDoc struct {
	cur    money.Currency
	zone   *time.Location
	seller invoice.Party
	buyer  invoice.Party
	groups []invoice.Group
	test   bool
}

// UBL writes an issued invoice as EN 16931 UBL. It fails with Unsupported for currencies with three decimals, which the
// standard does not know, and with Conflict for a draft.
func UBL(v invoice.Invoice, zone *time.Location) ([]byte, error) {
	const op = "document.UBL"
	if v.State == invoice.Draft {
		return nil, fault.Errorf(op, fault.Conflict, "%s is a draft; only an issued invoice becomes an e-invoice", v.Number)
	}
	d := ublDoc{v.Currency, zone, v.Seller, v.Buyer, v.Groups, v.Test}
	if err := d.check(op); err != nil {
		return nil, err
	}
	root := el("Invoice", val("cbc:CustomizationID", customization), val("cbc:ID", v.Number),
		val("cbc:IssueDate", d.date(v.Issued)), val("cbc:DueDate", d.date(v.DueBy)),
		val("cbc:InvoiceTypeCode", "380"), val("cbc:Note", d.reasons()), val("cbc:DocumentCurrencyCode",
			string(d.cur)), val("cbc:BuyerReference", v.Buyer.ID))
	d.parties(root)
	if v.Seller.IBAN != "" {
		root.Nodes = append(root.Nodes, el("cac:PaymentMeans", val("cbc:PaymentMeansCode", "30"), val("cbc:PaymentID", v.Number),
			el("cac:PayeeFinancialAccount", val("cbc:ID", strings.ReplaceAll(v.Seller.IBAN, " ", "")))))
	}
	prepaid := v.Total - v.Due()
	if v.State == invoice.Void || v.State == invoice.Uncollectible {
		prepaid = v.CreditsApplied() + v.Received
	}
	d.totals(root, v.Net, v.Tax, v.Total, prepaid)
	for i, l := range v.Lines {
		root.Nodes = append(root.Nodes, d.line(i, l))
	}
	return write(root, nsInvoice)
}

// UBLNote writes a credit note as EN 16931 UBL.
func UBLNote(n invoice.Note, of invoice.Invoice, zone *time.Location) ([]byte, error) {
	const op = "document.UBLNote"
	d := ublDoc{n.Currency, zone, n.Seller, n.Buyer, n.Groups, n.Test}
	if err := d.check(op); err != nil {
		return nil, err
	}
	root := el("CreditNote", val("cbc:CustomizationID", customization), val("cbc:ID", n.Number),
		val("cbc:IssueDate", d.date(n.Issued)), val("cbc:CreditNoteTypeCode", "381"),
		val("cbc:Note", strings.TrimSpace(n.Reason+". "+d.reasons())), val("cbc:DocumentCurrencyCode",
			string(d.cur)), val("cbc:BuyerReference", n.Buyer.ID),
		el("cac:BillingReference", el("cac:InvoiceDocumentReference", val("cbc:ID", n.Of), val("cbc:IssueDate", d.date(of.Issued)))))
	d.parties(root)
	d.totals(root, n.Net, n.Tax, n.Total, 0)
	for i, c := range n.Lines {
		l := invoice.Line{Name: c.Name, Span: c.Span, Net: c.Net}
		if x := of.Line(c.Line); x != nil {
			l.Treatment = x.Treatment
		}
		line := d.line(i, l)
		line.XMLName.Local = "cac:CreditNoteLine"
		for _, x := range line.Nodes {
			if x.XMLName.Local == "cbc:InvoicedQuantity" {
				x.XMLName.Local = "cbc:CreditedQuantity"
			}
		}
		root.Nodes = append(root.Nodes, line)
	}
	return write(root, nsNote)
}

func (d ublDoc) check(op string) error {
	if d.cur.Decimals() > 2 {
		return fault.Errorf(op, fault.Unsupported, "EN 16931 knows no currency with three decimals such as %s", d.cur)
	}
	return nil
}

func (d ublDoc) amount(name string, n int64) *node {
	return val(name, money.Text(n, d.cur), "currencyID", string(d.cur))
}

func (d ublDoc) date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(d.zone).Format("2006-01-02")
}

// reasons says why there is no tax, once each.
func (d ublDoc) reasons() string {
	var out []string
	if d.test {
		out = append(out, testText)
	}
	for _, g := range d.groups {
		if g.Treatment.Reason != "" {
			out = append(out, g.Treatment.Reason)
		}
	}
	return strings.Join(out, ". ")
}

// outside tells whether nothing here is subject to VAT; then no VAT numbers may stand on the document (BR-O-02).
func (d ublDoc) outside() bool {
	for _, g := range d.groups {
		if g.Treatment.Category != tax.Outside {
			return false
		}
	}
	return true
}

func (d ublDoc) parties(root *node) {
	root.Nodes = append(root.Nodes, el("cac:AccountingSupplierParty", d.party(d.seller)),
		el("cac:AccountingCustomerParty", d.party(d.buyer)))
}

func (d ublDoc) party(x invoice.Party) *node {
	address := el("cac:PostalAddress")
	if len(x.Address) > 0 {
		address.Nodes = append(address.Nodes, val("cbc:StreetName", x.Address[0]))
	}
	if len(x.Address) > 1 {
		address.Nodes = append(address.Nodes, val("cbc:AdditionalStreetName", strings.Join(x.Address[1:], ", ")))
	}
	country := x.Country
	if country == "" {
		country = d.seller.Country
	}
	if country != "" {
		address.Nodes = append(address.Nodes, el("cac:Country", val("cbc:IdentificationCode", country)))
	}
	p := el("cac:Party", address)
	if x.VATID != "" && !d.outside() {
		p.Nodes = append(p.Nodes, el("cac:PartyTaxScheme", val("cbc:CompanyID", x.VATID), el("cac:TaxScheme", val("cbc:ID", "VAT"))))
	}
	company := x.CompanyID
	if company == "" && d.outside() {
		company = x.VATID // BR-CO-26 wants some number of the seller, and this is the only one there is
	}
	p.Nodes = append(p.Nodes, el("cac:PartyLegalEntity", val("cbc:RegistrationName", x.Name), val("cbc:CompanyID", company)))
	if x.Email != "" {
		p.Nodes = append(p.Nodes, el("cac:Contact", val("cbc:ElectronicMail", x.Email)))
	}
	return p
}

// totals writes tax and sums; what credits and payments have covered is the prepaid amount (BT-113).
func (d ublDoc) totals(root *node, net, taxed, total, prepaid int64) {
	t := el("cac:TaxTotal", d.amount("cbc:TaxAmount", taxed))
	for _, g := range d.groups {
		t.Nodes = append(t.Nodes, el("cac:TaxSubtotal", d.amount("cbc:TaxableAmount", g.Net), d.amount("cbc:TaxAmount", g.Tax),
			category("cac:TaxCategory", g.Treatment, true)))
	}
	sums := el("cac:LegalMonetaryTotal", d.amount("cbc:LineExtensionAmount", net), d.amount("cbc:TaxExclusiveAmount", net),
		d.amount("cbc:TaxInclusiveAmount", total))
	if prepaid != 0 {
		sums.Nodes = append(sums.Nodes, d.amount("cbc:PrepaidAmount", prepaid))
	}
	sums.Nodes = append(sums.Nodes, d.amount("cbc:PayableAmount", total-prepaid))
	root.Nodes = append(root.Nodes, t, sums)
}

// category is a VAT category with its rate; category O has none (BR-O-05).
func category(name string, t tax.Treatment, reason bool) *node {
	n := el(name, val("cbc:ID", string(t.Category)))
	if t.Category != tax.Outside {
		n.Nodes = append(n.Nodes, val("cbc:Percent", trimmed(t.Percent)))
	}
	if reason && t.Reason != "" {
		n.Nodes = append(n.Nodes, val("cbc:TaxExemptionReason", t.Reason))
	}
	n.Nodes = append(n.Nodes, el("cac:TaxScheme", val("cbc:ID", "VAT")))
	return n
}

func trimmed(d decimal.Decimal) string { return d.Trim(0).String() }

// line writes a line as one unit at its net price: a tiered or prorated amount has no single price for each unit. The
// real quantity stands in the description. A discount is an allowance, unless tax is in the price, where nets are what
// was computed.
func (d ublDoc) line(i int, l invoice.Line) *node {
	n := el("cac:InvoiceLine", val("cbc:ID", money.Int(int64(i+1)).Text(0)),
		val("cbc:InvoicedQuantity", "1", "unitCode", "C62"), d.amount("cbc:LineExtensionAmount", l.Net))
	if !l.Span.Start.IsZero() && !l.Span.Empty() {
		n.Nodes = append(n.Nodes, el("cac:InvoicePeriod", val("cbc:StartDate", d.date(l.Span.Start)), val("cbc:EndDate", d.date(l.Span.Last(d.zone)))))
	}
	price := l.Net
	if off := l.Amount - l.Discounted(); off > 0 && !l.TaxIncluded {
		price = l.Amount
		n.Nodes = append(n.Nodes, el("cac:AllowanceCharge", val("cbc:ChargeIndicator", "false"),
			val("cbc:AllowanceChargeReasonCode", "95"), val("cbc:AllowanceChargeReason", "Discount"),
			d.amount("cbc:Amount", off)))
	}
	what := ""
	if l.Quantity != "" {
		what = l.Quantity + " × " + l.Name
	}
	n.Nodes = append(n.Nodes, el("cac:Item", val("cbc:Description", what), val("cbc:Name", l.Name),
		category("cac:ClassifiedTaxCategory", l.Treatment, false)),
		el("cac:Price", d.amount("cbc:PriceAmount", price)))
	return n
}

func write(root *node, ns string) ([]byte, error) {
	root.Attrs = []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: ns}, {Name: xml.Name{Local: "xmlns:cac"}, Value: nsCAC},
		{Name: xml.Name{Local: "xmlns:cbc"}, Value: nsCBC}}
	b, err := xml.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil, fault.E("document.write", fault.Other, err)
	}
	return append([]byte(xml.Header), append(b, '\n')...), nil
}
