import { attributeOf } from "../elements.ts";
import { hostOf } from "../masking.ts";

const MAX_LEVELS = 3;
const MAX_SELECTOR_CHARS = 200;
const TEST_IDS = ["data-testid", "data-test"];

/**
 * What a build or a library makes up, and so is another one tomorrow: `css-1q2w3e`, `sc-bdVaJa`, `_box_x1y2z`, `:r1:`,
 * `radix-4`; also what a selector can't hold as it is (`md:w-1/2`).
 */
const GENERATED =
  /^-?\d|\d[a-zA-Z]|\d{3}|[^\w-]|[a-z][A-Z][a-z]?[A-Z][a-z]|.{40}|^(?:s?css?|js[sx]|svelte|astro|ember|radix|headlessui)[-\d]/;

/**
 * A short selector that stays the same from build to build, at most 200 characters: from the nearest test id or id, three
 * levels at most, `>>>` where it enters a shadow root.
 */
export function selectorOf(element: Element): string {
  let selector = "";
  let combinator = "";
  let at: Element | null = element;
  for (let level = 0; at && level < MAX_LEVELS; level++) {
    const anchor = anchorOf(at);
    selector = (anchor ?? [at.localName, ...classesOf(at)].join(".")) + combinator + selector;
    if (anchor || at.localName === "body") break;
    combinator = at.parentElement ? " > " : " >>> ";
    at = at.parentElement ?? hostOf(at);
  }
  return selector.slice(0, MAX_SELECTOR_CHARS);
}

function anchorOf(element: Element): string | null {
  for (const name of TEST_IDS) {
    const value = attributeOf(element, name);
    if (value) return `[${name}=${JSON.stringify(value)}]`;
  }
  const id = attributeOf(element, "id");
  return id && !GENERATED.test(id) ? `${element.localName}#${id}` : null;
}

function classesOf(element: Element): string[] {
  return [...element.classList].filter((name) => !GENERATED.test(name)).slice(0, 2);
}
