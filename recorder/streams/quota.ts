/** Lets so many events a minute through, and counts the others. */
export interface Quota {
  /** Whether one more may go. */
  take(): boolean;
  /** How many could not go since it was last asked; undefined for none. */
  takeDropped(): number | undefined;
}

/** Minutes are those of the clock. */
export function createQuota(maxAMinute: number): Quota {
  let minute = 0;
  let count = 0;
  let dropped = 0;
  return {
    take() {
      const now = Math.floor(Date.now() / 60_000);
      if (now !== minute) count = 0;
      minute = now;
      if (++count <= maxAMinute) return true;
      dropped++;
      return false;
    },
    takeDropped() {
      const taken = dropped;
      dropped = 0;
      return taken || undefined;
    },
  };
}
