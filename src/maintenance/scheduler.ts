/** Work that is done again and again while this process lives. */
export interface Scheduler {
  /** Begins, once; later calls change nothing. */
  start(): void;
  /** Does the next piece soon, because somebody waits for it. */
  wake(): void;
  /** Ends, after the piece that is under way. */
  stop(): Promise<void>;
}

/** The next look when there was nothing left to do, and when there was. */
const IDLE_MS = 15_000;
const BUSY_MS = 50;

/** How long one piece works before others have their turn. */
const PIECE_MS = 1_000;

/** A timer that does not keep its process alive, where the runtime has that. */
type Timer = ReturnType<typeof setTimeout> & { unref?: () => void };

/** Calls `work` by timers, never twice at once. It ends by itself when its process does. */
export function createScheduler(
  work: (budgetMs: number) => Promise<boolean>,
  onError: (error: unknown) => void,
): Scheduler {
  let state: "new" | "running" | "stopped" = "new";
  let timer: Timer | undefined;
  let piece: Promise<void> | null = null;

  function plan(ms: number): void {
    if (state !== "running") return;
    clearTimeout(timer);
    timer = setTimeout(() => void begin(), ms) as Timer;
    timer.unref?.();
  }

  function begin(): Promise<void> {
    return (piece ??= work(PIECE_MS)
      .catch((error: unknown) => {
        onError(error);
        return true;
      })
      .then((isDone) => {
        piece = null;
        plan(isDone ? IDLE_MS : BUSY_MS);
      }));
  }

  return {
    start() {
      if (state !== "new") return;
      state = "running";
      plan(BUSY_MS);
    },
    wake: () => plan(0),
    async stop() {
      state = "stopped";
      clearTimeout(timer);
      await piece;
    },
  };
}
