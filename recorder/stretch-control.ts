import {
  deadlineOf,
  type EndReason,
  NO_STRETCH,
  step,
  type Stretch,
  type StretchEvent,
  type StretchLimits,
} from "./stretch.ts";

/** Timers may be asked for at most this far ahead (2^31 ms are a minute to a browser). */
const MAX_TIMER_MS = 2_000_000_000;

/** What a stretch drives; each is called once the new state is in place. */
export interface StretchControlOptions {
  readonly limits: StretchLimits;
  /** Ms, never going back. */
  elapsed(): number;
  setTimer(run: () => void, delayMs: number): unknown;
  clearTimer(timer: unknown): void;
  onBegin(reason: string): void;
  onPause(): void;
  onResume(): void;
  /** `wasPaused` when nothing was recorded any more anyway. */
  onEnd(reason: EndReason, wasPaused: boolean): void;
}

/** A stretch and the timer that it needs. */
export interface StretchControl {
  readonly current: Stretch;
  /** Ms since the stretch began. */
  readonly length: number;
  /** False as soon as a limit is reached, even where the timer is late. */
  isRecording(): boolean;
  /** `reason` is what a stretch says that begins by this. */
  send(event: StretchEvent, reason?: string): void;
}

/** Keeps the state and calls what it means. */
export function createStretchControl(options: StretchControlOptions): StretchControl {
  const { limits, elapsed, setTimer, clearTimer } = options;
  let current = NO_STRETCH;
  let timer: unknown;

  function move(event: StretchEvent, reason: string): void {
    const before = current;
    current = step(before, event, elapsed(), limits);
    const { phase } = current;
    if (before.phase === phase) return;
    if (phase === "ended") options.onEnd(current.reason!, before.phase === "paused");
    else if (phase === "paused") options.onPause();
    else if (before.phase === "paused") options.onResume();
    else options.onBegin(reason);
  }

  function send(event: StretchEvent, reason: string = event.type): void {
    // What time has done comes first, so that an end is never skipped.
    move({ type: "time" }, reason);
    if (event.type !== "time") move(event, reason);
    schedule();
  }

  function schedule(): void {
    clearTimer(timer);
    const at = deadlineOf(current, limits);
    if (at !== null) timer = setTimer(() => send({ type: "time" }), Math.min(at - elapsed(), MAX_TIMER_MS));
  }

  return {
    get current() {
      return current;
    },
    get length() {
      return elapsed() - current.startedAt;
    },
    isRecording: () => current.phase === "running" && elapsed() < deadlineOf(current, limits)!,
    send,
  };
}
