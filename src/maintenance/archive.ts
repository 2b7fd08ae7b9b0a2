import type { Platform } from "../platform.ts";
import type { IndexPage, SessionDocument } from "../sessions/document.ts";
import { readIndexPages, rowsOf } from "../sessions/index-pages.ts";
import { KINDS, SESSION_BLOBS } from "../sessions/kinds.ts";
import { SEGMENT_PREFIX, batchKey } from "../sessions/replay-order.ts";
import { createSessionKeys, type SessionKeys } from "../sessions/session-keys.ts";
import type { BlobStore } from "../storage/blobs.ts";
import type { Cursor, DocumentPage } from "../storage/documents.ts";
import { SCHEMA_VERSION } from "../storage/schema.ts";
import type { Store } from "../storage/store.ts";
import { ARCHIVE_FORMAT, toBase64, writeLine, type ArchiveCounts, type ArchiveLine } from "./archive-lines.ts";
import { listKeys } from "./session-pieces.ts";

/** Which documents that are no session's go into an archive. */
export const ARCHIVED: Readonly<Record<string, boolean>> = {
  // What was erased here must not come back there.
  tombstones: true,
  // What arrived on each day can't be counted anew.
  usage: true,
  // Rights and work of the processes at this store, and how far they have come, mean nothing at another one. A job
  // that was moved would begin to erase there without anybody having asked for it.
  leases: false,
  jobs: false,
  progress: false,
};

/** Where an archive stands behind a whole session: give it as `from` to go on in the same file. */
export interface ArchivePlace {
  readonly after: Cursor;
  readonly counts: ArchiveCounts;
}

interface ExportOptions {
  readonly project: string;
  readonly platform: Platform;
  readonly clock: () => number;
  /** Goes on behind this place, without a header. */
  readonly from?: ArchivePlace | null;
  /** Told behind each session, after everything up to there was taken. */
  readonly onPlace?: (place: ArchivePlace) => Promise<void> | void;
}

const PAGE_SIZE = 50;

/** Blobs that are read at once. */
const READS = 8;

/** A session that is being settled while it is read, is read again so often. */
const MAX_TRIES = 5;

/**
 * Everything in a store as lines of JSON, in constant memory. Live sessions go on meanwhile: one that gets a batch comes
 * again, and the later one holds all of it.
 */
export async function* exportStore(store: Store, options: ExportOptions): AsyncGenerator<Uint8Array> {
  const { project, platform, clock, from, onPlace } = options;
  const { documents, blobs } = store;
  const keys = createSessionKeys(project, platform);
  const counts = { documents: 0, sessions: 0, blobs: 0, bytes: 0, missing: 0, ...from?.counts };
  const write = (line: ArchiveLine) => writeLine(line, platform);

  async function* pages<T>(collection: string, start: Cursor | null): AsyncGenerator<DocumentPage<T>["items"]> {
    let after = start;
    do {
      const query = { limit: PAGE_SIZE, order: "ascending", ...(after && { after }) } as const;
      const page: DocumentPage<T> = await documents.page<T>(collection, query);
      yield page.items;
      after = page.cursor;
    } while (after);
  }

  /** Tries until what the document names was all there, because settling takes blobs away. */
  async function* session(id: string): AsyncGenerator<ArchiveLine> {
    for (let tries = 1; ; tries++) {
      const stored = await documents.get<SessionDocument>(keys.sessions, id);
      if (!stored) return;
      yield { type: "session", id, score: stored.score, doc: stored.doc };
      const named = await namesOf(stored.doc, keys, blobs);
      const missing = new Set(named);
      const own = { blobs: 0, bytes: 0 };
      for await (const { key, bytes } of readAll(id, named)) {
        missing.delete(key);
        own.blobs++;
        own.bytes += bytes.byteLength;
        const [kind = "", , , ...name] = key.split(":");
        yield { type: "blob", kind, name: name.join(":"), bytes: toBase64(bytes) };
      }
      const isChanged = missing.size > 0 && (await documents.get(keys.sessions, id))?.version !== stored.version;
      const isWhole = !isChanged || tries === MAX_TRIES;
      if (isWhole) {
        counts.sessions++;
        counts.blobs += own.blobs;
        counts.bytes += own.bytes;
        counts.missing += missing.size;
      }
      yield { type: "session-end", whole: isWhole };
      if (isWhole) return;
    }
  }

  /** What lies under the prefixes of a session, and what its document names. */
  async function* readAll(id: string, named: Iterable<string>): AsyncGenerator<{ key: string; bytes: Uint8Array }> {
    const all = new Set(named);
    for (const kind of SESSION_BLOBS) {
      for (const key of await listKeys(blobs, await keys.prefix(kind, id))) all.add(key);
    }
    const list = [...all].sort();
    for (let start = 0; start < list.length; start += READS) {
      const some = list.slice(start, start + READS);
      const found = await Promise.all(some.map((key) => blobs.get(key)));
      for (const [index, bytes] of found.entries()) if (bytes) yield { key: some[index]!, bytes };
    }
  }

  if (!from) {
    const schema = await store.schemaVersion(SCHEMA_VERSION);
    yield write({ type: "archive", format: ARCHIVE_FORMAT, schema, exportedAt: clock() });
    for (const { name: kind, stored, of } of KINDS) {
      if (stored !== "documents" || of === "session" || !isArchived(kind)) continue;
      for await (const items of pages(`${project}/${kind}`, null)) {
        for (const { id, score, doc } of items) {
          counts.documents++;
          yield write({ type: "document", kind, id, score, doc });
        }
      }
    }
  }
  for await (const items of pages<SessionDocument>(keys.sessions, from?.after ?? null)) {
    for (const { id, score } of items) {
      for await (const line of session(id)) yield write(line);
      await onPlace?.({ after: { score, id }, counts: { ...counts } });
    }
  }
  yield write({ type: "end", ...counts });
}

/** @throws Error where a kind is registered that nobody decided about: nothing may be left out quietly. */
function isArchived(kind: string): boolean {
  const archived = ARCHIVED[kind];
  if (archived === undefined) throw new Error(`nobody decided whether the kind ${kind} goes into an archive`);
  return archived;
}

/** Keys of all blobs that a session's document names. */
async function namesOf(document: SessionDocument, keys: SessionKeys, blobs: BlobStore): Promise<Set<string>> {
  const prefix = await keys.prefix("indexes", document.id);
  const index = await readIndexPages(document.indexPages, (name) => blobs.get(prefix + name));
  const found = new Set(index.names.map((name) => prefix + name));
  for (const { window, run, rows } of [...index.pages, ...rowsOf(document)] as IndexPage[]) {
    for (const [seq, hash, , , , bytes, , isSegment] of rows) {
      if (bytes === 0) continue;
      const name = isSegment ? SEGMENT_PREFIX + hash : batchKey({ run, seq, hash });
      found.add(await keys.blob(document.id, window, name));
    }
  }
  return found;
}
