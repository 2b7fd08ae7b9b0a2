import { parseArgs, type ParseArgsConfig } from "node:util";
import { UsageError } from "./usage-error.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** One value, and any number of values. */
interface One {
  readonly type: "string";
}
interface Many extends One {
  readonly multiple: true;
}

const ONE: One = { type: "string" };
const MANY: Many = { type: "string", multiple: true };

/** Options of every command that opens a store. */
export const STORE_OPTIONS: { readonly storage: One; readonly batches: One } = { storage: ONE, batches: ONE };

/** Options that say which sessions are meant. */
export const SELECTION_OPTIONS: {
  readonly session: Many;
  readonly user: One;
  readonly from: One;
  readonly to: One;
  readonly meta: Many;
} = { session: MANY, user: ONE, from: ONE, to: ONE, meta: MANY };

/**
 * Parses arguments of a command, with up to `positionals` that are no options.
 * @throws UsageError in one line.
 */
export function parseOptions<T extends Options>(
  args: readonly string[],
  options: T,
  positionals = 0,
): Pick<
  ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true }>>,
  "values" | "positionals"
> {
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: positionals > 0 });
    const extra = parsed.positionals[positionals];
    if (extra !== undefined) throw new Error(`Unexpected argument '${extra}'`);
    return parsed as never;
  } catch (error) {
    // Node's further lines are about positional arguments, which nobody meant.
    throw new UsageError((error as Error).message.split(/\n|\. /)[0]!, { cause: error });
  }
}

/**
 * A time as `2026-05-04` (UTC) or with a time of day behind it; a day alone is its first or last millisecond.
 * @throws UsageError for anything else.
 */
export function parseTime(option: string, text: string, edge: "start" | "end"): number {
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  // Date.parse makes a day that there is not, such as 2026-02-30, one of the next month.
  if (Number.isNaN(at) || (isDay && new Date(at).toISOString().slice(0, 10) !== text)) {
    throw new UsageError(`${option} ${text} is not a date: give one such as 2026-05-04 or 2026-05-04T12:00Z`);
  }
  return isDay && edge === "end" ? at + 86_400_000 - 1 : at;
}
