import type { Platform } from "../platform.ts";
import { parseBatch } from "../rrweb/batch.ts";
import type { Store } from "../storage/store.ts";
import type { Updater } from "../storage/update.ts";
import type { BatchSummary, RecordedEvent, SessionDetail } from "../types.ts";
import type { IndexPage, IndexRow, SessionDocument } from "./document.ts";
import { layOutRows, readIndexPages, rowsOf } from "./index-pages.ts";
import { SEGMENT_PREFIX, batchKey, toBatchList } from "./replay-order.ts";
import type { Scrub } from "./scrub.ts";
import { MAX_SEGMENT_BYTES, toSegmentJson, type Segment, type SegmentBatch } from "./segment.ts";
import type { SessionKeys } from "./session-keys.ts";
import { toDetail } from "./summary.ts";
import type { Usage } from "./usage.ts";

/**
 * Told of every session that settles: its events are read once, in order, for everybody. A session settles again when a
 * late batch came; what was derived from it is derived anew then.
 */
export type SettleHook = (session: SessionDetail) => SettleTask;

/** What a hook does with one session. */
export interface SettleTask {
  /** Some events of a window, in the order of replay, window by window. */
  take(windowId: string, events: readonly RecordedEvent[]): Promise<void> | void;
  /** Everything was seen and the session is about to be marked as settled. May come again for the same session. */
  finish(): Promise<void> | void;
}

interface SettleOptions {
  readonly platform: Platform;
  readonly clock: () => number;
  readonly keys: SessionKeys;
  readonly update: Updater["update"];
  readonly usage: Usage;
  readonly scrub: Scrub;
  readonly hooks: readonly SettleHook[];
}

/** One stored piece of a window, read. */
interface Piece {
  readonly summary: BatchSummary;
  readonly inflatedBytes: number;
  readonly batches: readonly SegmentBatch[];
  readonly eventsJson: string;
}

/** What became of a window's pieces. */
interface Joined {
  readonly windowId: string;
  readonly run: string;
  readonly row: IndexRow;
  readonly pieces: readonly Piece[];
}

/**
 * Settles one session: reads its batches once, in order, hands them to the hooks, and joins those of a window to segments.
 * Resolves with false when there is nothing to do: it is gone, settled already, or got a batch meanwhile (then it is
 * settled another time). A crash at any point leaves the batches or the segments whole, never less.
 */
