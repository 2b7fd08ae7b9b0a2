import type { PageMessage } from "../frame-messages.ts";
import { createFrameTranslator, FIRST_FRAME_ID, type ChangeData, type FrameTranslator } from "./frame-translator.ts";
import type { StreamContext } from "./stream.ts";
import type { StreamParts } from "./stream-parts.ts";

const MAX_FRAMES = 20;
/** Of one event; a snapshot may be as big as a page's. */
const MAX_EVENT_CHARS = 4_000_000;
/** Of one frame in a minute of the clock. What comes above it is lost, and the frame asked anew in the next. */
const MAX_CHARS_A_MINUTE = 16_000_000;
const MAX_MESSAGES_A_MINUTE = 3_000;
const MAX_TAG_CHARS = 200;
const MAX_PAYLOAD_CHARS = 65_536;

/** rrweb's types of events. */
const FULL_SNAPSHOT = 2;
const INCREMENTAL = 3;
const CUSTOM = 5;

/** Of the recorder's own custom events, those that a frame may bring: the others tell of the page. */
const FORWARDED = /^__(?:click|form_submit|console|network|request)$/;

/** Nothing shows, so that what a frame was left with does not stay. */
const EMPTY = {
  node: {
    type: 0,
    id: 1,
    childNodes: [{ type: 2, id: 2, tagName: "html", childNodes: [{ type: 2, id: 3, tagName: "head" }] }],
  },
};

interface Frame {
  readonly element: HTMLIFrameElement;
  readonly origin: string;
  readonly translator: FrameTranslator;
  /** `live`: its document is in the recording. `muted`: it sent too much. `over`: it can't be recorded. `away`: it was left. */
  state: "asked" | "live" | "muted" | "over" | "away";
  /** Number of the page in it, as it was asked. */
  page: number;
  minute: number;
  messages: number;
  chars: number;
}

let lastId = FIRST_FRAME_ID;
let lastPage = 0;

/**
 * Frames of other origins that the configuration names, and that record themselves for this page: each is asked for a snapshot
 * now, after every snapshot of the page, and when it says that it is there. What they send is made the page's own.
 */
