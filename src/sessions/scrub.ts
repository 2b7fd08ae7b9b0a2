import type { Store } from "../storage/store.ts";
import type { Updater } from "../storage/update.ts";

/** Overwrites what was erased, where a store leaves it in free pages and logs. */
export interface Scrub {
  /**
   * Does it now. Where that fails, because the file is busy or the process ends, it stays due; `onError` is told. What was
   * erased is gone for every reader either way.
   */
  now(): Promise<void>;
  /** Does what stayed due, if anything did. */
  whatIsDue(): Promise<void>;
}

interface ScrubDocument {
  readonly v: 1;
  /** When something was erased that may still lie in the file, epoch ms; 0: nothing. */
  readonly dueAt: number;
}

interface ScrubOptions {
  readonly project: string;
  readonly clock: () => number;
  readonly update: Updater["update"];
  readonly onError: (error: unknown) => void;
}

/** The scrub of a store; that it is due is kept in the store, so that no crash makes it forgotten. */
export function createScrub(store: Store, { project, clock, update, onError }: ScrubOptions): Scrub {
  const collection = `${project}/progress`;
  const id = "scrub";

  async function change(next: (old: ScrubDocument | null) => ScrubDocument | undefined): Promise<void> {
    await update<ScrubDocument>(collection, id, { apply: next }, () => 0);
  }

  async function run(dueAt: number): Promise<void> {
    try {
      await store.scrub!();
      // What was erased meanwhile is due again.
      await change((old) => (old?.dueAt === dueAt ? { v: 1, dueAt: 0 } : undefined));
    } catch (error) {
      onError(error);
    }
  }

  return {
    async now() {
      if (!store.scrub) return;
      let dueAt = clock();
      await change((old) => {
        // Two erasures of one moment are two.
        dueAt = Math.max(dueAt, (old?.dueAt ?? 0) + 1);
        return { v: 1, dueAt };
      });
      await run(dueAt);
    },
    async whatIsDue() {
      if (!store.scrub) return;
      const dueAt = (await store.documents.get<ScrubDocument>(collection, id))?.doc.dueAt ?? 0;
      if (dueAt > 0) await run(dueAt);
    },
  };
}
