import { fetchBatch, isAbort } from "./api.ts";
import { nextBatch } from "./loading-plan.ts";
import type { BatchSummary, RecordedEvent } from "../src/types.ts";

/** Batches asked for at once: enough to hide the way to the server, few enough that a seek is soon served. */
const IN_FLIGHT = 4;
/** Waits before the second and the third try of a batch. */
const RETRY_DELAYS_MS = [400, 1600];

/** What {@link loadBatches} needs. */
export interface LoadOptions {
  /** Address of the window. */
  readonly source: string;
  readonly batches: readonly BatchSummary[];
  readonly signal: AbortSignal;
  /** Epoch ms at which the replay wants to stand; asked again before every batch. */
  wantedAt(): number;
  /** `index` is the batch's place in `batches`; `events` is null when the batch could not be had after three tries. */
  onBatch(index: number, events: readonly RecordedEvent[] | null): void;
}

/** Loads all batches, those first that the replay needs first. Rejects only when the signal aborts. */
export async function loadBatches(options: LoadOptions): Promise<void> {
  const { source, batches, signal } = options;
  const taken = new Set<number>();
  const queue: { index: number; events: Promise<readonly RecordedEvent[] | null> }[] = [];
  for (;;) {
    while (queue.length < IN_FLIGHT) {
      const index = nextBatch(batches, taken, options.wantedAt());
      if (index === null) break;
      taken.add(index);
      const events = load(source, batches[index]!.key, signal);
      // Looked at when its turn comes; until then a rejection is not unhandled.
      events.catch(() => {});
      queue.push({ index, events });
    }
    const next = queue.shift();
    if (!next) return;
    const events = await next.events;
    signal.throwIfAborted();
    options.onBatch(next.index, events);
  }
}

async function load(source: string, key: string, signal: AbortSignal): Promise<readonly RecordedEvent[] | null> {
  for (let tries = 0; ; tries++) {
    try {
      const { events } = await fetchBatch(source, key, signal);
      return Array.isArray(events) ? events : [];
    } catch (error) {
      if (isAbort(error)) throw error;
      const delay = RETRY_DELAYS_MS[tries];
      if (delay === undefined) return null;
      await new Promise((resolve) => setTimeout(resolve, delay));
      signal.throwIfAborted();
    }
  }
}
