import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { afterEach, describe, expect, inject, it } from "vitest";
import { missing, mysqlServer, postgresServer, type TestServer } from "../support/databases.ts";
import { hasRedisServer, startRedis } from "../support/redis.ts";
import { createProxy } from "../support/tcp-proxy.ts";
import { IS_SOAK } from "./backends.ts";
import { killServers, serveStore } from "./store-server.ts";
import {
  check,
  createRandom,
  createTabs,
  read,
  sendAgain,
  sendNext,
  type Answer,
  type Tab,
  type Target,
} from "./tabs.ts";

const TABS = 6;

/** How long the database is away at least: it stays away until everybody has noticed. */
const AWAY_MS = IS_SOAK ? 20_000 : 2_000;

/** How long batches stream in before. */
const LOAD_MS = 300;

/** A database that can go away and come back. */
interface Frail {
  readonly storage: string;
  stop(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

const canStartRedis = await hasRedisServer();
const noRedis = canStartRedis ? "" : " (redis-server is not installed)";

afterEach(killServers);

describe.skipIf(!postgresServer)(`outage of PostgreSQL${missing(postgresServer, "POSTGRES")}`, () => {
  survives(() => createBehindProxy(postgresServer!, 5432));
});

describe.skipIf(!mysqlServer)(`outage of MariaDB${missing(mysqlServer, "MYSQL")}`, () => {
  survives(() => createBehindProxy(mysqlServer!, 3306));
});

describe.skipIf(!canStartRedis)(`outage of Redis${noRedis}`, () => {
  survives(createOwnRedis);
});

function survives(create: () => Promise<Frail>): void {
  it("answers 503 and when to come back, goes on by itself, and has kept what it had answered", async () => {
    const database = await create();
    try {
      await takeAway(database);
    } finally {
      await killServers();
      await database.remove();
    }
  }, 180_000);
}

async function takeAway(database: Frail): Promise<void> {
  const random = createRandom(inject("seed"));
  const server = await serveStore(database.storage);
  const agent = new Agent({ connections: TABS * 2 });
  const target = { url: server.url, agent };
  const tabs = createTabs("visit", TABS, random);
  const visits = tabs.map((tab) => visit(target, tab, random));
  const running = Promise.all(visits.map(({ ended }) => ended));
  const onAll = (wait: (one: Visit) => Promise<void>) => Promise.race([Promise.all(visits.map(wait)), running]);

  await onAll((one) => one.next("taken"));
  await sleep(LOAD_MS);
  await database.stop();
  // One that is started meanwhile has to wait for the database as well.
  const starting = serveStore(database.storage);
  await Promise.all([sleep(AWAY_MS), starting, onAll((one) => one.next("refused"))]);
  const second = await starting;
  expectRefused(await read(target, "/sessions"));
  expectRefused(await read({ url: second.url, agent }, "/sessions"));

  await database.start();
  await onAll((one) => one.next("taken"));
  for (const one of visits) one.stop();
  await running;
  const both = [target, { url: second.url, agent }];
  for (const one of both) while ((await read(one, "/sessions")).status === 503) await sleep(50);
  for (const one of both) for (const tab of tabs) await check(one, tab);
  await sendAgain(target, tabs);
  for (const tab of tabs) await check(target, tab);
  await agent.destroy();
  for (const { signal, ended } of [server, second]) {
    signal("SIGTERM");
    // It has lived until now, and nothing but the 503 came of it.
    expect(await ended).toEqual({ signal: null, stderr: "" });
  }
}

/** A tab that sends one batch after the other. */
interface Visit {
  /** Resolves when a batch that is sent from now on was taken, or refused. */
  next(what: "taken" | "refused"): Promise<void>;
  stop(): void;
  /** Rejects when an answer is neither 200 nor a 503 that says when to come back. */
  readonly ended: Promise<void>;
}

function visit(target: Target, tab: Tab, random: () => number): Visit {
  const over = new AbortController();
  let waiting: { what: string; resolve: () => void }[] = [];

  async function send(): Promise<void> {
    while (!over.signal.aborted) {
      const asked = waiting;
      const answer = await sendNext(target, tab, random);
      const what = answer.status === 200 ? "taken" : "refused";
      if (what === "refused") {
        expectRefused(answer);
        await sleep(20 + random() * 30);
      }
      for (const one of asked) if (one.what === what) one.resolve();
      waiting = waiting.filter((one) => !asked.includes(one) || one.what !== what);
    }
  }

  return {
    next: (what) => new Promise((resolve) => (waiting = [...waiting, { what, resolve }])),
    stop: () => over.abort(),
    ended: send(),
  };
}

function expectRefused({ status, retryAfter }: Answer): void {
  expect(status).toBe(503);
  expect(Number(retryAfter)).toBeGreaterThan(0);
}

/** A database of the server that other tests use too, so that only the way to it is closed. */
async function createBehindProxy(server: TestServer, defaultPort: number): Promise<Frail> {
  const own = await server.createDatabase();
  const { hostname, port } = new URL(own);
  const proxy = await createProxy(hostname, Number(port) || defaultPort);
  await proxy.open();
  const way = new URL(own);
  way.host = `127.0.0.1:${proxy.port}`;
  return {
    storage: way.href,
    stop: proxy.close,
    start: proxy.open,
    async remove() {
      await proxy.close();
      await server.dropDatabase(own);
    },
  };
}

/** A server of our own, which is killed. Its log is on disk before it answers. */
async function createOwnRedis(): Promise<Frail> {
  const folder = mkdtempSync(join(tmpdir(), "sentiero-outage-"));
  const args = ["--appendonly", "yes"];
  let server = await startRedis(folder, args);
  const { port } = server;
  return {
    storage: `redis://127.0.0.1:${port}#outage`,
    stop: () => server.kill(),
    async start() {
      server = await startRedis(folder, args, port);
    },
    async remove() {
      await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