export function createSettle(store: Store, options: SettleOptions): (id: string) => Promise<boolean> {
  const { documents, blobs } = store;
  const { platform, clock, keys, update, usage, scrub, hooks } = options;

  return async function settle(id) {
    const document = (await documents.get<SessionDocument>(keys.sessions, id))?.doc;
    if (!document || document.settledAt >= document.updatedAt) return false;
    const indexPrefix = await keys.prefix("indexes", id);
    const index = await readIndexPages(document.indexPages, (name) => blobs.get(indexPrefix + name));
    if (!index.isWhole) return false;
    const tasks = hooks.map((hook) => hook(toDetail(document, clock())));
    const joined = await joinWindows(document, index.pages, tasks);
    const toName = async (page: Uint8Array) => (await platform.sha256(page)).slice(0, 16);
    const spilled = await layOutRows(document, replaceRows([...index.pages, ...rowsOf(document)], joined), toName);
    const batchBytes = sum(joined, ({ pieces }) => sum(pieces, toBatchBytes));
    const next: SessionDocument = {
      ...spilled.document,
      settledAt: Math.max(clock(), document.updatedAt),
      settledBytes: document.settledBytes + batchBytes,
    };
    let found: SessionDocument | null = document;
    await update<SessionDocument>(
      keys.sessions,
      id,
      {
        apply(current, beside) {
          found = current;
          if (!current || !isSame(current, document)) return undefined;
          for (const [name, page] of spilled.blobs) beside.blobs.set(indexPrefix + name, page);
          return next;
        },
      },
      ({ updatedAt }, previous) => previous ?? updatedAt,
    );
    if (!found || !isSame(found, document)) {
      // Where another process has settled it meanwhile, nothing is taken away that its document could name.
      if (!found || found.settledAt === document.settledAt) await removeSegments(id, joined);
      if (!found) await removeErased(indexPrefix, spilled.blobs.keys());
      return false;
    }
    usage.add(document.createdAt, {
      batchBytes: -batchBytes,
      segmentBytes: sum(joined, ({ row, pieces }) => row[5] - sum(pieces, toSegmentBytes)),
    });
    await removeOld(next, joined, index.names, indexPrefix);
    return true;
  };

  /** Writes the segments of all windows; none is left when something fails, because no document names them yet. */
  async function joinWindows(
    document: SessionDocument,
    pages: readonly IndexPage[],
    tasks: readonly SettleTask[],
  ): Promise<readonly Joined[]> {
    const joined: Joined[] = [];
    try {
      for (const { id: windowId } of document.windows) {
        const list = toBatchList(document, pages, windowId).filter(({ isConflict }) => !isConflict);
        await joinWindow(document, windowId, list, tasks, joined);
      }
      for (const task of tasks) await task.finish();
      return joined;
    } catch (error) {
      await removeSegments(document.id, joined).catch(() => {});
      throw error;
    }
  }

  /** Reads a window's pieces in order and writes segments of neighbours. */
  async function joinWindow(
    document: SessionDocument,
    windowId: string,
    list: readonly BatchSummary[],
    tasks: readonly SettleTask[],
    joined: Joined[],
  ): Promise<void> {
    let group: Piece[] = [];

    const flush = async (): Promise<void> => {
      const pieces = group;
      group = [];
      // One alone would only be written again.
      if (pieces.length < 2) return;
      joined.push(await writeSegment(document, windowId, pieces));
    };

    for (const summary of list) {
      // Others have their turn: with a database in this process nothing else lets them.
      await new Promise<void>((resolve) => platform.defer(resolve));
      const read = await readPiece(document.id, windowId, summary);
      if (!read) {
        await flush();
        continue;
      }
      for (const task of tasks) await task.take(windowId, read.events);
      const size = sum(group, ({ inflatedBytes }) => inflatedBytes) + read.piece.inflatedBytes;
      if (size > MAX_SEGMENT_BYTES || overlaps(group, summary)) await flush();
      if (read.piece.inflatedBytes <= MAX_SEGMENT_BYTES) group.push(read.piece);
    }
    await flush();
  }

  async function readPiece(
    id: string,
    windowId: string,
    summary: BatchSummary,
  ): Promise<{ piece: Piece; events: readonly RecordedEvent[] } | null> {
    const stored = await blobs.get(await keys.blob(id, windowId, summary.key));
    const bytes = stored && (await platform.inflate(stored, platform.maxInflatedBytes));
    if (!bytes || typeof bytes === "string") return null;
    if (summary.key.startsWith(SEGMENT_PREFIX)) {
      const segment = JSON.parse(new TextDecoder().decode(bytes)) as Segment;
      const eventsJson = JSON.stringify(segment.events);
      return {
        piece: { summary, inflatedBytes: bytes.byteLength, batches: segment.batches, eventsJson },
        events: segment.events,
      };
    }
    const { batch, eventsJson } = parseBatch(bytes, { maxEventsPerBatch: Infinity });
    const { events, ...envelope } = batch;
    const hash = summary.key.slice(-24);
    return {
      piece: {
        summary,
        inflatedBytes: bytes.byteLength,
        batches: [{ ...envelope, hash, count: events.length, bytes: stored.byteLength }],
        eventsJson: eventsJson ?? JSON.stringify(events),
      },
      events,
    };
  }

  async function writeSegment(
    { id, createdAt, updatedAt }: SessionDocument,
    windowId: string,
    pieces: readonly Piece[],
  ): Promise<Joined> {
    const batches = pieces.flatMap((piece) => piece.batches);
    const json = toSegmentJson(
      { arrived: [createdAt, updatedAt], batches },
      pieces.map(({ eventsJson }) => eventsJson),
    );
    const bytes = await platform.compress(new TextEncoder().encode(json));
    // A name of its own for every try: of two processes that settle one session at once, each may only remove its own.
    const name = randomName();
    await blobs.create(await keys.blob(id, windowId, SEGMENT_PREFIX + name), bytes);
    const summaries = pieces.map(({ summary }) => summary);
    const times = summaries.flatMap(({ firstAt, lastAt }) => [firstAt, lastAt]).filter((at) => at > 0);
    const { run, seq } = summaries[0]!;
    const row: IndexRow = [
      seq,
      name,
      times.length > 0 ? Math.min(...times) : 0,
      times.length > 0 ? Math.max(...times) : 0,
      sum(summaries, ({ eventCount }) => eventCount),
      bytes.byteLength,
      summaries.some(({ hasFullSnapshot }) => hasFullSnapshot) ? 1 : 0,
      1,
    ];
    return { windowId, run, row, pieces };
  }

  /** The session was erased while it was settled: nothing of this try may outlive it, in files neither. */
  async function removeErased(indexPrefix: string, pages: Iterable<string>): Promise<void> {
    for (const name of pages) await blobs.remove(indexPrefix + name);
    await scrub.now();
  }

  async function removeSegments(id: string, joined: readonly Joined[]): Promise<void> {
    for (const { windowId, row } of joined) await blobs.remove(await keys.blob(id, windowId, SEGMENT_PREFIX + row[1]));
  }

  /** What the document does not name any more. A crash before the end leaves some of it, which `reindex` takes away. */
  async function removeOld(
    next: SessionDocument,
    joined: readonly Joined[],
    names: readonly string[],
    indexPrefix: string,
  ): Promise<void> {
    for (const { windowId, pieces } of joined) {
      for (const { summary } of pieces) await blobs.remove(await keys.blob(next.id, windowId, summary.key));
    }
    const kept = await readIndexPages(next.indexPages, (name) => blobs.get(indexPrefix + name));
    for (const name of names) if (!kept.names.includes(name)) await blobs.remove(indexPrefix + name);
  }
}

