import { ADDITIONS } from "./record-additions.ts";
import { OPTIONS } from "./record-options.ts";
import { SNAPSHOTS } from "./record-snapshots.ts";
import { TRIMS } from "./record-trims.ts";
import { replaceCounted } from "./replace-counted.ts";

/** A long part of rrweb that goes: all from the one text to right before the other. */
interface Cut {
  readonly why: string;
  readonly from: string;
  readonly to: string;
  /** Characters that go; other ones mean that rrweb changed in between. */
  readonly chars: number;
}

/** Parts that no option of the recorder can turn on. They are cut first; `TRIMS` take out their callers. */
const CUTS: readonly Cut[] = [
  { why: "canvases are not recorded", from: "\nvar chars =", to: "class StylesheetManager {", chars: 19_479 },
  {
    why: "a canvas in a snapshot has no contents",
    from: `  if (tagName === "canvas" && recordCanvas) {`,
    to: `  if (tagName === "img" && inlineImages) {`,
    chars: 754,
  },
  {
    why: "no canvas is looked at",
    from: "const ORIGINAL_ATTRIBUTE_NAME =",
    to: "function getInputType(element) {",
    chars: 923,
  },
  {
    why: "frames of other origins are not recorded",
    from: "class CrossOriginIframeMirror {",
    to: "class IframeManager {",
    chars: 2_194,
  },
  {
    why: "frames of other origins are not listened to",
    from: "  handleMessage(message) {",
    to: "}\nclass ShadowDomManager {",
    chars: 5_699,
  },
  {
    why: "frames of other origins are not asked",
    from: `    this.crossOriginIframeStyleMirror = new`,
    to: "    this.mirror = options.mirror;\n    if (this.recordCrossOriginIframes)",
    chars: 185,
  },
  {
    why: "frames are recorded by the page around them",
    from: "  const inEmittingFrame =",
    to: "  if (mousemoveWait !== void 0",
    chars: 460,
  },
  {
    why: "only documents of a browser are recorded",
    from: "class BaseRRNode {",
    to: "function on(type, fn, target = document) {",
    chars: 2_053,
  },
  {
    why: "the mirror that only warns",
    from: "const DEPARTED_MIRROR_ACCESS_WARNING",
    to: "function throttle(",
    chars: 984,
  },
  {
    why: "the recorder's own function observes fonts",
    from: "function initFontObserver(",
    to: "function initSelectionObserver(",
    chars: 1212,
  },
  { why: "nobody hooks in", from: "function mergeHooks(", to: "function initObservers(", chars: 1_966 },
  {
    why: "nothing is handed to plugins",
    from: "  for (const plugin of plugins || []) {\n    if (plugin.getMirror)",
    to: "  const processedNodeManager =",
    chars: 286,
  },
  {
    why: "events are not packed, and nothing is frozen",
    from: "  const eventProcessor =",
    to: "  wrappedEmit = (r, isCheckout) => {",
    chars: 319,
  },
  { why: "no plugins", from: "          plugins: ((", to: "        },\n        hooks\n", chars: 409 },
  {
    why: "no plugins observe",
    from: "  const pluginHandlers = [];",
    to: "  return callbackWrapper(() => {\n    mutationBuffers.forEach",
    chars: 171,
  },
  {
    why: "nothing is frozen",
    from: "  freeze() {\n    this.frozen = true;\n    this.canvasManager",
    to: "  lock() {",
    chars: 213,
  },
  { why: "nobody freezes", from: "record.freezePage =", to: "record.takeFullSnapshot =", chars: 81 },
  {
    why: "events of a canvas",
    from: "  const wrappedCanvasMutationEmit =",
    to: "  const wrappedAdoptedStyleSheetEmit",
    chars: 181,
  },
  { why: "no canvas manager", from: "  canvasManager = new", to: "  const shadowDomManager = new", chars: 219 },
  {
    why: "texts are masked in the events",
    from: "function classMatchesRegex(",
    to: "function onceIframeLoaded(",
    chars: 1401,
  },
  {
    why: "values are masked in the events",
    from: "function maskInputValue({",
    to: "function toLowerCase(str) {",
    chars: 415,
  },
  {
    why: "the recorder's own function says what of the head is left out",
    from: "function lowerIfExists(",
    to: "function serializeNodeWithId(",
    chars: 3734,
  },
  {
    why: "a snapshot begins with the options of the recording",
    from: "function snapshot(n, options) {",
    to: "function on(type, fn, target = document) {",
    chars: 1524,
  },
  {
    why: "the recorder starts when the document is there",
    from: `    if (["interactive", "complete"].includes(`,
    to: "    return () => {\n      handlers.forEach((handler)",
    chars: 612,
  },
  {
    why: "browsers that can run this have these methods",
    from: "function polyfill(",
    to: "function isSerializedIframe(",
    chars: 304,
  },
  {
    why: "loaded frames and style sheets are not listed",
    from: "function isSerializedIframe(",
    to: "function hasShadowRoot(",
    chars: 321,
  },
  { why: "tracks nothing", from: "  trackLinkElement(linkEl) {", to: "  adoptStyleSheets(", chars: 176 },
  { why: "frames are not listed", from: "  addIframe(iframeEl) {", to: "  addLoadListener(cb) {", chars: 169 },
  {
    why: "what of the style sheets' ids nobody asks for",
    from: "  getStyle(id) {",
    to: "  reset() {\n    this.styleIDMap",
    chars: 65,
  },
  { why: "no ids of other frames", from: "  generateId() {", to: "}\nfunction getShadowHost(n) {", chars: 43 },
  {
    why: "what of the mirror nobody asks for",
    from: "  replace(id, n) {",
    to: "  reset() {\n    this.idNodeMap",
    chars: 214,
  },
  {
    why: "nobody lists the ids",
    from: "  getIds() {\n    return Array.from(this.idNodeMap",
    to: "  getMeta(n) {",
    chars: 63,
  },
  {
    why: "the list of functions that read nodes, which are called by their names",
    from: "const index = {",
    to: "function isElement(n) {",
    chars: 306,
  },
  {
    why: "values are masked in the events, and browsers that can run this need no polyfill",
    from: "  const maskInputOptions = maskAllInputs === true ? {\n    color: true",
    to: "  let lastFullSnapshotEvent;",
    chars: 487,
  },
];

