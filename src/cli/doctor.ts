import type { SentieroOptions } from "../options.ts";
import type { Notice } from "../types.ts";
import { STORE_OPTIONS, parseOptions } from "./arguments.ts";
import { openStored } from "./open-sentiero.ts";
import { parseRetention } from "./retention.ts";

const MARKS: Readonly<Record<Notice["level"], string>> = { error: "error", warning: "warning", info: "note" };

/**
 * `sentiero doctor`: says what is wrong with a store and what to run. Ends with 1 when something is.
 * @throws UsageError when the arguments cannot work.
 */
export async function doctor(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const { values } = parseOptions(args, {
    ...STORE_OPTIONS,
    "retention-days": { type: "string" },
    json: { type: "boolean" },
  });
  const options = { retentionDays: parseRetention(values["retention-days"], env) } as SentieroOptions;
  const { sentiero, close } = await openStored({ values, env, options, mustExist: true });
  try {
    const notices = await sentiero.store.doctor();
    if (values.json) console.log(JSON.stringify(notices, null, 2));
    else console.log(describe(notices, sentiero.store.ports.about));
    if (notices.some(({ level }) => level === "error")) process.exitCode = 1;
  } finally {
    await close();
  }
}

function describe(
  notices: readonly Notice[],
  { name, writers, durability }: { name: string; writers: string; durability: string },
): string {
  const lines = notices.map(({ level, what, remedy }) => `${MARKS[level]}: ${what}\n  ${remedy}`);
  const head = `store: ${name}; writers: ${writers}; what is kept survives: ${durability}`;
  return [head, ...(lines.length > 0 ? lines : ["nothing is wrong"])].join("\n");
}
