// A task may be done only when somebody has it.
import { Change, Kind, answer } from "./holdfast";
export { holdfast_room } from "./holdfast";

export function holdfast_check(at: usize, size: i32): i64 {
  return answer(check(new Change(at)));
}

function check(c: Change): string {
  if (c.table != "task" || c.kind == Kind.Delete) return "";
  if (!c.writes("status") && !c.writes("assignee")) return "";
  return c.text("status") == "done" && c.empty("assignee") ? "A task is done by somebody. Assign it first." : "";
}
