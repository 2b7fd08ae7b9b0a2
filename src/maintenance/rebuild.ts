import type { Platform } from "../platform.ts";
import type { IndexPage, SessionDocument } from "../sessions/document.ts";
import { readIndexPages, rowsOf, type Index, type Spilled } from "../sessions/index-pages.ts";
import { SESSION_BLOBS } from "../sessions/kinds.ts";
import type { SessionKeys } from "../sessions/session-keys.ts";
import type { Store } from "../storage/store.ts";
import type { Updater } from "../storage/update.ts";
import { deriveSession, isSameSession } from "./derive-session.ts";
import { countLost, createFind, type Found, type Known } from "./found-batches.ts";
import { listKeys, nameOf } from "./session-pieces.ts";

/** What became of a session's document. `busy`: batches came all the time, so that it was left as it is. */
export type Rebuilt = "same" | "changed" | "gone" | "busy";

interface RebuildOptions {
  readonly platform: Platform;
  readonly clock: () => number;
  readonly keys: SessionKeys;
  readonly update: Updater["update"];
  readonly onError: (error: unknown) => void;
}

/** A session that got a batch meanwhile is read again at once; one that always does is not in need of it. */
const MAX_TRIES = 4;

/** What an append that is under way may be about to name is left alone: it takes seconds. */
const QUIET_MS = 3_600_000;

/** What is stored of a session, beside what its blobs say. */
interface Stored extends Known {
  /** As stored, even where it can't be used. */
  readonly stored: SessionDocument | null;
  readonly index: Index;
}

/**
 * Derives the document of a session from its batches and segments. What only the server knew (when batches arrived, clock
 * skews, that the session was full) is taken from the old document. A batch that no row names is taken in, leftovers of
 * a settling that was cut are removed, and what can't be read is reported and left.
 */
export function createRebuild(store: Store, options: RebuildOptions): (id: string) => Promise<Rebuilt> {
  const { documents, blobs } = store;
  const { platform, clock, keys, update, onError } = options;
  const find = createFind(blobs, { platform, clock, keys, report });
  const toName = async (page: Uint8Array) => (await platform.sha256(page)).slice(0, 16);

  return async function rebuild(id) {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const known = await readKnown(id);
      const found = await find(id, known);
      if (await isErased(id)) {
        await removeAll(id);
        return "gone";
      }
      const derived = await deriveSession(found, known.document, toName);
      if (!derived) {
        // It may be that its blobs are elsewhere, so the document stays.
        if (known.stored) report(`session ${id} has no batch`);
        return known.stored ? "same" : "gone";
      }
      const outcome = await publish(id, known, found, derived);
      if (outcome !== "busy") return outcome;
    }
    return "busy";
  };

  async function readKnown(id: string): Promise<Stored> {
    const stored = await readStored(id);
    const document = stored && isUsable(stored, id) ? stored : null;
    const index = document ? await readIndex(document) : { pages: [], names: [], isWhole: false };
    return { stored, document, index, rows: document ? [...index.pages, ...rowsOf(document)] : [] };
  }

  async function readStored(id: string): Promise<SessionDocument | null> {
    try {
      return (await documents.get<SessionDocument>(keys.sessions, id))?.doc ?? null;
    } catch (error) {
      // Anything else may be the database's trouble, and over in a moment.
      if (!(error instanceof SyntaxError)) throw error;
      onError(error);
      await documents.remove(keys.sessions, id);
      return null;
    }
  }

  async function readIndex({ id, indexPages }: SessionDocument): Promise<Index> {
    const prefix = await keys.prefix("indexes", id);
    try {
      return await readIndexPages(indexPages, (name) => blobs.get(prefix + name));
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
      return { pages: [], names: indexPages, isWhole: false };
    }
  }

  /** Writes what was derived, where it differs, and takes away what is not needed any more. */
  async function publish(id: string, known: Stored, found: Found, derived: Spilled): Promise<Rebuilt> {
    const { stored } = known;
    const { document: old, index, rows } = known;
    const isSame = old !== null && index.isWhole && isSameSession({ document: old, rows }, await withRows(derived));
    // Who settles this session at the same time, and has written segments that no document names yet, must find it changed.
    const isFenced = stored !== null && found.garbage.some((key) => key.startsWith("segments:"));
    const isUnsettled = derived.document.settledAt < derived.document.updatedAt;
    let next = isSame ? stored! : derived.document;
    if (isFenced && isUnsettled) next = { ...next, updatedAt: next.updatedAt + 1 };
    const prefix = await keys.prefix("indexes", id);
    let isRead = false;
    if (next !== stored) {
      await update<SessionDocument>(
        keys.sessions,
        id,
        {
          async apply(current, beside) {
            isRead = JSON.stringify(current) === JSON.stringify(stored) && !(await isErased(id));
            if (!isRead) return undefined;
            if (!isSame) for (const [name, page] of derived.blobs) beside.blobs.set(prefix + name, page);
            for (const term of next.terms) beside.terms.add(term);
            return next;
          },
        },
        ({ updatedAt }, previous) => previous ?? updatedAt,
      );
    } else isRead = JSON.stringify(await readStored(id)) === JSON.stringify(stored);
    if (await isErased(id)) {
      await removeAll(id);
      return "gone";
    }
    if (!isRead) return "busy";
    const lost = countLost(known, found);
    if (lost > 0) report(`${lost} batches of session ${id} are not there any more`);
    for (const key of found.garbage) await blobs.remove(key);
    if (clock() - next.updatedAt > QUIET_MS) await removePages(id, next, prefix);
    return next === stored ? "same" : "changed";
  }

  /** Index pages that the document does not name. */
  async function removePages(id: string, document: SessionDocument, prefix: string): Promise<void> {
    const names = new Set((await readIndex(document)).names);
    for (const key of await listKeys(blobs, prefix)) if (!names.has(nameOf(key))) await blobs.remove(key);
  }

  async function isErased(id: string): Promise<boolean> {
    const tombstone = await documents.get(keys.tombstones, id);
    return tombstone !== null && clock() < tombstone.score;
  }

  async function removeAll(id: string): Promise<void> {
    await documents.remove(keys.sessions, id);
    for (const kind of SESSION_BLOBS) await blobs.removeAll(await keys.prefix(kind, id));
  }

  function report(what: string): void {
    onError(new Error(`[sentiero] reindex: ${what}`));
  }
}

/** Whether a document has the shape that everything else relies on. */
function isUsable(document: SessionDocument, id: string): boolean {
  const { createdAt, updatedAt, settledAt, fullAt, windows, indexPages, terms, metadata, gaps } = document;
  return (
    document.id === id &&
    [createdAt, updatedAt, settledAt, fullAt, document.settledBytes].every(
      (at) => Number.isSafeInteger(at) && at >= 0,
    ) &&
    createdAt > 0 &&
    updatedAt >= createdAt &&
    [windows, indexPages, terms, metadata, gaps].every(Array.isArray) &&
    windows.every((window) => Array.isArray(window?.runs) && window.runs.every((run) => Array.isArray(run?.rows)))
  );
}

async function withRows({
  document,
  blobs,
}: Spilled): Promise<{ document: SessionDocument; rows: readonly IndexPage[] }> {
  const { pages } = await readIndexPages(document.indexPages, async (name) => blobs.get(name) ?? null);
  return { document, rows: [...pages, ...rowsOf(document)] };
}
