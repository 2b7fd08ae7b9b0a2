import type { Edit } from "./record-trims.ts";

/** What makes a snapshot cheaper: it looks at every node of a page, while the page waits. */
export const SNAPSHOTS: readonly Edit[] = [
  {
    why: "the options of a snapshot are the same for every node: what differs comes beside them, and nothing is copied",
    find: /function serializeNodeWithId\(n, options\) {\n {2}const {\n(?: {4}.*\n)+ {2}} = options;\n(?: {2}let .*\n)+ {2}if \(!needsMask\) {\n(?: {4}.*\n)+ {2}}\n/,
    replace: `function serializeNodeWithId(n, options, preserveWhiteSpace = true, cssCaptured = false) {
  const { mirror: mirror2, skipChild, slimDOMOptions, onSerialize, onIframeLoad, onStylesheetLoad } = options;
`,
    chars: 797,
  },
  {
    why: "for what is in a node",
    find: /const bypassOptions = {\n(?: {6}\w+(?:: \w+)?,\n)+ {6}cssCaptured: false\n {4}};\n/,
    replace: "const isCaptured = typeof serializedNode.attributes?._cssText === 'string';\n",
  },
  {
    why: "where the texts of a style element are left out",
    find: /^ {6}if \(serializedNode\.type === NodeType\.Element && serializedNode\.attributes\._cssText !== void 0 .*\n.*\n {6}}\n/m,
    replace: "",
  },
  {
    why: "its children",
    find: "serializeNodeWithId(childN, bypassOptions)",
    replace: "serializeNodeWithId(childN, options, preserveWhiteSpace, isCaptured)",
    times: 2,
  },
  {
    why: "one after the other, and not as a list first",
    find: /for \(const childN of Array\.from\(index\.childNodes\((n|shadowRootEl)\)\)\) {/g,
    replace: "for (let childN = index.firstChild($1); childN; childN = index.nextSibling(childN)) {",
    times: 2,
  },
  {
    why: "a frame's document is another one",
    find: /serializeNodeWithId\(iframeDoc, {\n {12}doc: iframeDoc,\n(?: {12}\w+(?:: \w+)?,?\n)+ {10}}\)/,
    replace:
      "serializeNodeWithId(iframeDoc, { ...options, doc: iframeDoc, skipChild: false, newlyAddedElement: false }, preserveWhiteSpace)",
  },
  {
    why: "a style sheet that comes late was there before",
    find: /serializeNodeWithId\(n, {\n {12}doc,\n(?: {12}\w+(?:: \w+)?,?\n)+ {10}}\)/,
    replace: "serializeNodeWithId(n, { ...options, skipChild: false, newlyAddedElement: false }, preserveWhiteSpace)",
  },
  { why: "nobody sets how long a frame may take", find: "      iframeLoadTimeout\n", replace: "      5e3\n" },
  { why: "nor a style sheet", find: "      stylesheetLoadTimeout\n", replace: "      5e3\n" },
  {
    why: "what is added comes without its children",
    find: "          cssCaptured\n        });\n",
    replace: "        }, true, cssCaptured);\n",
  },
  {
    why: "an id is set, not merged in",
    find: "const serializedNode = Object.assign(_serializedNode, { id });",
    replace: "const serializedNode = _serializedNode;\n  serializedNode.id = id;",
  },
  {
    why: "attributes are read by name, without an object for each",
    find: /^ {2}const len = n\.attributes\.length;\n {2}for .*\n {4}const attr = n\.attributes\[i\];\n((?: {4}.*\n)+?) {2}}\n/m,
    replace: `  for (const name of Element.prototype.getAttributeNames.call(n)) {
    if (!ignoreAttribute(tagName, name)) {
      attributes[name] = transformAttribute(doc, tagName, toLowerCase(name), attributeOf(n, name));
    }
  }
`,
    chars: 313,
  },
  {
    why: "most attributes are not autoplay",
    find: `return ["video", "audio"].includes(tagName) && toLowerCase(name) === "autoplay";`,
    replace: `return toLowerCase(name) === "autoplay" && ["video", "audio"].includes(tagName);`,
  },
  {
    why: "most styles name no address, and the page's own is dear",
    find: "return absolutifyURLs(value, getHref(doc));",
    replace: `return value.includes("url(") ? absolutifyURLs(value, getHref(doc)) : value;`,
  },
  {
    why: "most rules have no attribute in their selector, which a browser would write for this alone",
    find: `isCSSStyleRule(rule) && rule.selectorText.includes(":")`,
    replace: `ruleStringified.includes("[") && isCSSStyleRule(rule) && rule.selectorText.includes(":")`,
  },
  {
    why: "custom elements have a hyphen",
    find: "if (customElements.get(tagName)) isCustomElement = true;",
    replace: `if (tagName.includes("-") && customElements.get(tagName)) isCustomElement = true;`,
  },
  {
    why: "of what was recorded of a node only the id is ever read again: all else would lie in memory",
    find: /^ {4}const id = \(_a2 = this\.getMeta\(n\)\) == null .*\n {4}return id \?\? -1;\n/m,
    replace: "    return this.nodeMetaMap.get(n) ?? -1;\n",
  },
  { why: "so it is kept alone", find: "this.nodeMetaMap.set(n, meta);", replace: "this.nodeMetaMap.set(n, id);" },
  {
    why: "and nothing else is asked for",
    find: /^ {2}getMeta\(n\) {\n.*\n {2}}\n/m,
    replace: "",
  },
];
