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

it("leaves the worker for pictures of canvases out", () => {
  expect(source.length - patchRecord(source).length).toBeGreaterThan(2_000);
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
  ["the text of the worker", "const jsContent = '", "const workerText = '"],
])("refuses a build of rrweb in which %s changed", (_what, before, after) => {
  expect(source).toContain(before);
  expect(() => patchRecord(source.replace(before, after))).toThrow("@rrweb/record changed");
});
