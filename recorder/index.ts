import type { SentieroApi } from "./api.ts";
import { boot, publish } from "./boot.ts";

export type { CallQueue, QueuedCall, SentieroApi, StartOptions } from "./api.ts";
export type { Trigger } from "./streams/stream.ts";

/**
 * The recorder, for pages that are bundled: nothing happens before `sentiero.start({ eventsUrl })`, and calls made earlier
 * wait for it. Where the page has the recorder's script too, this is the same as `window.Sentiero`. May be imported on a
 * server, where every call does nothing.
 */
export const sentiero: SentieroApi = open();

function open(): SentieroApi {
  const isPage = typeof document !== "undefined";
  if (isPage && typeof window.Sentiero?.optOut === "function") return window.Sentiero;
  const { api } = boot({ config: {}, eventsUrl: null, load: () => import("./recorder.ts") });
  if (isPage) publish(api);
  return api;
}
