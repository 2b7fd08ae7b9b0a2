import { watchHistory } from "./history.ts";
import type { listen, pathOf } from "./listen.ts";
import type { StreamContext } from "./stream.ts";
import type { matchesUrl } from "./url-pattern.ts";
import { captureTracking } from "./tracking.ts";
import { captureWebVitals } from "./vitals.ts";
import { wrapMethod } from "./wrap.ts";

/**
 * Parts of the recorder's own file. They are handed in because an import would make of them a file more to load at every
 * start.
 */
export interface RecorderParts {
  readonly listen: typeof listen;
  readonly pathOf: typeof pathOf;
  readonly matchesUrl: typeof matchesUrl;
  /** To be told of `pushState` and `replaceState`; null where the browser tells by itself. */
  readonly onMove: ((kind: "push" | "replace") => void) | null;
}

/** What is handed on to the streams that are off until asked for, for the same reason. */
export interface LaterParts extends RecorderParts {
  readonly wrapMethod: typeof wrapMethod;
}

/**
 * Starts what need not be there at once, and loads what is off until a configuration asks for it. Of the web vitals the
 * browser keeps what they are made of.
 */
export function startLaterStreams(context: StreamContext, given: RecorderParts): void {
  const { config, signal } = context;
  const { onMove } = given;
  const parts: LaterParts = { ...given, wrapMethod };
  if (onMove) {
    // What moved while this was loaded.
    onMove("push");
    watchHistory(signal, onMove);
  }
  if (config.trackCustomEvents) captureTracking(context, parts);
  if (config.captureWebVitals) captureWebVitals(context, parts);
  if (config.captureConsole.length > 0) load(import("./console.ts").then((module) => module.captureConsole));
  if (config.captureNetwork) load(import("./network.ts").then((module) => module.captureNetwork));
  if (config.captureRequests) load(import("./requests.ts").then((module) => module.captureRequests));

  function load(loading: Promise<(context: StreamContext, parts: LaterParts) => void>): void {
    loading
      .then((stream) => signal.aborted || stream(context, parts))
      .catch((error: unknown) => console.warn("[sentiero]", error));
  }
}
