import { EventType } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";
import { createHeldEvents, type HeldEvents } from "./held-events.ts";
import { StorageKey } from "./keys.ts";
import type { SafeStorage } from "./storage.ts";

/** Half of what is held of a session that is only sent when something goes wrong. */
const HALF_MS = 30_000;

/** What an outlet drives. */
export interface OutletOptions {
  /** The tab's own. */
  readonly storage: SafeStorage;
  /** Begins a run; what is sent after it belongs to that. */
  beginRun(): void;
  send(event: RecordedEvent): void;
  /** Asks for a full snapshot, soon. */
  requestSnapshot(): void;
}

/** Where a stretch's events go: to the server, or into memory until it is known that they shall. */
export interface Outlet {
  /** What is held waits for something to go wrong. */
  readonly isBuffering: boolean;
  /** Nothing of this stretch was sent yet. */
  readonly isHolding: boolean;
  /** Takes up a stretch of a session. `hold`: null to send at once. */
  open(sessionId: string, hold: "buffer" | "length" | null): void;
  push(event: RecordedEvent): void;
  /** Sends what is held, and what comes from now on. */
  release(): void;
  /** Forgets what is held. */
  close(): void;
  /** Epoch ms of the first event that this window sent of the session it records; null where there is none. */
  startedAt(): number | null;
}

/** Makes an outlet; nothing goes through it before `open`. */
export function createOutlet({ storage, beginRun, send, requestSnapshot }: OutletOptions): Outlet {
  let held: HeldEvents | null = null;
  let isBuffering = false;
  let sessionId = "";
  let isStartKnown = false;

  function startedAt(): number | null {
    const [id, at] = (storage.get(StorageKey.windowStart) ?? "").split(" ");
    return id === sessionId ? Number(at) : null;
  }

  function sendOn(event: RecordedEvent): void {
    if (!isStartKnown) {
      isStartKnown = true;
      if (startedAt() === null) storage.set(StorageKey.windowStart, `${sessionId} ${event.timestamp}`);
    }
    send(event);
  }

  return {
    get isBuffering() {
      return isBuffering;
    },
    get isHolding() {
      return held !== null;
    },
    open(id, hold) {
      isStartKnown &&= id === sessionId;
      sessionId = id;
      isBuffering = hold === "buffer";
      held = hold === null ? null : createHeldEvents(isBuffering ? HALF_MS : Infinity);
      if (!held) beginRun();
    },
    push(event) {
      if (!held) sendOn(event);
      else if (held.push(event)) requestSnapshot();
    },
    release() {
      if (!held) return;
      const events = held.take();
      held = null;
      isBuffering = false;
      beginRun();
      for (const event of events) sendOn(event);
      if (!events.some(({ type }) => type === EventType.FullSnapshot)) requestSnapshot();
    },
    close() {
      held = null;
      isBuffering = false;
    },
    startedAt,
  };
}
