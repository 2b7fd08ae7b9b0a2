import { NAMES_PER_LIST, type IndexBlob, type IndexPage, type SessionDocument } from "./document.ts";

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
  const windows = document.windows.map((window) => ({
    ...window,
    runs: window.runs.map((run) => ({ ...run, rows: [] })),
  }));
  return { document: { ...document, windows, indexPages: names }, blobs };
}

/** All rows on the pages of a document. */
export async function readIndexPages(
  names: readonly string[],
  read: (name: string) => Promise<Uint8Array | null>,
): Promise<IndexPage[]> {
  const decoder = new TextDecoder();
  const pages = await Promise.all(
    names.map(async (name) => {
      const bytes = await read(name);
      if (!bytes) return [];
      const blob = JSON.parse(decoder.decode(bytes)) as IndexBlob;
      return "rows" in blob ? blob.rows : readIndexPages(blob.names, read);
    }),
  );
  return pages.flat();
}

function rowsOf(document: SessionDocument): IndexPage[] {
  return document.windows.flatMap((window) =>
    window.runs.filter(({ rows }) => rows.length > 0).map(({ id, rows }) => ({ window: window.id, run: id, rows })),
  );
}
