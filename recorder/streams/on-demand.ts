import { listen, unpatched } from "./listen.ts";
import type { StreamContext } from "./stream.ts";
import type { StreamParts } from "./stream-parts.ts";
import { matchesUrl } from "./url-pattern.ts";
import { wrapMethod } from "./wrap.ts";

/** Loads and starts the streams that are off until a configuration asks for them. One that can't be loaded stays off. */
export function loadStreams(context: StreamContext): void {
  const { config, signal } = context;
  const parts: StreamParts = { listen, matchesUrl, unpatched, wrapMethod, toldFrom: {} };
  if (config.captureConsole.length > 0) void load(async () => (await import("./console.ts")).captureConsole);
  if (config.captureNetwork) void load(async () => (await import("./network.ts")).captureNetwork);
  if (config.captureRequests) void load(async () => (await import("./requests.ts")).captureRequests);
  if (config.captureCanvas && config.privacy !== "strict")
    void load(async () => (await import("./canvas.ts")).captureCanvas);
  if (config.frameOrigins.length > 0) void load(async () => (await import("./frames.ts")).captureFrames);

  // Awaited: `then` is a task of the zone of an Angular page.
  async function load(part: () => Promise<(context: StreamContext, parts: StreamParts) => void>): Promise<void> {
    try {
      const stream = await part();
      if (!signal.aborted) stream(context, parts);
    } catch (error) {
      console.warn("[sentiero]", error);
    }
  }
}
