import type { Platform } from "../platform.ts";
import type { SessionDocument } from "../sessions/document.ts";
import { readIndexPages, rowsOf } from "../sessions/index-pages.ts";
import { createSessionKeys } from "../sessions/session-keys.ts";
import { toDay } from "../sessions/usage.ts";
import type { Cursor } from "../storage/documents.ts";
import type { Store } from "../storage/store.ts";
import type { DayUsage } from "../types.ts";
import { pageReadable } from "./unreadable.ts";

/** Counts what each day takes up, a page of sessions at a time. */
export interface UsageCount {
  /**
   * Counts the sessions behind a place (null: from the start) and gives the next place, null at the end. `lost` where
   * what was counted before this place is not known here, because another process counted it: it has to begin again.
   */
  step(after: Cursor | null): Promise<Cursor | "lost" | null>;
  /** The days that were counted, and forgets them. */
  take(): DayUsage[];
}

const PAGE_SIZE = 200;

/** A count in the memory of this process. */
export function createUsageCount(
  store: Store,
  { project, platform }: { project: string; platform: Platform },
): UsageCount {
  const { documents, blobs } = store;
  const keys = createSessionKeys(project, platform);
  let days = new Map<string, Omit<DayUsage, "day">>();
  let reached: string | null = null;

  async function segmentBytes(document: SessionDocument): Promise<number> {
    if (document.settledAt === 0) return 0;
    const prefix = await keys.prefix("indexes", document.id);
    const { pages } = await readIndexPages(document.indexPages, (name) => blobs.get(prefix + name));
    const rows = [...pages, ...rowsOf(document)].flatMap((page) => page.rows);
    return rows.reduce((sum, row) => sum + (row[7] ? row[5] : 0), 0);
  }

  return {
    async step(after) {
      if (after === null) days = new Map();
      else if (JSON.stringify(after) !== reached) return "lost";
      const page = await pageReadable<SessionDocument>(documents, keys.sessions, after, PAGE_SIZE, () => {});
      for (const { doc } of page.items) {
        const day = toDay(doc.createdAt);
        const old = days.get(day) ?? { sessions: 0, events: 0, batchBytes: 0, segmentBytes: 0, receivedBytes: 0 };
        days.set(day, {
          sessions: old.sessions + 1,
          events: old.events + doc.events,
          batchBytes: old.batchBytes + doc.bytes - doc.settledBytes,
          segmentBytes: old.segmentBytes + (await segmentBytes(doc)),
          receivedBytes: old.receivedBytes + doc.bytes,
        });
      }
      reached = JSON.stringify(page.cursor);
      return page.cursor;
    },
    take() {
      const counted = [...days].map(([day, counts]) => ({ day, ...counts }));
      days = new Map();
      reached = null;
      return counted;
    },
  };
}
