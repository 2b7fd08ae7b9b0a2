import type { PreviewAnswer, Selection } from "../types.ts";
import { confirm } from "./confirm.ts";
import { formatBytes, formatCount, formatSessions, formatTime } from "./numbers.ts";
import { needOneWriter } from "./one-writer.ts";
import { openStored, type StoreValues } from "./open-sentiero.ts";
import { runJob } from "./run-job.ts";

interface RemoveOptions {
  readonly kind: "purge" | "erase";
  readonly selection: Selection;
  readonly values: StoreValues & { readonly yes?: boolean };
  readonly env: NodeJS.ProcessEnv;
}

/** Says what is selected, asks, and removes it. */
export async function removeSelected({ kind, selection, values, env }: RemoveOptions): Promise<void> {
  const { sentiero, close } = await openStored({ values, env, mustExist: true });
  try {
    await needOneWriter(sentiero);
    const found = await sentiero.store.maintenance.preview(selection);
    console.log(describe(kind, found));
    if (found.sessions === 0) return;
    await confirm(kind, values.yes);
    const { changed } = await runJob(sentiero, { kind, selection });
    console.log(`removed ${formatSessions(changed)}`);
  } finally {
    await close();
  }
}

function describe(kind: string, found: Omit<PreviewAnswer, "apiVersion">): string {
  const { sessions, events, bytes, oldestAt, newestAt, isComplete } = found;
  if (sessions === 0) return "no session is selected";
  return (
    `${kind}: ${isComplete ? "" : "at least "}${formatSessions(sessions)}, ${formatCount(events)} events, ` +
    `${formatBytes(bytes)}, from ${formatTime(oldestAt!)} to ${formatTime(newestAt!)} (UTC)`
  );
}
