import { record } from "@rrweb/record";
import type { Redaction } from "../src/privacy/redaction.ts";
import { EventType, IncrementalSource, isRecord } from "../src/rrweb/events.ts";
import type { RecordedEvent } from "../src/types.ts";
import type { ResolvedConfig } from "./config.ts";
import { cost } from "./cost.ts";
import { createMasking } from "./masking.ts";
import { maskEvent } from "./mask-event.ts";
import { toMediaOptions } from "./media-loader.ts";
import { textOf } from "./shown-text.ts";
import { toSlimDom } from "./slim-dom.ts";
import type { StreamContext } from "./streams/stream.ts";
import { setTimeout } from "./timers.ts";
import { flushMutations, hasPendingStyles, setUpMerging } from "./mutations/merger.ts";

/** What of rrweb's options a configuration may set, and of which kind. Others would take over what is recorded, and where it goes. */
const PASSED_OPTIONS: Readonly<Record<string, string>> = {
  checkoutEveryNms: "number",
  checkoutEveryNth: "number",
  dataURLOptions: "object",
  inlineStylesheet: "boolean",
  mousemoveWait: "number",
  userTriggeredOnInput: "boolean",
};

const MAX_WAITING_CUSTOM_EVENTS = 100;

/**
 * From here on a page's first snapshot waits until the page has nothing else to do: it takes some 10 ms per 1,000 elements,
 * which on a page of this size would stop its own start for longer than people don't notice (https://web.dev/articles/rail).
 */
const HUGE_ELEMENTS = 20_000;
/** But not longer than this, in ms: what happens before is not seen. */
const SNAPSHOT_WITHIN_MS = 3_000;

/** What changes on its own, whatever happens to nodes meanwhile: fonts, custom elements, style sheets of scripts. */
const INDEPENDENT: ReadonlySet<unknown> = new Set([10, 15, 16]);
/** Changes of rules, by their number in a style sheet. */
const RULES: ReadonlySet<unknown> = new Set([8, 13]);

/** A snapshot is dear, so many faults share one. */
const RECOVERY_MS = 2_000;

/** A recording in progress. */
export interface Capture {
  /** Starts when the document is there; `onEvent` gets each event, masked. */
  start(): void;
  /** What was not recorded yet is not recorded any more. */
  stop(): void;
  takeFullSnapshot(): void;
  /**
   * Records what changed in the document up to now; otherwise changes are gathered for up to half a second. To be called
   * before anything that tells when it happened and does not come from here: errors, hiding of the page.
   */
  flush(): void;
  /** The text of an element, or of one of its attributes, as the recording shows it. */
  readonly textOf: StreamContext["textOf"];
  readonly hiddenBy: StreamContext["hiddenBy"];
  readonly change: StreamContext["change"];
  /** Before the first snapshot it waits for it. */
  addCustomEvent(tag: string, payload: unknown): void;
}

