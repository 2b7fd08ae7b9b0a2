import { STORE_OPTIONS, parseOptions } from "./arguments.ts";
import { formatSessions } from "./numbers.ts";
import { needOneWriter } from "./one-writer.ts";
import { openStored } from "./open-sentiero.ts";
import { runJob } from "./run-job.ts";

/**
 * `sentiero reindex`: derives all that is known of sessions from their recordings again.
 * @throws UsageError when the arguments cannot work.
 */
export async function reindex(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const { values } = parseOptions(args, STORE_OPTIONS);
  const { sentiero, close } = await openStored({ values, env, mustExist: true });
  try {
    await needOneWriter(sentiero);
    const { seen, changed } = await runJob(sentiero, { kind: "reindex", selection: {} });
    console.log(`looked at ${formatSessions(seen)}, changed ${formatSessions(changed)}`);
  } finally {
    await close();
  }
}
