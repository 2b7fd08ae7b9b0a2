import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Redis, type Cluster, type RedisOptions } from "ioredis";
import redisDriver from "unstorage/drivers/redis";
import { onTestFinished } from "vitest";
import type { RedisClient } from "../../src/storage/redis-connection.ts";
import { createRedisStore } from "../../src/storage/redis.ts";
import type { Store } from "../../src/storage/store.ts";

/** The Redis of this machine, which other tests use too. */
export const REDIS_URL: string = process.env.SENTIERO_TEST_REDIS_URL ?? "redis://127.0.0.1:6379";

/** Whether the Redis of this machine answers. */
export async function hasRedis(): Promise<boolean> {
  const client = new Redis(REDIS_URL, { lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => {});
  try {
    return (await client.ping()) === "PONG";
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}

/** Whether servers of our own can be started. */
export async function hasRedisServer(): Promise<boolean> {
  return promisify(execFile)("redis-server", ["--version"]).then(
    () => true,
    () => false,
  );
}

export interface OpenedRedis<C = Redis> {
  readonly store: Store;
  readonly client: C;
  readonly prefix: string;
}

/** A store over the client of the driver; what it wrote goes with the test. */
export async function openRedisStore(
  options: RedisOptions & { url?: string; base?: string } = {},
): Promise<OpenedRedis> {
  const prefix = options.base ?? `sentiero-test-${randomUUID()}`;
  const driver = redisDriver({ url: REDIS_URL, ...options, base: prefix });
  const client = driver.getInstance!() as unknown as Redis;
  onTestFinished(async () => {
    // A server of our own goes with all that is in it.
    if (!options.url) await removePrefix(client, (options.keyPrefix ?? "") + prefix);
    client.disconnect();
  });
  return { store: createRedisStore(client as unknown as RedisClient, { prefix }), client, prefix };
}

/** The same over a cluster. */
export async function openRedisCluster(ports: readonly number[]): Promise<OpenedRedis<Cluster>> {
  const prefix = `sentiero-test-${randomUUID()}`;
  const driver = redisDriver({ cluster: ports.map((port) => ({ host: "127.0.0.1", port })), base: prefix });
  const client = driver.getInstance!() as unknown as Cluster;
  onTestFinished(async () => {
    await Promise.all(client.nodes("master").map((node) => removePrefix(node, prefix)));
    client.disconnect();
  });
  return { store: createRedisStore(client as unknown as RedisClient, { prefix }), client, prefix };
}

async function removePrefix(client: Redis, prefix: string): Promise<void> {
  const plain = new Redis(client.options.port!, client.options.host!, { ...client.options, keyPrefix: "" });
  for await (const keys of plain.scanStream({ match: `${prefix.replaceAll(/[\\*?[\]]/g, "\\$&")}*`, count: 10_000 })) {
    await Promise.all((keys as string[]).map((key) => plain.unlink(key)));
  }
  plain.disconnect();
}

/** A Redis of our own. */
export interface RedisServer {
  readonly port: number;
  readonly process: ChildProcess;
  /** Ends the process at once, as a crash does. */
  kill(): Promise<void>;
}

/** Starts a server and waits until it answers. Who starts it kills it. */
export async function startRedis(folder: string, args: readonly string[] = [], port?: number): Promise<RedisServer> {
  const chosen = port ?? (await freePort());
  const child = spawn(
    "redis-server",
    ["--port", String(chosen), "--bind", "127.0.0.1", "--dir", folder, "--save", "", ...args],
    { stdio: "ignore" },
  );
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const client = new Redis(chosen, "127.0.0.1", { retryStrategy: () => 20, maxRetriesPerRequest: null });
  client.on("error", () => {});
  await Promise.race([client.ping(), ended.then(() => Promise.reject(new Error("redis-server ended at once")))]);
  client.disconnect();
  return {
    port: chosen,
    process: child,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** A server that goes with the test. */
export async function startRedisForTest(args: readonly string[] = []): Promise<RedisServer & { folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), "sentiero-test-"));
  const server = await startRedis(folder, args);
  onTestFinished(async () => {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  return { ...server, folder };
}

/** Starts three masters that form a cluster. Who starts it kills it. */
export async function startRedisCluster(folders: readonly string[]): Promise<readonly RedisServer[]> {
  const servers: RedisServer[] = [];
  try {
    for (const folder of folders) {
      const bus = String(await freePort());
      servers.push(await startRedis(folder, ["--cluster-enabled", "yes", "--cluster-port", bus]));
    }
    const addresses = servers.map(({ port }) => `127.0.0.1:${port}`);
    await promisify(execFile)("redis-cli", ["--cluster", "create", ...addresses, "--cluster-yes"]);
    await Promise.all(servers.map(({ port }) => untilClusterIsUp(port)));
    return servers;
  } catch (error) {
    await Promise.all(servers.map((server) => server.kill()));
    throw error;
  }
}

async function untilClusterIsUp(port: number): Promise<void> {
  const client = new Redis(port, "127.0.0.1");
  while (!(await client.cluster("INFO")).includes("cluster_state:ok")) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  client.disconnect();
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** The commands that a client sends from now on, with how many replies came in each answer. */
export function recordCommands(client: Redis): { name: string; replies: number }[] {
  const commands: { name: string; replies: number }[] = [];
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    const entry = { name: command.name, replies: 0 };
    commands.push(entry);
    command.promise.then(
      (reply: unknown) => (entry.replies = Array.isArray(reply) ? reply.length : 1),
      () => {},
    );
    return send(command, stream);
  };
  return commands;
}
