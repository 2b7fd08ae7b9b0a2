import { unpatched } from "../streams/listen.ts";
import { type Mirror, UNKNOWN } from "./pending.ts";

/** What rrweb notes with the id of a node, and what ends a page or its story: what changed before comes before. */
const TRIGGERS =
  "mousedown mouseup click contextmenu dblclick focus blur touchstart touchend touchcancel pointerdown pointerup pointercancel " +
  "input change submit selectionchange resize play pause seeked volumechange ratechange " +
  "unhandledrejection popstate hashchange beforeunload pagehide visibilitychange";

/** Too many to end a window each time; they do only where they happen on something that rrweb doesn't know. */
const MOVES = ["mousemove", "touchmove", "drag", "scroll"];

/**
 * Calls `flush` before rrweb looks at what a person did: it listens on the document, and events come to the window first.
 * Ends with `signal`.
 */
export function flushBefore(window: Window, mirror: Mirror, flush: () => void, signal: AbortSignal): void {
  const options = { capture: true, passive: true, signal };
  const onMove = (event: Event): void => {
    const target = event.composedPath()[0] ?? event.target;
    // Only documents and elements have ids.
    if (target && "nodeType" in target && mirror.getId(target as Node) === UNKNOWN) flush();
  };
  const onError = (event: Event): void => {
    // Of a script; a picture that doesn't load tells no story.
    if (event.target === window) flush();
  };
  const on = unpatched(window, "addEventListener").bind(window);
  for (const name of TRIGGERS.split(" ")) on(name, flush, options);
  for (const name of MOVES) on(name, onMove, options);
  on("error", onError, options);
}
