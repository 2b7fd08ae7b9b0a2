import { EventType, IncrementalSource, eventData, isRecord } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";

/** An event that rrweb can be given: it has a type and a time, and `data` has the parts that rrweb reads unasked. */
export interface PlayableEvent extends RecordedEvent {
  readonly type: number;
  readonly timestamp: number;
}

const TOUCH_MOVE = 6;
const DRAG = 12;

/**
 * The events of a batch that can be played, made safe in place. Recorded data is whatever a browser sent: one event
 * without its parts would stop rrweb's timer for good, and some markup reaches out to other hosts in ways that no
 * content security policy covers.
 */
export function playableEvents(events: readonly RecordedEvent[]): PlayableEvent[] {
  const playable: PlayableEvent[] = [];
  for (const event of events) {
    if (!isPlayable(event)) continue;
    disarm(event);
    playable.push(event);
  }
  return playable;
}

function isPlayable(event: RecordedEvent): event is PlayableEvent {
  if (typeof event !== "object" || event === null) return false;
  if (typeof event.timestamp !== "number" || !Number.isFinite(event.timestamp)) return false;
  const data = eventData(event);
  switch (event.type) {
    case EventType.Meta:
      return isSize(data?.width) && isSize(data?.height);
    case EventType.FullSnapshot:
      return isRecord(data?.node);
    case EventType.Custom:
      return data !== null;
    case EventType.Incremental:
      return data !== null && hasParts(data);
    default:
      // What the page's load events and plugins did can't be seen.
      return false;
  }
}

function hasParts(data: Record<string, unknown>): boolean {
  switch (data.source) {
    case IncrementalSource.MouseMove:
    case TOUCH_MOVE:
    case DRAG:
      return Array.isArray(data.positions) && data.positions.length > 0 && data.positions.every(isPosition);
    case IncrementalSource.ViewportResize:
      return isSize(data.width) && isSize(data.height);
    case IncrementalSource.MouseInteraction:
      return typeof data.type === "number" && data.type >= 0 && data.type <= 10;
    case IncrementalSource.Mutation:
      return [data.adds, data.removes, data.texts, data.attributes].every(Array.isArray);
    default:
      return typeof data.source === "number";
  }
}

function isPosition(value: unknown): boolean {
  return isRecord(value) && [value.x, value.y, value.timeOffset].every((part) => Number.isFinite(part));
}

function isSize(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value < 1e5;
}

function disarm(event: PlayableEvent): void {
  const data = eventData(event);
  if (event.type === EventType.FullSnapshot) disarmTree(data?.node);
  if (event.type !== EventType.Incremental || data?.source !== IncrementalSource.Mutation) return;
  for (const added of data.adds as unknown[]) if (isRecord(added)) disarmTree(added.node);
  for (const changed of data.attributes as unknown[]) {
    if (isRecord(changed) && isRecord(changed.attributes)) disarmAttributes("", changed.attributes);
  }
}

// Loops instead of calling itself: a hostile tree may be deeper than the stack.
function disarmTree(root: unknown): void {
  const waiting: unknown[] = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (!isRecord(node)) continue;
    const tag = typeof node.tagName === "string" ? node.tagName.toLowerCase() : "";
    if (isRecord(node.attributes)) disarmAttributes(tag, node.attributes);
    if (Array.isArray(node.childNodes)) for (const child of node.childNodes) waiting.push(child);
  }
}

function disarmAttributes(tag: string, attributes: Record<string, unknown>): void {
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    // The sandbox runs no handler; without it there is not even a try.
    if (/^on/i.test(name)) delete attributes[name];
    switch (name.toLowerCase()) {
      case "rel":
        // Preconnects and DNS look-ups are not subject to a content security policy.
        if (typeof value === "string" && /preconnect|prefetch|preload|prerender/i.test(value)) delete attributes[name];
        break;
      case "http-equiv":
        // A recorded refresh or policy is for the recorded page, not for the replay.
        delete attributes[name];
        break;
      case "ping":
      case "autofocus":
        delete attributes[name];
        break;
      case "srcdoc":
        delete attributes[name];
        break;
      case "src":
      case "data":
        // Their content is not recorded this way; the policy would show an error page in its place.
        if (/^(iframe|frame|embed|object)$/.test(tag)) delete attributes[name];
        break;
      case "href":
      case "target":
        if (tag === "base") delete attributes[name];
        break;
    }
  }
}
