import type { Storage } from "unstorage";
import { createSentiero, type Sentiero } from "sentiero";
import { nodePlatform } from "sentiero/node";
import { createSite } from "./site-handler.ts";

/** What the demo needs to run. */
export interface DemoOptions {
  /** Where recordings are kept. */
  readonly storage: Storage;
  /** Who may open the dashboard. @default user "demo", password "demo" */
  readonly basicAuth?: { readonly user: string; readonly password: string };
  /** Epoch ms; a seam for filling the store with visits of the past. @default Date.now */
  readonly clock?: () => number;
}

/** The demo's site and sentiero behind one address. */
export interface Demo {
  /** Answers `/sentiero` and what is below it by sentiero, everything else by the site. */
  fetch(request: Request): Promise<Response>;
  readonly sentiero: Sentiero;
}

/** The sign-in of the demo's dashboard. It is no secret: the site's footer says it. */
export const demoUser = { user: "demo", password: "demo" } as const;

/** A multi-page site that records itself, and the dashboard to watch it in. */
export function createDemo({ storage, basicAuth = demoUser, clock }: DemoOptions): Demo {
  const sentiero = createSentiero({
    storage,
    basicAuth,
    userOptOut: true,
    platform: nodePlatform,
    ...(clock ? { clock } : {}),
  });
  const site = createSite(sentiero.scriptTag({ eventsUrl: "/sentiero/events" }));

  return {
    async fetch(request) {
      const { pathname } = new URL(request.url);
      return pathname === "/sentiero" || pathname.startsWith("/sentiero/") ? sentiero.fetch(request) : site(request);
    },
    sentiero,
  };
}
