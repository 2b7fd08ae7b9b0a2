import { isId } from "../rrweb/batch.ts";
import type { Selection } from "../types.ts";
import { parseTime } from "./arguments.ts";
import { UsageError } from "./usage-error.ts";

/** What {@link SELECTION_OPTIONS} give. */
export interface SelectionValues {
  readonly session?: readonly string[];
  readonly user?: string;
  readonly from?: string;
  readonly to?: string;
  readonly meta?: readonly string[];
}

/** As many as a selection may have. */
const MAX_IDS = 1_000;

/**
 * The selection that options name; empty where none is given.
 * @throws UsageError for what can't be meant.
 */
export function toSelection({ session, user, from, to, meta }: SelectionValues): Selection {
  const wrong = session?.find((id) => !isId(id));
  if (wrong !== undefined) throw new UsageError(`--session ${wrong} is not the id of a session`);
  if (session && session.length > MAX_IDS) throw new UsageError(`--session can be given ${MAX_IDS} times at most`);
  if (user === "") throw new UsageError("--user must not be empty");
  const selection: Selection = {
    ...(session && { ids: [...new Set(session)] }),
    ...(user !== undefined && { user }),
    ...(from !== undefined && { from: parseTime("--from", from, "start") }),
    ...(to !== undefined && { to: parseTime("--to", to, "end") }),
    ...(meta && { metadata: Object.fromEntries(meta.map(parseField)) }),
  };
  if (selection.from !== undefined && selection.to !== undefined && selection.from > selection.to) {
    throw new UsageError("--from is later than --to");
  }
  return selection;
}

function parseField(text: string): [string, string] {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined) throw new UsageError(`--meta ${text} is not key=value`);
  return [key, value!];
}
