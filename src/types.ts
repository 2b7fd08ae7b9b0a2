/**
 * One event of an rrweb recording, as the recorder made it: `type`, `data` and `timestamp` (epoch ms, the browser's
 * clock). Only `type` is sure to be there; everything else comes from a browser that may lie.
 */
export interface RecordedEvent {
  readonly type?: unknown;
  readonly data?: unknown;
  readonly timestamp?: number;
  readonly [key: string]: unknown;
}

/** What the recorder gave up and will never send: how many events, between which times, and why. */
export interface Gap {
  /** `overflow`: the buffer was full; `rejected`: the server refused the batch; `network`: every retry failed; `unload`: the page was gone. */
  readonly reason: "overflow" | "rejected" | "network" | "unload";
  readonly events: number;
  /** Epoch ms of the first and last event given up. */
  readonly from: number;
  readonly to: number;
  /**
   * The upload that they were in. Its answer may have been lost on the way: where the server has it, or gets it later, nothing
   * is missing, and the gap is not shown. Both come together, or neither where several uploads are told of as one.
   */
  readonly run?: string;
  readonly seq?: number;
}

/** One upload, as it crosses the wire. The first three fields are the original's, the rest is optional. */
export interface Batch {
  readonly sessionId: string;
  /** One tab. */
  readonly windowId: string;
  readonly events: readonly RecordedEvent[];
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** One start of the recorder: 96 random bits, lower-case hex. Comes with `seq`, or not at all. */
  readonly run?: string;
  /** Counts the batches of a run from 0. */
  readonly seq?: number;
  /** Epoch ms by the browser's clock, when the batch was sealed. */
  readonly sentAt?: number;
  /** A random secret of the session; bodies after the first must carry the same one. */
  readonly key?: string;
  /** Version of the recorder. */
  readonly recorder?: string;
  readonly gaps?: readonly Gap[];
}

/** One session as a list shows it. Times are epoch ms. */
export interface SessionSummary {
  readonly id: string;
  /** Server clock: first and last batch received. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Browser clock: first and last event, 0 where no event carried a time. */
  readonly firstEventAt: number;
  readonly lastEventAt: number;
  /** `lastEventAt - firstEventAt`. */
  readonly durationMs: number;
  /** `live` while batches arrived in the last five minutes, then `idle`, and `settled` once its batches were joined. */
  readonly state: "live" | "idle" | "settled";
  readonly eventCount: number;
  /** A click that another one makes, such as on the field of a label, counts with that. */
  readonly clickCount: number;
  /** Page loads; a snapshot that the recorder takes in between is none. */
  readonly pageCount: number;
  /** Stored bytes, as received. */
  readonly byteCount: number;
  readonly windowCount: number;
  /** Address of the first and the last page, cut at `?` and `#`; empty where none was recorded. */
  readonly entryUrl: string;
  readonly lastUrl: string;
  /** CSS pixels of the first page's viewport; 0 where none was recorded. */
  readonly viewportWidth: number;
  readonly viewportHeight: number;
  /** By the newest user agent; `Other` where it is not known, null where none was sent. */
  readonly browser: string | null;
  readonly device: "Desktop" | "Mobile" | "Tablet" | null;
  readonly os: string | null;
  /** Server clock: when the session reached a limit of its own and stopped growing; null where it did not. */
  readonly fullAt: number | null;
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
}

/** One tab of a session. */
export interface WindowSummary {
  readonly id: string;
  readonly firstEventAt: number;
  readonly lastEventAt: number;
  readonly eventCount: number;
  readonly batchCount: number;
  readonly byteCount: number;
  /** Batches that never came (`missing`: numbers below a run's highest), and what the recorder said it gave up. */
  readonly missing: readonly { readonly run: string; readonly from: number; readonly to: number }[];
  readonly gaps: readonly Gap[];
  /** Uploads that came twice under one number with different content; the first is played. */
  readonly conflictCount: number;
  /**
   * How far the browser's clock was behind the server's, in ms: the smallest difference between a batch's arrival and
   * its sending, so it holds the fastest way over the network too. Null where no batch told when it was sent.
   */
  readonly clockSkewMs: number | null;
}

/** One session with its tabs, oldest first. */
export interface SessionDetail extends SessionSummary {
  readonly windows: readonly WindowSummary[];
}

/** One stored batch, or a segment of several that a settled window's batches were joined to, as the replay needs to know it. */
export interface BatchSummary {
  /** Names the batch within its window; pass it to `…/batches/:key`. */
  readonly key: string;
  readonly run: string;
  readonly seq: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly eventCount: number;
  readonly byteCount: number;
  /** Whether playing can start in this batch. */
  readonly hasFullSnapshot: boolean;
  /** Another batch has the same run and number; this one is not played. */
  readonly isConflict: boolean;
}

