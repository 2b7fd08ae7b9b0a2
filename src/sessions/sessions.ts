import { HTTPError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import type { Cursor } from "../storage/documents.ts";
import { toKeyPart } from "../storage/keys.ts";
import type { PutWithBlobs, Store } from "../storage/store.ts";
import { createUpdater } from "../storage/update.ts";
import type { BatchSummary, SessionDetail, SessionSummary } from "../types.ts";
import { checkSize, hasRoom } from "./bounds.ts";
import type { BatchDigest } from "./digest.ts";
import type { IndexPage, SessionDocument } from "./document.ts";
import { readIndexPages, spillRows } from "./index-pages.ts";
import { findRow, findRun, hasSeq, mergeDigest } from "./merge.ts";
import { batchKey, toBatchList } from "./replay-order.ts";
import { toDetail, toSummary } from "./summary.ts";

/** The sessions of one project: taking batches in, listing, reading for replay, erasing. */
export interface Sessions {
  /**
   * Keeps one batch: blob first, then the document that names it; resolves when both are safe. A batch that is already
   * there changes nothing.
   * @throws HTTPError 409 `rotate` above the bounds of a session or with a wrong key, 410 when the session was erased.
   */
  append(digest: BatchDigest, bytes: Uint8Array): Promise<void>;
  /** Newest first by server clock, as of the first page. `limit` is 1 to 100. */
  list(query: { limit: number; after?: Cursor; asOf?: number }): Promise<SessionsPage>;
  get(id: string): Promise<SessionDetail | null>;
  /** The batches of one tab in the order of replay, or null where there is no such tab. */
  batches(id: string, windowId: string): Promise<BatchSummary[] | null>;
  /** One batch as it was stored (gzip JSON), or null. */
  batch(id: string, windowId: string, key: string): Promise<Uint8Array | null>;
  /** Deletes a session and everything of it; batches that still arrive for it are refused. False where there was none. */
  erase(id: string): Promise<boolean>;
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

interface SessionsOptions {
  readonly project: string;
  readonly platform: Platform;
  readonly clock: () => number;
  readonly bindSessions: boolean;
  /** A batch for an erased session is refused for this long. */
  readonly sessionMaxAgeMs: number;
}

/** Sessions over a store. One per store and project: it joins the writers of one document. */
export function createSessions(store: Store, options: SessionsOptions): Sessions {
  const { project, platform, clock } = options;
  const { documents, blobs } = store;
  const { update } = createUpdater(documents, store.putWithBlobs ?? putAfterBlobs);
  const collection = `${project}/sessions`;
  const tombstones = `${project}/tombstones`;

  const sessionPrefix = async (id: string) => `batches:${project}:${await toKeyPart(id, platform)}:`;
  const indexPrefix = async (id: string) => `indexes:${project}:${await toKeyPart(id, platform)}:`;
  const blobKey = async (id: string, windowId: string, key: string) =>
    `${await sessionPrefix(id)}${await toKeyPart(windowId, platform)}:${key}`;

  async function read(id: string): Promise<SessionDocument | null> {
    return (await documents.get<SessionDocument>(collection, id))?.doc ?? null;
  }

  /** Blobs first: a document never names what is not there. */
  async function putAfterBlobs(...[name, id, doc, putOptions, named]: Parameters<PutWithBlobs>): Promise<boolean> {
    for (const [key, bytes] of named) await blobs.create(key, bytes);
    return documents.put(name, id, doc, putOptions);
  }

  async function readIndex({ id, indexPages }: SessionDocument): Promise<IndexPage[]> {
    const prefix = await indexPrefix(id);
    return readIndexPages(indexPages, (name) => blobs.get(prefix + name));
  }

  /**
   * Whether the session has this batch. Once its row is on an index page, a number that was seen and a blob of the same
   * content tell. A batch without a number may be a blob that a crash left behind: then the pages are read.
   */
  async function isKnown(document: SessionDocument, digest: BatchDigest, key: string): Promise<boolean> {
    if (findRow(document, digest)) return true;
    if (document.indexPages.length === 0) return false;
    if (digest.run && !hasSeq(findRun(document, digest.windowId, digest.run), digest.seq)) return false;
    if (!(await blobs.has(key))) return false;
    if (digest.run) return true;
    const index = await readIndex(document);
    return index.some(({ window, run, rows }) => {
      return window === digest.windowId && run === "" && rows.some(([, hash]) => hash === digest.hash);
    });
  }

  async function isErased(id: string): Promise<boolean> {
    const tombstone = await documents.get(tombstones, id);
    return tombstone !== null && clock() < tombstone.score;
  }

  async function append(digest: BatchDigest, bytes: Uint8Array): Promise<void> {
    const id = digest.sessionId;
    const key = await blobKey(id, digest.windowId, batchKey(digest));
    const pagesPrefix = await indexPrefix(id);
    const toName = async (page: Uint8Array) => (await platform.sha256(page)).slice(0, 16);
    const wanted = new Set<string>();
    let isCreated = false;

    async function apply(
      document: SessionDocument | null,
      named: Map<string, Uint8Array>,
    ): Promise<SessionDocument | undefined> {
      isCreated = document === null;
      if (!document && (await isErased(id))) throw erased();
      if (document && options.bindSessions && document.keyHash !== null && document.keyHash !== digest.keyHash)
        throw rotate();
      if (document && (await isKnown(document, digest, key))) return undefined;
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
      if (error instanceof HTTPError && error.status === 410) for (const name of wanted) await blobs.remove(name);
      throw error;
    }
    while (store.isFull() && (await evictOldest(id)));
  }

  /** Makes room in a store that is full; false when nothing but `except` is left. */
  async function evictOldest(except: string): Promise<boolean> {
    const expired = await documents.page(tombstones, { to: clock(), limit: 100, order: "ascending" });
    for (const tombstone of expired.items) await documents.remove(tombstones, tombstone.id);
    const { items } = await documents.page<SessionDocument>(collection, { limit: 2, order: "ascending" });
    const oldest = items.find(({ id }) => id !== except);
    return oldest !== undefined && erase(oldest.id);
  }

  async function erase(id: string): Promise<boolean> {
    const isThere = (await documents.get(collection, id)) !== null;
    if (isThere) {
      const tombstone = await documents.get(tombstones, id);
      // The tombstone comes first: from here on nothing new of the session is kept. A day more than a session can last.
      const until = clock() + options.sessionMaxAgeMs + 86_400_000;
      await documents.put(tombstones, id, { v: 1 }, { score: until, expectedVersion: tombstone?.version ?? 0 });
    }
    await removeAll(id);
    return isThere;
  }

  async function removeAll(id: string): Promise<void> {
    await documents.remove(collection, id);
    await blobs.removeAll(await sessionPrefix(id));
    await blobs.removeAll(await indexPrefix(id));
  }

  return {
    append,
    erase,
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
      const document = await read(id);
      if (!document?.windows.some((window) => window.id === windowId)) return null;
      return toBatchList(document, await readIndex(document), windowId);
    },
    async batch(id, windowId, key) {
      // The document decides what is there: an erased session's blob is gone at once, even while it is being deleted.
      if (!(await read(id))) return null;
      return blobs.get(await blobKey(id, windowId, key));
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
