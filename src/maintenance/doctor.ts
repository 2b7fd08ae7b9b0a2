import type { Platform } from "../platform.ts";
import type { SessionDocument } from "../sessions/document.ts";
import { rowsOf } from "../sessions/index-pages.ts";
import { SEGMENT_PREFIX, batchKey } from "../sessions/replay-order.ts";
import { createSessionKeys } from "../sessions/session-keys.ts";
import { SCHEMA_VERSION } from "../storage/schema.ts";
import type { Store } from "../storage/store.ts";
import type { Notice } from "../types.ts";
import type { Maintenance } from "./maintenance.ts";

interface DoctorOptions {
  readonly project: string;
  readonly options: {
    readonly platform: Platform;
    readonly clock: () => number;
    readonly settleAfterMs: number;
    readonly retentionDays: number | undefined;
  };
  readonly maintenance: Maintenance;
}

/** So many of the newest and of the oldest sessions are looked into, and so many batches of each. */
const SAMPLE_SESSIONS = 50;
const SAMPLE_BATCHES = 4;

/** Settling is behind when a session waits for it so much longer than it should. */
const LATE_MS = 6 * 3_600_000;

/** A job that says nothing for so long has nobody who works on it. */
const HANGING_MS = 10 * 60_000;

/** Looks for what is wrong with a store, in a few seconds, and says what to run or set. Changes nothing. */
export function createDoctor(store: Store, parts: DoctorOptions): () => Promise<readonly Notice[]> {
  const { platform, clock, settleAfterMs, retentionDays } = parts.options;
  const { documents, blobs } = store;
  const keys = createSessionKeys(parts.project, platform);

  async function sample(): Promise<SessionDocument[]> {
    const sides = await Promise.all(
      (["ascending", "descending"] as const).map((order) =>
        documents.page<SessionDocument>(keys.sessions, { limit: SAMPLE_SESSIONS, order }),
      ),
    );
    const found = new Map(sides.flatMap(({ items }) => items.map(({ id, doc }) => [id, doc] as const)));
    return [...found.values()];
  }

  /** How many of the sampled sessions name a blob that is not there. */
  async function countIncomplete(sessions: readonly SessionDocument[]): Promise<number> {
    let count = 0;
    for (const document of sessions) {
      const rows = rowsOf(document).flatMap(({ window, run, rows: own }) =>
        own
          .filter((row) => row[5] > 0)
          .map(([seq, hash, , , , , , isSegment]) => {
            return { window, key: isSegment ? SEGMENT_PREFIX + hash : batchKey({ run, seq, hash }) };
          }),
      );
      for (const { window, key } of rows.slice(-SAMPLE_BATCHES)) {
        if (await blobs.has(await keys.blob(document.id, window, key))) continue;
        // It may have been settled or erased while we looked.
        const current = (await documents.get<SessionDocument>(keys.sessions, document.id))?.doc;
        if (current?.updatedAt === document.updatedAt && current.settledAt === document.settledAt) count++;
        break;
      }
    }
    return count;
  }

  return async () => {
    const notices: Notice[] = [];
    const found = await store.schemaVersion(SCHEMA_VERSION);
    if (found > SCHEMA_VERSION) {
      notices.push({
        level: "error",
        what: `The store was written by a newer sentiero (schema ${found}, this one knows ${SCHEMA_VERSION}); nothing is recorded.`,
        remedy: "Upgrade this process.",
      });
    }
    notices.push(...(await store.check()));
    const { jobs, limits } = await parts.maintenance.overview();
    for (const job of jobs) {
      if (job.state === "running" && clock() - job.updatedAt > HANGING_MS) {
        notices.push({
          level: "warning",
          what: `A job (${job.kind}) has not moved for ${Math.round((clock() - job.updatedAt) / 60_000)} minutes.`,
          remedy:
            "Let one process run with the option `maintenance` on, or call `sentiero.maintain()` from a schedule.",
        });
      }
    }
    const [latest] = jobs;
    if (latest?.state === "failed") {
      notices.push({
        level: "warning",
        what: `The last job (${latest.kind}) failed: ${latest.error ?? "for an unknown reason"}`,
        remedy: "Look at the log, then begin it again.",
      });
    }
    if (limits.isReached) {
      notices.push({
        level: "error",
        what: "Today's limit of bytes is reached; recordings are refused until midnight UTC.",
        remedy: "Raise the option `limits.maxBytesPerDay`.",
      });
    }
    const sessions = await sample();
    const waiting = sessions.find(
      ({ settledAt, updatedAt }) => settledAt < updatedAt && clock() - updatedAt > settleAfterMs + LATE_MS,
    );
    if (waiting) {
      notices.push({
        level: "warning",
        what: "Sessions that ended hours ago have not been settled.",
        remedy: "Let one process run with the option `maintenance` on, or call `sentiero.maintain()` from a schedule.",
      });
    }
    const incomplete = await countIncomplete(sessions);
    if (incomplete > 0) {
      notices.push({
        level: "error",
        what: `${incomplete} of ${sessions.length} sessions that were looked at name recordings that are not there.`,
        remedy: "Begin a reindex on the Maintenance page; bring back the blobs from a backup where there is one.",
      });
    }
    const full = sessions.filter(({ fullAt }) => fullAt > 0).length;
    if (full > 0) {
      notices.push({
        level: "info",
        what: `${full} of ${sessions.length} sessions that were looked at have reached a limit and stopped growing.`,
        remedy: "Raise `limits.maxBytesPerSession` or `limits.maxEventsPerSession` if that is too soon.",
      });
    }
    if (retentionDays === undefined) {
      notices.push({
        level: "info",
        what: "Recordings are kept for ever.",
        remedy: "Set the option `retentionDays`, such as 90.",
      });
    }
    return notices;
  };
}
