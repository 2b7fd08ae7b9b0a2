import { openStorage } from "../../src/cli/storage.ts";
import { createSentiero, type Sentiero, type SentieroOptions } from "../../src/index.ts";
import { batch, post } from "../support/sentiero.ts";
import { platform } from "../support/stores.ts";

/** Opens what a command works on, for as long as `task` takes. */
export async function withStore<T>(
  storage: string,
  task: (sentiero: Sentiero) => Promise<T>,
  options: { readonly batches?: string; readonly clock?: () => number } = {},
): Promise<T> {
  const opened = await openStorage(storage, { batches: options.batches });
  const settings = { storage: opened, platform, maintenance: false, authorize: () => true, ...options };
  const { batches: _, ...rest } = settings;
  const sentiero = createSentiero(rest as SentieroOptions);
  try {
    return await task(sentiero);
  } finally {
    await sentiero.store.close();
    await opened.dispose();
  }
}

/** Puts sessions into a store: `session-0` and so on, of two batches each, the user being `user-` and the last digit. */
export async function seed(
  storage: string,
  { sessions, now = Date.now(), batches }: { sessions: number; now?: number; batches?: string },
): Promise<void> {
  await withStore(
    storage,
    async (sentiero) => {
      for (let session = 0; session < sessions; session++) {
        for (let seq = 0; seq < 2; seq++) {
          const { status } = await post(
            sentiero,
            batch({
              sessionId: `session-${session}`,
              run: "a".repeat(24),
              seq,
              sentAt: now,
              metadata: { userId: `user-${session % 10}`, plan: session < 2 ? "pro" : "free" },
              events: [{ type: seq === 0 ? 2 : 3, data: { secret: `words of ${session}` }, timestamp: now }],
            }),
          );
          if (status !== 200) throw new Error(`not stored: ${status}`);
        }
      }
    },
    { batches, clock: () => now },
  );
}

export function countSessions(storage: string): Promise<number> {
  return withStore(storage, ({ store }) => store.ports.documents.count("main/sessions", { max: 100_000 }));
}

/** Ids of all sessions, sorted. */
export function listSessions(storage: string, batches?: string): Promise<string[]> {
  return withStore(
    storage,
    async ({ store }) => {
      const { items } = await store.ports.documents.page("main/sessions", { limit: 10_000, order: "ascending" });
      return items.map(({ id }) => id).toSorted();
    },
    { batches },
  );
}
