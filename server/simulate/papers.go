package simulate

import (
	"bytes"
	"strings"

	"holdfast/server/document"
	"holdfast/server/export"
	"holdfast/server/invoice"
	"holdfast/sync/fault"
)

// papers saves every issued invoice and credit note as HTML, PDF and e-invoice, and the tables that accountants import.
func (w *world) papers(save func(name string, data []byte) error) error {
	const op = "simulate.papers"
	zone := w.file.cat.Zone
	for _, a := range w.engine.Accounts() {
		for _, v := range a.Invoices {
			if v.State == invoice.Draft {
				continue
			}
			e, err := document.UBL(v, zone)
			if err := keep(save, v.Number, document.Invoice(v, zone), e, err, w); err != nil {
				return fault.Wrap(op, err)
			}
		}
		for _, n := range a.Notes {
			e, err := document.UBLNote(n, *a.Invoice(n.Invoice), zone)
			if err := keep(save, n.Number, document.Note(n, zone), e, err, w); err != nil {
				return fault.Wrap(op, err)
			}
		}
	}
	for _, f := range export.Files(w.engine.Accounts(), w.engine.Books(), zone) {
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			return fault.Wrap(op, err)
		}
		if err := save(f.Name, b.Bytes()); err != nil {
			return fault.Wrap(op, err)
		}
	}
	return nil
}

// keep saves one document in its forms; a currency that e-invoices do not know leaves out that one.
func keep(save func(string, []byte) error, number string, p document.Paper, ubl []byte, err error, w *world) error {
	if err != nil && fault.KindOf(err) != fault.Unsupported {
		return err
	}
	name := strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == 0 {
			return '-'
		}
		return r
	}, number)
	var page bytes.Buffer
	if err := p.HTML(&page); err != nil {
		return err
	}
	pdf, err2 := p.PDF(w.file.end)
	if err2 != nil {
		return err2
	}
	for ext, data := range map[string][]byte{".html": page.Bytes(), ".pdf": pdf, ".xml": ubl} {
		if len(data) == 0 {
			continue
		}
		if err := save(name+ext, data); err != nil {
			return err
		}
	}
	return nil
}
