import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "esbuild";
import { cutUnused } from "./record-cuts.ts";
import { toCurrentSyntax } from "./record-syntax.ts";

const folder = new URL("../recorder/", import.meta.url);

/** One change of a text that has to be there exactly once. */
interface Edit {
  readonly why: string;
  readonly find: string;
  readonly replace: string;
}

const EDITS: readonly Edit[] = [
  {
    why: "what is listened to is no task of an Angular page's zone",
    find: `  target.addEventListener(type, fn, options);
  return () => target.removeEventListener(type, fn, options);`,
    replace: `  unpatched(target, "addEventListener").call(target, type, fn, options);
  return () => unpatched(target, "removeEventListener").call(target, type, fn, options);`,
  },
  {
    why: "a form with an input called childNodes is forgotten like others",
    find: "if (n.childNodes) {\n      n.childNodes.forEach(",
    replace: "{\n      index.childNodes(n).forEach(",
  },
  {
    why: "one with an input called tagName has the name of its tag",
    find: "const tagNameLower = toLowerCase(target.tagName);",
    replace: `const tagNameLower = toLowerCase(Reflect.get(Element.prototype, "tagName", target));`,
  },
  {
    why: "its attributes",
    find: "let value = m.target.getAttribute(attributeName);",
    replace: "let value = attributeOf(m.target, attributeName);",
  },
  {
    why: "and its style",
    find: "for (const pname of Array.from(target.style)) {",
    replace: `const style = Reflect.get(Object.getPrototypeOf(target), "style", target);
              for (const pname of Array.from(style)) {`,
  },
  {
    why: "with its values",
    find: `target.style.getPropertyValue(pname);
                const newPriority = target.style`,
    replace: `style.getPropertyValue(pname);
                const newPriority = style`,
  },
  {
    why: "and what went of it",
    find: `if (target.style.getPropertyValue(pname) === "") {`,
    replace: `if (style.getPropertyValue(pname) === "") {`,
  },
  {
    why: "changes of the document come merged",
    find: `function mutationObserverCtor() {
  return [
    getUntaintedPrototype("MutationObserver").constructor,`,
    replace: `function mutationObserverCtor() {
  return [
    toMergingObserver(getUntaintedPrototype("MutationObserver").constructor, mutationBuffers, mirror),`,
  },
  {
    why: "a frame's document is let go of",
    find: "handlers.push(observe(iframeEl.contentDocument));",
    replace: "addHandler(handlers, iframeEl.contentDocument, observe(iframeEl.contentDocument));",
  },
  {
    why: "a frame's elements are let go of",
    find: "this.restoreHandlers.push(\n      patch(",
    replace: "addHandler(this.restoreHandlers, doc,\n      patch(",
  },
  {
    why: "a shadow root is let go of",
    find: "this.restoreHandlers.push(() => observer.disconnect());",
    replace: "addHandler(this.restoreHandlers, shadowRoot2, () => observer.disconnect());",
  },
  {
    why: "a shadow root is let go of, for its scrolling",
    find: "this.restoreHandlers.push(\n      initScrollObserver({",
    replace: "addHandler(this.restoreHandlers, shadowRoot2,\n      initScrollObserver({",
  },
  {
    why: "a shadow root is let go of, for its style sheets",
    find: "this.restoreHandlers.push(\n        initAdoptedStyleSheetObserver(",
    replace: "addHandler(this.restoreHandlers, shadowRoot2,\n        initAdoptedStyleSheetObserver(",
  },
  {
    why: "no frame is made to look for untouched prototypes: two of these names are no accessors, so they never looked untouched",
    find: 'Element: ["shadowRoot", "querySelector", "querySelectorAll"],',
    replace: 'Element: ["shadowRoot"],',
  },
];

/** What the edits call, by file. */
const IMPORTS = {
  toMergingObserver: "mutations/merger.ts",
  addHandler: "mutations/handlers.ts",
  attributeOf: "elements.ts",
  matches: "elements.ts",
  isLeftOut: "slim-dom.ts",
  setTimeout: "timers.ts",
  requestAnimationFrame: "timers.ts",
  unpatched: "streams/listen.ts",
};

/** What else of rrweb the recorder relies on, inside what the edits reach. */
const RELIED_ON = [
  "const mutationBuffers = [];",
  "mutationBuffers.push(mutationBuffer);\n  mutationBuffer.init(options);\n  const [ObserverCtor, iframeCleanup] = mutationObserverCtor();",
  "const mirror = createMirror();",
  `__publicField(this, "genAdds", (n, target) => {`,
  "index.childNodes(n).forEach((childN) => this.genAdds(childN));",
  "this.genAdds(childN, n);",
  "m.addedNodes.forEach((n) => this.genAdds(n, m.target));",
  "mutations.forEach(this.processMutation);\n      this.emit();",
];

/**
 * Puts the recorder's own observer into rrweb, where rrweb picks the constructor of its own.
 * @throws Error when rrweb is not what the edits were made for.
 */
export function patchRecord(source: string): string {
  let patched = cutUnused(source);
  for (const { why, find, replace } of EDITS) {
    if (patched.split(find).length !== 2)
      throw new Error(`@rrweb/record changed: ${why}, but ${find} is not there once`);
    patched = patched.replace(find, () => replace);
  }
  for (const text of RELIED_ON) {
    if (source.split(text).length !== 2) throw new Error(`@rrweb/record changed: ${text} is not there once`);
  }
  const imports = Object.entries(IMPORTS).map(([name, file]) => {
    return `import { ${name} } from ${JSON.stringify(fileURLToPath(new URL(file, folder)))};\n`;
  });
  return `${imports.join("")}${toCurrentSyntax(patched)}`;
}

/** Builds `@rrweb/record` with those edits. */
export const recordPatch: Plugin = {
  name: "record-patch",
  setup(build) {
    build.onLoad({ filter: /@rrweb[\\/]record[\\/]dist[\\/]record\.js$/ }, async ({ path }) => ({
      contents: patchRecord(await readFile(path, "utf8")),
      // For the enums.
      loader: "ts",
      resolveDir: dirname(path),
    }));
  },
};
