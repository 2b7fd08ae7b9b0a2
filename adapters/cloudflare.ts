import type { Sentiero } from "../src/sentiero.ts";
import { serve, type Next } from "./fetch.ts";

/** What a Worker exports. */
export interface Worker<Env> {
  fetch(request: Request, env: Env, context: WorkerContext): Promise<Response>;
  /** Settles sessions, keeps retention and goes on with jobs: for a cron trigger, once a minute or so. */
  scheduled(event: unknown, env: Env, context: WorkerContext): Promise<void>;
}

/** What is used of the context of an event. */
export interface WorkerContext {
  waitUntil(work: Promise<unknown>): void;
}

/** What a Worker answers with outside `basePath`. */
export interface WorkerOptions<Env> {
  next?(request: Request, sentiero: Sentiero, env: Env, context: WorkerContext): Response | Promise<Response>;
  /** Binding of the Worker's static assets, whose directory is `node_modules/sentiero/dist/assets`. @default "ASSETS" */
  assets?: string;
}

/** A cron trigger may use 15 minutes, and what is left waits for the next one. */
const SCHEDULED_MS = 60_000;

/**
 * Makes a Worker of a sentiero: one per isolate, made with the first event's bindings.
 *
 * ```ts
 * export default toWorker((env: Env) =>
 *   createSentiero({
 *     storage: createStorage({ driver: db0Driver({ database: createDatabase(d1({ bindingName: "DB" })) }) }),
 *     basicAuth: { user: "ada", password: env.DASHBOARD_PASSWORD },
 *   }),
 * );
 * ```
 */
export function toWorker<Env>(
  create: (env: Env) => Sentiero,
  { next, assets = "ASSETS" }: WorkerOptions<Env> = {},
): Worker<Env> {
  let opened: Sentiero | undefined;
  let unpacked: Promise<void> | undefined;

  function open(env: Env): Sentiero {
    if (opened) return opened;
    opened = create(env);
    const binding = (env as Record<string, unknown>)[assets] as Assets | undefined;
    if (binding) opened.platform.readAsset ??= readAssetFrom(binding);
    return opened;
  }

  return {
    async fetch(request, env, context) {
      await (unpacked ??= addBrotli(open(env)));
      const ip = request.headers.get("cf-connecting-ip") ?? undefined;
      const waitUntil = (work: Promise<unknown>): void => context.waitUntil(work);
      const other: Next | undefined = next && ((request) => next(request, open(env), env, context));
      const answer = serve(open(env), request, { ip, waitUntil }, other);
      // A client that goes away ends what is done for it, and others may be waiting for the same.
      waitUntil(answer.catch(() => {}));
      return answer;
    },
    async scheduled(_, env) {
      await (unpacked ??= addBrotli(open(env)));
      await open(env).maintain(SCHEDULED_MS);
    },
  };
}

/** With the flag nodejs_compat sessions settle to half their size; without it there is no node:zlib. */
async function addBrotli({ platform }: Sentiero): Promise<void> {
  try {
    platform.brotli ??= (await import("./node-brotli.ts")).nodeBrotli;
  } catch {
    // As gzip, then.
  }
}

/** What is used of a binding of static assets. */
export interface Assets {
  fetch(request: Request): Promise<Response>;
}

/**
 * Reads the browser files from a binding of static assets, for Workers that call `sentiero.fetch` themselves:
 * `createSentiero({ platform: { readAsset: readAssetFrom(env.ASSETS) } })`.
 */
export function readAssetFrom(assets: Assets): (file: string) => Promise<Uint8Array | null> {
  return async (file) => {
    const answer = await assets.fetch(new Request(`https://assets/${file}`));
    return answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null;
  };
}
