import * as v from "valibot";
import { HTTPError } from "../errors.ts";
import type { Batch, Gap, RecordedEvent } from "../types.ts";
import { EventType, isRecord } from "./events.ts";

/** Most gaps that one batch may declare; a recorder that gave up more joins them. */
const MAX_GAPS = 20;

/** Most objects and arrays in a body: a small gzip of empty objects would otherwise fill the memory when parsed. */
const MAX_CONTAINERS = 3_000_000;

/** What a session or window id may be, the same as the original's. */
export function isId(value: unknown): value is string {
  return typeof value === "string" && /^[A-Za-z0-9_-]{1,128}$/.test(value);
}

/** A parsed batch, and what of its text can be used again. */
export interface ParsedBatch {
  readonly batch: Batch;
  /**
   * The JSON of the events as received, where the whole body may be stored as it is: every field is known and stands
   * once, and what redaction looks at stands in the text as it was read. Null where the batch has to be written again.
   */
  readonly eventsJson: string | null;
}

/**
 * Parses an upload. Fields nobody knows are left out, numeric strings as times become numbers.
 * @throws HTTPError 400 saying which field is wrong, 413 when it holds too many objects.
 */
export function parseBatch(bytes: Uint8Array, limits: { maxEventsPerBatch: number }): ParsedBatch {
  const text = decode(bytes);
  if (bytes.byteLength > MAX_CONTAINERS && countContainers(bytes) > MAX_CONTAINERS) {
    throw new HTTPError(413, "body holds too many objects");
  }
  const { value, eventsJson } = parseText(text);
  const result = v.safeParse(Envelope, value);
  if (!result.success) throw new HTTPError(400, describe(result.issues[0]));
  const envelope = result.output;
  if ((envelope.run === undefined) !== (envelope.seq === undefined))
    throw new HTTPError(400, "run and seq come together");
  if (envelope.events.length > limits.maxEventsPerBatch) throw new HTTPError(400, "too many events");
  const { batch, isWhole } = toBatch(envelope, value as object);
  const isUsable = isWhole && eventsJson !== null && standsInText(batch.events, eventsJson);
  return { batch, eventsJson: isUsable ? eventsJson : null };
}

/**
 * Parses a body whose events come last, as our recorder writes it, in two pieces: where the envelope is exactly what
 * `JSON.stringify` writes, no field is hidden behind another of the same name, and the events' text need not be written
 * again to know it. That is half of the cost of a batch.
 */
function parseText(text: string): { value: unknown; eventsJson: string | null } {
  const start = text.indexOf(EVENTS_FIELD) + EVENTS_FIELD.length;
  if (start >= EVENTS_FIELD.length && text.endsWith("]}")) {
    const envelopeJson = `${text.slice(0, start)}[]}`;
    const eventsJson = text.slice(start, -1);
    try {
      const envelope: unknown = JSON.parse(envelopeJson);
      if (isRecord(envelope) && Array.isArray(envelope.events) && JSON.stringify(envelope) === envelopeJson) {
        return { value: { ...envelope, events: JSON.parse(eventsJson) as unknown }, eventsJson };
      }
    } catch {
      // Another shape, or no JSON at all: below.
    }
  }
  return { value: parseJson(text), eventsJson: null };
}

const EVENTS_FIELD = '"events":';

/**
 * Whether the events that redaction looks at stand in the text as they were read. A second field of the same name would
 * hide a value from redaction that is stored all the same. No recorder writes such a text; who does so on purpose, and
 * plants a copy that is found here, could as well put the value into an event of the DOM, which redaction does not read.
 */
function standsInText(events: readonly RecordedEvent[], eventsJson: string): boolean {
  let at = 0;
  for (const event of events) {
    if (event.type !== EventType.Meta && event.type !== EventType.Custom) continue;
    const json = toJson(event);
    at = json === null ? -1 : eventsJson.indexOf(json, at);
    if (at < 0) return false;
    at += json!.length;
  }
  return true;
}

/** Null where an event is nested deeper than can be written. */
function toJson(event: RecordedEvent): string | null {
  try {
    return JSON.stringify(event);
  } catch {
    return null;
  }
}

const id = v.custom<string>(isId, "must be 1 to 128 letters, digits, _ or -");
const time = v.pipe(v.number(), v.finite());
const run = v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{24}$/, "must be 24 lower-case hex digits")));
const seq = v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0)));

const gap = v.pipe(
  v.strictObject({
    reason: v.picklist(["overflow", "rejected", "network", "unload"] as const satisfies readonly Gap["reason"][]),
    events: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    from: time,
    to: time,
    run,
    seq,
  }),
  v.check((given) => (given.run === undefined) === (given.seq === undefined), "must have run and seq together"),
);

const Envelope = v.object({
  sessionId: id,
  windowId: id,
  events: v.pipe(v.custom<unknown[]>(Array.isArray, "must be a list"), v.minLength(1, "must not be empty")),
  metadata: v.optional(v.unknown()),
  run,
  seq,
  sentAt: v.optional(time),
  key: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, "must be 32 lower-case hex digits"))),
  recorder: v.optional(v.pipe(v.string(), v.maxLength(32))),
  gaps: v.optional(v.pipe(v.array(gap), v.maxLength(MAX_GAPS))),
});

/** Keeps the order in which the fields came. `isWhole` is false where something was left out or changed. */
function toBatch(envelope: v.InferOutput<typeof Envelope>, received: object): { batch: Batch; isWhole: boolean } {
  let isWhole = true;
  for (const event of envelope.events) if (normalise(event)) isWhole = false;
  const batch: Record<string, unknown> = {};
  for (const name of Object.keys(received)) {
    const value = Object.hasOwn(envelope, name) ? envelope[name as keyof typeof envelope] : undefined;
    // Metadata that is no object is treated as if it were not there, as the original does.
    if (value === undefined || (name === "metadata" && !isRecord(value))) isWhole = false;
    else batch[name] = value;
  }
  return { batch: batch as unknown as Batch, isWhole };
}

/** Checks one event and turns a time written as text into a number; true when it did. */
function normalise(event: unknown): boolean {
  if (!isRecord(event)) throw new HTTPError(400, "events must hold objects only");
  if (!Object.hasOwn(event, "timestamp")) return false;
  const timestamp: unknown = event.timestamp;
  const at = typeof timestamp === "string" && timestamp.trim() !== "" ? Number(timestamp) : timestamp;
  if (typeof at !== "number" || !Number.isFinite(at)) throw new HTTPError(400, "an event's timestamp must be a number");
  if (at === timestamp) return false;
  (event as { timestamp: number }).timestamp = at;
  return true;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new HTTPError(400, "body is not UTF-8");
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new HTTPError(400, "body is not valid JSON");
  }
}

function countContainers(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === 0x7b || byte === 0x5b) count++;
  return count;
}

function describe(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  if (!path) return "body must be a JSON object";
  // valibot's own words repeat what was received; an answer should not.
  const reason = issue.message.startsWith("must") ? issue.message : "is not valid";
  return `${path} ${reason}`;
}
