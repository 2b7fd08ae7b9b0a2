import { attributeOf, matches } from "../elements.ts";
import { listen, pathOf } from "./listen.ts";
import type { StreamContext } from "./stream.ts";

const NAME = /^[\w.-]{1,100}$/;
const MAX_DATA_CHARS = 4_096;

/**
 * `data-sentiero-track-click`, `-change`, `-submit`, `-focus` and `-blur`: their value is the tag of a custom event, and
 * `data-sentiero-data` its payload, JSON of at most 4,096 characters. A wrong name or payload makes no event.
 */
export function captureTracking(context: StreamContext): void {
  for (const type of ["click", "change", "submit", "focus", "blur"]) {
    const attribute = `data-sentiero-track-${type}`;
    listen(window, type, context, (event) => {
      const element = pathOf(event).find((element) => matches(element, `[${attribute}]`));
      if (!element) return;
      const name = attributeOf(element, attribute) ?? "";
      const data = attributeOf(element, "data-sentiero-data") || "{}";
      if (!NAME.test(name) || data.length > MAX_DATA_CHARS) return;
      const payload = JSON.parse(data) as unknown;
      context.emit(name, typeof payload === "object" ? { ...payload } : { value: payload });
    });
  }
}