/** Options that the recorder never sets. Lines that do nothing but name one are left out. */
const UNSET_NAMES: readonly string[] = [
  "canvasManager",
  "canvasMutationCb: wrappedCanvasMutationEmit",
  "hooks",
  "ignoreCSSAttributes",
  "keepIframeSrcFn",
  "packFn",
  "plugins",
  "recordCanvas",
  "recordCrossOriginIframes",
  "recordDOM",
];
/** How many such lines there are. */
const UNSET_LINES = 41;

/**
 * Takes out of rrweb's text what the recorder never uses.
 * @throws Error when rrweb is not what this was made for.
 */
export function cutUnused(source: string): string {
  let text = source;
  for (const { why, from, to, chars } of CUTS) {
    const start = text.indexOf(from);
    const end = text.indexOf(to, start + from.length);
    if (start < 0 || text.split(to).length !== 2 || end - start !== chars)
      throw new Error(`@rrweb/record changed: ${why}, but from ${from} to ${to} it is not ${chars} characters`);
    text = text.slice(0, start) + text.slice(end);
  }
  const unset = new RegExp(`^ +"?(?:${UNSET_NAMES.join("|")})"?(?: = .*?)?,?\n`, "m");
  text = replaceCounted(text, "options that are never set", unset, "", UNSET_LINES);
  for (const { why, find, replace, times = 1, chars } of [...TRIMS, ...SNAPSHOTS, ...OPTIONS, ...ADDITIONS]) {
    const found = chars === undefined ? null : (text.match(find)?.[0] ?? "");
    if (found !== null && found.length !== chars)
      throw new Error(
        `@rrweb/record changed: ${why}, but what ${find} finds has ${found.length} characters, not ${chars}`,
      );
    text = replaceCounted(text, why, find, replace, times);
  }
  return text;
}
