import type { SessionDocument } from "../sessions/document.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { Cursor, DocumentPage, DocumentStore } from "../storage/documents.ts";
import type { Progress } from "./progress.ts";

/** A session's place in the list may lie so much before its last batch. */
const SCORE_LAG_MS = 60_000;

/** Servers' clocks differ a little: what stands so close before the mark is looked at again. */
const OVERLAP_MS = 60_000;

const PAGE_SIZE = 50;

interface SettlerOptions {
  readonly project: string;
  readonly clock: () => number;
  readonly settleAfterMs: number;
  readonly onError: (error: unknown) => void;
}

/**
 * Settles the sessions that have ended, oldest first, until `isOver` says that it is time. Where it stands is kept as a
 * place in the list of sessions: what gets a batch later moves behind it by itself, so no other list is needed.
 * Resolves with false when there is more to do.
 */
export function createSettler(
  documents: DocumentStore,
  sessions: Sessions,
  progress: Progress,
  { project, clock, settleAfterMs, onError }: SettlerOptions,
): (isOver: () => boolean) => Promise<boolean> {
  /** One that can't be settled, such as one with a broken batch, does not hold up the others. */
  async function settle({ id, settledAt, updatedAt }: SessionDocument): Promise<boolean> {
    if (settledAt >= updatedAt) return false;
    try {
      return await sessions.settle(id);
    } catch (error) {
      onError(error);
      return false;
    }
  }

  return async (isOver) => {
    const to = clock() - settleAfterMs - SCORE_LAG_MS;
    const { settledTo } = await progress.read();
    // A clock that was far ahead once must not keep every session from being settled.
    let after: Cursor | null = { score: Math.min(settledTo, to) - OVERLAP_MS, id: "" };
    while (after) {
      if (isOver()) return false;
      const page: DocumentPage<SessionDocument> = await documents.page(`${project}/sessions`, {
        limit: PAGE_SIZE,
        order: "ascending",
        after,
        to,
      });
      let settled = 0;
      let reached = page.cursor ? page.cursor.score : to;
      for (const { doc, score } of page.items) {
        if (isOver()) {
          reached = score;
          break;
        }
        if (await settle(doc)) settled++;
      }
      if (reached > settledTo || settled > 0) {
        await progress.change((old) => ({
          ...old,
          settledTo: Math.max(old.settledTo <= to ? old.settledTo : 0, reached),
          settledAt: clock(),
          settledSessions: old.settledSessions + settled,
        }));
      }
      after = isOver() ? null : page.cursor;
    }
    return !isOver();
  };
}
