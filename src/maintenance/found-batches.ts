import type { Platform } from "../platform.ts";
import { hasRoom } from "../sessions/bounds.ts";
import { digestBatch, type BatchDigest } from "../sessions/digest.ts";
import type { IndexPage, IndexRow, SessionDocument } from "../sessions/document.ts";
import { batchKey } from "../sessions/replay-order.ts";
import type { SessionKeys } from "../sessions/session-keys.ts";
import { toUserTerm, userOf } from "../sessions/user.ts";
import type { BlobStore } from "../storage/blobs.ts";
import {
  createPieceReader,
  listKeys,
  nameBatch,
  nameOf,
  type StoredBatch,
  type StoredPiece,
} from "./session-pieces.ts";

/** What was found under the prefixes of a session. */
export interface Found {
  readonly digests: readonly FoundDigest[];
  readonly segments: readonly StoredPiece[];
  /** Batches that lie in a segment, by name. */
  readonly covered: ReadonlySet<string>;
  /** Keys of blobs that are not needed any more. */
  readonly garbage: readonly string[];
  /** First and last arrival, as far as the blobs tell. */
  readonly arrived: readonly [number, number];
}

/** A batch that was found, and whether it lies in a segment. */
export interface FoundDigest {
  readonly digest: BatchDigest;
  readonly isSettled: boolean;
}

/** What the session's document says of its batches: itself where it can be used, and all of its rows. */
export interface Known {
  readonly document: SessionDocument | null;
  readonly rows: readonly IndexPage[];
}

interface FindOptions {
  readonly platform: Platform;
  readonly clock: () => number;
  readonly keys: SessionKeys;
  /** Told in words what can't be read. */
  readonly report: (what: string) => void;
}

/** No recording is older. */
const MAX_AGE_MS = 10 * 365 * 86_400_000;

/** Finds the batches of a session by what lies under its prefixes, and reads all of them. */
export function createFind(blobs: BlobStore, options: FindOptions): (id: string, known: Known) => Promise<Found> {
  const { platform, clock, keys, report } = options;
  const readPiece = createPieceReader(blobs, keys, platform);

  return find;

  async function find(id: string, known: Known): Promise<Found> {
    const named = toNamed(known.rows);
    const segments = await chooseSegments(id, named);
    const covered = new Set(segments.taken.flatMap(namesIn));
    const digests: FoundDigest[] = [];
    const garbage = [...segments.garbage];
    const arrived = segments.taken.flatMap((piece) => piece.segment!.arrived);
    const now = clock();
    for (const piece of segments.taken) {
      for (const stored of piece.batches) digests.push({ digest: await digest(stored), isSettled: true });
    }
    const loose = await listKeys(blobs, await keys.prefix("batches", id));
    for (const key of new Set([...loose, ...segments.extracted])) {
      await othersFirst();
      const piece = await readPiece(key);
      if (!piece) continue;
      if (piece === "broken") {
        report(`the batch ${key} can't be read`);
        const row = named.byKey.get(nameOf(key));
        if (row) digests.push({ digest: fromRow(id, row.window, row.run, row.row), isSettled: false });
        continue;
      }
      const name = namesIn(piece)[0]!;
      if (covered.has(name)) {
        garbage.push(key);
        continue;
      }
      const one = await digest(piece.batches[0]!);
      if (known.document && !named.batches.has(name) && !isWelcome(known.document, one)) {
        report(`the batch ${key} belongs to nobody: it has another key than its session, or no room in it`);
        continue;
      }
      const { sentAt = now } = piece.batches[0]!.batch;
      arrived.push(Math.round(Math.min(now, Math.max(now - MAX_AGE_MS, sentAt))));
      digests.push({ digest: one, isSettled: false });
    }
    return {
      digests,
      segments: segments.taken,
      covered,
      garbage,
      arrived: arrived.length > 0 ? [Math.min(...arrived), Math.max(...arrived)] : [now, now],
    };
  }

  /**
   * The segments whose batches count, of which no two hold the same batch. Those that the document names come first,
   * then the largest. What another one holds beside is cut out, so that nothing of it is lost.
   */
  async function chooseSegments(
    id: string,
    named: Named,
  ): Promise<{ taken: StoredPiece[]; extracted: string[]; garbage: string[] }> {
    const looseNames = new Set((await listKeys(blobs, await keys.prefix("batches", id))).map(withoutPrefix));
    const pieces: StoredPiece[] = [];
    for (const key of await listKeys(blobs, await keys.prefix("segments", id))) {
      await othersFirst();
      const piece = await readPiece(key);
      if (piece === "broken") report(`the segment ${key} can't be read`);
      else if (piece) pieces.push(piece);
    }
    const isNamed = ({ windowId, segment }: StoredPiece) => named.segments.has(`${windowId}/${segment!.name}`);
    pieces.sort((a, b) => Number(isNamed(b)) - Number(isNamed(a)) || b.batches.length - a.batches.length);
    const taken: StoredPiece[] = [];
    const extracted: string[] = [];
    const garbage: string[] = [];
    const covered = new Set<string>();
    const hasDocument = named.batches.size > 0 || named.segments.size > 0;
    for (const piece of pieces) {
      const names = namesIn(piece);
      const part = await windowPart(id, piece.windowId);
      // Its settling was cut before the document named it: while all its batches are there, they count.
      const isCut =
        hasDocument && !isNamed(piece) && piece.batches.every((one) => looseNames.has(part + nameBatch(one)));
      const isNew = !names.some((name) => covered.has(name));
      if (isNew && !isCut) {
        taken.push(piece);
        for (const name of names) covered.add(name);
        continue;
      }
      garbage.push(piece.key);
      for (const [index, stored] of piece.batches.entries()) {
        const isThere = covered.has(names[index]!) || looseNames.has(part + nameBatch(stored));
        if (isThere || isCut) continue;
        const key = await keys.blob(id, piece.windowId, nameBatch(stored));
        await blobs.create(key, await platform.gzip(new TextEncoder().encode(JSON.stringify(stored.batch))));
        extracted.push(key);
      }
    }
    return { taken, extracted, garbage };
  }

  /** What of a key stands before a batch's name and behind the session's prefix. */
  async function windowPart(id: string, windowId: string): Promise<string> {
    return withoutPrefix(await keys.blob(id, windowId, ""));
  }

  async function digest({ batch, hash, bytes }: StoredBatch): Promise<BatchDigest> {
    const keyHash = batch.key ? (await platform.sha256(batch.key)).slice(0, 32) : null;
    const user = userOf(batch.metadata ?? {});
    const userTerm = user === null ? null : await toUserTerm(user, platform);
    // When it arrived is not known, so neither is the skew.
    return { ...digestBatch(batch, { hash, keyHash, userTerm, receivedAt: 0, bytes }), skew: null };
  }

  /** Others have their turn: with a database in this process nothing else lets them. */
  function othersFirst(): Promise<void> {
    return new Promise((resolve) => platform.defer(resolve));
  }
}

