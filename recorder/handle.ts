import type { RecorderHandle, StartOptions } from "./api.ts";
import type { ResolvedConfig } from "./config.ts";
import { parseCustomEvent } from "./custom-event.ts";
import type { IdentityKeeper } from "./identity.ts";
import type { Outlet } from "./outlet.ts";
import type { Recording } from "./recording.ts";
import type { Trigger } from "./streams/stream.ts";
import type { StretchControl } from "./stretch-control.ts";
import type { Transport } from "./transport.ts";

/** What the page's calls drive. */
export interface HandleOptions {
  readonly config: Pick<ResolvedConfig, "eventsUrl" | "captureTraits">;
  readonly control: StretchControl;
  readonly outlet: Outlet;
  readonly identity: IdentityKeeper;
  readonly transport: Transport;
  windowId(): string;
  /** Null while nothing is recorded. */
  recording(): Recording | null;
  /** Begins a stretch where this session and this page are recorded. */
  begin(reason: string): void;
  /** Sends what is held until something goes wrong. */
  release(reason: string): void;
  onTrigger(trigger: Trigger): void;
  /** `userId`: who the session belongs to, where the page says so. */
  setMetadata(metadata: unknown, userId?: unknown): void;
  /** Takes in what only a page's code can give. */
  configure(options: StartOptions): void;
}

/** Makes what the page's API calls. Methods may throw what they are given; the API keeps that from the page. */
export function createHandle(options: HandleOptions): RecorderHandle {
  const { config, control, outlet, identity, transport, windowId, recording, begin, release, setMetadata } = options;

  function addCustomEvent(tag: unknown, given: unknown): void {
    const event = parseCustomEvent(tag, given);
    const current = recording();
    if (!event || !current) return;
    current.emit(event.tag, event.payload);
    options.onTrigger("custom");
  }

  function sessionId(): string | null {
    const { phase, reason } = control.current;
    const isOff = phase === "ended" && reason !== "idle" && reason !== "max";
    return isOff || identity.current.sampling === "none" ? null : identity.current.sessionId;
  }

  return {
    start(given) {
      if (given) options.configure(given);
      else {
        release("manual");
        if (identity.current.sampling !== "session") identity.setSampling("session");
      }
      if (control.current.phase === "ended") begin("manual");
    },
    stop() {
      recording()?.flush();
      control.send({ type: "end", reason: "manual" });
    },
    flush() {
      recording()?.flush();
      release("manual");
      return transport.flush();
    },
    pause() {
      recording()?.flush();
      control.send({ type: "pause" });
    },
    resume: () => control.send({ type: "resume" }),
    startBuffering() {
      if (control.current.phase !== "ended") return;
      identity.setSampling("error");
      begin("manual");
    },
    identify(userId, traits) {
      const named = config.captureTraits.map((name) => [name, traits?.[name]]);
      setMetadata(Object.fromEntries(named), userId);
    },
    setMetadata: (metadata) => setMetadata(metadata),
    addCustomEvent,
    track: addCustomEvent,
    captureException: (error, context) => recording()?.captureException(error, context),
    getSessionId: sessionId,
    getSessionUrl() {
      const id = sessionId();
      if (id === null) return null;
      const url = new URL(`sessions/${id}/windows/${windowId()}`, config.eventsUrl);
      const startedAt = outlet.startedAt();
      // The dashboard counts ms from the window's first event.
      if (startedAt !== null) url.searchParams.set("t", String(Math.max(0, Date.now() - startedAt)));
      return url.href;
    },
    headers(): Record<string, string> {
      const id = sessionId();
      return id === null ? {} : { "x-sentiero-session": id, "x-sentiero-window": windowId() };
    },
    discard: () => transport.discard(),
  };
}
