import type { Platform } from "../platform.ts";
import { parseBatch } from "../rrweb/batch.ts";
import type { BlobStore } from "../storage/blobs.ts";
import type { Batch } from "../types.ts";
import { digestBatch, type BatchDigest } from "./digest.ts";
import type { IndexPage, IndexRow, SessionDocument } from "./document.ts";
import { rowsOf } from "./index-pages.ts";
import { countRows, mergeDigest } from "./merge.ts";
import { batchKey } from "./replay-order.ts";
import { splitSegment, type Segment } from "./segment.ts";
import { toUserTerm, userOf } from "./user.ts";

/** What the blobs of a session say, without its document. */
export interface Recovered {
  /** Without rows; they are in `rows`. */
  readonly document: SessionDocument;
  readonly rows: readonly IndexPage[];
  /** Keys of blobs that hold nothing which is not held elsewhere too: what a crash of settling left behind. */
  readonly spare: readonly string[];
  /** Keys of blobs that can't be read. */
  readonly broken: readonly string[];
}

interface FoundBatch {
  readonly batch: Batch;
  readonly hash: string;
  readonly bytes: number;
  readonly arrivedAt: number;
}

interface FoundSegment {
  readonly key: string;
  readonly name: string;
  readonly bytes: number;
  readonly batches: readonly FoundBatch[];
}

/**
 * Derives a session's document from its blobs; null where they hold nothing. What only the server knew (when batches
 * arrived) comes from the old document, else from its segments, else from the browser's word, kept between `earliest`
 * and `now`.
 */
export async function recoverSession(
  blobs: BlobStore,
  keys: { readonly batches: readonly string[]; readonly segments: readonly string[] },
  known: {
    readonly document: SessionDocument | null;
    /** Names of the segments that the old document names. */
    readonly segments: ReadonlySet<string>;
    readonly now: number;
    readonly platform: Platform;
  },
): Promise<Recovered | null> {
  const { platform, now } = known;
  const broken: string[] = [];
  const clamp = (at: number | undefined): number =>
    at === undefined || !(at <= now) || at < now - MAX_AGE_MS ? now : Math.round(at);

  async function inflate(key: string): Promise<{ stored: Uint8Array; bytes: Uint8Array } | null> {
    const stored = await blobs.get(key);
    const bytes = stored && (await platform.gunzip(stored, platform.maxInflatedBytes));
    if (!stored) return null;
    if (!bytes || typeof bytes === "string") {
      broken.push(key);
      return null;
    }
    return { stored, bytes };
  }

  async function readBatch(key: string): Promise<FoundBatch | null> {
    const found = await inflate(key);
    if (!found) return null;
    try {
      const { batch } = parseBatch(found.bytes, { maxEventsPerBatch: Infinity });
      return { batch, hash: key.slice(-24), bytes: found.stored.byteLength, arrivedAt: clamp(batch.sentAt) };
    } catch {
      broken.push(key);
      return null;
    }
  }

  async function readSegment(key: string): Promise<FoundSegment | null> {
    const found = await inflate(key);
    if (!found) return null;
    try {
      const segment = JSON.parse(new TextDecoder().decode(found.bytes)) as Segment;
      const batches = [...splitSegment(segment)].map((one) => ({ ...one, arrivedAt: clamp(segment.arrived[1]) }));
      if (batches[0]) batches[0] = { ...batches[0], arrivedAt: clamp(segment.arrived[0]) };
      return { key, name: key.slice(key.lastIndexOf(":") + 1), bytes: found.stored.byteLength, batches };
    } catch {
      broken.push(key);
      return null;
    }
  }

  const loose = new Map<string, { key: string; found: FoundBatch }>();
  for (const key of keys.batches) {
    const found = await readBatch(key);
    if (found) loose.set(nameOf(found), { key, found });
  }
  const segments: FoundSegment[] = [];
  for (const key of keys.segments) {
    const found = await readSegment(key);
    if (found) segments.push(found);
  }

  // Those that the document names are sure; another one is only needed for what is nowhere else.
  const spare: string[] = [];
  const held = new Set<string>();
  const kept: FoundSegment[] = [];
  const sure = segments.toSorted((a, b) => Number(known.segments.has(b.name)) - Number(known.segments.has(a.name)));
  for (const segment of sure) {
    const isNeeded =
      known.segments.has(segment.name) ||
      segment.batches.some((one) => !held.has(nameOf(one)) && !loose.has(nameOf(one)));
    if (!isNeeded) spare.push(segment.key);
    else {
      kept.push(segment);
      for (const one of segment.batches) held.add(nameOf(one));
    }
  }
  const batches: FoundBatch[] = [];
  for (const [name, { key, found }] of loose) {
    if (held.has(name)) spare.push(key);
    else batches.push(found);
  }
  const merged = new Set<string>();
  let document: SessionDocument | null = null;
  const rows: IndexPage[] = [];
  for (const one of [...batches, ...kept.flatMap((segment) => segment.batches)]) {
    if (merged.has(nameOf(one))) continue;
    merged.add(nameOf(one));
    document = mergeDigest(document, await toDigest(one, platform));
    // A long list of rows would be copied with every batch.
    if (countRows(document) >= ROWS_AT_ONCE) {
      rows.push(...rowsOf(document));
      document = withoutRows(document);
    }
  }
  if (!document) return null;
  rows.push(...rowsOf(document));
  document = withoutRows(document);
  const joinedRows = markJoined(rows, held);
  for (const segment of kept) joinedRows.push(await toSegmentRow(segment, platform));
  const settledBytes = kept.flatMap((segment) => segment.batches).reduce((sum, { bytes }) => sum + bytes, 0);
  const old = known.document;
  const next: SessionDocument = {
    ...document,
    ...(old && { createdAt: old.createdAt, updatedAt: old.updatedAt, fullAt: old.fullAt }),
    settledBytes,
    settledAt: old?.settledAt ?? (kept.length > 0 && batches.length === 0 ? document.updatedAt : 0),
  };
  return { document: next, rows: joinedRows, spare, broken };
}

