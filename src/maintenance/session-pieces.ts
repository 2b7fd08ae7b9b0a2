import type { Platform } from "../platform.ts";
import { parseBatch } from "../rrweb/batch.ts";
import { SEGMENT_PREFIX, batchKey } from "../sessions/replay-order.ts";
import { splitSegment, type Segment } from "../sessions/segment.ts";
import type { SessionKeys } from "../sessions/session-keys.ts";
import type { BlobStore } from "../storage/blobs.ts";
import type { Batch } from "../types.ts";

/** One stored batch or segment, read. */
export interface StoredPiece {
  /** Key of its blob. */
  readonly key: string;
  readonly sessionId: string;
  readonly windowId: string;
  /** As stored. */
  readonly byteCount: number;
  /** Null where the piece is one batch. */
  readonly segment: { readonly name: string; readonly arrived: readonly [number, number] } | null;
  readonly batches: readonly StoredBatch[];
}

/** A batch with the digest that names it, and its bytes as they were stored when it came. */
export interface StoredBatch {
  readonly batch: Batch;
  readonly hash: string;
  readonly bytes: number;
}

/** Reads the blob under a key: null when there is none, `broken` when it is not what its key says. */
export type ReadPiece = (key: string) => Promise<StoredPiece | "broken" | null>;

/** Reads batches and segments by the keys of their blobs. */
export function createPieceReader(blobs: BlobStore, keys: SessionKeys, platform: Platform): ReadPiece {
  return async (key) => {
    const stored = await blobs.get(key);
    if (!stored) return null;
    const bytes = await platform.inflate(stored, platform.maxInflatedBytes);
    if (typeof bytes === "string") return "broken";
    const name = nameOf(key);
    try {
      const isSegment = key.startsWith("segments:");
      const read = isSegment
        ? readSegment(bytes)
        : { arrived: null, batches: [readBatch(bytes, name, stored.byteLength)] };
      const { sessionId, windowId } = read.batches[0]!.batch;
      const piece: StoredPiece = {
        key,
        sessionId,
        windowId,
        byteCount: stored.byteLength,
        segment: read.arrived && { name, arrived: read.arrived },
        batches: read.batches,
      };
      const blobName = isSegment ? SEGMENT_PREFIX + name : nameBatch(read.batches[0]!);
      return (await keys.blob(sessionId, windowId, blobName)) === key ? piece : "broken";
    } catch {
      return "broken";
    }
  };
}

/** The last part of a key. */
export function nameOf(key: string): string {
  return key.slice(key.lastIndexOf(":") + 1);
}

/** Names a batch within its window, as its key does. */
export function nameBatch({ batch, hash }: StoredBatch): string {
  return batchKey({ run: batch.run ?? "", seq: batch.seq ?? -1, hash });
}

/** Every key that starts with a prefix; each comes once. */
export async function listKeys(blobs: BlobStore, prefix: string): Promise<readonly string[]> {
  const found = new Set<string>();
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<BlobStore["list"]>> = await blobs.list(prefix, cursor);
    for (const key of page.keys) found.add(key);
    cursor = page.cursor;
  } while (cursor !== null);
  return [...found];
}

function readBatch(bytes: Uint8Array, name: string, byteCount: number): StoredBatch {
  const { batch } = parseBatch(bytes, { maxEventsPerBatch: Infinity });
  return { batch, hash: name.slice(-24), bytes: byteCount };
}

function readSegment(bytes: Uint8Array): { arrived: readonly [number, number]; batches: readonly StoredBatch[] } {
  const segment = JSON.parse(new TextDecoder().decode(bytes)) as Segment;
  const { arrived, batches, events } = segment;
  const isWhole =
    Array.isArray(events) &&
    arrived.every(Number.isFinite) &&
    batches.length > 0 &&
    batches.every(({ windowId, bytes }) => windowId === batches[0]!.windowId && bytes >= 0) &&
    batches.reduce((sum, { count }) => sum + count, 0) === events.length;
  if (!isWhole) throw new TypeError("not a segment");
  return { arrived, batches: [...splitSegment(segment)] };
}
