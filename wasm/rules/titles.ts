// Titles of tasks are short.
import { Change, Kind, answer } from "./holdfast";
export { holdfast_room } from "./holdfast";

const MAX = 80;

export function holdfast_check(at: usize, size: i32): i64 {
  return answer(check(new Change(at)));
}

function check(c: Change): string {
  if (c.table != "task" || c.kind == Kind.Delete || !c.writes("title")) return "";
  const title = c.text("title");
  if (title.length > MAX) return "The title has " + title.length.toString() + " characters; at most " + MAX.toString() + " are allowed here. Put the rest into the description.";
  return "";
}
