import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { patchRecord } from "../../scripts/record-patch.ts";

const source = readFileSync(fileURLToPath(import.meta.resolve("@rrweb/record")), "utf8");

it("puts the recorder's observer where rrweb picks its own", () => {
  const patched = patchRecord(source);
  expect(patched).toContain("toMergingObserver(getUntaintedPrototype(");
  expect(patched.split("toMergingObserver(")).toHaveLength(2);
  expect(patched).toContain("addHandler(handlers, iframeEl.contentDocument,");
});

it("leaves out what no configuration turns on", () => {
  const patched = patchRecord(source);
  for (const unused of [
    "CanvasManager",
    "getContextAttributes",
    "CrossOriginIframeMirror",
    "recordCrossOrigin",
    "BaseRRNode",
    "mergeHooks",
    "plugins",
    "packFn",
    "freezePage",
    "keepIframeSrcFn",
    "recordDOM",
    // The recorder masks by itself, and gives one selector each for what is blocked and ignored.
    "needMaskingText",
    "maskInputValue",
    "maskTextClass",
    "slimDOMExcluded",
  ]) {
    expect(source).toContain(unused);
    expect(patched).not.toContain(unused);
  }
});

it("leaves in what a configuration may turn on", () => {
  const patched = patchRecord(source);
  const used = [
    "checkoutEveryNms",
    "checkoutEveryNth",
    "inlineImages",
    "collectFonts",
    "userTriggeredOnInput",
    "mousemoveWait",
  ];
  for (const name of [
    ...used,
    "dataURLOptions",
    "slimDOMOptions",
    "ignoreSelector",
    "blockSelector",
    "inlineStylesheet",
  ]) {
    expect(patched).toContain(name);
  }
});

it("leaves none of rrweb's fields to a helper, and none of its functions to an object", () => {
  const patched = patchRecord(source);
  expect(patched).not.toContain("__publicField(this");
  expect(patched).not.toContain("index.childNodes");
  expect(patched).toContain("enum IncrementalSource {");
});

it.each([
  ["the function that picks the constructor", "function mutationObserverCtor() {", "function observerCtor() {"],
  ["the list of what is kept for observers", "const mutationBuffers = [];", "const buffers = [];"],
  [
    "how what is added is gathered",
    `__publicField(this, "genAdds", (n, target) => {`,
    `__publicField(this, "add", (n) => {`,
  ],
  [
    "how a frame is let go of",
    "handlers.push(observe(iframeEl.contentDocument));",
    "observe(iframeEl.contentDocument);",
  ],
  ["what records canvases", "class CanvasManager {", "class CanvasRecorder {"],
  ["something inside of a part that is left out", "  initCanvasFPSObserver(", "  initCanvasFramesObserver("],
  ["an option that is never set", "    recordDOM = true,\n", "    recordTree = true,\n"],
  ["how a snapshot hands its options on", "const bypassOptions = {", "const passedOptions = {"],
  ["how a field is set", '__publicField(this, "addedSet"', '__field(this, "addedSet"'],
])("refuses a build of rrweb in which %s changed", (_what, before, after) => {
  expect(source).toContain(before);
  expect(() => patchRecord(source.replace(before, after))).toThrow("@rrweb/record changed");
});
