import { SELECTION_OPTIONS, STORE_OPTIONS, parseOptions } from "./arguments.ts";
import { removeSelected } from "./remove-selected.ts";
import { toSelection } from "./selection.ts";
import { UsageError } from "./usage-error.ts";

/**
 * `sentiero erase`: removes a person's sessions, or some by id, after a look at what they are.
 * @throws UsageError when the arguments cannot work.
 */
export async function erase(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const { values } = parseOptions(args, { ...STORE_OPTIONS, ...SELECTION_OPTIONS, yes: { type: "boolean" } });
  const selection = toSelection(values);
  if (Object.keys(selection).length === 0) {
    throw new UsageError("erase needs --session, --user, --from, --to or --meta");
  }
  await removeSelected({ kind: "erase", selection, values, env });
}
