import type { Edit } from "./record-trims.ts";

/**
 * The recorder gives all options, in full, and they are handed on as they are. What is blocked and what is ignored is one
 * selector each, classes among them; texts and values are masked in the events, in one place.
 */
export const OPTIONS: readonly Edit[] = [
  {
    why: "a recording takes out what is its own, and hands on the rest",
    find: /^ {4}emit,\n(?: {4}.*\n)+? {4}errorHandler: errorHandler2\n {2}} = options;\n/m,
    replace: `    emit,
    checkoutEveryNms,
    checkoutEveryNth,
    mousemoveWait,
    ...settled
  } = options;
  const { sampling } = settled;
`,
    chars: 582,
  },
  {
    why: "to shadow roots",
    find: /bypassOptions: {\n(?: {6}\w+,\n)+ {6}iframeManager,\n/,
    replace: "bypassOptions: {\n      ...settled,\n      iframeManager,\n",
  },
  {
    why: "to a snapshot",
    find: /snapshot\(document, {\n(?: {6}\w+(?:: \w+)?,\n)+ {6}onSerialize/,
    replace:
      "serializeNodeWithId(document, {\n      ...settled,\n      doc: document,\n      mirror,\n      onSerialize",
  },
  {
    why: "to what observes a document",
    find: /^ {10}blockClass,\n(?: {10}\w+,\n)+ {10}iframeManager,\n/m,
    replace: "          ...settled,\n          doc,\n          mirror,\n          iframeManager,\n",
  },
  {
    why: "to what was added",
    find: /(const sn = serializeNodeWithId\(n, \{\n)(?: {10}\w+: this\.\w+,\n)+( {10}skipChild: true,\n {10}newlyAddedElement: true,\n)(?: {10}\w+: this\.\w+,\n)+/,
    replace: "$1          ...this.options,\n$2",
  },
  {
    why: "to a node",
    find: /= serializeNode\(n, {\n(?: {4}\w+(?:: \w+)?,?\n)+ {2}}\);/,
    replace: "= serializeNode(n, options, cssCaptured);",
  },
  {
    why: "which takes what differs beside them, and reads no more than it needs",
    find: /function serializeNode\(n, options\) {\n {2}const {\n(?: {4}.*\n)+ {2}} = options;/,
    replace: "function serializeNode(n, options, cssCaptured) {\n  const { doc, mirror: mirror2 } = options;",
  },
  {
    why: "to an element",
    find: /return serializeElementNode\(n, {\n(?: {8}\w+,?\n)+ {6}}\);/,
    replace: "return serializeElementNode(n, options, rootId);",
  },
  {
    why: "which does the same",
    find: /function serializeElementNode\(n, options\) {\n {2}const {\n(?: {4}.*\n)+ {2}} = options;/,
    replace: `function serializeElementNode(n, options, rootId) {
  const { doc, blockSelector, inlineStylesheet, dataURLOptions, inlineImages, newlyAddedElement } = options;`,
    chars: 263,
  },
  {
    why: "to a text, of which only two things differ",
    find: /return serializeTextNode\(n, {\n(?: {8}\w+,?\n)+ {6}}\);/,
    replace: "return serializeTextNode(n, doc, rootId, cssCaptured);",
  },
  {
    why: "which takes these",
    find: /function serializeTextNode\(n, options\) {\n.*\n/,
    replace: "function serializeTextNode(n, doc, rootId, cssCaptured) {\n",
  },
  { why: "and no others", find: "getHref(options.doc)", replace: "getHref(doc)" },
  {
    why: "images are recorded by a function of the recorder's own, where they are",
    find: /if \(tagName === "img" && inlineImages\) {\n(?: {4}.*\n)+ {2}}\n/,
    replace: 'if (tagName === "img" && inlineImages) inlineImages(n, attributes, dataURLOptions);\n',
    chars: 1348,
  },
  { why: "which has its own canvas", find: "let canvasService;\nlet canvasCtx;\n", replace: "" },

  {
    why: "texts are masked in the events, those of a snapshot",
    find: /^ {2}if \(!isStyle && !isScript && textContent2 && needsMask\) {\n.*\n {2}}\n/m,
    replace: "",
  },
  {
    why: "and changed ones",
    find: /value: needMaskingText\(\n(?: {16}.*\n)+ {14}\) && value \? .*,\n/,
    replace: "value,\n",
  },
  {
    why: "values too, those of a snapshot",
    find: /maskInputValue\({\n {8}element: n,\n(?: {8}.*\n)+ {6}}\)/,
    replace: "value",
  },
  {
    why: "those of text areas",
    find: /maskInputValue\({\n {8}element: textarea,\n(?: {8}.*\n)+ {6}}\)/,
    replace: "value",
  },
  {
    why: "changed ones",
    find: /^ {10}if \(attributeName === "value"\) {\n(?: {12}.*\n)+ {10}}\n/m,
    replace: "",
  },
  {
    why: "what is chosen is put in again where it may be seen",
    find: /if \(n\.selected && !maskInputOptions\["select"\]\) {\n.*\n {4}} else {\n(.*\n) {4}}/,
    replace: "$1",
  },
  {
    // Two texts that look the same when they are masked are one.
    why: "what is typed is masked before it is compared",
    find: /else if \(maskInputOptions\[tagName\.toLowerCase\(\)\].*\n {6}text = maskInputValue\({\n(?: {8}.*\n)+ {6}}\);\n {4}}/,
    replace: "else text = maskInputFn(text, target);",
  },

  {
    why: "one selector blocks, classes among what it selects: an element",
    find: /function _isBlockedElement\(element, blockClass, blockSelector\) {\n(?: .*\n)+}\n/,
    replace: `function _isBlockedElement(element, blockSelector) {
  try {
    return matches(element, blockSelector);
  } catch {
    return false;
  }
}
`,
    chars: 529,
  },
  {
    why: "and what is in it",
    find: /function isBlocked\(node, blockClass, blockSelector, checkAncestors\) {\n(?: .*\n)+}\n/,
    replace: `function isBlocked(node, blockSelector, checkAncestors) {
  const el = closestElementOfNode(node);
  return Boolean(el && (checkAncestors ? Element.prototype.closest.call(el, blockSelector) : matches(el, blockSelector)));
}
`,
    chars: 652,
  },
  { why: "calls of these", find: ", this.blockClass, ", replace: ", ", times: 5 },
  { why: "and others", find: ", blockClass, ", replace: ", ", times: 8 },
  { why: "what takes them out of the options", find: /^ +blockClass,\n/gm, replace: "", times: 4 },
  {
    why: "one selector says what is ignored",
    find: "target.classList.contains(ignoreClass) || ignoreSelector && target.matches(ignoreSelector)",
    replace: "matches(target, ignoreSelector)",
  },
  { why: "and no class", find: "  ignoreClass,\n", replace: "" },
  { why: "nor what is masked", find: "  maskInputOptions,\n", replace: "" },

  {
    why: "what is left out of the head has a function of the recorder's own",
    find: "slimDOMExcluded(_serializedNode, slimDOMOptions)",
    replace: "isLeftOut(_serializedNode, slimDOMOptions)",
  },
  {
    why: "what changed goes into an event in one place",
    find: "  const wrappedMutationEmit = ",
    replace:
      "  const emitChange = (data) => wrappedEmit({ type: EventType.IncrementalSnapshot, data });\n  const wrappedMutationEmit = ",
  },
  {
    why: "of every kind",
    find: /wrappedEmit\({\n +type: EventType\.IncrementalSnapshot,\n +data: ({\n(?: +.*\n)+? +})\n +}\)/g,
    replace: "emitChange($1)",
    times: 13,
  },
];
