// Runs inside a page: records it with the capture, and replays what was recorded.
import { Replayer } from "@rrweb/replay";
import { createCapture, type Capture } from "../../../recorder/capture.ts";
import { createRedaction } from "../../../src/privacy/redaction.ts";
import type { ResolvedConfig } from "../../../recorder/config.ts";
import { cost } from "../../../recorder/cost.ts";
import { change } from "./mutations-changes.ts";

const events: Record<string, unknown>[] = [];
let capture: Capture | undefined;

/** What the recorder wants to do later: the ends of its windows and its slices, done when a test says so. */
let later: (() => void) | null = null;
const { setTimeout: plainTimeout, clearTimeout: plainClear } = window;
const WINDOW = -1;
Object.assign(window, {
  setTimeout(run: () => void, ms: number) {
    if (ms !== 500) return plainTimeout(run, ms);
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
  start(): void {
    const config = {
      recorderOptions: {},
      maskAllInputs: false,
      mergeWindowMs: 500,
      taskBudgetMs: 16,
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
  stop: (): void => capture!.stop(),
  custom: (tag: string): void => capture!.addCustomEvent(tag, {}),
  change,
  cost: () => cost.report(),
  describe,

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

/** A node and all under it as text, with shadow roots and frames, without what is not recorded. */
function describe(node: Node): string {
  if (node.nodeType === Node.TEXT_NODE) return JSON.stringify(node.nodeValue);
  if (node.nodeType !== Node.ELEMENT_NODE) return "";
  const element = node as Element;
  if (element.localName === "script") return "";
  if (element.localName === "style") {
    return `<style>${[...((element as HTMLStyleElement).sheet?.cssRules ?? [])].map(({ cssText }) => cssText).join("")}</>`;
  }
  if (element.localName === "textarea") return `<textarea>${(element as HTMLTextAreaElement).value}</>`;
  const attributes = [...element.attributes]
    .filter(
      ({ name }) => !name.startsWith("rr_") && name !== "data-rr-is-password" && name !== "src" && name !== "srcdoc",
    )
    .map(
      ({ name, value }) =>
        ` ${name}=${JSON.stringify(name === "style" ? element.getAttribute("style")!.replace(/\s|;$/g, "") : value)}`,
    )
    .sort()
    .join("");
  const inside = [...element.childNodes].map(describe).join("");
  const shadow = element.shadowRoot ? `#shadow[${[...element.shadowRoot.childNodes].map(describe).join("")}]` : "";
  const frame = element.localName === "iframe" ? (element as HTMLIFrameElement).contentDocument?.body : null;
  return `<${element.localName}${attributes}>${shadow}${frame ? `#frame[${describe(frame)}]` : ""}${inside}</>`;
}
