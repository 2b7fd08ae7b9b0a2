import { HTTPError, toErrorResponse } from "./errors.ts";
import { createAssetsHandler } from "./handlers/assets.ts";
import { createDashboardHandler } from "./handlers/dashboard.ts";
import { createEventsHandler } from "./handlers/events.ts";
import { resolveOptions, type ResolvedOptions, type SentieroOptions } from "./options.ts";
import type { Platform } from "./platform.ts";
import { renderScriptTag, type ScriptTagOptions } from "./script-tag.ts";
import { createSessions, type Sessions } from "./sessions/sessions.ts";
import { openStore } from "./storage/open.ts";

/** A lane: one pure function from a request to its answer. It never rejects. */
export type Handler = (request: Request) => Promise<Response>;

/** What `createSentiero` gives. */
export interface Sentiero {
  /** Answers every request under `basePath`; anything else with 404. */
  readonly fetch: Handler;
  /** The lanes one by one, to mount and guard apart. Each sees the full public path, but `events`, which takes any. */
  readonly handlers: {
    readonly events: Handler;
    readonly assets: Handler;
    readonly dashboard: Handler;
  };
  /** The two tags that put the recorder into a page. */
  scriptTag(options?: ScriptTagOptions): string;
  /** The typed layer over the storage. */
  readonly store: {
    readonly sessions: Sessions;
    /** Waits for writes under way; call it before the process ends. */
    close(): Promise<void>;
  };
  readonly options: ResolvedOptions;
  /** The seam to the runtime: adapters put native functions here before the first request. */
  readonly platform: Platform;
}

/** Every key and collection starts with a project; there is one so far. */
const PROJECT = "main";

/**
 * Makes a sentiero: one pure Fetch handler over one storage.
 * @throws SentieroError for options that cannot work.
 */
export function createSentiero(userOptions?: SentieroOptions): Sentiero {
  const options = resolveOptions(userOptions);
  const { basePath, platform, onError } = options;
  const store = openStore(options.storage, {
    platform,
    maxMemoryBytes: options.limits.maxMemoryBytes,
    warn: (message) => console.warn(message),
  });
  if (options.auth.kind === "open")
    console.warn("[sentiero] the dashboard is open to everyone (allowInsecureDashboard)");
  const sessions = createSessions(store, { ...options, project: PROJECT });
  const events = createEventsHandler(options, sessions);
  const findAsset = createAssetsHandler(basePath, platform);
  const dashboard = createDashboardHandler(options, sessions, findAsset);

  async function assets(request: Request): Promise<Response> {
    try {
      return (await findAsset(request)) ?? notFound();
    } catch (error) {
      return toErrorResponse(error, onError);
    }
  }

  async function fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname !== basePath && !pathname.startsWith(`${basePath}/`)) return notFound();
    if (pathname === `${basePath}/events`) return events(request);
    return dashboard(request);
  }

  function notFound(): Response {
    return toErrorResponse(new HTTPError(404, "not found"), onError);
  }

  return {
    fetch,
    handlers: { events, assets, dashboard },
    scriptTag: (tag) => renderScriptTag(options, tag),
    store: { sessions, close: () => store.close() },
    options,
    platform,
  };
}
