import type { Platform } from "../platform.ts";
import { isId } from "../rrweb/batch.ts";
import { isRecord } from "../rrweb/events.ts";
import type { SessionDocument } from "../sessions/document.ts";
import { KINDS, SESSION_BLOBS } from "../sessions/kinds.ts";
import { createSessionKeys } from "../sessions/session-keys.ts";
import { createScrub } from "../sessions/scrub.ts";
import { createUsage } from "../sessions/usage.ts";
import type { StoredDocument } from "../storage/documents.ts";
import { SCHEMA_VERSION } from "../storage/schema.ts";
import type { Store } from "../storage/store.ts";
import { createUpdater, putAfterBlobs } from "../storage/update.ts";
import {
  ARCHIVE_FORMAT,
  ArchiveError,
  fromBase64,
  readLine,
  splitLines,
  type ArchiveCounts,
  type ArchiveLine,
} from "./archive-lines.ts";
import { ARCHIVED } from "./archive.ts";
import { compareSessions } from "./compare-sessions.ts";
import { createUsageCount } from "./count-usage.ts";
import { createProgress } from "./progress.ts";

/** What became of an archive's sessions. */
export interface ImportResult {
  readonly added: number;
  /** There already, with all that the archive has. */
  readonly present: number;
  /** There with less than the archive has, and now with all of it. */
  readonly updated: number;
  /** There with other content: left as they are. */
  readonly differing: number;
  /** Some of their ids. */
  readonly differingIds: readonly string[];
  /** Erased in the store: not taken in. */
  readonly erased: number;
  /** Bytes of blobs that were written. */
  readonly bytes: number;
  /** What the archive says of itself. */
  readonly archive: ArchiveCounts;
}

interface ImportOptions {
  readonly project: string;
  readonly platform: Platform;
  readonly clock: () => number;
  readonly onError: (error: unknown) => void;
  /** Told behind each session. */
  readonly onProgress?: (result: Omit<ImportResult, "archive">) => void;
}

const MAX_IDS_TOLD = 20;

/** Blobs that are written at once. */
const WRITES = 8;

/** A session under way. */
interface Incoming {
  readonly id: string;
  readonly score: number;
  readonly doc: SessionDocument;
  readonly outcome: "add" | "update" | "present" | "differing" | "erased";
  readonly existing: StoredDocument<SessionDocument> | null;
  /** Keys that this try has written. */
  readonly written: Set<string>;
}

/**
 * Takes an archive into a store, in constant memory. Doing it again, or going on after a crash, changes nothing that is
 * there. A session that is there with other content is left and told; one that was erased in the store stays erased.
 * @throws ArchiveError for an archive that is cut, damaged or of a newer sentiero; what stands before has been taken in.
 */
