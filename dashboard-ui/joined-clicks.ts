import type { ActivityItem } from "./activity-item.ts";

/**
 * What one click makes is no further apart than this, and rrweb's part comes last. Between lies what the recorder does at a
 * click, on a computer that may be busy.
 */
const SAME_CLICK_MS = 400;
const EARLIER_MS = 50;

/** Leaves out rrweb's clicks that the recorder told of too, and lets a click say where its link leads. Items are in order. */
export function joinClicks(items: readonly ActivityItem[]): ActivityItem[] {
  const clickTimes = items.filter((item) => item.part === "click").map((item) => item.at);
  const joined: ActivityItem[] = [];
  /** First click that is not too long before the item at hand. */
  let first = 0;
  let lastClick = -1;
  for (const item of items) {
    while (clickTimes[first]! < item.at - SAME_CLICK_MS) first++;
    const hasClick = (clickTimes[first] ?? Infinity) <= item.at + EARLIER_MS;
    if (item.part === "echo" && hasClick) continue;
    const click = item.part === "link" ? joined[lastClick] : undefined;
    if (click && item.at - click.at <= SAME_CLICK_MS) {
      joined[lastClick] = {
        ...click,
        detail: `${click.detail} → ${item.detail}`,
        more: [click.more, item.more].filter(Boolean).join("\n"),
      };
      lastClick = -1;
      continue;
    }
    if (item.part === "click") lastClick = joined.length;
    joined.push(item);
  }
  return joined;
}
