import type { RecorderHandle } from "./api.ts";
import type { Redaction } from "../src/privacy/redaction.ts";
import type { ResolvedConfig } from "./config.ts";
import type { parseCustomEvent } from "./custom-event.ts";
import type { FrameMessage, PageMessage } from "./frame-messages.ts";
import type { Recording, startRecording } from "./recording.ts";
import type { listen } from "./streams/listen.ts";
import type { watchUrlRules } from "./url-rules.ts";

/** What recording in a frame uses of the recorder's own file, which an import would tear apart. */
export interface FramedParts {
  readonly redaction: Redaction;
  readonly listen: typeof listen;
  readonly parseCustomEvent: typeof parseCustomEvent;
  readonly startRecording: typeof startRecording;
  readonly watchUrlRules: typeof watchUrlRules;
  /** Whether recording is allowed right now. */
  isAllowed(): boolean;
}

/**
 * Records this page for the one around it, whose origin is `parentOrigin`: while that asks for it, each event is posted there,
 * masked and redacted by the rules of this page. There is no session here, no id, nothing in storage and no request. Null
 * where this page is in no frame, or `parentOrigin` is no origin.
 */
export function startFramed(config: ResolvedConfig, parentOrigin: unknown, parts: FramedParts): RecorderHandle | null {
  const { redaction, listen, parseCustomEvent, startRecording, watchUrlRules, isAllowed } = parts;
  const { parent } = window;
  if (parent === window) return null;
  if (typeof parentOrigin !== "string" || !isOrigin(parentOrigin)) {
    console.warn("[sentiero] parentOrigin is not an origin such as https://shop.example");
    return null;
  }
  const origin = parentOrigin;
  const ending = new AbortController();
  const { signal } = ending;
  let recording: Recording | null = null;
  /** What the page around it calls this one. */
  let page = 0;
  /** The page itself wants none. */
  let isStopped = false;
  const isRecordedNow = watchUrlRules(config, signal, onMove);

  function post(message: FrameMessage): void {
    parent.postMessage(message, origin);
  }

  function mayRecord(): boolean {
    return !isStopped && !signal.aborted && isRecordedNow() && isAllowed();
  }

  function record(): void {
    if (!mayRecord()) return;
    if (recording) return recording.takeFullSnapshot();
    recording = startRecording(
      {
        config,
        redaction,
        onEvent(event) {
          if (recording !== null && !mayRecord()) setTimeout(stop);
          else post({ sentiero: "event", event: JSON.stringify(event) });
        },
        onActivity: () => post({ sentiero: "activity" }),
        onTrigger: (trigger) => post({ sentiero: "trigger", trigger }),
      },
      null,
    );
  }

  function stop(): void {
    recording?.stop();
    recording = null;
  }

  /** The page around it asks for a snapshot then, if it records. */
  function announce(): void {
    if (mayRecord()) post({ sentiero: "hello" });
  }

  function onMove(): void {
    if (!mayRecord()) stop();
    else if (!recording) announce();
  }

  function setStopped(isOff: boolean): void {
    isStopped = isOff;
    recording?.flush();
    onMove();
  }

  function addCustomEvent(tag: unknown, given: unknown): void {
    const event = parseCustomEvent(tag, given);
    if (!event || !recording) return;
    recording.emit(event.tag, event.payload);
    post({ sentiero: "trigger", trigger: "custom" });
  }

  listen<MessageEvent<PageMessage | null>>(window, "message", { signal }, (event) => {
    if (event.source !== parent || event.origin !== origin) return;
    const asked = event.data;
    if (asked?.sentiero === "record") {
      page = asked.page;
      record();
    } else if (asked?.sentiero === "stop") stop();
  });
  listen(window, "pagehide", { signal }, () => {
    recording?.leave();
    if (recording) post({ sentiero: "gone", page });
  });
  // Out of the back/forward cache.
  listen<PageTransitionEvent>(window, "pageshow", { signal }, ({ persisted }) => void (persisted && announce()));
  // Another tab opted out.
  listen(window, "storage", { signal }, onMove);
  announce();

  return {
    start: () => setStopped(false),
    stop: () => setStopped(true),
    pause: () => setStopped(true),
    resume: () => setStopped(false),
    flush: async () => recording?.flush(),
    // All of that belongs to the session, which is that of the page around it.
    startBuffering() {},
    identify() {},
    setMetadata() {},
    getSessionId: () => null,
    getSessionUrl: () => null,
    headers: () => ({}),
    addCustomEvent,
    track: addCustomEvent,
    captureException: (error, context) => recording?.captureException(error, context),
    discard() {
      stop();
      ending.abort();
    },
  };
}

function isOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}
