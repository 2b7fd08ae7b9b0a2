import type { RecordedEvent } from "../src/types.ts";

/** What opens the conversation: posted to the frame's window with a `MessagePort`, everything else goes over the port. */
export const CONNECT = "sentiero-replay-connect";

/** From the page to the frame. `timeMs` counts from `startAt`, the window's first event. */
export type ReplayCommand =
  | { readonly type: "start"; readonly startAt: number }
  /** `index` is the batch's place in the order of replay; batches may come in any order. */
  | { readonly type: "events"; readonly index: number; readonly events: readonly RecordedEvent[] }
  | { readonly type: "seek"; readonly timeMs: number; readonly play: boolean }
  | { readonly type: "pause" }
  | { readonly type: "speed"; readonly speed: number };

/** From the frame to the page. */
export type ReplayReport =
  | { readonly type: "ready" }
  /** A whole page stands in the frame for the first time. */
  | { readonly type: "drawn" }
  | { readonly type: "time"; readonly timeMs: number }
  | { readonly type: "state"; readonly state: "playing" | "paused" | "ended" }
  /** The recorded viewport, in CSS pixels. */
  | { readonly type: "viewport"; readonly width: number; readonly height: number }
  /** rrweb threw. `isFatal` where nothing was ever drawn. */
  | { readonly type: "problem"; readonly message: string; readonly isFatal: boolean };