export async function importStore(
  store: Store,
  source: AsyncIterable<Uint8Array>,
  options: ImportOptions,
): Promise<ImportResult> {
  const { project, platform, clock, onProgress, onError } = options;
  const { documents, blobs } = store;
  const keys = createSessionKeys(project, platform);
  const { update } = createUpdater(documents, store.putWithBlobs ?? putAfterBlobs(store));
  const counts = { added: 0, present: 0, updated: 0, differing: 0, erased: 0, bytes: 0 };
  const differingIds: string[] = [];
  const writing = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | null = null;
  let incoming: Incoming | null = null;
  /** What a try that was not whole has written; the next try may want it. */
  let left: { readonly id: string; readonly written: Set<string> } | null = null;
  let earliestUnsettled = Infinity;
  let sessions = 0;
  /** Erased here, because they were erased there. */
  let removed = 0;
  /** What was taken away again may be of somebody who was erased meanwhile, and is overwritten in the end. */
  let hasRemoved = false;

  const told = () => ({ ...counts, differingIds: [...differingIds] });

  async function isErased(id: string): Promise<boolean> {
    const tombstone = await documents.get(keys.tombstones, id);
    return tombstone !== null && clock() < tombstone.score;
  }

  async function removeAll(id: string): Promise<void> {
    hasRemoved = true;
    await documents.remove(keys.sessions, id);
    for (const kind of SESSION_BLOBS) await blobs.removeAll(await keys.prefix(kind, id));
  }

  /** Resolves when everything that was begun is written. */
  async function written(): Promise<void> {
    await Promise.all(writing);
    if (failure) throw failure.error;
  }

  /** Blobs without a document; where one came meanwhile, it may name them. */
  async function removeBlobs(id: string, unwanted: Iterable<string>): Promise<void> {
    if (await documents.get(keys.sessions, id)) return;
    for (const key of unwanted) {
      hasRemoved = true;
      await blobs.remove(key);
    }
  }

  /** Documents that are no session's are put where there is none. Who was erased there is erased here too. */
  async function takeDocument({ kind, id, score, doc }: Extract<ArchiveLine, { type: "document" }>): Promise<void> {
    const collection = `${project}/${kind}`;
    const isTombstone = kind === "tombstones";
    if (isTombstone && score <= clock()) return;
    const old = await documents.get(collection, id);
    if (old && (!isTombstone || old.score >= score)) return;
    await documents.put(collection, id, doc, { score, expectedVersion: old?.version ?? 0 });
    if (!isTombstone || !(await documents.get(keys.sessions, id))) return;
    await removeAll(id);
    removed++;
  }

  async function beginSession(line: Extract<ArchiveLine, { type: "session" }>): Promise<Incoming> {
    const { id, score } = line;
    const doc = line.doc as SessionDocument;
    const base = { id, score, doc, written: new Set<string>() };
    if (left && left.id !== id) await removeLeft(new Set());
    if (await isErased(id)) return { ...base, outcome: "erased", existing: null };
    const existing = await documents.get<SessionDocument>(keys.sessions, id);
    return { ...base, existing, outcome: existing ? OUTCOMES[compareSessions(existing.doc, doc)] : "add" };
  }

  async function takeBlob({ kind, name, bytes: text }: Extract<ArchiveLine, { type: "blob" }>): Promise<void> {
    const { id, outcome, written: own } = incoming!;
    if (outcome !== "add" && outcome !== "update") return;
    const key = (await keys.prefix(kind, id)) + name;
    // What is there is somebody else's, and must stay if this try is given up.
    if (outcome === "update" && (await blobs.has(key))) return;
    const bytes = fromBase64(text);
    own.add(key);
    counts.bytes += bytes.byteLength;
    while (writing.size >= WRITES) await Promise.race(writing);
    const write: Promise<void> = blobs
      .create(key, bytes)
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => writing.delete(write));
    writing.add(write);
  }

  async function endSession({ whole }: { readonly whole: boolean }): Promise<void> {
    const { id, outcome, written: own } = incoming!;
    await written();
    if (!whole) {
      left = { id, written: new Set([...(left?.written ?? []), ...own]) };
      return;
    }
    sessions++;
    await removeLeft(own);
    const final = outcome === "add" || outcome === "update" ? await publish(incoming!) : outcome;
    if (final === "add") counts.added++;
    else if (final === "update") counts.updated++;
    else counts[final]++;
    if (final === "differing" && differingIds.length < MAX_IDS_TOLD) differingIds.push(id);
    onProgress?.(told());
  }

  async function publish({ id, score, doc, existing, outcome, written: own }: Incoming): Promise<Incoming["outcome"]> {
    if (await isErased(id)) {
      await removeAll(id);
      return "erased";
    }
    const isPut = await documents.put(keys.sessions, id, doc, {
      score: Math.max(score, existing?.score ?? score),
      terms: doc.terms,
      expectedVersion: existing?.version ?? 0,
    });
    // From here on an erasure finds the session; one that came before has left its mark.
    if (await isErased(id)) {
      await removeAll(id);
      return "erased";
    }
    if (!isPut) {
      // It came to life here meanwhile, or grew.
      await removeBlobs(id, own);
      return "differing";
    }
    if (doc.settledAt < doc.updatedAt) earliestUnsettled = Math.min(earliestUnsettled, score);
    return outcome;
  }

  /** Takes away what tries that were not whole have written, but for these keys. */
  async function removeLeft(wanted: ReadonlySet<string>): Promise<void> {
    if (left)
      await removeBlobs(
        left.id,
        [...left.written].filter((key) => !wanted.has(key)),
      );
    left = null;
  }

  /** The blobs of a session that did not come whole. */
  async function removeUnfinished(): Promise<void> {
    if (incoming) await removeBlobs(incoming.id, incoming.written);
    await removeLeft(new Set());
  }

  async function takeLine(line: ArchiveLine, number: number): Promise<ArchiveCounts | null> {
    switch (line.type) {
      case "archive":
        checkHeader(line, number);
        return null;
      case "document":
        if (!incoming && isKnownDocument(line)) await takeDocument(line);
        else throw new ArchiveError(number, "a document that does not belong here");
        return null;
      case "session":
        if (incoming || !isSession(line)) throw new ArchiveError(number, "a session that does not belong here");
        incoming = await beginSession(line);
        return null;
      case "blob":
        if (!incoming || !isBlob(line)) throw new ArchiveError(number, "a recording that does not belong here");
        await takeBlob(line);
        return null;
      case "session-end":
        if (!incoming) throw new ArchiveError(number, "the end of a session that has no begin");
        await endSession(line);
        incoming = null;
        return null;
      case "end": {
        await removeLeft(new Set());
        const { type: _, ...archive } = line;
        if (incoming || archive.sessions !== sessions) {
          throw new ArchiveError(number, `${archive.sessions} sessions should stand here, and ${sessions} do`);
        }
        return archive;
      }
      default:
        throw new ArchiveError(number, "a line of an unknown type");
    }
  }

  /** What came has to be settled and counted. */
  async function finish(): Promise<void> {
    if (hasRemoved) await createScrub(store, { project, clock, update, onError }).now();
    if (counts.added + counts.updated + removed === 0) return;
    if (earliestUnsettled < Infinity) {
      const progress = createProgress(documents, update, project);
      await progress.change((old) => ({ ...old, settledTo: Math.min(old.settledTo, earliestUnsettled - 1) }));
    }
    const count = createUsageCount(store, { project, platform });
    let place: Awaited<ReturnType<typeof count.step>> = null;
    do {
      place = await count.step(place);
    } while (place !== null && place !== "lost");
    await createUsage(documents, update, { project, clock }).reset(count.take());
  }

  let number = 0;
  let archive: ArchiveCounts | null = null;
  try {
    for await (const { text, isWhole } of splitLines(source)) {
      number++;
      if (!isWhole) throw new ArchiveError(number, "the archive is cut here");
      if (archive) throw new ArchiveError(number, "something stands behind the end of the archive");
      const line = await readLine(text, number, platform);
      if ((number === 1) !== (line.type === "archive"))
        throw new ArchiveError(number, "this is no archive of sentiero");
      archive = await takeLine(line, number);
    }
    if (!archive) throw new ArchiveError(number + 1, "the archive is cut here");
  } finally {
    await Promise.all(writing);
    await removeUnfinished();
    await finish();
  }
  return { ...told(), archive };
}

