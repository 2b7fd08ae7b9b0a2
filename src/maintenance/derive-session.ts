import { checkSize } from "../sessions/bounds.ts";
import { MAX_TERMS, ROWS_PER_PAGE, type IndexPage, type IndexRow, type SessionDocument } from "../sessions/document.ts";
import { layOutRows, rowsOf, spillRows, type Spilled } from "../sessions/index-pages.ts";
import { compareRows, countRows, mergeDigest } from "../sessions/merge.ts";
import { batchKey } from "../sessions/replay-order.ts";
import { namesIn, type Found } from "./found-batches.ts";

/**
 * The document of a session by the batches that were found, with its index pages; null when there are none. What only
 * the server knew (when batches arrived, clock skews, that the session was full) is taken from the old document.
 */
export async function deriveSession(
  found: Found,
  old: SessionDocument | null,
  toName: (bytes: Uint8Array) => Promise<string>,
): Promise<Spilled | null> {
  let document: SessionDocument | null = null;
  const rows: IndexPage[] = [];
  for (const { digest } of found.digests) {
    document = mergeDigest(document, digest);
    if (countRows(document) >= ROWS_PER_PAGE) document = takeRows(document, rows);
  }
  if (!document) return null;
  const bare = withServerFacts(takeRows(document, rows), old, found);
  const laid = await layOutRows(bare, toSortedRows(rows, found), toName);
  if (checkSize(laid.document) !== "spill" || countRows(laid.document) === 0) return laid;
  const spilled = await spillRows(laid.document, toName);
  return { document: spilled.document, blobs: new Map([...laid.blobs, ...spilled.blobs]) };
}

/** Whether two documents tell the same, wherever their rows lie. */
export function isSameSession(
  a: { readonly document: SessionDocument; readonly rows: readonly IndexPage[] },
  b: { readonly document: SessionDocument; readonly rows: readonly IndexPage[] },
): boolean {
  return toComparable(a.document, a.rows) === toComparable(b.document, b.rows);
}

/** The document with what the blobs don't tell. */
function withServerFacts(
  derived: SessionDocument,
  old: SessionDocument | null,
  { digests, segments, arrived }: Found,
): SessionDocument {
  const windows = derived.windows.map((window) => ({
    ...window,
    runs: window.runs.map((run) => ({ ...run, skew: skewOf(old, window.id, run.id) })),
  }));
  const settled = digests.filter(({ isSettled }) => isSettled);
  const keyHashes = new Set(digests.map(({ digest }) => digest.keyHash));
  const [createdAt, updatedAt] = old ? [old.createdAt, old.updatedAt] : arrived;
  // Where the document was lost, the session is settled again only for batches that came after its segments.
  const settledAt = segments.length > 0 ? Math.max(...segments.map(({ segment }) => segment!.arrived[1])) : 0;
  return {
    ...derived,
    createdAt,
    updatedAt,
    settledAt: old?.settledAt ?? settledAt,
    fullAt: old?.fullAt ?? 0,
    settledBytes: settled.reduce((sum, { digest }) => sum + digest.bytes, 0),
    // The first batch decides. All others carry its key where it has one, so one without tells that it has none.
    keyHash: old ? old.keyHash : keyHashes.size === 1 ? [...keyHashes][0]! : null,
    terms: [...new Set([...(old?.terms ?? []), ...derived.terms])].sort().slice(0, MAX_TERMS),
    windows,
  };
}

function skewOf(document: SessionDocument | null, windowId: string, runId: string): number | null {
  const run = document?.windows.find(({ id }) => id === windowId)?.runs.find(({ id }) => id === runId);
  return Number.isFinite(run?.skew) ? run!.skew : null;
}

/** The rows by window and run, in order, those of batches in a segment with the segment beside them. */
function toSortedRows(rows: readonly IndexPage[], { segments, covered }: Found): IndexPage[] {
  const byRun = new Map<string, { window: string; run: string; rows: IndexRow[] }>();
  const listOf = (window: string, run: string): IndexRow[] => {
    const key = `${window}/${run}`;
    if (!byRun.has(key)) byRun.set(key, { window, run, rows: [] });
    return byRun.get(key)!.rows;
  };
  const batches = new Map<string, IndexRow>();
  for (const page of rows) {
    for (const row of page.rows) {
      const [seq, hash, first, last, events, , hasFullSnapshot] = row;
      const name = `${page.window}/${batchKey({ run: page.run, seq, hash })}`;
      batches.set(name, row);
      listOf(page.window, page.run).push(
        covered.has(name) ? [seq, hash, first, last, events, 0, hasFullSnapshot] : row,
      );
    }
  }
  for (const piece of segments) {
    const own = namesIn(piece).map((name) => batches.get(name)!);
    const times = own.flatMap((row) => [row[2], row[3]]).filter((at) => at > 0);
    const { run = "" } = piece.batches[0]!.batch;
    listOf(piece.windowId, run).push([
      own[0]![0],
      piece.segment!.name,
      times.length > 0 ? Math.min(...times) : 0,
      times.length > 0 ? Math.max(...times) : 0,
      own.reduce((sum, row) => sum + row[4], 0),
      piece.byteCount,
      own.some((row) => row[6] === 1) ? 1 : 0,
      1,
    ]);
  }
  return [...byRun.values()].map((page) => ({ ...page, rows: page.rows.sort(compareRows) }));
}

/** Moves the rows out of a document, because merging into many rows takes long. */
function takeRows(document: SessionDocument, rows: IndexPage[]): SessionDocument {
  rows.push(...rowsOf(document));
  return withoutRows(document);
}

function withoutRows(document: SessionDocument): SessionDocument {
  const windows = document.windows.map((window) => ({
    ...window,
    runs: window.runs.map((run) => ({ ...run, rows: [] })),
  }));
  return { ...document, windows };
}

function toComparable(document: SessionDocument, pages: readonly IndexPage[]): string {
  const rows = pages
    .flatMap((page) => page.rows.map((row) => JSON.stringify([page.window, page.run, ...row])))
    .sort()
    .join("\n");
  const { indexPages: _, ...bare } = withoutRows(document);
  return `${JSON.stringify(Object.entries(bare).sort(([a], [b]) => (a < b ? -1 : 1)))}\n${rows}`;
}
