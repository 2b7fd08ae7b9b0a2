import type { Selection } from "../types.ts";
import { STORE_OPTIONS, parseOptions, parseTime } from "./arguments.ts";
import { removeSelected } from "./remove-selected.ts";
import { UsageError } from "./usage-error.ts";

/**
 * `sentiero purge --before DATE`: removes what is older, after a look at what that is.
 * @throws UsageError when the arguments cannot work.
 */
export async function purge(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const { values } = parseOptions(args, {
    ...STORE_OPTIONS,
    before: { type: "string" },
    yes: { type: "boolean" },
  });
  if (values.before === undefined) throw new UsageError("purge needs --before DATE");
  const selection: Selection = { to: parseTime("--before", values.before, "start") - 1 };
  await removeSelected({ kind: "purge", selection, values, env });
}