/** What claims to be older was never recorded by us. */
const MAX_AGE_MS = 10 * 365 * 86_400_000;

const ROWS_AT_ONCE = 256;

function nameOf({ batch, hash }: Pick<FoundBatch, "batch" | "hash">): string {
  return `${batch.windowId}/${batchKey({ run: batch.run ?? "", seq: batch.seq ?? -1, hash })}`;
}

async function toDigest({ batch, hash, bytes, arrivedAt }: FoundBatch, platform: Platform): Promise<BatchDigest> {
  const user = userOf(batch.metadata ?? {});
  const digest = digestBatch(batch, {
    hash,
    keyHash: batch.key ? (await platform.sha256(batch.key)).slice(0, 32) : null,
    userTerm: user === null ? null : await toUserTerm(user, platform),
    receivedAt: arrivedAt,
    bytes,
  });
  return digest;
}

function withoutRows(document: SessionDocument): SessionDocument {
  const windows = document.windows.map((window) => ({
    ...window,
    runs: window.runs.map((run) => ({ ...run, rows: [] })),
  }));
  return { ...document, windows };
}

/** The bytes of a batch in a segment are 0 in the index. */
function markJoined(pages: readonly IndexPage[], held: ReadonlySet<string>): IndexPage[] {
  return pages.map((page) => ({
    ...page,
    rows: page.rows.map((row): IndexRow => {
      const [seq, hash, first, last, events, , hasFullSnapshot] = row;
      const isHeld = held.has(`${page.window}/${batchKey({ run: page.run, seq, hash })}`);
      return isHeld ? [seq, hash, first, last, events, 0, hasFullSnapshot] : row;
    }),
  }));
}

async function toSegmentRow({ name, bytes, batches }: FoundSegment, platform: Platform): Promise<IndexPage> {
  const digests = await Promise.all(batches.map((one) => toDigest(one, platform)));
  const times = digests.flatMap(({ first, last }) => [first, last]).filter((at) => at > 0);
  const first = digests[0]!;
  const row: IndexRow = [
    first.seq,
    name,
    times.length > 0 ? Math.min(...times) : 0,
    times.length > 0 ? Math.max(...times) : 0,
    digests.reduce((sum, { events }) => sum + events, 0),
    bytes,
    digests.some(({ hasFullSnapshot }) => hasFullSnapshot) ? 1 : 0,
    1,
  ];
  return { window: first.windowId, run: first.run, rows: [row] };
}
