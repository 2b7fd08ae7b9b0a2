import type { Job, MaintenanceAnswer, PreviewAnswer, Selection } from "../src/types.ts";
import { formatBytes, formatCount, formatDay, formatDuration, formatNumberOf } from "./formats.ts";

type Store = MaintenanceAnswer["store"];

const writers: Record<Store["writers"], string> = {
  any: "Any number of servers may write to it at once.",
  "one machine": "Several processes may write to it at once, on one machine.",
  "one process": "Only one process may write to it.",
};

const durability: Record<Store["durability"], string> = {
  power: "What was acknowledged survives a crash and a loss of power.",
  process: "What was acknowledged survives a crash of the process; a loss of power may take the last moments.",
  database: "What was acknowledged survives what the database survives by its own settings.",
  none: "Everything is gone when the process ends.",
};

/** Who may write to a store, and what an acknowledged recording survives. */
export function storeWords(store: Store): string {
  return `${writers[store.writers] ?? ""} ${durability[store.durability] ?? ""}`.trim();
}

const kinds: Record<Job["kind"], { readonly name: string; readonly running: string; readonly changed: string }> = {
  purge: { name: "Purge", running: "Purging", changed: "removed" },
  erase: { name: "Erase", running: "Erasing", changed: "removed" },
  reindex: { name: "Reindex", running: "Reindexing", changed: "changed" },
};

/** `Purge`, `Erase`, `Reindex`. */
export function jobName({ kind }: Job): string {
  return kinds[kind]?.name ?? kind;
}

/** How many sessions a job is done with: those that are gone, or were looked at where none goes. */
export function doneOf({ kind, seen, changed }: Job): number {
  return kind === "reindex" ? seen : changed;
}

/** How far a job is: `Purging: 340 of 1,204 sessions removed, 350 looked at.` */
export function jobProgress(job: Job): string {
  const { name, running, changed } = kinds[job.kind] ?? { name: job.kind, running: job.kind, changed: "changed" };
  switch (job.state) {
    case "running":
      return job.kind === "reindex"
        ? `${running}: ${sessionsOf(job)} looked at, ${formatCount(job.changed)} ${changed}.`
        : `${running}: ${sessionsOf(job)} ${changed}${job.seen > job.changed ? `, ${formatCount(job.seen)} looked at` : ""}.`;
    case "done":
      return `${name} done: ${formatNumberOf(job.changed, "session")} ${changed}${tookOf(job)}.`;
    case "cancelled":
      return `${name} cancelled: ${formatNumberOf(job.changed, "session")} had been ${changed} before, and stay so.`;
    case "failed":
      return `${name} failed after ${formatNumberOf(job.seen, "session")}${job.error ? `: ${withStop(job.error)}` : "."}`;
  }
}

/** What a running job was asked for: `before 4 May 2026`, `user ada`. */
export function selectionWords({ ids, from, to, user, metadata = {} }: Selection): string {
  const words = [];
  if (from !== undefined) words.push(`from ${formatDay(from)}`);
  if (to !== undefined) words.push(`before ${formatDay(to + 1)}`);
  if (user !== undefined) words.push(`user ${user}`);
  if (ids) words.push(ids.length === 1 ? `session ${ids[0]}` : formatNumberOf(ids.length, "session id"));
  for (const [key, value] of Object.entries(metadata)) words.push(`${key} = ${value}`);
  return words.join(", ");
}

/** `At least 1,204 sessions with 93,000 events, 120 MB, last seen from 3 Jan 2026 to 19 May 2026.` */
export function previewWords(preview: PreviewAnswer): string {
  const { sessions, events, bytes, oldestAt, newestAt, isComplete } = preview;
  const what = `${formatNumberOf(sessions, "session")} with ${formatNumberOf(events, "event")}, ${formatBytes(bytes)}`;
  const [from, to] = [oldestAt, newestAt].map((at) => (at === null ? "" : formatDay(at)));
  const when = from && to ? (from === to ? `, of ${from}` : `, from ${from} to ${to}`) : "";
  return `${isComplete ? "" : "At least "}${what}${when}.`;
}

/**
 * What has to be typed before a job that can't be undone: the number of sessions, so that who types it has read it;
 * the name of the job where the number is not known.
 */
export function confirmationOf(kind: Job["kind"], preview: PreviewAnswer): string {
  return preview.isComplete ? String(preview.sessions) : kind;
}

/** `340 of 1,204 sessions`, `340 sessions` where nobody knows how many there are. */
function sessionsOf(job: Job): string {
  const done = doneOf(job);
  return job.total === null || job.total < done
    ? formatNumberOf(done, "session")
    : `${formatCount(done)} of ${formatNumberOf(job.total, "session")}`;
}

function tookOf(job: Job): string {
  return job.endedAt === null ? "" : ` in ${formatDuration(job.endedAt - job.startedAt)}`;
}

function withStop(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
