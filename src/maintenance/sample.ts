import type { IndexPage, SessionDocument } from "../sessions/document.ts";
import { readIndexPages, rowsOf } from "../sessions/index-pages.ts";
import { SESSION_BLOBS } from "../sessions/kinds.ts";
import { SEGMENT_PREFIX, batchKey } from "../sessions/replay-order.ts";
import type { SessionKeys } from "../sessions/session-keys.ts";
import type { Store } from "../storage/store.ts";
import { listKeys } from "./session-pieces.ts";

/** What some sessions at both ends of the list have told. */
export interface Sample {
  /** How many were looked at. */
  readonly sessions: number;
  /** Those that name a blob that is not there. */
  readonly incomplete: number;
  /** Ends of the list at which a document can't be read. */
  readonly unreadable: number;
  /** Those with blobs that no document names, long after their last batch. */
  readonly orphans: number;
  /** Erased ones of which something is there. */
  readonly revived: number;
  readonly full: number;
  /** Server clock: last batch of the first session that waits to be settled; null where none does. */
  readonly unsettledSince: number | null;
  /** Server clock: when the first mark of an erased session ran out; null where none has. */
  readonly tombstoneSince: number | null;
  /** Server clock: last batch of the oldest session; null where there is none. */
  readonly oldestAt: number | null;
}

interface SampleOptions {
  readonly clock: () => number;
  readonly settleAfterMs: number;
}

/** So many of the newest and of the oldest are read, and so long their blobs are looked for. */
const SAMPLE_SIZE = 100;
const LOOK_MS = 2_000;

/** Of each session so many blobs are asked for, and of so many sessions all are listed. */
const BLOBS_PER_SESSION = 4;
const LISTED = 20;

/** An append under way has written its blob and not yet its document. */
const QUIET_MS = 3_600_000;

/** Looks into some of the newest and of the oldest sessions. */
export function createSample(
  store: Store,
  keys: SessionKeys,
  { clock, settleAfterMs }: SampleOptions,
): () => Promise<Sample> {
  const { documents, blobs } = store;

  async function readEnds(): Promise<{ sessions: SessionDocument[]; unreadable: number }> {
    const found = new Map<string, SessionDocument>();
    let unreadable = 0;
    for (const order of ["ascending", "descending"] as const) {
      try {
        const { items } = await documents.page<SessionDocument>(keys.sessions, { limit: SAMPLE_SIZE, order });
        for (const { id, doc } of items) found.set(id, doc);
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        unreadable++;
      }
    }
    return { sessions: [...found.values()], unreadable };
  }

  /** Keys of the batches and segments whose rows stand in a list of pages. */
  async function keysOf(id: string, pages: readonly IndexPage[]): Promise<string[]> {
    const rows = pages.flatMap(({ window, run, rows }) => rows.map((row) => ({ window, run, row })));
    const stored = rows.filter(({ row }) => row[5] > 0);
    return Promise.all(
      stored.map(({ window, run, row: [seq, hash, , , , , , isSegment] }) =>
        keys.blob(id, window, isSegment ? SEGMENT_PREFIX + hash : batchKey({ run, seq, hash })),
      ),
    );
  }

  async function isIncomplete(document: SessionDocument): Promise<boolean> {
    const prefix = await keys.prefix("indexes", document.id);
    const named = [
      ...document.indexPages.slice(-1).map((name) => prefix + name),
      ...(await keysOf(document.id, rowsOf(document))).slice(-BLOBS_PER_SESSION),
    ];
    for (const key of named) if (!(await blobs.has(key))) return isUnchanged(document);
    return false;
  }

  /** It may have been settled or erased while we looked. */
  async function isUnchanged({ id, updatedAt, settledAt }: SessionDocument): Promise<boolean> {
    const current = (await documents.get<SessionDocument>(keys.sessions, id))?.doc;
    return current?.updatedAt === updatedAt && current.settledAt === settledAt;
  }

  async function hasOrphans(document: SessionDocument): Promise<boolean> {
    if (clock() - document.updatedAt < QUIET_MS) return false;
    const prefix = await keys.prefix("indexes", document.id);
    const index = await readIndexPages(document.indexPages, (name) => blobs.get(prefix + name));
    const pages = [...index.pages, ...rowsOf(document)];
    const named = new Set([...index.names.map((name) => prefix + name), ...(await keysOf(document.id, pages))]);
    const found = await listAll(document.id);
    return found.some((key) => !named.has(key)) && isUnchanged(document);
  }

  async function listAll(id: string): Promise<string[]> {
    const found: string[] = [];
    for (const kind of SESSION_BLOBS) found.push(...(await listKeys(blobs, await keys.prefix(kind, id))));
    return found;
  }

  async function readTombstones(until: number): Promise<Pick<Sample, "revived" | "tombstoneSince">> {
    const [first] = (await documents.page(keys.tombstones, { limit: 1, order: "ascending" })).items;
    const { items } = await documents.page(keys.tombstones, { limit: SAMPLE_SIZE, order: "descending" });
    const ids = items.filter(({ score }) => score > clock()).map(({ id }) => id);
    const there = await documents.getMany(keys.sessions, ids);
    let revived = 0;
    for (const [index, id] of ids.entries()) {
      const isListed = index < LISTED && performance.now() < until;
      if (there[index] || (isListed && (await listAll(id)).length > 0)) revived++;
    }
    return { revived, tombstoneSince: first && first.score < clock() ? first.score : null };
  }

  return async () => {
    const { sessions, unreadable } = await readEnds();
    let looked = 0;
    let incomplete = 0;
    let orphans = 0;
    const until = performance.now() + LOOK_MS;
    for (const [index, document] of sessions.entries()) {
      if (performance.now() > until) break;
      looked++;
      if (await isIncomplete(document)) incomplete++;
      // Spread over both ends.
      else if (index % Math.ceil(sessions.length / LISTED) === 0 && (await hasOrphans(document))) orphans++;
    }
    const times = sessions.map(({ updatedAt }) => updatedAt);
    const unsettled = sessions
      .filter(({ settledAt, updatedAt }) => settledAt < updatedAt && clock() - updatedAt > settleAfterMs)
      .map(({ updatedAt }) => updatedAt);
    return {
      sessions: looked,
      incomplete,
      unreadable,
      orphans,
      ...(await readTombstones(until)),
      full: sessions.filter(({ fullAt }) => fullAt > 0).length,
      unsettledSince: unsettled.length > 0 ? Math.min(...unsettled) : null,
      oldestAt: times.length > 0 ? Math.min(...times) : null,
    };
  };
}
