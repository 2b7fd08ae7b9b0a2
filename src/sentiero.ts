import { HTTPError, toErrorResponse } from "./errors.ts";
import { createAssetsHandler } from "./handlers/assets.ts";
import { createDashboardHandler } from "./handlers/dashboard.ts";
import { createEventsHandler } from "./handlers/events.ts";
import { resolveOptions, type ResolvedOptions, type SentieroOptions } from "./options.ts";
import type { Platform } from "./platform.ts";
import { createDoctor } from "./maintenance/doctor.ts";
import { createMaintenance, type Maintenance } from "./maintenance/maintenance.ts";
import { createPersonExport } from "./maintenance/person-export.ts";
import { createReindex } from "./maintenance/reindex.ts";
import { createScheduler } from "./maintenance/scheduler.ts";
import { renderScriptTag, toScriptAttributes, type ScriptAttributes, type ScriptTagOptions } from "./script-tag.ts";
import { createScrub } from "./sessions/scrub.ts";
import { createSessions, type Sessions } from "./sessions/sessions.ts";
import { createUsage } from "./sessions/usage.ts";
import { encodeStore } from "./storage/codec.ts";
import { toKeyPart } from "./storage/keys.ts";
import { openStore } from "./storage/open.ts";
import { guardSchema } from "./storage/schema.ts";
import type { Store } from "./storage/store.ts";
import { createUpdater, putAfterBlobs } from "./storage/update.ts";
import type { Notice, Selection } from "./types.ts";

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
  /** The same as the attributes of one script element: for JSX and `useHead`. */
  scriptAttributes(options?: ScriptTagOptions): ScriptAttributes;
  /** The typed layer over the storage. */
  readonly store: {
    readonly sessions: Sessions;
    readonly maintenance: Maintenance;
    /** What is wrong with the store, and what to run or set. */
    doctor(): Promise<readonly Notice[]>;
    /** One person's recordings as lines of JSON. */
    exportPerson(selection: Selection): ReadableStream<Uint8Array>;
    /** The ports below the typed layer, for archives and tests. */
    readonly ports: Store;
    /** Ends the timer and waits for writes under way; call it before the process ends. */
    close(): Promise<void>;
  };
  /**
   * Does what is due beside requests: settling, retention, jobs. Where no timer runs (`maintenance: false`, Workers) call
   * it now and then. Works for about `budgetMs` (default 1,000); true when nothing is left to do.
   */
  maintain(budgetMs?: number): Promise<boolean>;
  readonly options: ResolvedOptions;
  /** The seam to the runtime: adapters put native functions here before the first request. */
  readonly platform: Platform;
}

/** Every key and collection starts with a project; there is one so far. */
const PROJECT = "main";

/** How long one piece of maintenance works before others have their turn. */
const PIECE_MS = 1_000;

/**
 * Makes a sentiero: one pure Fetch handler over one storage.
 * @throws SentieroError for options that cannot work.
 */
export function createSentiero(userOptions?: SentieroOptions): Sentiero {
  const options = resolveOptions(userOptions);
  const { basePath, platform, clock, onError } = options;
  const store = openPorts(options);
  if (options.auth.kind === "open")
    console.warn("[sentiero] the dashboard is open to everyone (allowInsecureDashboard)");
  const { update } = createUpdater(store.documents, store.putWithBlobs ?? putAfterBlobs(store), platform);
  const usage = createUsage(store.documents, update, { project: PROJECT, clock });
  const scrub = createScrub(store, { project: PROJECT, clock, update, onError });
  const sessions = createSessions(store, { ...options, project: PROJECT, update, usage, scrub });
  const reindex = createReindex(store, { project: PROJECT, platform, clock, update, usage, onError });
  const maintenance = createMaintenance(store, { project: PROJECT, options, sessions, update, usage, scrub, reindex });
  const doctor = createDoctor(store, { project: PROJECT, options, maintenance });
  const exportPerson = createPersonExport(store, { project: PROJECT, platform, clock });
  const maintain = (budgetMs: number = PIECE_MS) => maintenance.run(budgetMs);
  const scheduler = createScheduler(() => maintain(), onError);

  const events = createEventsHandler(options, sessions, usage);
  const findAsset = createAssetsHandler(basePath, platform);
  const wake = () => scheduler.wake();
  const parts = { maintenance, doctor, exportPerson, wake, clock };
  const dashboard = createDashboardHandler(options, sessions, parts, findAsset);

  async function assets(request: Request): Promise<Response> {
    try {
      return (await findAsset(request)) ?? notFound();
    } catch (error) {
      return toErrorResponse(error, onError);
    }
  }

  async function fetch(request: Request): Promise<Response> {
    // With the first request, because a timer may not be begun while a module is loaded everywhere.
    if (options.maintenance) scheduler.start();
    const { pathname } = new URL(request.url);
    if (pathname !== basePath && !pathname.startsWith(`${basePath}/`)) return notFound();
    if (pathname === `${basePath}/events`) return events(request);
    return dashboard(request);
  }

  async function close(): Promise<void> {
    await scheduler.stop();
    try {
      await usage.fold();
      await maintenance.close();
    } catch (error) {
      onError(error);
    }
    await store.close();
  }

  function notFound(): Response {
    return toErrorResponse(new HTTPError(404, "not found"), onError);
  }

  return {
    fetch,
    handlers: { events, assets, dashboard },
    scriptTag: (tag) => renderScriptTag(options, tag),
    scriptAttributes: (tag) => toScriptAttributes(options, tag),
    store: { sessions, maintenance, doctor, exportPerson, ports: store, close },
    maintain,
    options,
    platform,
  };
}

/** The store behind the options' storage: written only while its schema is known, and through the codec where there is one. */
function openPorts({ storage, platform, limits, durability, codec, clock }: ResolvedOptions): Store {
  const opened = openStore(storage, {
    platform,
    maxMemoryBytes: limits.maxMemoryBytes,
    durability,
    warn: (message) => console.warn(message),
  });
  const guarded = guardSchema(opened, clock);
  return codec ? encodeStore(guarded, codec, (id) => toKeyPart(id, platform)) : guarded;
}
