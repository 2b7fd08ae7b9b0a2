const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
const MAX_RETRY_AFTER_MS = 600_000;

/** What a backoff needs of its surroundings. */
export interface BackoffOptions {
  /** Epoch ms. */
  now(): number;
  /** Ms that only ever grow. */
  clock(): number;
  /** 0 to 1. */
  random(): number;
}

/** When the server may be asked again. */
export interface Backoff {
  /** Failures since the last success. */
  readonly failures: number;
  /** By `clock`. */
  readonly notBefore: number;
  /** Notes a failure and the `Retry-After` that came with it. */
  fail(retryAfter: string | null): void;
  reset(): void;
}

/** Waits twice as long after each failure, from 1 s to 30 s, and never less than the server asks for. */
export function createBackoff({ now, clock, random }: BackoffOptions): Backoff {
  let failures = 0;
  let notBefore = 0;
  return {
    get failures() {
      return failures;
    },
    get notBefore() {
      return notBefore;
    },
    fail(retryAfter) {
      const wait = Math.min(FIRST_RETRY_MS * 2 ** failures++, MAX_RETRY_MS);
      const asked = retryAfterMs(retryAfter, now());
      // Never earlier than asked, and many pages at different times.
      notBefore = clock() + (asked > wait ? asked * (1 + random() / 5) : wait * (0.75 + random() / 2));
    },
    reset() {
      failures = 0;
      notBefore = 0;
    },
  };
}

/** The wait a server asks for: seconds or a date; 0 when it asks for none. */
export function retryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0;
  const seconds = Number(header);
  const wait = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1_000;
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), MAX_RETRY_AFTER_MS) : 0;
}
