import type { Handle } from "@sveltejs/kit/hooks";
import { sentiero } from "#lib/server/sentiero.ts";

export const handle: Handle = ({ event, resolve }) => {
  if (/^\/sentiero(\/|$)/.test(event.url.pathname)) {
    return sentiero.fetch(Object.assign(event.request, { ip: event.getClientAddress(), context: event }));
  }
  return resolve(event, { transformPageChunk: ({ html }) => html.replace("%recorder%", () => sentiero.scriptTag()) });
};