const OUTCOMES = { same: "present", more: "present", less: "update", other: "differing" } as const;

function checkHeader({ format, schema }: Extract<ArchiveLine, { type: "archive" }>, number: number): void {
  if (format !== ARCHIVE_FORMAT || schema > SCHEMA_VERSION) {
    throw new ArchiveError(number, "the archive was written by a newer sentiero: upgrade this one, then import again");
  }
}

function isKnownDocument({ kind, id, score, doc }: Extract<ArchiveLine, { type: "document" }>): boolean {
  const isKnown = KINDS.some(({ name, of, stored }) => name === kind && of === "store" && stored === "documents");
  return isKnown && ARCHIVED[kind] === true && typeof id === "string" && Number.isSafeInteger(score) && isRecord(doc);
}

function isSession({ id, score, doc }: Extract<ArchiveLine, { type: "session" }>): boolean {
  return isId(id) && Number.isSafeInteger(score) && isRecord(doc) && doc.id === id && Array.isArray(doc.windows);
}

/** No name may lead out of its session. */
function isBlob({ kind, name, bytes }: Extract<ArchiveLine, { type: "blob" }>): boolean {
  return SESSION_BLOBS.includes(kind) && /^[a-z0-9_-]+(:[a-z0-9_-]+)*$/.test(name) && typeof bytes === "string";
}
