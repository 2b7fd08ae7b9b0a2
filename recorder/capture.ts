import { record } from "@rrweb/record";
import { EventType, isRecord } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";
import type { ResolvedConfig } from "./config.ts";
import { createMasking } from "./masking.ts";
import { maskEvent } from "./mask-event.ts";
import { cutUrl } from "../src/privacy/url.ts";

/** Options that would let a configuration take over what is recorded. */
const OWN_OPTIONS = ["emit", "hooks", "plugins", "packFn", "errorHandler", "maskInputFn", "maskTextFn", "recordAfter"];

const MAX_WAITING_CUSTOM_EVENTS = 100;

/** A snapshot is dear, so many faults share one. */
const RECOVERY_MS = 2_000;

/** A recording in progress. */
export interface Capture {
  /** Starts when the document is there; `onEvent` gets each event, masked. */
  start(): void;
  stop(): void;
  takeFullSnapshot(): void;
  /** Before the first snapshot it waits for it. */
  addCustomEvent(tag: string, payload: unknown): void;
}

/** Wraps rrweb's `record`. No error of it reaches the page. */
export function createCapture(config: ResolvedConfig, onEvent: (event: RecordedEvent) => void): Capture {
  const { recorderOptions } = config;
  const maskTextSelector = toSelector(recorderOptions.maskTextSelector, "[data-rr-mask]");
  const blockSelector = toSelector(recorderOptions.blockSelector, "[data-rr-block]");
  const ignoreSelector = toSelector(recorderOptions.ignoreSelector, "[data-rr-ignore]");
  const masking = createMasking({
    maskAllInputs: config.maskAllInputs,
    maskInputOptions: isRecord(recorderOptions.maskInputOptions) ? recorderOptions.maskInputOptions : {},
    maskTextSelector,
    blockSelector,
  });
  const passed = Object.fromEntries(Object.entries(recorderOptions).filter(([name]) => !OWN_OPTIONS.includes(name)));
  let state: "new" | "waiting" | "running" | "stopped" = "new";
  let stopRecord: (() => void) | undefined;
  let snapshotTimer: ReturnType<typeof setTimeout> | undefined;
  const waiting: { readonly tag: string; readonly payload: unknown }[] = [];

  function begin(): void {
    if (state !== "waiting") return;
    try {
      stopRecord = record({
        inlineStylesheet: true,
        slimDOMOptions: "all",
        ...passed,
        sampling: {
          scroll: 150,
          input: "last",
          ...(isRecord(recorderOptions.sampling) ? recorderOptions.sampling : {}),
        },
        blockSelector: blockSelector ?? undefined,
        // rrweb asks the element itself only.
        ignoreSelector: ignoreSelector === null ? undefined : `${ignoreSelector}, :is(${ignoreSelector}) *`,
        maskTextSelector: maskTextSelector ?? undefined,
        // Not `maskAllInputs`: its fixed list leaves hidden and file inputs in clear. "input" stands for every type,
        // and the function decides.
        maskAllInputs: false,
        maskInputOptions: { input: true, textarea: true, select: true, password: true } as object,
        maskInputFn: (text, element) => masking.maskInput(text, element),
        maskTextFn: (text, element) => masking.maskText(text, element),
        // True: handled. Anything else is thrown on into the page.
        errorHandler: () => true,
        emit,
      });
    } catch {
      // Below.
    }
    if (!stopRecord) return console.warn("[sentiero] this page can't be recorded");
    state = "running";
    for (const { tag, payload } of waiting.splice(0)) record.addCustomEvent(tag, payload);
  }

  function emit(event: unknown): void {
    try {
      if (state === "stopped") return;
      const recorded = event as RecordedEvent;
      if (recorded.type === EventType.Meta && isRecord(recorded.data))
        recorded.data.href = cutUrl(String(recorded.data.href));
      maskEvent(recorded, masking, (id) => record.mirror.getNode(id));
      onEvent(recorded);
    } catch {
      // The page's own code may be on the stack, and an event that can't be masked is not kept. What follows would be
      // played on a page that never was, so the page is recorded anew.
      snapshotSoon();
    }
  }

  function snapshotSoon(): void {
    if (snapshotTimer !== undefined) return;
    snapshotTimer = setTimeout(() => {
      snapshotTimer = undefined;
      takeFullSnapshot();
    }, RECOVERY_MS);
  }

  function takeFullSnapshot(): void {
    try {
      if (state === "running") record.takeFullSnapshot(true);
    } catch {
      // The recording goes on as it is.
    }
  }

  return {
    start() {
      if (state !== "new") return;
      state = "waiting";
      // Waiting here, not in rrweb: what it does in its own listener would throw into the page.
      if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin, { once: true });
      else begin();
    },
    stop() {
      state = "stopped";
      document.removeEventListener("DOMContentLoaded", begin);
      try {
        stopRecord?.();
      } catch {
        // Nothing more will come.
      }
    },
    takeFullSnapshot,
    addCustomEvent(tag, payload) {
      if (state === "running") record.addCustomEvent(tag, payload);
      else if (state !== "stopped" && waiting.length < MAX_WAITING_CUSTOM_EVENTS) waiting.push({ tag, payload });
    },
  };
}

function toSelector(value: unknown, fallback: string): string | null {
  if (value === undefined) return fallback;
  return typeof value === "string" && value !== "" ? value : null;
}
