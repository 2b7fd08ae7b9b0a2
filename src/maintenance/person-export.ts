import type { Platform } from "../platform.ts";
import type { SessionDocument } from "../sessions/document.ts";
import { readIndexPages } from "../sessions/index-pages.ts";
import { KINDS } from "../sessions/kinds.ts";
import { toBatchList } from "../sessions/replay-order.ts";
import { createSessionKeys } from "../sessions/session-keys.ts";
import { toDetail } from "../sessions/summary.ts";
import type { Store } from "../storage/store.ts";
import type { Selection } from "../types.ts";
import { readSelection, type SelectionCursor } from "./selection.ts";
import { createPieceReader, listKeys, nameBatch } from "./session-pieces.ts";

/** What the export does with each kind that goes with a session. */
const EXPORTED: Readonly<Record<string, "exported" | "derived">> = {
  sessions: "exported",
  batches: "exported",
  segments: "exported",
  // Numbers, times and sizes of the batches, which are all in the batches.
  indexes: "derived",
};

interface PersonExportOptions {
  readonly project: string;
  readonly platform: Platform;
  readonly clock: () => number;
}

/** Batches that are joined while they are read are looked for again so often. */
const MAX_LOOKS = 3;

/**
 * The recordings of one person as lines of JSON (NDJSON): a line `export`, then for each session a line `session` and a
 * line `batch` for each upload with its events, then a line `end` whose `complete` tells that nothing was left out. A
 * session that gets a batch while its export is under way may come again; the later one holds all of it.
 * @throws Error where a kind is registered that the export does not know: nothing may be left out quietly.
 */
export function createPersonExport(
  store: Store,
  { project, platform, clock }: PersonExportOptions,
): (selection: Selection) => ReadableStream<Uint8Array> {
  const { documents, blobs } = store;
  const keys = createSessionKeys(project, platform);
  const readPiece = createPieceReader(blobs, keys, platform);
  const encoder = new TextEncoder();
  for (const { name, of } of KINDS) {
    if (of === "session" && !Object.hasOwn(EXPORTED, name)) throw new Error(`nobody exports the kind ${name}`);
  }

  async function* lines(selection: Selection): AsyncGenerator<object> {
    const counts = { sessions: 0, batches: 0, events: 0, unreadable: 0 };
    yield { type: "export", format: 1, exportedAt: clock(), selectedBy: Object.keys(selection).sort() };
    let cursor: SelectionCursor | null = null;
    do {
      const page = await readSelection(documents, { project, platform }, selection, cursor);
      for (const document of page.sessions) yield* session(document, counts);
      cursor = page.cursor;
    } while (cursor);
    yield { type: "end", ...counts, complete: counts.unreadable === 0 };
  }

  async function* session(
    first: SessionDocument,
    counts: { sessions: number; batches: number; events: number; unreadable: number },
  ): AsyncGenerator<object> {
    const { id } = first;
    counts.sessions++;
    yield { type: "session", ...toDetail(first, clock()) };
    const told = new Set<string>();
    let unreadable: string[] = [];
    for (let look = 0; look < MAX_LOOKS; look++) {
      unreadable = [];
      const document = look === 0 ? first : (await documents.get<SessionDocument>(keys.sessions, id))?.doc;
      // Erased meanwhile: nothing more of it leaves.
      if (!document) return;
      for (const key of await keysOf(document)) {
        const piece = await readPiece(key);
        if (!piece || piece === "broken") {
          unreadable.push(key);
          continue;
        }
        for (const stored of piece.batches) {
          const { windowId, run = null, seq = null, sentAt = null, events, metadata = {}, gaps = [] } = stored.batch;
          const name = `${windowId}/${nameBatch(stored)}`;
          if (told.has(name)) continue;
          told.add(name);
          counts.batches++;
          counts.events += events.length;
          yield { type: "batch", sessionId: id, windowId, run, seq, sentAt, metadata, gaps, events };
        }
      }
      if (unreadable.length === 0) return;
    }
    counts.unreadable += unreadable.length;
    for (const key of unreadable) yield { type: "unreadable", sessionId: id, key };
  }

  /** In the order of replay what the document names, then what else lies there. */
  async function keysOf(document: SessionDocument): Promise<Set<string>> {
    const indexPrefix = await keys.prefix("indexes", document.id);
    const { pages } = await readIndexPages(document.indexPages, (name) => blobs.get(indexPrefix + name));
    const found = new Set<string>();
    for (const { id: windowId } of document.windows) {
      for (const { key } of toBatchList(document, pages, windowId))
        found.add(await keys.blob(document.id, windowId, key));
    }
    for (const kind of ["batches", "segments"]) {
      for (const key of await listKeys(blobs, await keys.prefix(kind, document.id))) found.add(key);
    }
    return found;
  }

  return (selection) => {
    const source = lines(selection);
    return new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { done, value } = await source.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
      },
      async cancel() {
        await source.return(undefined);
      },
    });
  };
}
