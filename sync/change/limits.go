package change

// Bounds of everything that is decoded here. A message beyond one is refused as TooLarge or Invalid, never cut.
const (
	TxBytesMax      = 256 << 10 // one encoded transaction
	RowsMax         = 1000      // rows in a transaction
	CellsMax        = 64        // cells in a row
	NameBytesMax    = 64        // a table, column, command or region name
	TextBytesMax    = 128 << 10 // one text value
	OriginsMax      = 64        // regions in a vector
	EntriesMax      = 20_000    // entries in one list
	EntryBytesExtra = 128       // what an entry adds to its transaction
)
