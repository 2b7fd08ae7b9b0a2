import type { StreamContext } from "./stream.ts";

interface ZonedWindow {
  readonly Zone?: { __symbol__?(name: string): string };
}

/**
 * Listens in the capture phase, passively, until recording ends. No error of `run` reaches the page. Goes past zone.js, which
 * would look for changes of an Angular page after every event we see.
 */
export function listen<E extends Event>(
  target: EventTarget,
  type: string,
  { signal }: Pick<StreamContext, "signal">,
  run: (event: E) => void,
): void {
  function onEvent(event: Event): void {
    try {
      // A patched `addEventListener` may not know of signals.
      if (!signal.aborted) run(event as E);
    } catch {
      // The page goes on; this event is not recorded.
    }
  }
  const options = { capture: true, passive: true, signal };
  unpatched(target, "addEventListener").call(target, type, onEvent, options);
}

/** Calls back when recording ends. */
export function atEnd(signal: AbortSignal, run: () => void): void {
  unpatched(signal, "addEventListener").call(signal, "abort", run);
}

/** A method as it was before zone.js patched it: a timer of ours must not keep an Angular page from being stable. */
export function unpatched<T extends object, K extends keyof T & string>(owner: T, name: K): T[K] {
  const symbol = (globalThis as ZonedWindow).Zone?.__symbol__?.(name);
  return (symbol && owner[symbol as K]) || owner[name];
}

/** The elements an event went to, innermost first, those in shadow roots included. */
export function pathOf(event: Event): Element[] {
  return event.composedPath().filter((node): node is Element => node instanceof Element);
}
