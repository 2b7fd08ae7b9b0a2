/** Why a stretch ended; `sampling` and `session`: the session went over into another one, left out or recorded. */
export type EndReason = "manual" | "idle" | "max" | "opt-out" | "navigation" | "sampling" | "session" | "send-error";

/**
 * A stretch of recording inside a session. Times are those of a clock that never goes back, ms. While it is paused nothing
 * is recorded.
 */
export interface Stretch {
  readonly phase: "running" | "paused" | "ended";
  readonly startedAt: number;
  /** When there was activity last. */
  readonly activeAt: number;
  /** Paused by the page: activity doesn't end that. */
  readonly isHeld: boolean;
  /** Why it ended; null before that. */
  readonly reason: EndReason | null;
}

/** When a stretch pauses and ends, ms. */
export interface StretchLimits {
  readonly idlePauseMs: number;
  readonly idleEndMs: number;
  readonly maxRecordingMs: number;
}

/** What happens to a stretch; `time`: nothing but that time goes by. */
export type StretchEvent =
  | { readonly type: "begin" | "activity" | "time" | "pause" | "resume" }
  | { readonly type: "end"; readonly reason: EndReason };

/** No stretch yet; activity doesn't begin one. */
export const NO_STRETCH: Stretch = { phase: "ended", startedAt: 0, activeAt: 0, isHeld: false, reason: "manual" };

/** When time alone changes it next; null for never. */
export function deadlineOf({ phase, startedAt, activeAt }: Stretch, limits: StretchLimits): number | null {
  if (phase === "ended") return null;
  const endsAt = Math.min(startedAt + limits.maxRecordingMs, activeAt + limits.idleEndMs);
  return phase === "running" ? Math.min(endsAt, activeAt + limits.idlePauseMs) : endsAt;
}

/** The stretch after an event at `now`. One that is over by then ends first, whatever the event. */
export function step(stretch: Stretch, event: StretchEvent, now: number, limits: StretchLimits): Stretch {
  const timely = afterTime(stretch, now, limits);
  const { phase, reason } = timely;
  // What only time ended goes on with the next activity.
  const isRestful = phase === "ended" && (reason === "idle" || reason === "max");
  const begun: Stretch = { phase: "running", startedAt: now, activeAt: now, isHeld: false, reason: null };
  switch (event.type) {
    case "begin":
      return phase === "ended" ? begun : timely;
    case "end":
      return { ...timely, phase: "ended", isHeld: false, reason: event.reason };
    case "pause":
      return { ...timely, phase: phase === "running" ? "paused" : phase, isHeld: true };
    case "activity":
      if (timely.isHeld) return timely;
      return phase === "ended" ? (isRestful ? begun : timely) : { ...timely, phase: "running", activeAt: now };
    case "resume":
      if (phase === "ended") return isRestful ? begun : timely;
      return { ...timely, phase: "running", activeAt: now, isHeld: false };
    case "time":
      return timely;
  }
}

function afterTime(stretch: Stretch, now: number, limits: StretchLimits): Stretch {
  const { phase, startedAt, activeAt } = stretch;
  if (phase === "ended") return stretch;
  const maxAt = startedAt + limits.maxRecordingMs;
  const idleAt = activeAt + limits.idleEndMs;
  if (now >= Math.min(maxAt, idleAt)) return { ...stretch, phase: "ended", reason: idleAt < maxAt ? "idle" : "max" };
  return phase === "running" && now >= activeAt + limits.idlePauseMs ? { ...stretch, phase: "paused" } : stretch;
}
