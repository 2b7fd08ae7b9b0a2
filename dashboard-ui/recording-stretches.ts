import { toItem, toPlace, type ActivityItem } from "./activity-item.ts";
import { formatDuration } from "./formats.ts";
import type { CostReport } from "./recorder-cost.ts";

/** A stretch of time, in epoch ms or ms of the replay. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** What a recording tells of itself, in its order. Neighbouring `other`s are one, of the last one's time. */
export type Mark =
  | { readonly type: "page"; readonly at: number; readonly href: string; readonly more: string }
  /** The address changed without a load. */
  | { readonly type: "move"; readonly at: number; readonly href: string }
  | { readonly type: "start" | "pause" | "end"; readonly at: number; readonly reason: string }
  /** `__cost`: the page was left or hidden, or the recording paused or ended. */
  | { readonly type: "leave"; readonly at: number; readonly payload: unknown }
  | { readonly type: "other"; readonly at: number };

/** The parts in which a tab was recorded. */
export interface Stretches {
  /** Pages, and why recording began and ended; in order of marks. */
  readonly items: readonly ActivityItem[];
  /** When nothing was recorded between two parts. */
  readonly pauses: readonly TimeRange[];
  readonly costs: readonly CostReport[];
}

/** Less is no pause, but a snapshot that the recorder took for itself. */
const MIN_PAUSE_MS = 1000;

const STARTS = new Map([
  ["load", "the page was loaded"],
  ["activity", "somebody clicked again"],
  ["manual", "the page asked for it"],
  ["navigation", "on an address that is recorded"],
  ["session", "a new session"],
  ["error", "something went wrong; what was held until then is shown too"],
  ["rage", "somebody clicked in rage; what was held until then is shown too"],
  ["custom", "the page sent an event; what was held until then is shown too"],
  ["url", "an address that is waited for; what was held until then is shown too"],
  ["tab", "another tab is recorded from here on"],
]);

const PAUSES = new Map([
  ["manual", "the page asked for it"],
  ["idle", "nobody clicked"],
]);

const ENDS = new Map([
  ["manual", "the page stopped it"],
  ["idle", "nobody clicked for too long (15 minutes, unless set otherwise)"],
  ["max", "60 minutes are the most (unless set otherwise)"],
  ["opt-out", "the visitor objected"],
  ["navigation", "an address that is not recorded"],
  ["sampling", "the next session is not recorded"],
  ["session", "the session was over"],
  ["send-error", "the server refused it"],
]);

/**
 * Reads where recording paused, ended and began again. Older recordings have no mark for a pause: a page begins anew right
 * behind a `leave`.
 */
export function stretchesOf(marks: readonly Mark[]): Stretches {
  const items: ActivityItem[] = [];
  const pauses: TimeRange[] = [];
  const costs: CostReport[] = [];
  let href = "";
  let hasStarted = false;
  let isLoad = false;
  let endedAt: number | null = null;
  /** The pause that is on. */
  let paused: { readonly item: ActivityItem; readonly reason: string } | null = null;
  let leftAt: number | null = null;
  /** The recorder gives what it says at an idle page's pause the time of the last event. */
  let isLate = false;
  let lastAt = 0;

  marks.forEach((mark, index) => {
    const { at } = mark;
    switch (mark.type) {
      case "leave":
        costs.push({ payload: mark.payload, isLoad });
        isLoad = false;
        isLate = at === lastAt;
        leftAt = at;
        break;
      case "pause": {
        const item = toPause(at, mark.reason);
        items.push(item);
        paused = { item, reason: mark.reason };
        break;
      }
      case "end":
        // Idleness tells of itself once, by what it came to.
        if (paused?.reason === "idle" && mark.reason === "idle" && items.at(-1) === paused.item) items.pop();
        items.push(toItem("recorder", at, "Recording ended:", { detail: toReason(ENDS, mark.reason) }));
        endedAt = at;
        break;
      case "start":
        isLoad ||= mark.reason === "load";
        // Each page that is loaded says so itself.
        if (mark.reason !== "load" || !hasStarted)
          items.push(toItem("recorder", at, "Recording began:", { detail: toReason(STARTS, mark.reason) }));
        hasStarted = true;
        break;
      case "page": {
        const next = marks[index + 1];
        const start = next?.type === "start" ? next.reason : null;
        const from: number | null = paused?.item.at ?? endedAt ?? (start === null ? leftAt : null);
        if (from !== null && at - from >= MIN_PAUSE_MS) {
          pauses.push({ from, to: at });
          if (endedAt === null) {
            const item = toPause(from, paused?.reason ?? (isLate ? "idle" : ""), at);
            if (paused) items[items.lastIndexOf(paused.item)] = item;
            else items.push(item);
          }
        }
        // A snapshot in between says where it was taken, too.
        if (mark.href !== href || start === "load")
          items.push(toItem("page", at, "Visited", { detail: toPlace(mark.href, null), more: mark.more }));
        href = mark.href;
        endedAt = leftAt = paused = null;
        break;
      }
      case "move":
        href = mark.href;
        leftAt = null;
        break;
      case "other":
        leftAt = null;
    }
    lastAt = at;
  });
  return { items, pauses, costs };
}

/** Without its end where nothing was recorded any more. */
function toPause(at: number, reason: string, endAt: number = at): ActivityItem {
  const why = toReason(PAUSES, reason);
  const length = endAt > at ? `for ${formatDuration(endAt - at)}` : "";
  const detail = [why, length].filter(Boolean).join(reason === "idle" ? " " : ", ");
  return toItem("recorder", at, "Recording paused:", { detail, endAt });
}

function toReason(reasons: ReadonlyMap<string, string>, reason: string): string {
  return reasons.get(reason) ?? reason;
}
