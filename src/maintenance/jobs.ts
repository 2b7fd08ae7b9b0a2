import { HTTPError } from "../errors.ts";
import type { DocumentStore } from "../storage/documents.ts";
import type { Updater } from "../storage/update.ts";
import type { Job, Selection } from "../types.ts";
import type { SelectionCursor } from "./selection.ts";

/** A job as it is stored. */
export interface JobDocument extends Job {
  readonly v: 1;
  /** Where the next step begins; null at the start. */
  readonly cursor: SelectionCursor | null;
}

/** What one step of a job did. */
export interface JobStep {
  readonly seen: number;
  readonly changed: number;
  /** Where the next one begins; null when the job is done. */
  readonly cursor: SelectionCursor | null;
}

/** Does a piece of a job. It may be done again after a crash, so doing it twice must do no harm. */
export type JobRunner = (job: JobDocument) => Promise<JobStep>;

/** Jobs of one project: begun by people or by retention, done in steps by whoever has the lease. */
export interface Jobs {
  /** @throws HTTPError 409 while another job is running. */
  start(job: Pick<Job, "kind" | "origin" | "total"> & { selection: Selection }): Promise<Job>;
  get(id: string): Promise<Job | null>;
  /** Ends a running job after its step; gives one that has ended as it is, null where there is none. What it has done stays done. */
  cancel(id: string): Promise<Job | null>;
  /** Newest first, at most 20. */
  list(): Promise<Job[]>;
  /** Works on the running job until it is done or `isOver` says that it is time; true when nothing is left to do. */
  work(isOver: () => boolean): Promise<boolean>;
}

/** So many ended jobs are kept to be looked at. */
const KEPT_JOBS = 20;

/** A step that fails is tried again so often, each time with the next round of maintenance. */
const MAX_FAILURES = 5;

interface JobsOptions {
  readonly project: string;
  readonly clock: () => number;
  readonly runners: Readonly<Record<Job["kind"], JobRunner>>;
  /** Called when a job has done its work, before it is marked as done. */
  readonly onEnd: (job: Job) => Promise<void>;
  /** Called when it is, and does not name anybody any more. */
  readonly onEnded: (job: Job) => Promise<void>;
  readonly onError: (error: unknown) => void;
}

/** Jobs over a document store. Ids sort by the time they were begun. */
export function createJobs(documents: DocumentStore, update: Updater["update"], options: JobsOptions): Jobs {
  const { clock, runners, onEnd, onEnded, onError } = options;
  const collection = `${options.project}/jobs`;
  const failures = new Map<string, number>();

  async function newest(): Promise<JobDocument[]> {
    const { items } = await documents.page<JobDocument>(collection, { limit: KEPT_JOBS, order: "descending" });
    return items.map(({ doc }) => doc);
  }

  async function change(id: string, next: (job: JobDocument) => JobDocument | undefined): Promise<JobDocument | null> {
    const apply = (old: JobDocument | null): JobDocument | undefined => (old ? next(old) : undefined);
    return update<JobDocument>(collection, id, { apply }, ({ startedAt }) => startedAt);
  }

  /** An ended job does not say any more whom it was about. */
  function end(id: string, state: Job["state"], error: string | null = null): Promise<JobDocument | null> {
    failures.delete(id);
    return change(id, (job) => {
      if (job.state !== "running") return undefined;
      return { ...job, state, error, selection: null, cursor: null, endedAt: clock(), updatedAt: clock() };
    });
  }

  async function step(job: JobDocument): Promise<JobDocument | null> {
    try {
      const { seen, changed, cursor } = await runners[job.kind](job);
      failures.delete(job.id);
      const next = await change(job.id, (old) => {
        if (old.state !== "running") return undefined;
        return { ...old, seen: old.seen + seen, changed: old.changed + changed, cursor, updatedAt: clock() };
      });
      if (cursor !== null || next?.state !== "running") return next;
      // What its end needs is done before the end is written, so that a crash in between does it again.
      await onEnd(next);
      const ended = await end(job.id, "done");
      await onEnded(next);
      return ended;
    } catch (error) {
      onError(error);
      const count = (failures.get(job.id) ?? 0) + 1;
      failures.set(job.id, count);
      if (count < MAX_FAILURES) return null;
      return end(
        job.id,
        "failed",
        error instanceof HTTPError ? error.message : "it failed again and again; the log says why",
      );
    }
  }

  return {
    async start({ kind, origin, selection, total }) {
      const jobs = await newest();
      if (jobs.some(({ state }) => state === "running")) throw new HTTPError(409, "another job is running");
      const at = clock();
      const id = `${at.toString(36).padStart(9, "0")}-${crypto.randomUUID().slice(0, 8)}`;
      const job: JobDocument = {
        v: 1,
        id,
        kind,
        origin,
        state: "running",
        selection,
        seen: 0,
        changed: 0,
        total,
        startedAt: at,
        updatedAt: at,
        endedAt: null,
        error: null,
        cursor: null,
      };
      await documents.put(collection, id, job, { score: at, expectedVersion: 0 });
      for (const old of jobs.slice(KEPT_JOBS - 1)) await documents.remove(collection, old.id);
      return toJob(job);
    },
    async get(id) {
      const stored = await documents.get<JobDocument>(collection, id);
      return stored && toJob(stored.doc);
    },
    async cancel(id) {
      const job = await end(id, "cancelled");
      return job ? toJob(job) : this.get(id);
    },
    list: async () => (await newest()).map(toJob),
    async work(isOver) {
      let job: JobDocument | null | undefined = (await newest()).find(({ state }) => state === "running");
      while (job?.state === "running") {
        if (isOver()) return false;
        job = await step(job);
      }
      // Null: the step failed and is tried again later.
      return job !== null;
    },
  };
}

function toJob(stored: JobDocument): Job {
  const { v: _version, cursor: _cursor, ...job } = stored;
  return job;
}
