import type { StreamContext } from "./stream.ts";
import { matchesUrl } from "./url-pattern.ts";
import { wrapMethod } from "./wrap.ts";

/**
 * Parts of the recorder's own file for the streams that are loaded on demand. They are handed in because an import would make
 * of them a file more to load at every start.
 */
export interface StreamParts {
  readonly matchesUrl: typeof matchesUrl;
  readonly wrapMethod: typeof wrapMethod;
}

const PARTS: StreamParts = { matchesUrl, wrapMethod };

/** Loads and starts the streams that are off until a configuration asks for them. One that can't be loaded stays off. */
export function loadStreams(context: StreamContext): void {
  const { config, signal } = context;
  if (config.captureConsole.length > 0) load(import("./console.ts").then((module) => module.captureConsole));
  if (config.captureNetwork) load(import("./network.ts").then((module) => module.captureNetwork));
  if (config.captureRequests) load(import("./requests.ts").then((module) => module.captureRequests));

  function load(loading: Promise<(context: StreamContext, parts: StreamParts) => void>): void {
    loading
      .then((stream) => signal.aborted || stream(context, PARTS))
      .catch((error: unknown) => console.warn("[sentiero]", error));
  }
}
