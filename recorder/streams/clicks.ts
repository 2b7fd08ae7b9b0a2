import { attributeOf, matches } from "../elements.ts";
import { listen, pathOf } from "./listen.ts";
import { selectorOf } from "./selector.ts";
import type { Stream, StreamContext } from "./stream.ts";

const MAX_NAME_CHARS = 100;

/** Rage: so many clicks, each so soon after the one before and after the first, within a box of this size. */
const RAGE_CLICKS = 3;
const RAGE_MS = 500;
const RAGE_PX = 10;

/** What a visitor means to hit, whatever lies in it. */
const CONTROLS =
  "a,button,input,select,textarea,label,summary,[role=button],[role=link],[role=tab],[role=option],[role=switch],[role^=menuitem]";

/** What stands in these is typed or chosen, and no name. */
const EDITABLE = ":read-write,textarea,select";

/**
 * `__click`: what was hit, `x` and `y` in px of the page and as `fractionX` and `fractionY` of the element. A click that the
 * page's code made is `synthetic`; one by keyboard has no place.
 */
export const captureClicks: Stream = (context) => {
  const isRage = createRageDetector();
  let lastMoment = "";
  listen<MouseEvent>(window, "click", context, (event) => {
    const { isTrusted, timeStamp, detail } = event;
    const moment = `${timeStamp} ${detail}`;
    // The browser makes a click on a label's field of the one on the label.
    if (isTrusted && moment === lastMoment) return;
    lastMoment = moment;
    const path = pathOf(event);
    const control = path.find((element) => matches(element, CONTROLS));
    const element = control ?? path[0];
    if (!element) return;
    if (isTrusted) context.onActivity();
    if (context.config.captureClicks) {
      context.emit("__click", {
        selector: selectorOf(element),
        name: nameOf(element, context, !!control) || undefined,
        tag: element.localName,
        role: attributeOf(element, "role") ?? undefined,
        ...(detail > 0 && placeOf(event, element)),
        nodeId: context.idOf(element),
        synthetic: !isTrusted || undefined,
      });
    }
    if (isTrusted && detail > 0 && isRage(event.clientX, event.clientY, timeStamp)) {
      context.onTrigger("rage");
    }
  });
};

/** Layout is up to date here: the browser has just looked for what was hit, and no listener of the page has run. */
function placeOf(event: MouseEvent, element: Element): Record<string, number> {
  const { left, top, width, height } = element.getBoundingClientRect();
  return {
    x: Math.round(event.pageX),
    y: Math.round(event.pageY),
    fractionX: fractionOf(event.clientX - left, width),
    fractionY: fractionOf(event.clientY - top, height),
  };
}

function fractionOf(distance: number, length: number): number {
  return length && Math.round((distance / length) * 1000) / 1000;
}

/** The accessible name, near enough: https://www.w3.org/TR/accname-1.2/. */
function nameOf(element: Element, { textOf }: StreamContext, isControl: boolean): string {
  const attribute = (name: string) => textOf(element, MAX_NAME_CHARS, name);
  const text = (of: Element | null | undefined) => of && !matches(of, EDITABLE) && textOf(of, MAX_NAME_CHARS).trim();
  const labelId = attributeOf(element, "aria-labelledby")?.split(" ")[0];
  return (
    (labelId && text((element.getRootNode() as Document).getElementById(labelId))) ||
    attribute("aria-label") ||
    text((element as HTMLInputElement).labels?.[0]) ||
    attribute("alt") ||
    // The text of a whole part of the page says nothing about a click.
    ((isControl || !element.firstElementChild) && text(element)) ||
    (matches(element, "[type=submit],[type=button]") && attribute("value")) ||
    attribute("title") ||
    ""
  );
}

/** Answers true at the click that makes a cluster rage, once a cluster. Places are px of the viewport, times ms. */
export function createRageDetector(): (x: number, y: number, at: number) => boolean {
  let first: readonly [x: number, y: number, at: number] = [0, 0, -RAGE_MS - 1];
  let count = 0;
  return (x, y, at) => {
    const [firstX, firstY, firstAt] = first;
    // Soon after the first is soon after the one before, too.
    if (at - firstAt > RAGE_MS || Math.abs(x - firstX) > RAGE_PX || Math.abs(y - firstY) > RAGE_PX) {
      first = [x, y, at];
      count = 0;
    }
    return ++count === RAGE_CLICKS;
  };
}
