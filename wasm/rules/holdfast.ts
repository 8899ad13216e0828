// What a rule written in AssemblyScript imports: the change that it is shown, and its answer. The bytes are described in
// sync/rule; a text is made only when it is asked for, so a rule that looks at two columns costs a microsecond or two.
//
//   import { Change, answer } from "./holdfast";
//   export { holdfast_room } from "./holdfast";
//
//   export function holdfast_check(at: usize, size: i32): i64 {
//     return answer(check(new Change(at)));
//   }
//
//   function check(c: Change): string {
//     return c.table == "task" && c.text("title") == "" ? "Write a title." : "";
//   }
//
// An empty answer accepts. Another one refuses, and is what the person reads after the rule's name: one line, at most 300 bytes.
// Compile with: npx asc rule.ts --outFile rule.wasm -O --runtime stub --use abort=

/** What happens to the row. */
export enum Kind { Create = 1, Edit = 2, Delete = 3, Restore = 4 }

const NOTHING: u8 = 0;
const NUMBER: u8 = 1;

export function holdfast_room(size: i32): usize {
  return heap.alloc(size);
}

/** The answer as the edge takes it. */
export function answer(sentence: string): i64 {
  if (sentence.length == 0) return 0;
  const text = String.UTF8.encode(sentence);
  return (i64(changetype<usize>(text)) << 32) | i64(text.byteLength);
}

/** A change of one row. It is good for one answer. */
export class Change {
  private first: usize; // of the columns
  private place: usize; // of the value that find has found, as it is after the change
  private before: usize; // and as it was

  constructor(private at: usize) {
    let p = at + 2;
    for (let i = 0; i < 5; i++) p = skipText(p);
    this.first = p;
  }

  get kind(): Kind { return load<u8>(this.at + 1) as Kind; }
  /** The intent, such as "task.rename". Programs may send any: decide by the columns. */
  get command(): string { return this.header(0); }
  /** Which kind of row: workspace, project, label, task, task_label, comment. */
  get table(): string { return this.header(1); }
  get row(): string { return this.header(2); }
  /** The id of who makes the change. */
  get person(): string { return this.header(3); }
  /** Their role: owner, admin or member. */
  get role(): string { return this.header(4); }

  /** Whether the change writes a column. */
  writes(column: string): bool { return this.find(column) && this.place != this.before; }
  /** Whether a column is empty, as it is after the change. */
  empty(column: string): bool { return !this.find(column) || load<u8>(this.place) == NOTHING; }
  /** A column's text, as it is after the change; "" when it has none. */
  text(column: string): string { return this.find(column) ? textOf(this.place) : ""; }
  /** A column's text, as it was. */
  oldText(column: string): string { return this.find(column) ? textOf(this.before) : ""; }
  /** A column's whole number, as it is after the change; 0 when it has none. */
  number(column: string): i64 { return this.find(column) ? numberOf(this.place) : 0; }
  /** A column's whole number, as it was. */
  oldNumber(column: string): i64 { return this.find(column) ? numberOf(this.before) : 0; }

  private header(n: i32): string {
    let p = this.at + 2;
    while (n-- > 0) p = skipText(p);
    return readText(p);
  }

  private find(column: string): bool {
    let p = this.first + 4;
    for (let n = load<u32>(this.first); n > 0; n--) {
      const name = p;
      p = skipText(p);
      const written = load<u8>(p++) != 0;
      this.before = p;
      if (written) p = skipValue(p);
      this.place = p;
      if (isText(name, column)) return true;
      p = skipValue(p);
    }
    return false;
  }
}

function skipText(p: usize): usize { return p + 4 + load<u32>(p); }

function skipValue(p: usize): usize {
  const type = load<u8>(p++);
  return type == NOTHING ? p : type == NUMBER ? p + 8 : skipText(p);
}

function readText(p: usize): string { return String.UTF8.decodeUnsafe(p + 4, load<u32>(p)); }

function textOf(p: usize): string { return load<u8>(p) > NUMBER ? readText(p + 1) : ""; }

function numberOf(p: usize): i64 { return load<u8>(p) == NUMBER ? load<i64>(p + 1) : 0; }

/** Compares without making a string; names of columns are ASCII. */
function isText(p: usize, s: string): bool {
  const n = load<u32>(p);
  if (n != u32(s.length)) return false;
  for (let i: u32 = 0; i < n; i++) {
    if (load<u8>(p + 4 + i) != u8(s.charCodeAt(i))) return false;
  }
  return true;
}
