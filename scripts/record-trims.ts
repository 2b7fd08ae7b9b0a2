/** A text that has to be there as often as it says, once unless it says otherwise, and what takes its place. */
interface Edit {
  readonly why: string;
  readonly find: string | RegExp;
  readonly replace: string;
  /** @default 1 */
  readonly times?: number;
}

/** Smaller parts, and what the cuts leave behind. */
export const TRIMS: readonly Edit[] = [
  { why: "no canvas manager", find: "let canvasManager;\n", replace: "" },
  { why: "nor calls of it", find: /^ +this\.canvasManager\.\w+\(\);\n/gm, replace: "", times: 3 },
  { why: "no contents of canvases", find: "          recordCanvas: this.recordCanvas,\n", replace: "" },
  {
    why: "no hooks for what is observed",
    find: "function initObservers(o, hooks = {}) {",
    replace: "function initObservers(o) {",
  },
  { why: "nothing hooks in", find: "  mergeHooks(o, hooks);\n", replace: "" },
  { why: "no plugins to end", find: "    pluginHandlers.forEach((h) => h());\n", replace: "" },
  {
    why: "nothing is frozen, so nothing has to thaw",
    find: /    if \(\(\(_a2 = mutationBuffers\[0\]\)[^\n]*\n[^\n]*unfreeze\(\)\);\n    }\n    if \(inEmittingFrame\) {\n[^\n]*\n    } else if \(passEmitsToParent\) {\n(?:      [^\n]*\n)+    }\n/,
    replace: "    emit(e, isCheckout);\n",
  },
  {
    why: "nothing is frozen, so nothing has to wait for it",
    find: "if (this.frozen || this.locked) {",
    replace: "if (this.locked) {",
  },
  { why: "the document is always recorded", find: /^( +)if \(!recordDOM\) {\n.*\n\1}\n/gm, replace: "" },
  { why: "so its changes always are", find: "if (o.recordDOM) {", replace: "{", times: 2 },
  {
    why: "all properties of styles count",
    find: /^( +)if \(ignoreCSSAttributes\.has\(property\)\) {\n.*\n\1}\n/gm,
    replace: "",
    times: 2,
  },
  { why: "the address of a frame is never kept", find: " && !keepIframeSrcFn(attributes.src)", replace: "" },
  { why: "nor a new one", find: " && !this.keepIframeSrcFn(value)", replace: "" },
  {
    why: "frames are not listed",
    find: /^( +)if \(isSerializedIframe\(\w+, [\w.]+\)\) {\n.*\n\1}\n/gm,
    replace: "",
    times: 2,
  },
  {
    why: "style sheets are not listed",
    find: /^( +)if \(isSerializedStylesheet\(\w+, [\w.]+\)\) {\n(?:\1  .*\n)+\1}\n/gm,
    replace: "",
    times: 2,
  },
  { why: "nor those that load late", find: "    this.trackLinkElement(linkEl);\n", replace: "" },
  {
    why: "there is no list of them",
    find: "    this.trackedLinkElements = /* @__PURE__ */ new WeakSet();\n",
    replace: "",
  },
  {
    why: "and nothing to do with it",
    find: /^  \/\/ TODO: take snapshot on stylesheet reload.*\n.*\n  }\n/m,
    replace: "",
  },
  { why: "style sheets are not looked up by id", find: /^    this\.idStyleMap.*\n/gm, replace: "", times: 2 },
  {
    why: "frames of other origins are not listened to",
    find: /^    if \(this\.recordCrossOriginIframes\)(?: {\n.*\n    }|\n.*\n.*\n.*\n      \));?\n/gm,
    replace: "",
    times: 2,
  },
  { why: "no such option", find: "    this.wrappedEmit = options.wrappedEmit;\n", replace: "" },
  {
    why: "no such option",
    find: "    this.recordCrossOriginIframes = options.recordCrossOriginIframes;\n",
    replace: "",
  },
  { why: "no such option", find: "    stylesheetManager,\n    wrappedEmit\n", replace: "    stylesheetManager\n" },
  {
    why: "fields of what is cut",
    find: /^ +__publicField\(this, "(?:frozen|recordCanvas|canvasManager|keepIframeSrcFn|iframes|crossOrigin\w+|wrappedEmit|recordCrossOriginIframes|idStyleMap|trackedLinkElements)".*\);\n/gm,
    replace: "",
    times: 13,
  },
  { why: "nothing to destroy", find: "      processedNodeManager.destroy();\n", replace: "" },
  {
    why: "only documents of a browser are recorded",
    find: /^  if \(n instanceof BaseRRNode .*\n.*\n  }\n/m,
    replace: "",
  },
  { why: "browsers that can run this need no polyfill", find: "  polyfill();\n", replace: "" },
  {
    why: "classes are given as a text, the one that blocks",
    find: /if \(typeof blockClass === "string"\) {\n((?: {6}.*\n)+) {4}} else {\n(?: {6}.*\n)+ {4}}\n/g,
    replace: "{\n$1    }\n",
    times: 2,
  },
  {
    why: "classes are given as a text, the one that masks",
    find: /if \(typeof maskTextClass === "string"\) {\n((?: {6}.*\n)+) {4}} else {\n(?: {6}.*\n)+ {4}}\n/g,
    replace: "{\n$1    }\n",
  },
  {
    why: "the recorder starts when the document is there",
    find: /^ {4}const init = \(\) => {\n((?: {6}.*\n)+) {4}};\n/m,
    replace: "$1",
  },
  { why: "so it need not be told when", find: /^ {4}recordAfter = .*\n/m, replace: "" },
  // Texts for developers of rrweb. The recorder tells when a page can't be recorded.
  {
    why: "no word of what left its place meanwhile",
    find: /^ +console\.warn\(\n +"Couldn't record new node\..*\n.*\n +\);\n/m,
    replace: "",
  },
  {
    why: "no word of nodes that are no part of a document",
    find: `    console.warn(n, "not serialized");\n`,
    replace: "",
  },
  {
    why: "no word of pictures of other origins",
    find: /^ +console\.warn\(\n +`Cannot inline img.*\n +\);\n/m,
    replace: "",
  },
  { why: "no word of odd elements", find: "console.warn(`Custom element callback failed for ${name}`);", replace: "" },
  {
    why: "no word of a failed snapshot",
    find: `return console.warn("Failed to snapshot the document");`,
    replace: "return;",
  },
  {
    why: "no word of a fixed Array.from",
    find: `  console.debug("Unable to override Array.from", err);\n`,
    replace: "",
  },
  {
    why: "custom events come after the start",
    find: `throw new Error("please add custom event after start recording");`,
    replace: "return;",
  },
  {
    why: "snapshots come after the start",
    find: `throw new Error("please take full snapshot after start recording");`,
    replace: "return;",
  },
  // Longer ways to say the same.
  {
    why: "a snapshot hands its options on as they are",
    find: /const bypassOptions = {\n(?: {6}\w+(?:: \w+)?,\n)+ {6}cssCaptured: false\n/,
    replace:
      "const bypassOptions = { ...options, needsMask, preserveWhiteSpace, newlyAddedElement: false, cssCaptured: false\n",
  },
  {
    why: "so does that of a frame",
    find: /serializeNodeWithId\(iframeDoc, {\n {12}doc: iframeDoc,\n(?: {12}\w+(?:: \w+)?,?\n)+ {10}}\)/,
    replace:
      "serializeNodeWithId(iframeDoc, { ...options, needsMask, preserveWhiteSpace, doc: iframeDoc, skipChild: false, newlyAddedElement: false, cssCaptured: false })",
  },
  {
    why: "so does that of a style sheet that comes late",
    find: /serializeNodeWithId\(n, {\n {12}doc,\n(?: {12}\w+(?:: \w+)?,?\n)+ {10}}\)/,
    replace:
      "serializeNodeWithId(n, { ...options, needsMask, preserveWhiteSpace, skipChild: false, newlyAddedElement: false, cssCaptured: false })",
  },
  {
    why: "and that of a node",
    find: /= serializeNode\(n, {\n(?: {4}\w+(?:: \w+)?,?\n)+ {2}}\);/,
    replace: "= serializeNode(n, options, needsMask);",
  },
  {
    why: "which takes the one that differs beside them",
    find: "function serializeNode(n, options) {",
    replace: "function serializeNode(n, options, needsMask) {",
  },
  {
    why: "an element's too",
    find: /return serializeElementNode\(n, {\n(?: {8}\w+,?\n)+ {6}}\);/,
    replace: "return serializeElementNode(n, options, rootId);",
  },
  {
    why: "which takes the root beside them",
    find: "function serializeElementNode(n, options) {",
    replace: "function serializeElementNode(n, options, rootId) {",
  },
  {
    why: "what comes beside the options is not in them",
    find: /^ {4}needsMask,\n {4}inlineStylesheet,\n {4}maskInputOptions = {},\n/m,
    replace: "    inlineStylesheet,\n    maskInputOptions = {},\n",
  },
  {
    why: "nor is the root",
    find: "    newlyAddedElement = false,\n    rootId\n",
    replace: "    newlyAddedElement = false\n",
  },
  {
    why: "what a buffer of changes needs is handed over as it is",
    find: /^ {4}\[\n(?: {6}"\w+",?\n)+ {4}\]\.forEach\(\(key\) => {\n.*\n {4}}\);\n/m,
    replace: "    Object.assign(this, (this.options = options));\n",
  },
  {
    why: "browsers that can run this have CSSGroupingRule, above all others",
    find: /(if \(hasNestedCSSRule\("CSSGroupingRule"\)[^|\n]*?) \|\| hasNestedCSSRule\("CSSMediaRule"\).*\{$/m,
    replace: "$1) {",
  },
  {
    why: "so the ones below it are not wrapped",
    find: / else {\n {4}if \(canMonkeyPatchNestedCSSRule\("CSSMediaRule"\)\) {\n(?: {4}.*\n)+? {2}}\n {2}const unmodified/,
    replace: "\n  const unmodified",
  },
  {
    why: "browsers that can run this tell where the page stands: sideways",
    find: /^ {4}left: doc\.scrollingElement \?.*$/m,
    replace: "    left: doc.scrollingElement?.scrollLeft ?? win.pageXOffset,",
  },
  {
    why: "and downwards",
    find: /^ {4}top: doc\.scrollingElement \?.*$/m,
    replace: "    top: doc.scrollingElement?.scrollTop ?? win.pageYOffset,",
  },
  {
    why: "they tell the path of an event too; what rrweb makes up to look like one has only a target",
    find: /^ {2}try {\n {4}if \("composedPath" in event\) {\n(?: {4}.*\n)+ {2}} catch {\n {2}}\n {2}return event && event\.target;/m,
    replace: "  return event.composedPath?.()[0] ?? event.target;",
  },
  {
    why: "what is added is recorded with the options of its buffer",
    find: /(const sn = serializeNodeWithId\(n, \{\n)(?: {10}\w+: this\.\w+,\n)+( {10}skipChild: true,\n {10}newlyAddedElement: true,\n)(?: {10}\w+: this\.\w+,\n)+/,
    replace: "$1          ...this.options,\n$2",
  },
];
