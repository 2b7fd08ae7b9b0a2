import type { RecordedEvent } from "../types.ts";
import { EventType, eventData, IncrementalSource, MouseInteraction } from "./events.ts";

/**
 * What a click makes by itself comes no later, ms: a browser clicks a label's field right behind the label, and a page may
 * click for the visitor. Between lies only what the page does at a click.
 */
const SAME_CLICK_MS = 400;

/** A finger or a button: the click after it is another one. */
const PRESSES = new Set<unknown>([
  MouseInteraction.MouseDown,
  MouseInteraction.MouseUp,
  MouseInteraction.TouchStart,
  MouseInteraction.TouchEnd,
]);

/**
 * How many clicks these events hold, which are in order: of the main button, a finger or a key. A click elsewhere right behind
 * another one, with no press between, is part of that.
 */
export function countClicks(events: readonly RecordedEvent[]): number {
  let count = 0;
  let last: { readonly id: unknown; readonly at: number } | null = null;
  for (const event of events) {
    const data = event.type === EventType.Incremental ? eventData(event) : null;
    if (data?.source !== IncrementalSource.MouseInteraction) continue;
    if (PRESSES.has(data.type)) last = null;
    if (data.type !== MouseInteraction.Click) continue;
    const at = event.timestamp ?? 0;
    if (last && last.id !== data.id && at - last.at <= SAME_CLICK_MS) continue;
    last = { id: data.id, at };
    count++;
  }
  return count;
}
