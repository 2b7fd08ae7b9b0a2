import type { Platform } from "../platform.ts";
import { createSessionKeys } from "../sessions/session-keys.ts";
import { SCHEMA_VERSION } from "../storage/schema.ts";
import type { Store } from "../storage/store.ts";
import type { Job, Notice } from "../types.ts";
import type { Maintenance } from "./maintenance.ts";
import { createSample, type Sample } from "./sample.ts";

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

/** Work that is due is behind when it is late by so much. */
const LATE_MS = 6 * 3_600_000;

/** A job that says nothing for so long has nobody who works on it. */
const HANGING_MS = 10 * 60_000;

/** Clocks of servers differ by seconds. A lease runs out a minute after it was taken. */
const SKEW_MS = 30_000;
const LEASE_MS = 60_000;

const REINDEX = "Run sentiero reindex, or begin a reindex on the Maintenance page";
const MAINTAIN =
  "Let one process run with maintenance on, such as sentiero serve, or call sentiero.maintain() by a schedule.";

/** Looks for what is wrong with a store, in a few seconds, and says what to run or set. Changes nothing. */
export function createDoctor(store: Store, parts: DoctorOptions): () => Promise<readonly Notice[]> {
  const { platform, clock, settleAfterMs, retentionDays } = parts.options;
  const keys = createSessionKeys(parts.project, platform);
  const takeSample = createSample(store, keys, { clock, settleAfterMs });

  async function checkBackend(): Promise<Notice[]> {
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
    if (store.about.writers === "one process" && store.about.durability !== "none") {
      notices.push({
        level: "info",
        what: `${store.about.name} takes writes of one process only.`,
        remedy: "Run one server at a time; choose a database before there are more.",
      });
    }
    return notices;
  }

  async function checkClocks(): Promise<Notice[]> {
    const lease = await store.documents.get(`${parts.project}/leases`, "maintenance");
    const [newest] = (await store.documents.page(keys.sessions, { limit: 1, order: "descending" })).items;
    const aheadMs = Math.max((lease?.score ?? 0) - LEASE_MS, newest?.score ?? 0) - clock();
    if (aheadMs <= SKEW_MS) return [];
    return [
      {
        level: "warning",
        what: `The clock of another server is ${formatDuration(aheadMs)} ahead of this one's, or was.`,
        remedy: "Let all servers set their clocks by NTP.",
      },
    ];
  }

  async function checkWork(): Promise<Notice[]> {
    const notices: Notice[] = [];
    const { jobs, limits, retention } = await parts.maintenance.overview();
    for (const job of jobs) if (job.state === "running") notices.push(...checkRunning(job));
    const [latest] = jobs;
    if (latest?.state === "failed") {
      notices.push({
        level: "warning",
        what: `The last job (${latest.kind}) failed: ${latest.error ?? "for an unknown reason"}.`,
        remedy: "Look at the log, then begin it again.",
      });
    }
    const share = limits.receivedToday / limits.maxBytesPerDay;
    if (limits.isReached) {
      notices.push({
        level: "error",
        what: "Today's limit of bytes is reached; recordings are refused until midnight UTC.",
        remedy: "Raise the option limits.maxBytesPerDay, or find out who sends so much.",
      });
    } else if (share > 0.8) {
      notices.push({
        level: "warning",
        what: `${Math.round(share * 100)} % of today's limit of bytes have arrived.`,
        remedy: "Raise the option limits.maxBytesPerDay before recordings are refused.",
      });
    }
    if (retention.days === null) {
      notices.push({
        level: "info",
        what: "Recordings are kept for ever.",
        remedy: "Set the option retentionDays, such as 90, or --retention-days.",
      });
    }
    return notices;
  }

  function checkRunning({ kind, updatedAt }: Job): Notice[] {
    const silentMs = clock() - updatedAt;
    if (silentMs <= HANGING_MS) return [];
    return [
      {
        level: "warning",
        what: `A job (${kind}) has not moved for ${formatDuration(silentMs)}.`,
        remedy: `${MAINTAIN} It can be cancelled on the Maintenance page.`,
      },
    ];
  }

  function toNotices(sample: Sample): Notice[] {
    const notices: Notice[] = [];
    const { sessions, incomplete, unreadable, orphans, revived, full } = sample;
    const of = `of ${sessions} sessions that were looked at`;
    if (unreadable > 0) {
      notices.push({ level: "error", what: "Some of what is known of sessions can't be read.", remedy: `${REINDEX}.` });
    }
    if (incomplete > 0) {
      notices.push({
        level: "error",
        what: `${incomplete} ${of} name recordings that are not there.`,
        remedy:
          "Look whether the mount batches (--batches) is the one that it was, and bring the recordings back from a backup " +
          `where there is one. ${REINDEX}, so that what is lost is shown as missing.`,
      });
    }
    if (revived > 0) {
      notices.push({
        level: "error",
        what: `${revived} sessions that were erased have left something behind, because a process ended in the middle.`,
        remedy: `${REINDEX}; it takes the rest away.`,
      });
    }
    if (orphans > 0) {
      notices.push({
        level: "warning",
        what: `${orphans} ${of} have recordings beside them that they do not name.`,
        remedy: `${REINDEX}; it takes them in or away.`,
      });
    }
    if (full > 0) {
      notices.push({
        level: "info",
        what: `${full} ${of} have reached a limit and stopped growing.`,
        remedy: "Raise limits.maxBytesPerSession or limits.maxEventsPerSession if that is too soon.",
      });
    }
    notices.push(...checkLate(sample));
    return notices;
  }

  function checkLate({ unsettledSince, tombstoneSince, oldestAt }: Sample): Notice[] {
    const isLate = (since: number | null, dueMs = 0) => since !== null && clock() - since > dueMs + LATE_MS;
    const late: string[] = [];
    if (isLate(unsettledSince, settleAfterMs)) late.push("sessions that ended hours ago have not been settled");
    if (isLate(tombstoneSince)) late.push("marks of erased sessions that nobody needs any more are still there");
    if (retentionDays !== undefined && isLate(oldestAt, retentionDays * 86_400_000)) {
      late.push(`there are recordings older than ${retentionDays} days`);
    }
    if (late.length === 0) return [];
    return [{ level: "warning", what: `Maintenance is behind: ${late.join("; ")}.`, remedy: MAINTAIN }];
  }

  return async () => {
    const notices: Notice[] = [];
    const checks = [checkBackend, checkClocks, checkWork, async () => toNotices(await takeSample())];
    for (const check of checks) {
      try {
        notices.push(...(await check()));
      } catch (error) {
        notices.push({
          level: "error",
          what: `The store does not answer as it should: ${(error as Error).message}.`,
          remedy: "Look at the database and at the log; what was being checked may hide more.",
        });
      }
    }
    return notices;
  };
}

function formatDuration(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} seconds`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} minutes` : `${Math.round(ms / 3_600_000)} hours`;
}
