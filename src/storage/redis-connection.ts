import { HTTPError } from "../errors.ts";

/** What is used of ioredis' Redis. */
export interface RedisNode {
  scan(cursor: string, match: "MATCH", pattern: string, count: "COUNT", keys: number): Promise<[string, string[]]>;
  config(get: "GET", name: string): Promise<string[]>;
}

/** What is used of ioredis, be it `Redis` or `Cluster`. Commands of `defineCommand` become methods. */
export interface RedisClient {
  readonly status: string;
  readonly isCluster: boolean;
  readonly options: { readonly keyPrefix?: string };
  connect(): Promise<void>;
  disconnect(reconnect: boolean): void;
  on(event: "ready" | "error", listener: () => void): unknown;
  /** The nodes of a cluster. */
  nodes?(role: "master"): (RedisNode & { readonly options: { readonly host?: string; readonly port?: number } })[];
  defineCommand(name: string, definition: { numberOfKeys: number; lua: string }): void;
  get(key: string): Promise<string | null>;
  mget(...keys: string[]): Promise<(string | null)[]>;
  setnx(key: string, value: string): Promise<unknown>;
  unlink(key: string): Promise<unknown>;
  zrangebylex(key: string, min: string, max: string, limit: "LIMIT", offset: number, count: number): Promise<string[]>;
  zrevrangebylex(
    key: string,
    max: string,
    min: string,
    limit: "LIMIT",
    offset: number,
    count: number,
  ): Promise<string[]>;
  zlexcount(key: string, min: string, max: string): Promise<number | string>;
  hsetnx(key: string, field: string, value: Uint8Array): Promise<unknown>;
  hgetBuffer(key: string, field: string): Promise<Uint8Array | null>;
  hexists(key: string, field: string): Promise<number | string>;
  hkeys(key: string): Promise<string[]>;
  hdel(key: string, ...fields: string[]): Promise<unknown>;
}

/** One client and what its commands have in common. */
export interface RedisConnection {
  /** Sends a command when Redis is there. @throws HTTPError 503 when it is away, or does not answer in time. */
  command<T>(send: () => Promise<T>): Promise<T>;
  /** Every node that holds keys of its own, always in the same order. */
  nodes(): readonly RedisNode[];
}

/** A command that took longer is lost to its caller. Redis may still run it, which changes nothing that was answered. */
const COMMAND_TIMEOUT_MS = 5_000;

/** How long requests wait for a connection that was lost, before they fail at once: a fail-over or a restart. */
const PATIENCE_MS = 2_000;

/**
 * Bounds every wait, whatever options the client was made with: by default ioredis keeps commands in memory while Redis
 * is away and tries for ten seconds, and with `maxRetriesPerRequest: null` for ever.
 */
export function connectRedis(client: RedisClient): RedisConnection {
  let lostAt: number | null = null;
  let wake = (): void => {};
  let woken: Promise<void> | null = null;

  client.on("ready", () => {
    lostAt = null;
    woken = null;
    wake();
  });
  // Without a listener ioredis writes every failed attempt to the console; requests tell it as the cause of their 503.
  client.on("error", () => {});

  /** Nothing is sent before the client is ready, so that nothing waits in its queue after its caller was told 503. */
  function ready(): Promise<void> | undefined {
    if (client.status === "ready") return undefined;
    if (client.status === "wait") client.connect().catch(() => {});
    lostAt ??= performance.now();
    const leftMs = lostAt + PATIENCE_MS - performance.now();
    if (client.status === "end" || leftMs <= 0) throw unavailable(new Error(`Redis is away: ${client.status}`));
    woken ??= new Promise((resolve) => (wake = resolve));
    return within(woken, leftMs, () => {});
  }

  /**
   * Some failures stay until the client connects anew: no answer on a dead connection, and a former primary. The client
   * of a cluster sees to its nodes itself, and would give up the good ones with the bad.
   */
  const reconnect = (): void => {
    if (client.status === "ready" && !client.isCluster) client.disconnect(true);
  };

  async function command<T>(send: () => Promise<T>): Promise<T> {
    const waiting = ready();
    if (waiting) await waiting;
    try {
      return await within(send(), COMMAND_TIMEOUT_MS, reconnect);
    } catch (error) {
      if (error instanceof Error && error.message.startsWith("READONLY")) reconnect();
      throw isAway(error) ? unavailable(error) : error;
    }
  }

  return {
    command,
    nodes() {
      if (!client.nodes) return [client as RedisClient & RedisNode];
      const byAddress = client
        .nodes("master")
        .map((node) => [`${node.options.host}:${node.options.port}`, node] as const);
      return byAddress.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, node]) => node);
    },
  };
}

/** Answers of a Redis that cannot serve now; any other answer is about the command. */
const AWAY = /^(READONLY|LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN|OOM|MISCONF|NOREPLICAS|BUSY|UNKILLABLE) /;

/** Whether the command failed for the state of Redis. What is no answer comes from the client: connections, retries. */
function isAway(error: unknown): boolean {
  if (error instanceof HTTPError) return false;
  return error instanceof Error && (error.name !== "ReplyError" || AWAY.test(error.message));
}

function unavailable(cause: unknown): HTTPError {
  return new HTTPError(503, "the database is not available", { cause, headers: { "retry-after": "2" } });
}

/** What the promise gives, or 503 after so long. */
function within<T>(promise: Promise<T>, ms: number, onTimeout: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      onTimeout();
      reject(unavailable(new Error(`Redis did not answer within ${Math.round(ms)} ms`)));
    }, ms);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error as Error);
      },
    );
  });
}
