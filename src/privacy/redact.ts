import type { Batch, RecordedEvent } from "../types.ts";
import type { Redaction } from "./redaction.ts";
import type { RedactEvent } from "./rules.ts";

/** What {@link redactBatch} goes by. */
export interface RedactOptions {
  /** The rules that the recorder has too. */
  readonly redaction: Pick<Redaction, "event" | "metadata">;
  /** The host's own rule, asked last; an event is dropped when it answers nothing or throws. */
  readonly redactEvent: RedactEvent | undefined;
  readonly onError: (error: unknown) => void;
}

const MAX_KEYS = 50;
const MAX_KEY_LENGTH = 128;
const MAX_VALUE_LENGTH = 1024;

/**
 * The one step that every batch passes before it is stored: redacts events and metadata, cuts metadata to its limits (50
 * keys of 128, values of 1,024 characters) and asks `redactEvent`. What can't be redacted is dropped and told to `onError`.
 * Returns the same batch where nothing had to change; a host's rule may change an event in place, so with one the batch
 * is always another.
 */
export function redactBatch(batch: Batch, options: RedactOptions): Batch {
  const events = redactEvents(batch.events, options);
  const metadata = batch.metadata && redactMetadata(batch.metadata, options);
  if (events === batch.events && metadata === batch.metadata) return batch;
  return metadata ? { ...batch, events, metadata } : { ...batch, events };
}

function redactEvents(
  events: readonly RecordedEvent[],
  { redaction, redactEvent, onError }: RedactOptions,
): readonly RecordedEvent[] {
  let isSame = !redactEvent;
  const kept: RecordedEvent[] = [];
  for (const event of events) {
    try {
      const redacted = redaction.event(event);
      const answer = redactEvent ? keepEvent(redactEvent(redacted)) : redacted;
      if (answer) kept.push(answer);
      isSame &&= answer === event;
    } catch (error) {
      onError(error);
      isSame = false;
    }
  }
  return isSame ? events : kept;
}

/** What a host's rule answered, where it is an event that can be stored. */
function keepEvent(kept: RecordedEvent | null | undefined): RecordedEvent | null {
  if (kept === null || kept === undefined || (kept as unknown) === false) return null;
  if (typeof kept !== "object" || Array.isArray(kept) || "then" in kept) {
    throw new TypeError("[sentiero] redaction.redactEvent must answer an event, or null to drop it, and not a promise");
  }
  // Throws where it holds what JSON cannot, so that one bad event does not refuse its batch.
  JSON.stringify(kept);
  return kept;
}

function redactMetadata(
  metadata: Readonly<Record<string, unknown>>,
  { redaction, onError }: RedactOptions,
): Readonly<Record<string, unknown>> {
  try {
    return cutMetadata(metadata, redaction.metadata(metadata));
  } catch (error) {
    onError(error);
    return {};
  }
}

/** Plain values within the limits; the metadata that was received where that is what is left. */
function cutMetadata(
  metadata: Readonly<Record<string, unknown>>,
  redacted: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const received = Object.entries(metadata);
  const entries: [string, string | number | boolean][] = [];
  for (const [key, value] of Object.entries(redacted)) {
    // Where a visitor is can only be said by the server.
    if (key.startsWith("geo_")) continue;
    const plain = toPlain(value);
    if (plain === undefined) continue;
    const cut = typeof plain === "string" ? plain.slice(0, MAX_VALUE_LENGTH) : plain;
    entries.push([key.slice(0, MAX_KEY_LENGTH), cut]);
    if (entries.length === MAX_KEYS) break;
  }
  const isSame =
    entries.length === received.length &&
    entries.every(([key, value], index) => key === received[index]![0] && value === received[index]![1]);
  // `fromEntries` defines own properties, so a key `__proto__` is only a key.
  return isSame ? metadata : Object.fromEntries(entries);
}

function toPlain(value: unknown): string | number | boolean | undefined {
  if (typeof value === "string" || typeof value === "boolean") return value;
  // JSON has a way to write 1e999, but no way to keep it.
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (value === null || value === undefined) return undefined;
  try {
    return JSON.stringify(value);
  } catch {
    // Nested deeper than can be written.
    return undefined;
  }
}
