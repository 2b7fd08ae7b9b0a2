import type { Platform } from "../platform.ts";
import type { SessionDocument } from "../sessions/document.ts";
import { layOutRows, readIndexPages, rowsOf } from "../sessions/index-pages.ts";
import { SESSION_BLOBS } from "../sessions/kinds.ts";
import { recoverSession } from "../sessions/recovery.ts";
import { createSessionKeys } from "../sessions/session-keys.ts";
import { toDay, type Usage } from "../sessions/usage.ts";
import type { Store } from "../storage/store.ts";
import type { Updater } from "../storage/update.ts";
import type { DayUsage } from "../types.ts";
import type { JobRunner, JobStep } from "./jobs.ts";

interface ReindexOptions {
  readonly project: string;
  readonly platform: Platform;
  readonly clock: () => number;
  readonly update: Updater["update"];
  readonly usage: Usage;
  readonly onError: (error: unknown) => void;
}

/** Sessions that are derived again in one step. */
const PAGE_SIZE = 10;

const COUNT_PAGE_SIZE = 200;

/**
 * Derives every session document again from its batches and segments: first those that are there, then those whose blobs
 * have none, then the usage of each day. Live sessions go on: what gets a batch meanwhile is left as that batch made it.
 */
export function createReindex(store: Store, options: ReindexOptions): JobRunner {
  const { project, platform, clock, update, usage, onError } = options;
  const { documents, blobs } = store;
  const keys = createSessionKeys(project, platform);

  async function listAll(prefix: string): Promise<string[]> {
    const found: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { keys: readonly string[]; cursor: string | null } = await blobs.list(prefix, cursor);
      found.push(...page.keys);
      cursor = page.cursor;
    } while (cursor !== null);
    return [...new Set(found)].sort();
  }

  async function isErased(id: string): Promise<boolean> {
    const tombstone = await documents.get(keys.tombstones, id);
    return tombstone !== null && clock() < tombstone.score;
  }

  async function removeAll(id: string): Promise<void> {
    for (const kind of SESSION_BLOBS) await blobs.removeAll(await keys.prefix(kind, id));
  }

  /** True where the document is another one now. */
  async function rebuild(id: string, old: SessionDocument | null): Promise<boolean> {
    if (await isErased(id)) {
      await documents.remove(keys.sessions, id);
      await removeAll(id);
      return true;
    }
    const indexPrefix = await keys.prefix("indexes", id);
    const readPage = (name: string) => blobs.get(indexPrefix + name);
    const index = old ? await readIndexPages(old.indexPages, readPage) : null;
    const oldRows = [...(index?.pages ?? []), ...(old ? rowsOf(old) : [])].flatMap(({ rows }) => rows);
    const segments = new Set(oldRows.filter((row) => row[7]).map(([, name]) => name));
    const recovered = await recoverSession(
      blobs,
      {
        batches: await listAll(await keys.prefix("batches", id)),
        segments: await listAll(await keys.prefix("segments", id)),
      },
      { document: old, segments, now: clock(), platform },
    );
    if (!recovered) return false;
    for (const key of recovered.broken) onError(new Error(`[sentiero] ${key} can't be read`));
    const toName = async (page: Uint8Array) => (await platform.sha256(page)).slice(0, 16);
    const spilled = await layOutRows(recovered.document, recovered.rows, toName);
    let isPublished = false;
    await update<SessionDocument>(
      keys.sessions,
      id,
      {
        apply(current, beside) {
          isPublished = current?.updatedAt === old?.updatedAt && current?.events === old?.events;
          if (!isPublished) return undefined;
          for (const [name, page] of spilled.blobs) beside.blobs.set(indexPrefix + name, page);
          for (const term of spilled.document.terms) beside.terms.add(term);
          return spilled.document;
        },
      },
      ({ updatedAt }, previous) => previous ?? updatedAt,
    );
    if (!isPublished) return false;
    if (await isErased(id)) {
      await documents.remove(keys.sessions, id);
      await removeAll(id);
      return true;
    }
    // Only now is it sure that nothing names them.
    for (const key of recovered.spare) await blobs.remove(key);
    const { names } = await readIndexPages(spilled.document.indexPages, readPage);
    for (const name of index?.names ?? []) if (!names.includes(name)) await blobs.remove(indexPrefix + name);
    return JSON.stringify(spilled.document) !== JSON.stringify(old);
  }

  async function stepDocuments(cursor: { after: { score: number; id: string } } | null): Promise<JobStep> {
    const page = await documents.page<SessionDocument>(keys.sessions, {
      limit: PAGE_SIZE,
      order: "ascending",
      ...(cursor && { after: cursor.after }),
    });
    let changed = 0;
    for (const { id, doc } of page.items) if (await rebuild(id, doc)) changed++;
    const next = page.cursor ? { after: page.cursor } : { kind: "batches", listing: null };
    return { seen: page.items.length, changed, cursor: next };
  }

  /** Sessions whose blobs are there and whose document is not. */
  async function stepLost(kind: string, listing: string | null): Promise<JobStep> {
    const page = await blobs.list(`${kind}:${project}:`, listing);
    const firstOf = new Map<string, string>();
    for (const key of page.keys) {
      const part = key.split(":")[2]!;
      if (!firstOf.has(part)) firstOf.set(part, key);
    }
    let changed = 0;
    for (const key of firstOf.values()) {
      const id = await readSessionId(key);
      if (id === null || (await documents.get(keys.sessions, id))) continue;
      if (await rebuild(id, null)) changed++;
    }
    if (page.cursor !== null) return { seen: 0, changed, cursor: { kind, listing: page.cursor } };
    return { seen: 0, changed, cursor: { kind: kind === "batches" ? "segments" : "usage", listing: null } };
  }

  /** A key may hold a digest of the id; the blob itself says it. */
  async function readSessionId(key: string): Promise<string | null> {
    const stored = await blobs.get(key);
    const bytes = stored && (await platform.gunzip(stored, platform.maxInflatedBytes));
    if (!bytes || typeof bytes === "string") return null;
    try {
      const value = JSON.parse(new TextDecoder().decode(bytes)) as {
        sessionId?: unknown;
        batches?: { sessionId?: unknown }[];
      };
      const id = value.sessionId ?? value.batches?.[0]?.sessionId;
      return typeof id === "string" ? id : null;
    } catch (error) {
      onError(error);
      return null;
    }
  }

  async function stepUsage(): Promise<JobStep> {
    const days = new Map<string, DayUsage>();
    let after: { score: number; id: string } | null = null;
    do {
      const query = { limit: COUNT_PAGE_SIZE, order: "ascending" as const, ...(after && { after }) };
      const page: Awaited<ReturnType<typeof documents.page<SessionDocument>>> =
        await documents.page<SessionDocument>(keys.sessions, query);
      for (const { doc } of page.items) {
        const day = toDay(doc.createdAt);
        const old = days.get(day) ?? EMPTY;
        days.set(day, {
          day,
          sessions: old.sessions + 1,
          events: old.events + doc.events,
          batchBytes: old.batchBytes + doc.bytes - doc.settledBytes,
          segmentBytes: old.segmentBytes + (await countSegmentBytes(doc)),
          receivedBytes: 0,
        });
      }
      after = page.cursor;
    } while (after);
    await usage.reset([...days.values()]);
    return { seen: 0, changed: 0, cursor: null };
  }

  async function countSegmentBytes(document: SessionDocument): Promise<number> {
    if (document.settledAt === 0) return 0;
    const prefix = await keys.prefix("indexes", document.id);
    const { pages } = await readIndexPages(document.indexPages, (name) => blobs.get(prefix + name));
    const rows = [...pages, ...rowsOf(document)].flatMap((page) => page.rows);
    return rows.reduce((sum, row) => sum + (row[7] ? row[5] : 0), 0);
  }

  return async ({ cursor }) => {
    if (cursor === null || "after" in cursor) return stepDocuments(cursor);
    if ("given" in cursor) return stepDocuments(null);
    return cursor.kind === "usage" ? stepUsage() : stepLost(cursor.kind, cursor.listing);
  };
}

const EMPTY: DayUsage = { day: "", sessions: 0, events: 0, batchBytes: 0, segmentBytes: 0, receivedBytes: 0 };
