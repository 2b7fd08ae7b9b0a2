import { HTTPError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import type { Cursor } from "../storage/documents.ts";
import { toKeyPart } from "../storage/keys.ts";
import type { Store } from "../storage/store.ts";
import { createUpdater } from "../storage/update.ts";
import type { BatchSummary, SessionDetail, SessionSummary } from "../types.ts";
import { hasRoom, isSpillDue } from "./bounds.ts";
import type { BatchDigest } from "./digest.ts";
import type { IndexPage, SessionDocument } from "./document.ts";
import { findRow, findRun, hasSeq, mergeDigest, splitRows } from "./merge.ts";
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
  const { update } = createUpdater(documents);
  const collection = `${project}/sessions`;
  const tombstones = `${project}/tombstones`;

  const sessionPrefix = async (id: string) => `batches:${project}:${await toKeyPart(id, platform)}:`;
  const indexPrefix = async (id: string) => `indexes:${project}:${await toKeyPart(id, platform)}:`;
  const blobKey = async (id: string, windowId: string, key: string) =>
    `${await sessionPrefix(id)}${await toKeyPart(windowId, platform)}:${key}`;

  async function read(id: string): Promise<SessionDocument | null> {
    return (await documents.get<SessionDocument>(collection, id))?.doc ?? null;
  }

  async function readIndex(document: SessionDocument): Promise<IndexPage[]> {
    const prefix = await indexPrefix(document.id);
    const pages = await Promise.all(document.indexPages.map((name) => blobs.get(prefix + name)));
    const decoder = new TextDecoder();
    return pages.flatMap((bytes) => (bytes ? (JSON.parse(decoder.decode(bytes)) as IndexPage[]) : []));
  }

  /** Whether the session has this batch. Index pages are read only when the number, or the blob of a numberless batch, is known already. */
  async function isKnown(document: SessionDocument, digest: BatchDigest, key: string): Promise<boolean> {
    if (findRow(document, digest)) return true;
    if (document.indexPages.length === 0) return false;
    const mayBe = digest.run
      ? hasSeq(findRun(document, digest.windowId, digest.run), digest.seq)
      : await blobs.has(key);
    if (!mayBe) return false;
    const index = await readIndex(document);
    return index.some(
      ({ window, run, rows }) =>
        window === digest.windowId &&
        run === digest.run &&
        rows.some(([seq, hash]) => seq === digest.seq && hash === digest.hash),
    );
  }

  /** Moves a full set of rows to an index page, which is safe before the document names it. */
  async function spill(document: SessionDocument): Promise<SessionDocument> {
    if (!isSpillDue(document)) return document;
    const { page, withName } = splitRows(document);
    const bytes = new TextEncoder().encode(JSON.stringify(page));
    const name = (await platform.sha256(bytes)).slice(0, 16);
    const written = blobs.create((await indexPrefix(document.id)) + name, bytes);
    if (!store.ordersWrites) await written;
    return withName(name);
  }

  async function isErased(id: string): Promise<boolean> {
    const tombstone = await documents.get(tombstones, id);
    return tombstone !== null && clock() < tombstone.score;
  }

  async function append(digest: BatchDigest, bytes: Uint8Array): Promise<void> {
    const key = await blobKey(digest.sessionId, digest.windowId, batchKey(digest));
    let written: Promise<void> | undefined;
    const apply = async (document: SessionDocument | null) => {
      if (!document && (await isErased(digest.sessionId))) {
        throw new HTTPError(410, "session was erased", { details: { rotate: true } });
      }
      if (document) {
        if (options.bindSessions && document.keyHash !== null && document.keyHash !== digest.keyHash) throw rotate();
        if (await isKnown(document, digest, key)) return undefined;
        if (!hasRoom(document, digest)) throw rotate();
      }
      // Written at the first try; another try after a lost race finds it there.
      written ??= blobs.create(key, bytes);
      if (!store.ordersWrites) await written;
      return spill(mergeDigest(document, digest));
    };
    try {
      await update<SessionDocument>(collection, digest.sessionId, { apply }, ({ updatedAt }, previous) =>
        previous !== null && updatedAt - previous < SCORE_STEP_MS ? previous : updatedAt,
      );
    } catch (error) {
      // An erasure between our blob and our put has looked for blobs already: take ours away again.
      if (error instanceof HTTPError && error.status === 410 && written) await written.then(() => blobs.remove(key));
      throw error;
    }
    await written;
    if (store.isFull()) await eraseOldest(digest.sessionId);
  }

  async function eraseOldest(except: string): Promise<void> {
    const { items } = await documents.page<SessionDocument>(collection, { limit: 2, order: "ascending" });
    const oldest = items.find(({ id }) => id !== except);
    if (oldest) await erase(oldest.id);
  }

  async function erase(id: string): Promise<boolean> {
    const stored = await documents.get<SessionDocument>(collection, id);
    const tombstone = await documents.get(tombstones, id);
    // The tombstone comes first: from here on nothing new of the session is kept. A day more than a session can last.
    const until = clock() + options.sessionMaxAgeMs + 86_400_000;
    await documents.put(tombstones, id, { v: 1 }, { score: until, expectedVersion: tombstone?.version ?? 0 });
    await documents.remove(collection, id);
    await blobs.removeAll(await sessionPrefix(id));
    await blobs.removeAll(await indexPrefix(id));
    return stored !== null;
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

/** Asks the recorder to begin a new session. */
function rotate(): HTTPError {
  return new HTTPError(409, "rotate");
}
