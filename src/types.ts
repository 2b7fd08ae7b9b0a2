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
  /** `live` while events arrived in the last five minutes, else `idle`. */
  readonly state: "live" | "idle";
  readonly eventCount: number;
  readonly clickCount: number;
  /** Page loads. */
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
}

/** One session with its tabs, oldest first. */
export interface SessionDetail extends SessionSummary {
  readonly windows: readonly WindowSummary[];
}

/** One stored batch, as the replay needs to know it. */
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

/** What every error of the API answers. */
export interface ErrorAnswer {
  readonly error: string;
}
