import { HTTPError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import type { Cursor } from "../storage/documents.ts";
import type { Store } from "../storage/store.ts";
import type { Scrub } from "./scrub.ts";
import type { Beside, Updater } from "../storage/update.ts";
import type { BatchSummary, SessionDetail, SessionSummary } from "../types.ts";
import { checkSize, hasRoom, isOverLimit, type SessionLimits } from "./bounds.ts";
import type { BatchDigest } from "./digest.ts";
import type { SessionDocument } from "./document.ts";
import { readIndexPages, rowsOf, spillRows, type Index } from "./index-pages.ts";
import { SESSION_BLOBS } from "./kinds.ts";
import { findRow, findRun, hasSeq, mergeDigest } from "./merge.ts";
import { SEGMENT_PREFIX, batchKey, toBatchList } from "./replay-order.ts";
import { splitSegment, type Segment } from "./segment.ts";
import { createSessionKeys } from "./session-keys.ts";
import { createSettle, type SettleHook } from "./settle.ts";
import { toDetail, toSummary } from "./summary.ts";
import type { Usage } from "./usage.ts";

/** The sessions of one project: taking batches in, listing, reading for replay, erasing. */
export interface Sessions {
  /**
   * Keeps one batch: blob first, then the document that names it; resolves when both are safe. A batch that is already
   * there changes nothing.
   * @throws HTTPError 409 `rotate` above the bounds of a session, with a wrong key or long after it has settled, 410 when
   * the session was erased, 429 when it has reached a limit of its own.
   */
  append(digest: BatchDigest, bytes: Uint8Array): Promise<void>;
  /** Newest first by server clock, as of the first page. `limit` is 1 to 100. */
  list(query: { limit: number; after?: Cursor; asOf?: number }): Promise<SessionsPage>;
  get(id: string): Promise<SessionDetail | null>;
  /** The batches of one tab in the order of replay, or null where there is no such tab. */
  batches(id: string, windowId: string): Promise<BatchSummary[] | null>;
  /** One batch or segment as it was stored (JSON that `platform.inflate` reads), or null. */
  batch(id: string, windowId: string, key: string): Promise<Uint8Array | null>;
  /** Joins the batches of a session that has ended; false when there is nothing to do. */
  settle(id: string): Promise<boolean>;
  /**
   * Deletes a session and everything of it; batches that still arrive for it are refused. False where there was none.
   * What it has left behind in files is overwritten too, unless it is one of many and the caller does that at the end.
   */
  erase(id: string, options?: { readonly isOneOfMany?: boolean }): Promise<boolean>;
}

export interface SessionsPage {
  readonly sessions: readonly SessionSummary[];
  readonly cursor: Cursor | null;
  readonly asOf: number;
  readonly newer: number;
}

/** A session's place in the list moves at most this often: moving an index entry with every batch is what costs. */
const SCORE_STEP_MS = 60_000;

/** Sessions newer than the list are counted up to this number. */
const MAX_NEWER = 100;

/** What {@link createSessions} needs beside a store. */
export interface SessionsOptions {
  readonly project: string;
  readonly platform: Platform;
  readonly clock: () => number;
  readonly bindSessions: boolean;
  /** A batch for an erased session is refused for this long. */
  readonly sessionMaxAgeMs: number;
  /** A batch that comes so long after the last one of a settled session belongs to a new session. */
  readonly lateAfterMs: number;
  readonly limits: SessionLimits;
  readonly update: Updater["update"];
  readonly usage: Usage;
  readonly scrub: Scrub;
  readonly settleHooks?: readonly SettleHook[];
}

/** A session that is full is not asked for sooner; the recorder keeps what it has and gives up what is too much. */
const FULL_RETRY_S = "3600";

/** Sessions over a store. One per store and project. */
export function createSessions(store: Store, options: SessionsOptions): Sessions {
  const { project, platform, clock, update, usage, limits } = options;
  const { documents, blobs } = store;
  const keys = createSessionKeys(project, platform);
  const { sessions: collection, tombstones } = keys;
  const settle = createSettle(store, {
    platform,
    clock,
    keys,
    update,
    usage,
    scrub: options.scrub,
    hooks: options.settleHooks ?? [],
  });

  async function read(id: string): Promise<SessionDocument | null> {
    return (await documents.get<SessionDocument>(collection, id))?.doc ?? null;
  }

  /** `earlier` holds pages that are about to be stored. */
  async function readIndex({ id, indexPages }: SessionDocument, earlier?: Beside["earlier"]): Promise<Index> {
    const prefix = await keys.prefix("indexes", id);
    return readIndexPages(indexPages, async (name) => earlier?.get(prefix + name) ?? blobs.get(prefix + name));
  }

  /**
   * Whether the session has this batch. Once its row is on an index page, a number that was seen and a blob of the same
   * content tell. Without a number the blob may be one that a crash left behind, and in a settled session there is none:
   * then the pages are read.
   */
  async function isKnown(
    document: SessionDocument,
    digest: BatchDigest,
    key: string,
    earlier: Beside["earlier"],
  ): Promise<boolean> {
    if (findRow(document, digest)) return true;
    if (document.indexPages.length === 0) return false;
    if (digest.run && !hasSeq(findRun(document, digest.windowId, digest.run), digest.seq)) return false;
    const isThere = earlier.has(key) || (await blobs.has(key));
    if (isThere && digest.run) return true;
    if (!isThere && document.settledAt === 0) return false;
    const { pages } = await readIndex(document, earlier);
    return pages.some(({ window, run, rows }) => {
      if (window !== digest.windowId || run !== digest.run) return false;
      return rows.some((row) => row[0] === digest.seq && row[1] === digest.hash && !row[7]);
    });
  }

  async function isErased(id: string): Promise<boolean> {
    const tombstone = await documents.get(tombstones, id);
    return tombstone !== null && clock() < tombstone.score;
  }

  async function append(digest: BatchDigest, bytes: Uint8Array): Promise<void> {
    const id = digest.sessionId;
    const key = await keys.blob(id, digest.windowId, batchKey(digest));
    const pagesPrefix = await keys.prefix("indexes", id);
    const toName = async (page: Uint8Array) => (await platform.sha256(page)).slice(0, 16);
    const wanted = new Set<string>();
    let isCreated = false;
    let isAdded = false;
    let isFull = false;
    let createdAt = digest.receivedAt;

    async function apply(document: SessionDocument | null, beside: Beside): Promise<SessionDocument | undefined> {
      const { blobs: named, terms, earlier } = beside;
      isCreated = document === null;
      isAdded = false;
      if (!document && (await isErased(id))) throw erased();
      if (document && options.bindSessions && document.keyHash !== null && document.keyHash !== digest.keyHash)
        throw rotate();
      if (document && (await isKnown(document, digest, key, earlier))) return undefined;
      if (document && isLate(document, digest)) throw rotate();
      if (document && isOverLimit(document, digest, limits)) {
        isFull = true;
        return document.fullAt > 0 ? undefined : { ...document, fullAt: digest.receivedAt };
      }
      // A store that is full with this session alone lets it go; the next one may begin.
      if (!hasRoom(document, digest) || (document && store.isFull())) throw rotate();
      let next = mergeDigest(document, digest);
      named.set(key, bytes);
      let size = checkSize(next);
      if (size === "spill") {
        const spilled = await spillRows(next, toName);
        next = spilled.document;
        for (const [name, page] of spilled.blobs) named.set(pagesPrefix + name, page);
        size = checkSize(next);
      }
      if (size === "full") throw rotate();
      for (const name of named.keys()) wanted.add(name);
      if (digest.userTerm) terms.add(digest.userTerm);
      isAdded = true;
      createdAt = next.createdAt;
      return next;
    }

    try {
      await update<SessionDocument>(collection, id, { apply }, ({ updatedAt }, previous) =>
        previous !== null && updatedAt - previous < SCORE_STEP_MS ? previous : updatedAt,
      );
      // An erasure that came before our put has found no session, but has taken our blob.
      if (isCreated && ((await isErased(id)) || !(await blobs.has(key)))) {
        await removeAll(id);
        throw erased();
      }
    } catch (error) {
      // An erasure between our blobs and our put has looked for blobs already: take ours away again.
      if (error instanceof HTTPError && error.status === 410 && wanted.size > 0) {
        for (const name of wanted) await blobs.remove(name);
        await options.scrub.now();
      }
      throw error;
    }
    if (isFull) throw new HTTPError(429, "session is full", { headers: { "retry-after": FULL_RETRY_S } });
    if (isAdded) count(digest, createdAt, isCreated);
    while (store.isFull() && (await evictOldest(id)));
  }

  function count({ receivedAt, bytes, events }: BatchDigest, createdAt: number, isCreated: boolean): void {
    usage.add(createdAt, { batchBytes: bytes, events, sessions: isCreated ? 1 : 0 });
    usage.add(receivedAt, { receivedBytes: bytes });
  }

  function isLate({ settledAt, updatedAt }: SessionDocument, { receivedAt }: BatchDigest): boolean {
    return settledAt > 0 && receivedAt - updatedAt > options.lateAfterMs;
  }

  /** Makes room in a store that is full; false when nothing but `except` is left. */
  async function evictOldest(except: string): Promise<boolean> {
    const expired = await documents.page(tombstones, { to: clock(), limit: 100, order: "ascending" });
    for (const tombstone of expired.items) await documents.remove(tombstones, tombstone.id);
    const { items } = await documents.page<SessionDocument>(collection, { limit: 2, order: "ascending" });
    const oldest = items.find(({ id }) => id !== except);
    return oldest !== undefined && erase(oldest.id, { isOneOfMany: true });
  }

  async function erase(id: string, { isOneOfMany = false } = {}): Promise<boolean> {
    const document = await read(id);
    if (document) {
      const tombstone = await documents.get(tombstones, id);
      // The tombstone comes first: from here on nothing new of the session is kept. A day more than a session can last.
      const until = clock() + options.sessionMaxAgeMs + 86_400_000;
      await documents.put(tombstones, id, { v: 1 }, { score: until, expectedVersion: tombstone?.version ?? 0 });
    }
    const segmentBytes = document ? await countSegmentBytes(document) : 0;
    await removeAll(id);
    if (document) {
      const { createdAt, events, bytes, settledBytes } = document;
      usage.add(createdAt, {
        sessions: -1,
        events: -events,
        batchBytes: settledBytes - bytes,
        segmentBytes: -segmentBytes,
      });
    }
    if (!isOneOfMany) await options.scrub.now();
    return document !== null;
  }

  async function countSegmentBytes(document: SessionDocument): Promise<number> {
    if (document.settledAt === 0) return 0;
    const { pages } = await readIndex(document);
    const rows = [...pages, ...rowsOf(document)].flatMap((page) => page.rows);
    return rows.reduce((total, row) => total + (row[7] ? row[5] : 0), 0);
  }

  async function removeAll(id: string): Promise<void> {
    await documents.remove(collection, id);
    for (const kind of SESSION_BLOBS) await blobs.removeAll(await keys.prefix(kind, id));
  }

  /** A batch of a settled session, cut out of its segment: somebody may have listed the batches before they were joined. */
  async function cutFromSegment(document: SessionDocument, windowId: string, key: string): Promise<Uint8Array | null> {
    const { pages } = await readIndex(document);
    for (const { key: name } of toBatchList(document, pages, windowId)) {
      if (!name.startsWith(SEGMENT_PREFIX)) continue;
      const stored = await blobs.get(await keys.blob(document.id, windowId, name));
      const bytes = stored && (await platform.inflate(stored, platform.maxInflatedBytes));
      if (!bytes || typeof bytes === "string") continue;
      for (const { batch, hash } of splitSegment(JSON.parse(new TextDecoder().decode(bytes)) as Segment)) {
        if (batchKey({ run: batch.run ?? "", seq: batch.seq ?? -1, hash }) !== key) continue;
        return platform.gzip(new TextEncoder().encode(JSON.stringify(batch)));
      }
    }
    return null;
  }

  return {
    append,
    erase,
    settle,
    async list({ limit, after, asOf = clock() }) {
      const [page, newer] = await Promise.all([
        documents.page<SessionDocument>(collection, { limit, order: "descending", to: asOf, after }),
        documents.count(collection, { from: asOf + 1, max: MAX_NEWER }),
      ]);
      const now = clock();
      return { sessions: page.items.map(({ doc }) => toSummary(doc, now)), cursor: page.cursor, asOf, newer };
    },
    async get(id) {
      const document = await read(id);
      return document && toDetail(document, clock());
    },
    async batches(id, windowId) {
      for (let tries = 0; ; tries++) {
        const document = await read(id);
        if (!document?.windows.some((window) => window.id === windowId)) return null;
        const { pages, isWhole } = await readIndex(document);
        // Its pages were laid out anew while they were read.
        if (isWhole || tries > 0) return toBatchList(document, pages, windowId);
      }
    },
    async batch(id, windowId, key) {
      // The document decides what is there: an erased session's blob is gone at once, even while it is being deleted.
      const document = await read(id);
      if (!document) return null;
      const bytes = await blobs.get(await keys.blob(id, windowId, key));
      return bytes ?? (document.settledAt > 0 ? cutFromSegment(document, windowId, key) : null);
    },
  };
}

/** Nothing more of the session is kept; the recorder begins a new one. */
function erased(): HTTPError {
  return new HTTPError(410, "session was erased", { details: { rotate: true } });
}

/** Asks the recorder to begin a new session. */
function rotate(): HTTPError {
  return new HTTPError(409, "rotate");
}
