import { HTTPError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import type { SessionDocument } from "../sessions/document.ts";
import type { Scrub } from "../sessions/scrub.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { createSessionKeys } from "../sessions/session-keys.ts";
import type { Usage } from "../sessions/usage.ts";
import type { Finding, Store } from "../storage/store.ts";
import type { Updater } from "../storage/update.ts";
import type { Job, MaintenanceAnswer, PreviewAnswer, Selection } from "../types.ts";
import { createJobs, type JobDocument, type JobStep } from "./jobs.ts";
import { createLease } from "./lease.ts";
import { createProgress } from "./progress.ts";
import { isEmptySelection, readSelection, type SelectionCursor } from "./selection.ts";
import { createSettler } from "./settler.ts";

/** The work that is done beside requests, and what people may ask of it. */
export interface Maintenance {
  /**
   * Does what is due, for about `budgetMs`: removes by age, works on jobs, settles sessions, keeps the number of sessions.
   * Any number of processes may call it: one works, the others come back at once. True when nothing is left to do.
   */
  run(budgetMs: number): Promise<boolean>;
  /** @throws HTTPError 400 for an empty selection, 409 while another job is running. */
  startJob(kind: Job["kind"], selection: Selection): Promise<Job>;
  /** Removes what is older than `retentionDays`, now. @throws HTTPError 400 where no retention is set. */
  startRetention(): Promise<Job>;
  job(id: string): Promise<Job | null>;
  cancelJob(id: string): Promise<Job | null>;
  /** Counts what a selection holds, for at most about two seconds. */
  preview(selection: Selection): Promise<Omit<PreviewAnswer, "apiVersion">>;
  overview(): Promise<Omit<MaintenanceAnswer, "apiVersion">>;
  /** Lets another process go on; call it when this one ends. */
  close(): Promise<void>;
}

/** Retention looks for what is too old this often. */
const RETENTION_EVERY_MS = 3_600_000;

/** Counting for a preview ends after this; people wait. */
const PREVIEW_MS = 2_000;

/** Expired tombstones and sessions above the limit are taken away by so many at a time. */
const SWEEP_SIZE = 100;

const DAYS_SHOWN = 90;

const CHECK_EVERY_MS = 60_000;

/** The options that maintenance goes by; see `options.ts`. */
export interface MaintenanceSettings {
  readonly platform: Platform;
  readonly clock: () => number;
  readonly limits: { readonly maxSessions: number | undefined; readonly maxBytesPerDay: number };
  readonly retentionDays: number | undefined;
  readonly settleAfterMs: number;
  /** Whether a timer runs in this process. */
  readonly maintenance: boolean;
  readonly onError: (error: unknown) => void;
}

interface MaintenanceOptions {
  readonly project: string;
  readonly options: MaintenanceSettings;
  readonly sessions: Sessions;
  readonly update: Updater["update"];
  readonly usage: Usage;
  readonly scrub: Scrub;
  /** Derives documents from batches again; see `reindex.ts`. */
  readonly reindex: (job: JobDocument) => Promise<JobStep>;
}

/** Maintenance of one project of a store. */
export function createMaintenance(store: Store, parts: MaintenanceOptions): Maintenance {
  const { project, sessions, update, usage, scrub, reindex } = parts;
  const { platform, clock, limits, retentionDays, settleAfterMs, onError } = parts.options;
  const { documents } = store;
  const keys = createSessionKeys(project, platform);
  const lease = createLease(documents, { project, name: "maintenance", clock });
  const progress = createProgress(documents, update, project);
  const settle = createSettler(documents, sessions, progress, { project, clock, settleAfterMs, onError });
  const select = (selection: Selection, cursor: SelectionCursor | null) =>
    readSelection(documents, { project, platform }, selection, cursor);
  const jobs = createJobs(documents, update, {
    project,
    clock,
    runners: { purge: eraseStep, erase: eraseStep, reindex },
    onEnd,
    onEnded,
    onError,
  });
  let isRunning = false;
  let checked: readonly Finding[] = [];
  let checkedAt = -Infinity;

  async function eraseStep({ selection, cursor }: JobDocument): Promise<JobStep> {
    const page = await select(selection!, cursor);
    let changed = 0;
    for (const { id } of page.sessions) if (await sessions.erase(id, { isOneOfMany: true })) changed++;
    return { seen: page.seen, changed, cursor: page.cursor };
  }

  /** Also what the job itself said of a person is overwritten. */
  async function onEnded({ kind }: Job): Promise<void> {
    if (kind !== "reindex") await scrub.now();
  }

  async function onEnd({ origin, changed }: Job): Promise<void> {
    if (origin === "retention")
      await progress.change((old) => ({ ...old, retainedAt: clock(), retentionRemoved: changed }));
  }

  function tooOld(): Selection | null {
    return retentionDays === undefined ? null : { to: clock() - retentionDays * 86_400_000 - 1 };
  }

  /** Begins to remove what is too old, where there is any. */
  async function retain(): Promise<void> {
    const selection = tooOld();
    if (!selection) return;
    const { retainedAt } = await progress.read();
    if (clock() - retainedAt < RETENTION_EVERY_MS && retainedAt <= clock()) return;
    const isRunningJob = (await jobs.list()).some(({ state }) => state === "running");
    if (isRunningJob) return;
    const found = await documents.count(keys.sessions, { to: selection.to, max: 1 });
    if (found === 0) await progress.change((old) => ({ ...old, retainedAt: clock(), retentionRemoved: 0 }));
    else await jobs.start({ kind: "purge", origin: "retention", selection, total: null });
  }

  /** Tombstones that nobody can need any more, and sessions above the limit, the oldest first. */
  async function sweep(isOver: () => boolean): Promise<boolean> {
    const expired = await documents.page(keys.tombstones, { to: clock(), limit: SWEEP_SIZE, order: "ascending" });
    for (const { id } of expired.items) await documents.remove(keys.tombstones, id);
    if (limits.maxSessions === undefined) return true;
    for (;;) {
      if (isOver()) return false;
      // The counted number, because counting a large collection holds up everybody.
      const tooMany = Math.min(total(await usage.days(), "sessions") - limits.maxSessions, SWEEP_SIZE);
      if (tooMany <= 0) return true;
      const { items } = await documents.page<SessionDocument>(keys.sessions, { limit: tooMany, order: "ascending" });
      if (items.length === 0) return true;
      for (const { id } of items) await sessions.erase(id, { isOneOfMany: true });
      await usage.fold();
    }
  }

  async function work(isOver: () => boolean): Promise<boolean> {
    await usage.fold();
    if (!(await lease.take())) return true;
    await scrub.whatIsDue();
    await retain();
    const parts = [jobs.work, sweep, settle];
    let isDone = true;
    for (const part of parts) {
      if (!(await lease.take())) return true;
      if (!(await part(isOver))) isDone = false;
    }
    await usage.fold();
    return isDone;
  }

  /** What is wrong with the backend, looked at no more than once a minute: it may cost a while. */
  async function errors(): Promise<readonly Finding[]> {
    if (Math.abs(clock() - checkedAt) > CHECK_EVERY_MS) {
      checked = (await store.check()).filter(({ level }) => level === "error");
      checkedAt = clock();
    }
    return checked;
  }

  async function startJob(kind: Job["kind"], selection: Selection): Promise<Job> {
    if (kind !== "reindex" && isEmptySelection(selection)) throw new HTTPError(400, "the selection is empty");
    return jobs.start({ kind, origin: "person", selection, total: await countAbout(selection) });
  }

  /** Everything is counted by its usage: to read all is slow, and what can't be read is why a reindex is asked for. */
  async function countAbout(selection: Selection): Promise<number | null> {
    if (isEmptySelection(selection)) return total(await usage.days(), "sessions");
    const { sessions, isComplete } = await preview(selection);
    return isComplete ? sessions : null;
  }

  async function preview(selection: Selection): Promise<Omit<PreviewAnswer, "apiVersion">> {
    const until = performance.now() + PREVIEW_MS;
    const found = {
      sessions: 0,
      events: 0,
      bytes: 0,
      oldestAt: null as number | null,
      newestAt: null as number | null,
    };
    let cursor: SelectionCursor | null = null;
    do {
      const page = await select(selection, cursor);
      for (const { events, bytes, createdAt, updatedAt } of page.sessions) {
        found.sessions++;
        found.events += events;
        found.bytes += bytes;
        found.oldestAt = Math.min(found.oldestAt ?? createdAt, createdAt);
        found.newestAt = Math.max(found.newestAt ?? updatedAt, updatedAt);
      }
      cursor = page.cursor;
    } while (cursor && performance.now() < until);
    return { ...found, isComplete: cursor === null };
  }

  return {
    async run(budgetMs) {
      if (isRunning) return true;
      isRunning = true;
      const until = performance.now() + budgetMs;
      try {
        return await work(() => performance.now() > until);
      } finally {
        isRunning = false;
      }
    },
    startJob,
    async startRetention() {
      const selection = tooOld();
      if (!selection) throw new HTTPError(400, "no retention is set: give the option retentionDays");
      return jobs.start({ kind: "purge", origin: "retention", selection, total: null });
    },
    job: (id) => jobs.get(id),
    cancelJob: (id) => jobs.cancel(id),
    preview,
    async overview() {
      const [days, state, list] = await Promise.all([usage.days(), progress.read(), jobs.list()]);
      const receivedToday = usage.receivedOn(clock());
      const isReached = receivedToday >= limits.maxBytesPerDay;
      const { name, writers, durability } = store.about;
      return {
        store: { name, writers, durability },
        retention: {
          days: retentionDays ?? null,
          lastRunAt: state.retainedAt || null,
          lastRemoved: state.retentionRemoved,
          nextRunAt:
            retentionDays === undefined || !parts.options.maintenance
              ? null
              : Math.max(state.retainedAt + RETENTION_EVERY_MS, clock()),
        },
        settling: { lastRunAt: state.settledAt || null, settledSessions: state.settledSessions },
        usage: {
          days: days.slice(-DAYS_SHOWN),
          total: {
            sessions: total(days, "sessions"),
            events: total(days, "events"),
            batchBytes: total(days, "batchBytes"),
            segmentBytes: total(days, "segmentBytes"),
            receivedBytes: total(days, "receivedBytes"),
          },
        },
        limits: { maxBytesPerDay: limits.maxBytesPerDay, receivedToday, isReached },
        jobs: list,
        notices: await errors(),
      };
    },
    close: () => lease.give(),
  };
}

function total<T extends string>(days: readonly Readonly<Record<T, number>>[], name: T): number {
  return days.reduce((sum, day) => sum + day[name], 0);
}