/** Wraps rrweb's `record`. No error of it reaches the page. */
export function createCapture(
  config: ResolvedConfig,
  redaction: Redaction,
  onEvent: (event: RecordedEvent) => void,
): Capture {
  const { recorderOptions } = config;
  const maskTextSelector = toSelector(recorderOptions, "maskText", "mask");
  const blockSelector = toSelector(recorderOptions, "block", "block");
  const ignoreSelector = toSelector(recorderOptions, "ignore", "ignore");
  const passed = Object.fromEntries(
    Object.entries(recorderOptions).filter(([name, value]) => typeof value === PASSED_OPTIONS[name]),
  );
  const masking = createMasking(
    {
      privacy: config.privacy,
      maskAllInputs: config.maskAllInputs,
      maskInputOptions: isRecord(recorderOptions.maskInputOptions) ? recorderOptions.maskInputOptions : {},
      maskTextSelector,
      blockSelector,
    },
    redaction,
  );
  let state: "new" | "waiting" | "running" | "stopped" = "new";
  let stopRecord: (() => void) | undefined;
  let snapshotTimer: ReturnType<typeof setTimeout> | undefined;
  /** Changes that are recorded because of an event are given a time no later than its own, in epoch ms. */
  let changesUntil = Infinity;
  const waiting: { readonly tag: string; readonly payload: unknown }[] = [];

  function beginSoon(): void {
    const isHuge = document.getElementsByTagName("*").length > HUGE_ELEMENTS;
    if (isHuge && typeof requestIdleCallback === "function")
      requestIdleCallback(begin, { timeout: SNAPSHOT_WITHIN_MS });
    else begin();
  }

  function begin(): void {
    if (state !== "waiting") return;
    const start = performance.now();
    setUpMerging({ ...config, onFailure: snapshotSoon });
    try {
      stopRecord = record({
        inlineStylesheet: true,
        ...passed,
        slimDOMOptions: toSlimDom(recorderOptions.slimDOMOptions),
        ...toMediaOptions(config),
        sampling: {
          scroll: 150,
          input: "last",
          ...(isRecord(recorderOptions.sampling) ? recorderOptions.sampling : {}),
        },
        blockSelector,
        // rrweb asks the element itself only.
        ignoreSelector: `${ignoreSelector}, :is(${ignoreSelector}) *`,
        // For what is typed, so that rrweb keeps no more of it. All that is recorded goes through `maskEvent`.
        maskInputFn: (text, element) => masking.maskInput(text, element),
        emit,
      });
    } catch {
      // Below.
    }
    cost.addSnapshot(performance.now() - start);
    if (!stopRecord) return console.warn("[sentiero] this page can't be recorded");
    state = "running";
    for (const { tag, payload } of waiting.splice(0)) record.addCustomEvent(tag, payload);
  }

  function emit(event: unknown): void {
    try {
      if (state === "stopped") return;
      const recorded = event as RecordedEvent;
      if (!isInOrder(recorded)) return;
      cost.addEvent();
      maskEvent(recorded, masking, (id) => record.mirror.getNode(id));
      onEvent(redaction.event(recorded));
    } catch {
      // The page's own code may be on the stack, and an event that can't be masked is not kept. What follows would be
      // played on a page that never was, so the page is recorded anew.
      snapshotSoon();
    }
  }

  /** Lets what changed before an event be recorded before it; whether the event says anything. */
  function isInOrder(event: RecordedEvent): boolean {
    const data = isRecord(event.data) ? event.data : {};
    const source = event.type === EventType.Incremental ? data.source : null;
    if (source === IncrementalSource.Mutation) {
      if (Number(event.timestamp) > changesUntil) (event as { timestamp: number }).timestamp = changesUntil;
      return true;
    }
    // Nothing waits then, and rrweb can't take anything in.
    if (event.type === EventType.FullSnapshot || INDEPENDENT.has(source)) return true;
    if (RULES.has(source) && !hasPendingStyles()) return true;
    const before = changesUntil;
    changesUntil = Math.min(before, typeof event.timestamp === "number" ? event.timestamp : Infinity);
    try {
      flushMutations();
    } finally {
      changesUntil = before;
    }
    // A field that was not recorded yet when a script filled it; it is now, as it is.
    return source !== IncrementalSource.Input || data.id !== -1;
  }

  function snapshotSoon(): void {
    if (snapshotTimer !== undefined) return;
    snapshotTimer = setTimeout(() => {
      snapshotTimer = undefined;
      takeFullSnapshot();
    }, RECOVERY_MS);
  }

  function takeFullSnapshot(): void {
    if (state !== "running") return;
    const start = performance.now();
    try {
      record.takeFullSnapshot(true);
    } catch {
      // The recording goes on as it is.
    }
    cost.addSnapshot(performance.now() - start);
  }

  function flush(): void {
    if (state === "running") flushMutations();
  }

  return {
    start() {
      if (state !== "new") return;
      state = "waiting";
      // Waiting here, not in rrweb: what it does in its own listener would throw into the page.
      if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", beginSoon, { once: true });
      else beginSoon();
    },
    stop() {
      state = "stopped";
      document.removeEventListener("DOMContentLoaded", beginSoon);
      try {
        stopRecord?.();
      } catch {
        // Nothing more will come.
      }
    },
    takeFullSnapshot,
    flush,
    hiddenBy(element) {
      const { isBlocked, isMasked, rule } = masking.coverOf(element);
      return isBlocked ? "block" : !isMasked ? null : rule === "mask" ? rule : "rules";
    },
    change(make) {
      flush();
      const data = state === "running" && make();
      if (!data) return;
      cost.addEvent();
      onEvent(redaction.event({ type: EventType.Incremental, data, timestamp: Date.now() }));
    },
    textOf: (element, maxChars, attribute) => textOf(masking, element, maxChars, attribute),
    addCustomEvent(tag, payload) {
      if (state === "running") record.addCustomEvent(tag, payload);
      else if (state !== "stopped" && waiting.length < MAX_WAITING_CUSTOM_EVENTS) waiting.push({ tag, payload });
    },
  };
}

/** Selects an attribute of ours and a class of rrweb's, or what the configuration names instead; at least nothing. */
function toSelector(options: ResolvedConfig["recorderOptions"], name: string, word: string): string {
  const className = options[`${name}Class`];
  const escaped = CSS.escape(typeof className === "string" ? className : `rr-${word}`);
  const selector = parseSelector(options[`${name}Selector`], `[data-rr-${word}]`);
  return [selector, escaped && `.${escaped}`].filter(Boolean).join() || ":not(*)";
}

/** What can't be read is not heeded. */
function parseSelector(value: unknown, fallback: string): string | null {
  if (typeof value !== "string") return value === null ? null : fallback;
  if (value === "") return null;
  try {
    document.querySelector(value);
    return value;
  } catch {
    console.warn(`[sentiero] not a selector: ${value}`);
    return fallback;
  }
}
