import type { Platform } from "../platform.ts";
import type { SessionDocument } from "../sessions/document.ts";
import { readIndexPages } from "../sessions/index-pages.ts";
import { KINDS } from "../sessions/kinds.ts";
import { SEGMENT_PREFIX, toBatchList } from "../sessions/replay-order.ts";
import { splitSegment, type Segment } from "../sessions/segment.ts";
import { createSessionKeys } from "../sessions/session-keys.ts";
import { toDetail } from "../sessions/summary.ts";
import type { Store } from "../storage/store.ts";
import type { Batch, Selection } from "../types.ts";
import { readSelection, type SelectionCursor } from "./selection.ts";

interface PersonExportOptions {
  readonly project: string;
  readonly platform: Platform;
  readonly clock: () => number;
}

/** How each kind that belongs to a session gets into the export: named by us, or told by another. */
const EXPORTED: Readonly<Record<string, "session" | "batch" | "in its batches">> = {
  sessions: "session",
  batches: "batch",
  segments: "batch",
  indexes: "in its batches",
};

/**
 * Everything that is kept of the selected sessions, readable for the person it is about: lines of JSON. A header, then
 * for each session its summary and every upload with its events, then an end line that says how many; a file without
 * it was cut. Read piece by piece, one upload in memory at a time.
 * @throws Error where a kind is registered that this export does not know: nothing may be left out quietly.
 */
export function createPersonExport(
  store: Store,
  { project, platform, clock }: PersonExportOptions,
): (selection: Selection) => ReadableStream<Uint8Array> {
  const { documents, blobs } = store;
  const keys = createSessionKeys(project, platform);
  for (const { name, of } of KINDS) {
    if (of === "session" && !Object.hasOwn(EXPORTED, name)) throw new Error(`nobody exports the kind ${name}`);
  }

  async function* readBatches(document: SessionDocument, windowId: string): AsyncGenerator<Batch> {
    const prefix = await keys.prefix("indexes", document.id);
    const { pages } = await readIndexPages(document.indexPages, (name) => blobs.get(prefix + name));
    for (const { key } of toBatchList(document, pages, windowId)) {
      const stored = await blobs.get(await keys.blob(document.id, windowId, key));
      const bytes = stored && (await platform.gunzip(stored, platform.maxInflatedBytes));
      if (!bytes || typeof bytes === "string") continue;
      const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
      if (key.startsWith(SEGMENT_PREFIX)) for (const { batch } of splitSegment(value as Segment)) yield batch;
      else yield value as Batch;
    }
  }

  async function* lines(selection: Selection): AsyncGenerator<unknown> {
    yield { kind: "export", of: "recordings", exportedAt: clock(), selectedBy: Object.keys(selection) };
    const count = { sessions: 0, batches: 0, events: 0 };
    let cursor: SelectionCursor | null = null;
    do {
      const page = await readSelection(documents, { project, platform }, selection, cursor);
      for (const document of page.sessions) {
        count.sessions++;
        yield { kind: "session", ...toDetail(document, clock()) };
        for (const window of document.windows) {
          for await (const { key: _secret, ...batch } of readBatches(document, window.id)) {
            count.batches++;
            count.events += batch.events.length;
            yield { kind: "batch", ...batch };
          }
        }
      }
      cursor = page.cursor;
    } while (cursor);
    yield { kind: "end", ...count };
  }

  return (selection) => {
    const encoder = new TextEncoder();
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
