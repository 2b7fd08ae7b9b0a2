// Runs inside a page: records it with the capture, and replays what was recorded.
import { Replayer } from "@rrweb/replay";
import { createCapture, type Capture } from "../../../recorder/capture.ts";
import { createRedaction } from "../../../src/privacy/redaction.ts";
import { resolveConfig, type RecorderConfig, type ResolvedConfig } from "../../../recorder/config.ts";
import { cost } from "../../../recorder/cost.ts";
import { describe } from "./description.ts";
import { misplacedAdditions } from "./misplaced-additions.ts";
import { change } from "./mutations-changes.ts";

const events: Record<string, unknown>[] = [];
let capture: Capture | undefined;

/** What the recorder wants to do later: the ends of its windows and its slices, done when a test says so. */
let later: (() => void) | null = null;
/** How long a window is, ms: by this its end is known among the timers. */
let windowMs = 500;
const { setTimeout: plainTimeout, clearTimeout: plainClear } = window;
const WINDOW = -1;
Object.assign(window, {
  setTimeout(run: () => void, ms: number) {
    if (ms !== windowMs) return plainTimeout(run, ms);
    later = run;
    return WINDOW;
  },
  clearTimeout(id: number) {
    if (id === WINDOW) later = null;
    else plainClear(id);
  },
  requestIdleCallback(run: () => void) {
    later = run;
    return WINDOW;
  },
  cancelIdleCallback() {
    later = null;
  },
});

/** What the tests call in the page. */
const harness = {
  events,
  start(given: Pick<RecorderConfig, "mergeWindowMs" | "taskBudgetMs"> = {}): void {
    const { mergeWindowMs, taskBudgetMs } = resolveConfig({ eventsUrl: "/events", ...given });
    windowMs = mergeWindowMs;
    const config = {
      recorderOptions: {},
      maskAllInputs: false,
      mergeWindowMs,
      taskBudgetMs,
    } as unknown as ResolvedConfig;
    capture = createCapture(config, createRedaction(), (event) => {
      events.push(structuredClone(event) as unknown as Record<string, unknown>);
    });
    capture.start();
  },
  flush: (): void => capture!.flush(),
  /** Does the least that a slice of work may be. */
  slice(): void {
    const run = later;
    later = null;
    const now = performance.now.bind(performance);
    let asked = 0;
    performance.now = () => now() + 1_000 * asked++;
    run?.();
    performance.now = now;
  },
  isWaiting: (): boolean => later !== null,
  windowMs: (): number => windowMs,
  stop: (): void => capture!.stop(),
  custom: (tag: string): void => capture!.addCustomEvent(tag, {}),
  change,
  cost: () => cost.report(),
  describe,
  misplaced: () => misplacedAdditions(events as unknown as Parameters<typeof misplacedAdditions>[0]),

  /** What the document is after the first `count` events, in a replay. */
  replay(counts: readonly number[]): string[] {
    const root = document.createElement("div");
    const copies: unknown[] = events.map((event, at) => ({
      ...structuredClone(event),
      timestamp: 1_000_000 + at * 10,
    }));
    // The Replayer wants two events, and plays the last one never before its time.
    copies.push({ type: 5, data: { tag: "end", payload: {} }, timestamp: 1_000_000 + events.length * 10 });
    document.documentElement.append(root);
    const replayer = new Replayer(copies as never, {
      root,
      useVirtualDom: false,
      mouseTail: false,
      showWarning: false,
    });
    const seen = counts.map((count) => {
      replayer.pause(count * 10 - 5);
      return describe(replayer.iframe.contentDocument!.body);
    });
    replayer.destroy();
    root.remove();
    return seen;
  },
};

export type Harness = typeof harness;
Object.assign(window, { harness });
