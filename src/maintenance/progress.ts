import type { DocumentStore } from "../storage/documents.ts";
import type { Updater } from "../storage/update.ts";

/** How far the work that never ends has come. Times are epoch ms, 0: never. */
export interface ProgressDocument {
  readonly v: 1;
  /** Every session that stands before this place in the list has been settled, or could not be. */
  readonly settledTo: number;
  readonly settledAt: number;
  readonly settledSessions: number;
  /** When sessions were last removed by age, and how many. */
  readonly retainedAt: number;
  readonly retentionRemoved: number;
}

/** Reads and changes the one progress document of a project. */
export interface Progress {
  read(): Promise<ProgressDocument>;
  change(next: (old: ProgressDocument) => ProgressDocument): Promise<void>;
}

const NEW: ProgressDocument = {
  v: 1,
  settledTo: 0,
  settledAt: 0,
  settledSessions: 0,
  retainedAt: 0,
  retentionRemoved: 0,
};

/** The progress of a project's maintenance. */
export function createProgress(documents: DocumentStore, update: Updater["update"], project: string): Progress {
  const collection = `${project}/progress`;
  return {
    read: async () => (await documents.get<ProgressDocument>(collection, "maintenance"))?.doc ?? NEW,
    async change(next) {
      await update<ProgressDocument>(collection, "maintenance", { apply: (old) => next(old ?? NEW) }, () => 0);
    },
  };
}