/** Batches that rows name and nothing holds. */
export function countLost({ rows }: Known, { digests }: Found): number {
  const there = new Set(digests.map(({ digest }) => `${digest.windowId}/${batchKey(digest)}`));
  return [...toNamed(rows).batches].filter((name) => !there.has(name)).length;
}

interface Named {
  /** Batches and segments by window, and name. */
  readonly batches: ReadonlySet<string>;
  readonly segments: ReadonlySet<string>;
  /** Rows of batches by the last part of their keys. */
  readonly byKey: ReadonlyMap<string, { readonly window: string; readonly run: string; readonly row: IndexRow }>;
}

function toNamed(rows: readonly IndexPage[]): Named {
  const batches = new Set<string>();
  const segments = new Set<string>();
  const byKey = new Map<string, { window: string; run: string; row: IndexRow }>();
  for (const page of rows) {
    for (const row of page.rows) {
      if (row[7]) {
        segments.add(`${page.window}/${row[1]}`);
        continue;
      }
      const name = batchKey({ run: page.run, seq: row[0], hash: row[1] });
      batches.add(`${page.window}/${name}`);
      byKey.set(name, { window: page.window, run: page.run, row });
    }
  }
  return { batches, segments, byKey };
}

/** A batch that no row names may come in where it could have come in when it was sent. */
function isWelcome(document: SessionDocument, digest: BatchDigest): boolean {
  return (document.keyHash === null || document.keyHash === digest.keyHash) && hasRoom(document, digest);
}

/** What a row tells of a batch that can't be read. */
function fromRow(sessionId: string, windowId: string, run: string, row: IndexRow): BatchDigest {
  const [seq, hash, first, last, events, bytes, hasFullSnapshot] = row;
  return {
    ...digestBatch({ sessionId, windowId, events: [] }, { hash, keyHash: null, userTerm: null, receivedAt: 0, bytes }),
    run,
    seq,
    first,
    last,
    events,
    hasFullSnapshot: hasFullSnapshot === 1,
  };
}

/** The names of a piece's batches in its session. */
export function namesIn({ windowId, batches }: StoredPiece): string[] {
  return batches.map((stored) => `${windowId}/${nameBatch(stored)}`);
}

/** Window and name of a blob, as they stand in its key. */
function withoutPrefix(key: string): string {
  return key.split(":").slice(3).join(":");
}
