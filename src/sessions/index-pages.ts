import { NAMES_PER_LIST, ROWS_PER_PAGE, type IndexBlob, type IndexPage, type SessionDocument } from "./document.ts";
import { compareRows } from "./merge.ts";

/** Blobs of index pages by their names, and the document that names them. */
export interface Spilled {
  readonly document: SessionDocument;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/**
 * Moves all rows of a document to an index page named by its content. Names of pages are moved to a list in the same
 * way, so that a session of 100,000 batches names some seventy of them.
 */
export async function spillRows(
  document: SessionDocument,
  toName: (bytes: Uint8Array) => Promise<string>,
): Promise<Spilled> {
  const blobs = new Map<string, Uint8Array>();

  async function write(blob: IndexBlob): Promise<string> {
    const bytes = new TextEncoder().encode(JSON.stringify(blob));
    const name = await toName(bytes);
    blobs.set(name, bytes);
    return name;
  }

  let names = [...document.indexPages, await write({ rows: rowsOf(document) })];
  if (names.length >= NAMES_PER_LIST) names = [await write({ names })];
  return { document: { ...withRows(document, []), indexPages: names }, blobs };
}

/** What the pages of a document hold. */
export interface Index {
  readonly pages: readonly IndexPage[];
  /** Names of all pages and lists. */
  readonly names: readonly string[];
  /** False where a page is gone: the document has been changed meanwhile. */
  readonly isWhole: boolean;
}

/** All rows on the pages of a document. */
export async function readIndexPages(
  names: readonly string[],
  read: (name: string) => Promise<Uint8Array | null>,
): Promise<Index> {
  const decoder = new TextDecoder();
  const parts = await Promise.all(
    names.map(async (name): Promise<Index> => {
      const bytes = await read(name);
      if (!bytes) return { pages: [], names: [], isWhole: false };
      const blob = JSON.parse(decoder.decode(bytes)) as IndexBlob;
      return "rows" in blob ? { pages: blob.rows, names: [], isWhole: true } : readIndexPages(blob.names, read);
    }),
  );
  return {
    pages: parts.flatMap(({ pages }) => pages),
    names: [...names, ...parts.flatMap((part) => part.names)],
    isWhole: parts.every(({ isWhole }) => isWhole),
  };
}

/** A document with these rows and no others, in itself while they are few, else on pages. */
export async function layOutRows(
  document: SessionDocument,
  rows: readonly IndexPage[],
  toName: (bytes: Uint8Array) => Promise<string>,
): Promise<Spilled> {
  const blobs = new Map<string, Uint8Array>();
  let laid: SessionDocument = withRows({ ...document, indexPages: [] }, []);
  let waiting: IndexPage[] = [];
  let count = 0;
  for (const page of rows) {
    for (let start = 0; start < page.rows.length; start += ROWS_PER_PAGE) {
      const piece = { ...page, rows: page.rows.slice(start, start + ROWS_PER_PAGE) };
      if (count > 0 && count + piece.rows.length > ROWS_PER_PAGE) await spill();
      waiting.push(piece);
      count += piece.rows.length;
    }
  }
  // A document that goes on growing should not begin full.
  if (count > ROWS_PER_PAGE / 2 || laid.indexPages.length > 0) await spill();
  return { document: withRows(laid, waiting), blobs };

  async function spill(): Promise<void> {
    if (count === 0) return;
    const spilled = await spillRows(withRows(laid, waiting), toName);
    laid = spilled.document;
    for (const [name, bytes] of spilled.blobs) blobs.set(name, bytes);
    waiting = [];
    count = 0;
  }
}

/** The rows that a document holds itself. */
export function rowsOf(document: SessionDocument): IndexPage[] {
  return document.windows.flatMap((window) =>
    window.runs.filter(({ rows }) => rows.length > 0).map(({ id, rows }) => ({ window: window.id, run: id, rows })),
  );
}

function withRows(document: SessionDocument, pages: readonly IndexPage[]): SessionDocument {
  const windows = document.windows.map((window) => ({
    ...window,
    runs: window.runs.map((run) => ({
      ...run,
      rows: pages
        .filter((page) => page.window === window.id && page.run === run.id)
        .flatMap(({ rows }) => rows)
        .sort(compareRows),
    })),
  }));
  return { ...document, windows };
}