/** Whether nothing came between reading a document and writing it. */
function isSame(a: SessionDocument, b: SessionDocument): boolean {
  return a.updatedAt === b.updatedAt && a.events === b.events && a.bytes === b.bytes && a.settledAt === b.settledAt;
}

/** Two starts of a recorder that ran at the same time are never made one stream. */
function overlaps(group: readonly Piece[], { run, firstAt }: BatchSummary): boolean {
  return group.some(({ summary }) => summary.run !== run && firstAt > 0 && firstAt < summary.lastAt);
}

/** The rows of batches that lie in a segment now say so, and the segment stands beside them. */
function replaceRows(pages: readonly IndexPage[], joined: readonly Joined[]): IndexPage[] {
  const covered = new Set(
    joined.flatMap(({ windowId, pieces }) => pieces.map(({ summary }) => `${windowId}/${summary.run}/${summary.key}`)),
  );
  const kept = pages.map((page): IndexPage => {
    const rows = page.rows.flatMap((row): IndexRow[] => {
      const [seq, hash, first, last, events, , hasFullSnapshot, isSegment] = row;
      const key = isSegment ? SEGMENT_PREFIX + hash : batchKey({ run: page.run, seq, hash });
      if (!covered.has(`${page.window}/${page.run}/${key}`)) return [row];
      return isSegment ? [] : [[seq, hash, first, last, events, 0, hasFullSnapshot]];
    });
    return { ...page, rows };
  });
  return [...kept, ...joined.map(({ windowId, run, row }) => ({ window: windowId, run, rows: [row] }))];
}

function toBatchBytes({ summary }: Piece): number {
  return summary.key.startsWith(SEGMENT_PREFIX) ? 0 : summary.byteCount;
}

function toSegmentBytes({ summary }: Piece): number {
  return summary.key.startsWith(SEGMENT_PREFIX) ? summary.byteCount : 0;
}

function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function sum<T>(list: readonly T[], of: (item: T) => number): number {
  return list.reduce((total, item) => total + of(item), 0);
}
