import { gzipSync } from "node:zlib";
import type { JobDocument } from "../../src/maintenance/jobs.ts";
import { createReindex } from "../../src/maintenance/reindex.ts";
import { digestBatch } from "../../src/sessions/digest.ts";
import type { IndexPage, SessionDocument } from "../../src/sessions/document.ts";
import { readIndexPages, rowsOf } from "../../src/sessions/index-pages.ts";
import { SESSION_BLOBS } from "../../src/sessions/kinds.ts";
import { SEGMENT_PREFIX, batchKey } from "../../src/sessions/replay-order.ts";
import { createSessionKeys } from "../../src/sessions/session-keys.ts";
import { createScrub } from "../../src/sessions/scrub.ts";
import { createSessions, type Sessions } from "../../src/sessions/sessions.ts";
import { createUsage, type Usage } from "../../src/sessions/usage.ts";
import { toUserTerm, userOf } from "../../src/sessions/user.ts";
import type { Store } from "../../src/storage/store.ts";
import { createUpdater, putAfterBlobs } from "../../src/storage/update.ts";
import type { Batch, Selection } from "../../src/types.ts";
import { platform } from "./stores.ts";

export const keys = createSessionKeys("main", platform);

/** The parts of sentiero over a store that a test may have put something around. */
export interface House {
  readonly sessions: Sessions;
  readonly usage: Usage;
  readonly errors: unknown[];
  append(batch: Batch): Promise<void>;
  /** Does a whole job, step by step; gives what was seen and changed. */
  reindex(selection?: Selection): Promise<{ seen: number; changed: number }>;
}

/** A process over a store. */
export function createHouse(store: Store, clock: () => number): House {
  const { update } = createUpdater(store.documents, store.putWithBlobs ?? putAfterBlobs(store));
  const usage = createUsage(store.documents, update, { project: "main", clock });
  const errors: unknown[] = [];
  const onError = (error: unknown): void => void errors.push(error);
  const sessions = createSessions(store, {
    project: "main",
    platform,
    clock,
    bindSessions: true,
    sessionMaxAgeMs: 604_800_000,
    lateAfterMs: 604_800_000,
    limits: { maxEventsPerSession: undefined, maxBytesPerSession: undefined },
    update,
    usage,
    scrub: createScrub(store, { project: "main", clock, update, onError }),
  });
  const step = createReindex(store, { project: "main", platform, clock, update, usage, onError });
  return {
    sessions,
    usage,
    errors,
    async append(batch) {
      const bytes = gzipSync(JSON.stringify(batch));
      const hash = (await platform.sha256(JSON.stringify(batch.events))).slice(0, 24);
      const keyHash = batch.key ? (await platform.sha256(batch.key)).slice(0, 32) : null;
      const user = userOf(batch.metadata ?? {});
      const userTerm = user === null ? null : await toUserTerm(user, platform);
      const known = { hash, keyHash, userTerm, receivedAt: clock(), bytes: bytes.byteLength };
      await sessions.append(digestBatch(batch, known), bytes);
    },
    async reindex(selection = {}) {
      let job = { selection, cursor: null, seen: 0, changed: 0 } as unknown as JobDocument;
      do {
        // As it is stored between two steps.
        job = JSON.parse(JSON.stringify(job)) as JobDocument;
        const { seen, changed, cursor } = await step(job);
        job = { ...job, seen: job.seen + seen, changed: job.changed + changed, cursor };
      } while (job.cursor !== null);
      return { seen: job.seen, changed: job.changed };
    },
  };
}

/** A session as it is stored, with its rows put together wherever they lie. */
export interface StoredSession {
  readonly score: number;
  readonly document: Omit<SessionDocument, "indexPages">;
  readonly rows: readonly string[];
  /** Keys of blobs that the document names. */
  readonly named: readonly string[];
}

/** Every session of a store by its id. */
export async function readSessions(store: Store): Promise<Map<string, StoredSession>> {
  const { items } = await store.documents.page<SessionDocument>(keys.sessions, { limit: 10_000, order: "ascending" });
  const found = new Map<string, StoredSession>();
  for (const { id, doc, score } of items) {
    const prefix = await keys.prefix("indexes", id);
    const index = await readIndexPages(doc.indexPages, (name) => store.blobs.get(prefix + name));
    const pages: IndexPage[] = [...index.pages, ...rowsOf(doc)];
    const named = index.names.map((name) => prefix + name);
    for (const { window, run, rows } of pages) {
      for (const [seq, hash, , , , bytes, , isSegment] of rows) {
        const name = isSegment ? SEGMENT_PREFIX + hash : batchKey({ run, seq, hash });
        if (bytes > 0) named.push(await keys.blob(id, window, name));
      }
    }
    const { indexPages: _, ...document } = {
      ...doc,
      windows: doc.windows.map((window) => ({ ...window, runs: window.runs.map((run) => ({ ...run, rows: [] })) })),
    };
    const rows = pages.flatMap((page) => page.rows.map((row) => JSON.stringify([page.window, page.run, ...row])));
    found.set(id, { score, document, rows: rows.sort(), named: named.sort() });
  }
  return found;
}

/** Every key of a blob in a store. */
export async function readKeys(store: Store, prefix = ""): Promise<string[]> {
  const found = new Set<string>();
  for (const kind of SESSION_BLOBS) {
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<Store["blobs"]["list"]>> = await store.blobs.list(`${kind}:main:`, cursor);
      for (const key of page.keys) if (key.startsWith(prefix)) found.add(key);
      cursor = page.cursor;
    } while (cursor !== null);
  }
  return [...found].sort();
}
