import type { Platform } from "../platform.ts";
import type { SessionDocument } from "../sessions/document.ts";
import { SESSION_BLOBS } from "../sessions/kinds.ts";
import { createSessionKeys } from "../sessions/session-keys.ts";
import type { Usage } from "../sessions/usage.ts";
import type { Cursor } from "../storage/documents.ts";
import type { Store } from "../storage/store.ts";
import type { Updater } from "../storage/update.ts";
import { createUsageCount } from "./count-usage.ts";
import type { JobDocument, JobRunner, JobStep } from "./jobs.ts";
import { createRebuild, type Rebuilt } from "./rebuild.ts";
import { isEmptySelection, readSelection } from "./selection.ts";
import { createPieceReader, listKeys } from "./session-pieces.ts";
import { pageReadable } from "./unreadable.ts";

interface ReindexOptions {
  readonly project: string;
  readonly platform: Platform;
  readonly clock: () => number;
  readonly update: Updater["update"];
  readonly usage: Usage;
  /** Told of every batch that can't be read or is missing. */
  readonly onError: (error: unknown) => void;
}

/** Sessions that one step derives again. */
const SESSIONS_PER_STEP = 20;

/** In place of a kind of blobs: usage is counted, by pages of sessions. */
const USAGE = "usage";

/** Ids that one question to the document store asks for. */
const IDS_PER_READ = 200;

/**
 * Derives session documents from their batches again: first of all sessions that have one, then of those whose blobs are
 * there and whose document is not; then counts what each day takes up anew. With a selection only what it selects, and
 * nothing is counted. Every step is small and may be done twice.
 */
export function createReindex(store: Store, options: ReindexOptions): JobRunner {
  const { project, platform, clock, update, usage, onError } = options;
  const { documents, blobs } = store;
  const keys = createSessionKeys(project, platform);
  const rebuild = createRebuild(store, { platform, clock, keys, update, onError });
  const readPiece = createPieceReader(blobs, keys, platform);
  const count = createUsageCount(store, { project, platform });

  async function rebuildAll(ids: readonly string[]): Promise<number> {
    let changed = 0;
    for (const id of ids) if (isChange(await rebuild(id))) changed++;
    return changed;
  }

  async function selected({ selection, cursor }: JobDocument): Promise<JobStep> {
    if (selection!.ids) {
      // Also sessions without a document.
      const start = cursor && "given" in cursor ? cursor.given : 0;
      const ids = selection!.ids.slice(start, start + SESSIONS_PER_STEP);
      const end = start + ids.length;
      const changed = await rebuildAll(ids);
      return { seen: ids.length, changed, cursor: end < selection!.ids.length ? { given: end } : null };
    }
    const page = await readSelection(documents, { project, platform }, selection!, cursor);
    return { seen: page.seen, changed: await rebuildAll(page.sessions.map(({ id }) => id)), cursor: page.cursor };
  }

  async function withDocument(after: Cursor | null): Promise<JobStep> {
    const page = await pageReadable<SessionDocument>(documents, keys.sessions, after, SESSIONS_PER_STEP, onError);
    const changed = await rebuildAll(page.items.map(({ id }) => id));
    const next = page.cursor ? { after: page.cursor } : { kind: SESSION_BLOBS[0]!, listing: null };
    return { seen: page.items.length, changed, cursor: next };
  }

  /**
   * Blobs whose session has no document. A page of the listing comes again until nothing on it is left to do. Those that
   * got no document then come first again, so that many are passed over.
   */
  async function withoutDocument(kind: string, listing: string | null, hopeless = 0): Promise<JobStep> {
    const page = await blobs.list(`${kind}:${project}:`, listing);
    const lost = await findLost(kind, page.keys);
    const some = lost.slice(hopeless, hopeless + SESSIONS_PER_STEP);
    const changed = await rebuildAll(some);
    if (lost.length > hopeless + SESSIONS_PER_STEP) {
      const passed = hopeless + (await getMany(some)).filter((stored) => !stored).length;
      return { seen: some.length, changed, cursor: { kind, listing, hopeless: passed } };
    }
    const nextKind = SESSION_BLOBS[SESSION_BLOBS.indexOf(kind) + 1];
    const cursor = page.cursor === null ? { kind: nextKind ?? USAGE, listing: null } : { kind, listing: page.cursor };
    return { seen: some.length, changed, cursor };
  }

  /** Ids of the sessions among these keys that have no document. */
  async function findLost(kind: string, found: readonly string[]): Promise<readonly string[]> {
    const parts = new Map<string, string[]>();
    for (const key of found) {
      const part = key.split(":")[2]!;
      parts.set(part, [...(parts.get(part) ?? []).slice(0, 3), key]);
    }
    const ids: string[] = [];
    for (const [part, sample] of parts) {
      const id = await idOf(part, sample);
      if (id !== null) ids.push(id);
      else if (kind === "indexes") await removeLeft(part);
      else onError(new Error(`[sentiero] reindex: ${sample[0]} can't be read, and neither can be what is beside it`));
    }
    const lost: string[] = [];
    for (let start = 0; start < ids.length; start += IDS_PER_READ) {
      const some = ids.slice(start, start + IDS_PER_READ);
      const stored = await getMany(some);
      for (const [index, id] of some.entries()) if (!stored[index]) lost.push(id);
    }
    if (kind !== "indexes") return lost;
    // Pages without batches are nothing.
    for (const id of lost) await removeLeft((await keys.prefix(kind, id)).split(":")[2]!);
    return [];
  }

  async function getMany(ids: readonly string[]): Promise<readonly unknown[]> {
    try {
      return await documents.getMany(keys.sessions, ids);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      // One of them can't be read: it is derived again too.
      return Promise.all(ids.map((id) => documents.get(keys.sessions, id).catch(() => null)));
    }
  }

  /** A part that is no digest is the id itself; else a blob tells. */
  async function idOf(part: string, sample: readonly string[]): Promise<string | null> {
    if (!part.startsWith("_")) return part;
    for (const key of sample) {
      if (key.startsWith("indexes:")) return null;
      const piece = await readPiece(key);
      if (piece && piece !== "broken") return piece.sessionId;
    }
    return null;
  }

  /** Removes the index pages of a session of which nothing else is left. */
  async function removeLeft(part: string): Promise<void> {
    for (const kind of SESSION_BLOBS) {
      if (kind !== "indexes" && (await listKeys(blobs, `${kind}:${project}:${part}:`)).length > 0) return;
    }
    await blobs.removeAll(`indexes:${project}:${part}:`);
  }

  async function counted(place: string | null): Promise<JobStep> {
    const next = await count.step(place === null ? null : (JSON.parse(place) as Cursor));
    if (next !== null) {
      const listing = next === "lost" ? null : JSON.stringify(next);
      return { seen: 0, changed: 0, cursor: { kind: USAGE, listing } };
    }
    await usage.fold();
    await usage.reset(count.take());
    return { seen: 0, changed: 0, cursor: null };
  }

  return async (job) => {
    const { selection, cursor } = job;
    if (selection && !isEmptySelection(selection)) return selected(job);
    if (cursor === null) return withDocument(null);
    if ("after" in cursor) return withDocument(cursor.after);
    if (!("kind" in cursor)) throw new TypeError("not a place in a reindex");
    return cursor.kind === USAGE
      ? counted(cursor.listing)
      : withoutDocument(cursor.kind, cursor.listing, cursor.hopeless);
  };
}

function isChange(rebuilt: Rebuilt): boolean {
  return rebuilt === "changed";
}