/** What `GET /api/sessions` answers. */
export interface SessionList {
  readonly apiVersion: number;
  readonly sessions: readonly SessionSummary[];
  /** Pass it as `cursor` for the next page; null on the last. */
  readonly cursor: string | null;
  /** Epoch ms: the list is newest first as of this time. */
  readonly asOf: number;
  /** Sessions that were new or moved since `asOf`; at most 100 are counted. */
  readonly newer: number;
}

/** What `GET /api/sessions/:id` answers. */
export interface SessionAnswer {
  readonly apiVersion: number;
  readonly session: SessionDetail;
}

/** What `GET /api/sessions/:id/windows/:wid/batches` answers: in the order of replay. */
export interface BatchList {
  readonly apiVersion: number;
  readonly batches: readonly BatchSummary[];
}

/**
 * Which sessions are meant: all that is given must hold, and something must be given. Times are the server's clock and
 * stand for the session's last batch, both inclusive.
 */
export interface Selection {
  /** At most 1,000. */
  readonly ids?: readonly string[];
  readonly from?: number;
  readonly to?: number;
  /** The value of the metadata `userId` (or `user_id`), exactly. */
  readonly user?: string;
  /** Metadata by key, each value compared as text. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Work over many sessions, done in small steps that survive the end of the process. Times are epoch ms. */
export interface Job {
  readonly id: string;
  /** `purge` and `erase` delete what is selected, `purge` by age; `reindex` derives every document from its batches again. */
  readonly kind: "purge" | "erase" | "reindex";
  /** Who began it: a person, or the retention that the options set. */
  readonly origin: "person" | "retention";
  readonly state: "running" | "done" | "failed" | "cancelled";
  /** What was asked for; null once the job has ended, because it may name a person. */
  readonly selection: Selection | null;
  /**
   * Sessions looked at, those that were changed or removed, and how many were meant when it began (null: not known).
   * Looking for metadata sees more than it means: progress is `changed` of `total`, of a reindex `seen` of `total`.
   */
  readonly seen: number;
  readonly changed: number;
  readonly total: number | null;
  readonly startedAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | null;
  /** Why it failed, in words for a person. */
  readonly error: string | null;
}

/** What sessions of one day (UTC, by their first batch) take up in the store, as far as this process knows. */
export interface DayUsage {
  /** `2026-05-04`. */
  readonly day: string;
  readonly sessions: number;
  readonly events: number;
  /** Stored bytes by kind. */
  readonly batchBytes: number;
  readonly segmentBytes: number;
  /** Bytes that arrived on this day, kept or not since. */
  readonly receivedBytes: number;
}

/** Something that is wrong or worth knowing, and what to do about it. */
export interface Notice {
  readonly level: "error" | "warning" | "info";
  readonly what: string;
  readonly remedy: string;
}

/** What `GET /api/maintenance` answers. */
export interface MaintenanceAnswer {
  readonly apiVersion: number;
  readonly store: {
    readonly name: string;
    readonly writers: "any" | "one machine" | "one process";
    readonly durability: "power" | "process" | "database" | "none";
  };
  readonly retention: {
    /** Null: recordings are kept for ever. */
    readonly days: number | null;
    readonly lastRunAt: number | null;
    /** Sessions that the last run removed. */
    readonly lastRemoved: number;
    /** Null where nothing is planned: without retention, or where no timer runs in this process. */
    readonly nextRunAt: number | null;
  };
  /** Joining of finished sessions; `settledSessions` counts every time that one was settled. */
  readonly settling: { readonly lastRunAt: number | null; readonly settledSessions: number };
  /** The last 90 days that have sessions, oldest first, and everything together. */
  readonly usage: { readonly days: readonly DayUsage[]; readonly total: Omit<DayUsage, "day"> };
  readonly limits: {
    readonly maxBytesPerDay: number;
    /** Bytes that arrived today (UTC). */
    readonly receivedToday: number;
    /** Today's limit is reached: recordings are refused until midnight UTC. */
    readonly isReached: boolean;
  };
  /** Newest first, at most 20. */
  readonly jobs: readonly Job[];
  /** What is so wrong with the backend that nobody should have to ask the doctor. */
  readonly notices: readonly Notice[];
}

/** What `POST /api/maintenance/preview` answers: what a selection holds. */
export interface PreviewAnswer {
  readonly apiVersion: number;
  readonly sessions: number;
  readonly events: number;
  readonly bytes: number;
  /** First and last arrival among them, null where there are none. */
  readonly oldestAt: number | null;
  readonly newestAt: number | null;
  /** False where counting was stopped after a while: there are at least so many. */
  readonly isComplete: boolean;
}

/** What `POST /api/maintenance/jobs`, `GET /api/maintenance/jobs/:id` and `POST …/jobs/:id/cancel` answer. */
export interface JobAnswer {
  readonly apiVersion: number;
  readonly job: Job;
}

/** What `GET /api/maintenance/doctor` answers. */
export interface DoctorAnswer {
  readonly apiVersion: number;
  readonly checkedAt: number;
  readonly notices: readonly Notice[];
}

/** What every error of the API answers. */
export interface ErrorAnswer {
  readonly error: string;
}