export function captureFrames(
  context: StreamContext,
  { listen, unpatched }: Pick<StreamParts, "listen" | "unpatched">,
): void {
  const { signal } = context;
  const origins = context.config.frameOrigins.filter((origin) => /^https?:\/\/[^/*]+$/.test(origin));
  const frames = new Map<MessageEventSource, Frame>();
  /** Windows that are in no frame of this page. */
  const strangers = new WeakSet<MessageEventSource>();

  function find(source: MessageEventSource, origin: string): Frame | null {
    const known = frames.get(source);
    if (known && known.element.contentWindow === source && known.origin === origin) return known;
    if (strangers.has(source)) return null;
    const element = iframesIn(document).find(({ contentWindow }) => contentWindow === source);
    if (!element) {
      strangers.add(source);
      return null;
    }
    return add(element, source, origin);
  }

  function add(element: HTMLIFrameElement, source: MessageEventSource, origin: string): Frame | null {
    for (const [window, { element }] of frames) if (element.contentWindow !== window) frames.delete(window);
    if (!frames.has(source) && frames.size >= MAX_FRAMES) return null;
    const translator = createFrameTranslator(() => ++lastId);
    const counts = { minute: 0, messages: 0, chars: 0 };
    const frame: Frame = { element, origin, translator, state: "asked", page: ++lastPage, ...counts };
    frames.set(source, frame);
    return frame;
  }

  function post(frame: Frame, message: PageMessage): void {
    const { contentDocument, contentWindow } = frame.element;
    if (!contentDocument) contentWindow?.postMessage(message, frame.origin);
  }

  function ask(frame: Frame): void {
    if (frame.state === "over" || frame.state === "away" || !isOpen(frame)) return;
    frame.state = "asked";
    post(frame, { sentiero: "record", page: frame.page });
  }

  function askAll(): void {
    if (signal.aborted) return;
    for (const element of iframesIn(document)) {
      const window = element.contentWindow;
      const origin = originOf(element);
      // Another one would say so in the page's console.
      if (window && !frames.has(window) && origins.includes(origin)) add(element, window, origin);
    }
    for (const frame of frames.values()) ask(frame);
  }

  /**
   * What comes is masked by the frame's own rules. One that the page masks stays empty, because that can't be done here. One
   * whose document can be read is recorded with the page, or has not left its empty one yet.
   */
  function isOpen({ element }: Frame): boolean {
    const hidden = context.hiddenBy(element);
    return element.isConnected && !element.contentDocument && hidden !== "block" && hidden !== "mask";
  }

  function isWithinBounds(frame: Frame, chars: number): boolean {
    const minute = Math.floor(Date.now() / 60_000);
    if (minute !== frame.minute) {
      Object.assign(frame, { minute, messages: 0, chars: 0 });
      if (frame.state === "muted") ask(frame);
    }
    frame.messages++;
    frame.chars += chars;
    if (frame.messages <= MAX_MESSAGES_A_MINUTE && frame.chars <= MAX_CHARS_A_MINUTE) return true;
    if (frame.state === "live") frame.state = "muted";
    return false;
  }

  function take(frame: Frame, message: Readonly<Record<string, unknown>>): void {
    const { event, trigger } = message;
    const json = typeof event === "string" ? event : "";
    if (!isWithinBounds(frame, json.length)) return;
    if (!isOpen(frame)) {
      // Blocked or masked since it was asked.
      if (frame.state === "live") post(frame, { sentiero: "stop" });
      frame.state = "asked";
      return;
    }
    switch (message.sentiero) {
      case "hello":
        frame.state = "asked";
        frame.page = ++lastPage;
        return ask(frame);
      case "activity":
        return context.onActivity();
      case "trigger":
        if (trigger === "error" || trigger === "rage" || trigger === "custom") context.onTrigger(trigger);
        return;
      case "event":
        if (json.length > MAX_EVENT_CHARS) giveUp(frame);
        else takeEvent(frame, JSON.parse(json));
    }
  }

  function takeEvent(frame: Frame, event: unknown): void {
    const { type, data } = toFields(event);
    if (type === FULL_SNAPSHOT && frame.state !== "over") attach(frame, data);
    else if (frame.state !== "live") return;
    else if (type === INCREMENTAL) {
      try {
        context.change(() => frame.translator.change(data));
      } catch {
        // Too many nodes over time; a snapshot tells those that are left.
        ask(frame);
      }
    } else if (type === CUSTOM) emit(frame, toFields(data));
  }

  function attach(frame: Frame, data: unknown): void {
    let id = 0;
    context.change(() => {
      id = context.idOf(frame.element);
      return null;
    });
    // Not in the recording; after the page's next snapshot it may be.
    if (id <= 0) return;
    const changes = documentOf(frame, data, id);
    if (!changes) return giveUp(frame);
    for (const change of changes) context.change(() => change);
    frame.state = "live";
  }

  function documentOf({ translator }: Frame, data: unknown, id: number): ChangeData[] | null {
    try {
      return translator.attach(data, id);
    } catch {
      return null;
    }
  }

  function giveUp(frame: Frame): void {
    frame.state = "over";
    post(frame, { sentiero: "stop" });
  }

  /** Of a page that is left the browser doesn't tell any more in which frame it was, and the next one may be there already. */
  function clear(origin: string, page: unknown): void {
    for (const frame of frames.values()) {
      if (frame.page !== page || frame.origin !== origin) continue;
      if (frame.state === "live") attach(frame, EMPTY);
      frame.state = "away";
    }
  }

  function emit({ translator, origin }: Frame, { tag, payload }: Readonly<Record<string, unknown>>): void {
    if (typeof tag !== "string" || tag === "" || tag.length > MAX_TAG_CHARS) return;
    if (tag === "navigation" || (tag.startsWith("__") && !FORWARDED.test(tag))) return;
    // Places on the frame's page are none on this one.
    const { x: _x, y: _y, nodeId, ...fields } = toFields(payload);
    if (JSON.stringify(fields).length > MAX_PAYLOAD_CHARS) return;
    context.emit(tag, { ...fields, nodeId: translator.idOf(nodeId), frame: origin });
  }

  listen<MessageEvent<unknown>>(window, "message", context, ({ origin, source, data }) => {
    if (!origins.includes(origin)) return;
    const message = toFields(data);
    if (message.sentiero === "gone") return clear(origin, message.page);
    const frame = source && typeof message.sentiero === "string" && find(source, origin);
    if (frame) take(frame, message);
  });
  context.onSnapshot(() => void unpatched(window, "setTimeout").call(window, askAll));
  signal.addEventListener("abort", () => {
    // To one that is away it would be an error in the page's console.
    for (const frame of frames.values()) if (frame.state !== "away") post(frame, { sentiero: "stop" });
    frames.clear();
  });
  askAll();
}

/** Those in open shadow roots too; not those in frames, whose messages go to the frame. */
function iframesIn(root: ParentNode): HTMLIFrameElement[] {
  const found = [...root.querySelectorAll("iframe")];
  for (const { shadowRoot } of root.querySelectorAll("*")) if (shadowRoot) found.push(...iframesIn(shadowRoot));
  return found;
}

function originOf({ src }: HTMLIFrameElement): string {
  try {
    return new URL(src).origin;
  } catch {
    return "";
  }
}

function toFields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
