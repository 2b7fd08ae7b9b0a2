import { EventType } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";

const MAX_TAG_CHARS = 200;
const MAX_PAYLOAD_CHARS = 65_536;

/** A custom event of the page's own. */
export interface CustomEventInput {
  readonly tag: string;
  /** A copy. */
  readonly payload: unknown;
}

/** What a page gives, as it can be recorded; null, with a warning, where it can't. Throws what `payload` throws. */
export function parseCustomEvent(tag: unknown, payload: unknown): CustomEventInput | null {
  const json = JSON.stringify(payload ?? {});
  if (typeof tag === "string" && tag !== "" && json?.length <= MAX_PAYLOAD_CHARS)
    return { tag: tag.slice(0, MAX_TAG_CHARS), payload: JSON.parse(json) };
  console.warn("[sentiero] an event takes a name and at most 64 KB of JSON");
  return null;
}

/** A custom event as rrweb makes it, of this moment. */
export function toCustomEvent(tag: string, payload: unknown): RecordedEvent {
  return { type: EventType.Custom, data: { tag, payload }, timestamp: Date.now() };
}
