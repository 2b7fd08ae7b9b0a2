/** A text that has to be there as often as it says, once unless it says otherwise, and what takes its place. */
export interface Edit {
  readonly why: string;
  readonly find: string | RegExp;
  readonly replace: string;
  /** @default 1 */
  readonly times?: number;
  /** Characters that go where a whole function does; other ones mean that rrweb changed in it. */
  readonly chars?: number;
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
    // The comment is rrweb's.
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
    why: "what tells of a changed style sheet differs in three things",
    find: /new Proxy\(\s*([\w.[\]]+),\s*{\s*apply: callbackWrapper\(\s*\(target, thisArg, argumentsList\) => {\s*(?:var _a2;\s*)?const (\[[^\]]*\]) = argumentsList;\s*const { id, styleId } = getIdAndStyleId\(\s*([^,]+),\s*mirror2,\s*stylesheetManager\.styleMirror\s*\);\s*if \(id && id !== -1 \|\| styleId && styleId !== -1\) {\s*(\w+)\(({[^]*?})\);\s*}\s*return target\.apply\(thisArg, argumentsList\);\s*}\s*\)\s*}\s*\)/g,
    replace: "telling($1, mirror2, stylesheetManager, (thisArg) => $3, (id, styleId, thisArg, $2) => $4($5))",
    times: 8,
  },
  {
    // What the browser itself throws, at a rule that it can't read, is the page's to catch: rrweb's wrapper took that too.
    why: "and is the same besides",
    find: "function getIdAndStyleId(",
    replace: `function telling(method, mirror2, { styleMirror }, sheetOf, tell) {
  const tellIfKnown = callbackWrapper((thisArg, argumentsList) => {
    const { id, styleId } = getIdAndStyleId(sheetOf(thisArg), mirror2, styleMirror);
    if (id && id !== -1 || styleId && styleId !== -1) tell(id, styleId, thisArg, argumentsList);
  });
  return new Proxy(method, {
    apply(target, thisArg, argumentsList) {
      tellIfKnown(thisArg, argumentsList);
      return target.apply(thisArg, argumentsList);
    }
  });
}
function getIdAndStyleId(`,
  },
  {
    why: "one expression reads a srcset: an address up to a space or a last comma, what is said of it up to a comma",
    find: /^function getAbsoluteSrcsetString\(doc, attributeValue\) {\n(?: .*\n)+}\n/m,
    replace: `function getAbsoluteSrcsetString(doc, attributeValue) {
  const candidates = attributeValue.matchAll(/([^ \\t\\n\\r\\f,](?:[^ \\t\\n\\r\\f]*[^ \\t\\n\\r\\f,])?)((?:\\([^)]*\\)?|[^,(])*)/g);
  return Array.from(candidates, ([, url, rest]) => absoluteToDoc(doc, url) + rest.trimEnd()).join(", ");
}
`,
    chars: 1384,
  },
  { why: "and no others", find: /^const SRCSET_.*\n/gm, replace: "", times: 2 },
  { why: "only rrweb's tests ask otherwise", find: ", _testNoPxNorm = false", replace: "", times: 2 },
  { why: "nor is it handed on", find: /,\s*_testNoPxNorm\s*(?=\))/g, replace: "", times: 3 },
  {
    why: "so there is one way",
    find: /^ {2}if \(_testNoPxNorm\) {\n.*\n {2}} else {\n {2}(.*\n) {2}}\n/m,
    replace: "$1",
  },
  {
    why: "browsers that can run this know their size: their height",
    find: / \|\| document\.documentElement && document\.documentElement\.clientHeight .*;$/m,
    replace: ";",
  },
  {
    why: "and their width",
    find: / \|\| document\.documentElement && document\.documentElement\.clientWidth .*;$/m,
    replace: ";",
  },
  { why: "no numbers are among the names", find: "Number.isNaN(Number(key)) && ", replace: "" },
  { why: "nothing to destroy there", find: "  destroy() {\n  }\n}\nlet wrappedEmit", replace: "}\nlet wrappedEmit" },
  {
    why: "no error goes on into the page, while it is recorded and after",
    find: /^let errorHandler;\n(?:.*\n)+?const callbackWrapper = \(cb\) => {\n(?: .*\n)+};\n/m,
    replace: `const callbackWrapper = (cb) => (...rest) => {
  try {
    return cb(...rest);
  } catch {
  }
};
`,
    chars: 460,
  },
  { why: "so nobody has to be asked", find: "  registerErrorHandler(errorHandler2);\n", replace: "" },
  { why: "nor forgotten", find: "      unregisterErrorHandler();\n", replace: "" },
  {
    why: "the recorder's own observer marks what was a password field, and earlier",
    find: /^ {10}if \(attributeName === "type" && tagNameLower === "input" .*\n.*\n {10}}\n/m,
    replace: "",
  },
  {
    // Between frames a node may move within one frame of the screen, and would have been taken for seen.
    why: "one observer sees all documents and shadow roots: no node comes twice",
    find: /^class ProcessedNodeManager {\n(?: .*\n)+}\n/m,
    replace: "",
    chars: 635,
  },
  { why: "so none is remembered", find: /^.*new ProcessedNodeManager\(\);\n/m, replace: "" },
  { why: "nor its children", find: /^ +this\.processedNodeManager\.add\(childN, this\);\n/m, replace: "" },
  { why: "nor looked up", find: /^ +if \(this\.processedNodeManager\.inOtherBuffer\(.*\n/m, replace: "" },
  { why: "nor handed on", find: /,\n +processedNodeManager(?=,?\n)/g, replace: "", times: 2 },
  { why: "events don't say whether somebody asked for them", find: "emit(e, isCheckout);", replace: "emit(e);" },
  { why: "nor those of a snapshot", find: /,\n +isCheckout\n/g, replace: "\n", times: 2 },
  { why: "nor what asks for one", find: "takeFullSnapshot(isCheckout);", replace: "takeFullSnapshot();" },
  {
    why: "what observes a document is a list",
    find: /^ {2}let mutationObserver;\n {2}let cleanup(?:.*\n)+? {2}const mousemoveHandler = /m,
    replace:
      "  const [mutationObserver, cleanupMutationIframe] = initMutationObserver(o, o.doc);\n  const mousemoveHandler = ",
  },
  {
    why: "with what comes in any case",
    find: /^ {2}let styleSheetObserver = (?:.*\n)+? {4}styleSheetObserver = (.*\n) {4}adoptedStyleSheetObserver = (.*\n) {4}styleDeclarationObserver = (.*\n.*\n.*\n) {4}if \(o\.collectFonts\) {\n {6}fontObserver = initFontObserver\(o\);\n {4}}\n {2}}\n/m,
    replace: `  const styleSheetObserver = $1  const adoptedStyleSheetObserver = $2  const styleDeclarationObserver = $3  const fontObserver = o.collectFonts && o.collectFonts({ ...o, fontCb: callbackWrapper(o.fontCb) });
`,
  },
  {
    why: "and fonts, which may not be wanted",
    find: "    fontObserver();\n",
    replace: "    fontObserver && fontObserver();\n",
  },
  {
    why: "one kind of nested rules needs no list of kinds",
    find: /^ {2}const supportedNestedCSSRuleTypes = {};\n(?:.*\n)+? {4}type\.prototype\.insertRule = telling\(unmodifiedFunctions\[typeKey\]\.insertRule,/m,
    replace: `  const grouping = win.CSSGroupingRule.prototype;
  const { insertRule: insertNested, deleteRule: deleteNested } = grouping;
  grouping.insertRule = telling(insertNested,`,
    chars: 633,
  },
  {
    why: "nor to take away from it",
    find: "type.prototype.deleteRule = telling(unmodifiedFunctions[typeKey].deleteRule,",
    replace: "grouping.deleteRule = telling(deleteNested,",
  },
  {
    why: "nor to go through it",
    find: "  });\n  return callbackWrapper(() => {\n    win.CSSStyleSheet.prototype.insertRule",
    replace: "  return callbackWrapper(() => {\n    win.CSSStyleSheet.prototype.insertRule",
  },
  {
    why: "nor again at the end",
    find: /^ {4}Object\.entries\(supportedNestedCSSRuleTypes\)\.forEach\(\(\[typeKey, type\]\) => {\n.*\n.*\n {4}}\);\n/m,
    replace: "    Object.assign(grouping, { insertRule: insertNested, deleteRule: deleteNested });\n",
  },
  { why: "browsers that can run this have it", find: 'hasNestedCSSRule("CSSGroupingRule") && ', replace: "" },
  { why: "and pointers", find: "if (window.PointerEvent) {\n", replace: "{\n" },
  {
    why: "what is throttled always begins at once",
    find: /^ {4}if \(!previous && options\.leading === false\) {\n.*\n {4}}\n/m,
    replace: "",
  },
  { why: "and goes on so", find: "options.leading === false ? 0 : Date.now()", replace: "Date.now()" },
];
