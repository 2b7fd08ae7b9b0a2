import { unpatched } from "./streams/listen.ts";

// The browser's own, whatever zone.js made of them. Much of what is recorded comes to us from within the page's own calls:
// a timer that began there would be one of an Angular page's zone, which is not stable while it runs, and would look for
// changes after it. `clearTimeout` knows these too.

/** As the global one. */
export function setTimeout(run: () => void, ms?: number): number {
  return unpatched(globalThis as unknown as Window, "setTimeout")(run, ms);
}

/** As the global one. */
export function requestAnimationFrame(run: FrameRequestCallback): number {
  return unpatched(globalThis as unknown as Window, "requestAnimationFrame")(run);
}

/** As the global one. */
export function queueMicrotask(run: () => void): void {
  unpatched(globalThis as unknown as Window, "queueMicrotask")(run);
}
