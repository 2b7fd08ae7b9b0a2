import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { createDatabase, type Database } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import { Redis } from "ioredis";
import pg from "pg";
import { createStorage, type Storage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import redisDriver from "unstorage/drivers/redis";
import type { nodePlatform } from "../adapters/node.ts";
import type { createSentiero, Sentiero } from "../src/index.ts";
import { makeBatches } from "./batches.ts";
import { quantile, table, toCount } from "./figures.ts";

const STORES = ["sqlite", "postgres", "redis"] as const;
type StoreName = (typeof STORES)[number];

/** The pages that are asked for, in turn. */
const PAGES = ["first", "deep", "term"] as const;
type PageName = (typeof PAGES)[number];

/** What a dashboard asks for. */
const LIMIT = 25;

const POSTGRES_URL = process.env.SENTIERO_TEST_POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/postgres";
const REDIS_URL = process.env.SENTIERO_TEST_REDIS_URL ?? "redis://127.0.0.1:6379";

const BASE = "http://localhost/sentiero";
const COLLECTION = "main/sessions";

/** Sessions lie so far apart, and one in so many is of the person whose page is asked for. */
const STEP_MS = 1_000;
const TERM_EVERY = 20;
const TERM = `user:${"5".repeat(24)}`;

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Documents that are put at once while a store is filled. */
const FILL_GROUP = 500;

/** A store of its own, which goes with the run. */
interface Bench {
  readonly storage: Storage;
  /** Questions to the database so far. */
  calls(): number;
  drop(): Promise<void>;
}

interface Figures {
  readonly store: StoreName;
  readonly sessions: number;
  /** In ms, by page. */
  readonly times: Readonly<Record<PageName, readonly number[]>>;
  readonly calls: Readonly<Record<PageName, number>>;
  /** With lists and batches, and with batches alone. */
  readonly stall: Stall;
  readonly stallWithoutLists: Stall;
  /** Batches that came in meanwhile. */
  readonly posts: number;
}

/** The longest time that the event loop gave nobody a turn, in ms: by the wall's clock, and of CPU that it used itself. */
interface Stall {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/**
 * Measures pages of the list of sessions in stores of several sizes, while batches come in beside in the same process:
 * the first page, a page after a cursor far down, and a person's page. Stores are filled through the document port, and
 * are databases of this run only.
 *
 * `--sessions 1000,100000` (the default; 1000000 takes minutes and some GB), `--stores sqlite,postgres,redis`,
 * `--rounds N` pages of each kind (default 600), `--rate N` batches a second (default 50), `--quick`: 1,000 and 10,000
 * sessions, 150 rounds.
 */
export async function list(args: readonly string[]): Promise<void> {
  const options = {
    sessions: { type: "string" },
    stores: { type: "string" },
    rounds: { type: "string" },
    rate: { type: "string" },
    quick: { type: "boolean", default: false },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const rounds = toCount("--rounds", values.rounds ?? (values.quick ? "150" : "600"), 100_000);
  const rate = toCount("--rate", values.rate ?? "50", 1_000);
  const sizes = (values.sessions ?? (values.quick ? "1000,10000" : "1000,100000"))
    .split(",")
    .map((text) => toCount("--sessions", text, 10_000_000))
    .sort((a, b) => a - b);
  const stores = (values.stores ?? STORES.join()).split(",").map(toStoreName);
  const template = await makeTemplate();
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  // Databases are dropped in any case.
  for (const signal of SIGNALS) process.once(signal, interrupt);
  const measured: Figures[] = [];
  const left: string[] = [];
  try {
    for (const name of stores) {
      const opened = await OPEN[name]().catch((error: unknown) => {
        left.push(`${NAMES[name]}: not there (${(error as Error).message || "no answer"})`);
        return null;
      });
      if (!opened) continue;
      try {
        measured.push(...(await measureStore(name, opened, { sizes, rounds, rate, template, signal: stop.signal })));
      } finally {
        progress(`${NAMES[name]}: dropping`);
        await opened.drop();
        progress("");
      }
      if (stop.signal.aborted) break;
    }
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
  console.log(
    `Pages of ${LIMIT} sessions, ${rounds} of each kind, while ${rate} batches a second come in, in one process;\n` +
      `session documents of about ${(JSON.stringify(template).length / 1000).toFixed(1)} kB, one in ${TERM_EVERY} of one person. ` +
      `Node ${process.versions.node}, ${availableParallelism()} cores.\n`,
  );
  console.log(report(measured));
  for (const line of left) console.log(line);
}

interface Run {
  readonly sizes: readonly number[];
  readonly rounds: number;
  readonly rate: number;
  readonly template: SessionTemplate;
  readonly signal: AbortSignal;
}

async function measureStore(name: StoreName, bench: Bench, run: Run): Promise<readonly Figures[]> {
  const { createSentiero, nodePlatform } = await importBuilt();
  // Batches that come in are newer than everything that the store was filled with.
  const begin = Date.now() - (run.sizes.at(-1)! + 3_600) * STEP_MS;
  const sentiero = createSentiero({ storage: bench.storage, platform: nodePlatform, maintenance: false });
  const measured: Figures[] = [];
  try {
    let filled = 0;
    for (const sessions of run.sizes) {
      await fill(sentiero, { name, from: filled, to: sessions, begin, template: run.template, signal: run.signal });
      filled = sessions;
      if (run.signal.aborted) break;
      progress(`${NAMES[name]}: measuring at ${sessions} sessions`);
      measured.push({ store: name, sessions, ...(await measure(sentiero, bench, { ...run, sessions, begin })) });
    }
    return measured;
  } finally {
    await sentiero.store.close();
  }
}

type SessionTemplate = Readonly<Record<string, unknown>>;

/** What the store keeps of a visit, made by posting one. */
async function makeTemplate(): Promise<SessionTemplate> {
  const { createSentiero, nodePlatform } = await importBuilt();
  const sentiero = createSentiero({ storage: createStorage(), platform: nodePlatform, maintenance: false });
  let id = "";
  for (const batch of makeBatches(1, 8)) {
    id = batch.sessionId;
    await post(sentiero, gzipSync(JSON.stringify(batch)));
  }
  const stored = await sentiero.store.ports.documents.get<SessionTemplate>(COLLECTION, id);
  await sentiero.store.close();
  return stored!.doc;
}

interface Filling {
  readonly name: StoreName;
  readonly from: number;
  readonly to: number;
  readonly begin: number;
  readonly template: SessionTemplate;
  readonly signal: AbortSignal;
}

/** Puts sessions `from` to `to`, the newest last, in groups: one transaction or one pipeline each. */
async function fill(sentiero: Sentiero, { name, from, to, begin, template, signal }: Filling): Promise<void> {
  const { documents } = sentiero.store.ports;
  const startedAt = performance.now();
  for (let index = from; index < to && !signal.aborted; index += FILL_GROUP) {
    const group = Array.from({ length: Math.min(FILL_GROUP, to - index) }, (_, offset) => index + offset);
    const puts = group.map((index) => {
      const at = placeOf(begin, index);
      const isOfPerson = index % TERM_EVERY === 0;
      const terms = isOfPerson ? [TERM] : index % 4 === 1 ? [`user:${idOf(index).slice(0, 24)}`] : [];
      const doc = { ...template, id: idOf(index), createdAt: at, updatedAt: at, terms };
      return documents.put(COLLECTION, doc.id, doc, { score: at, terms, expectedVersion: 0 });
    });
    if ((await Promise.all(puts)).includes(false)) throw new Error(`${name}: the store is not empty`);
    const rate = Math.round(((index - from + group.length) / (performance.now() - startedAt)) * 1000);
    progress(`${NAMES[name]}: filled ${index + group.length} of ${to}, ${rate} a second`);
  }
  progress("");
  const seconds = (performance.now() - startedAt) / 1000;
  console.error(`${NAMES[name]}: filled with ${to - from} sessions in ${seconds.toFixed(1)} s`);
}

function idOf(index: number): string {
  return createHash("md5").update(String(index)).digest("hex");
}

function placeOf(begin: number, index: number): number {
  return begin + index * STEP_MS;
}

async function measure(
  sentiero: Sentiero,
  bench: Bench,
  { sessions, begin, rounds, rate, signal }: Run & { sessions: number; begin: number },
): Promise<Omit<Figures, "store" | "sessions">> {
  const { documents } = sentiero.store.ports;
  const asOf = Date.now();
  // Another place each time, in the older half: what lies near the top is in every cache.
  const cursorAt = (round: number) => {
    const index = Math.floor(sessions * (0.1 + 0.4 * ((round * 0.618) % 1)));
    return { score: placeOf(begin, index), id: idOf(index) };
  };
  const ask: Record<PageName, (round: number) => Promise<number>> = {
    first: async () => (await sentiero.store.sessions.list({ limit: LIMIT })).sessions.length,
    deep: async (round) =>
      (await sentiero.store.sessions.list({ limit: LIMIT, after: cursorAt(round), asOf })).sessions.length,
    term: async () =>
      (await documents.page(COLLECTION, { term: TERM, limit: LIMIT, order: "descending" })).items.length,
  };

  const calls = {} as Record<PageName, number>;
  for (const page of PAGES) {
    for (let round = 0; round < 20; round++) await ask[page](round);
    const before = bench.calls();
    const found = await ask[page](0);
    calls[page] = bench.calls() - before;
    if (found !== LIMIT) throw new Error(`the ${page} page had ${found} of ${LIMIT} sessions`);
  }

  const times: Record<PageName, number[]> = { first: [], deep: [], term: [] };
  const quietMs = Math.min(5_000, rounds * 8);
  // A page takes some milliseconds, with the turn of the others.
  const bodies = makeBodies(Math.ceil((rate * (500 + quietMs + rounds * PAGES.length * 8)) / 1000));
  const writer = startWriter(sentiero, rate, bodies);
  // The first batches pay for what is compiled and connected.
  await pause(500);
  const quiet = watchStalls();
  await pause(quietMs);
  const stallWithoutLists = quiet();
  const busy = watchStalls();
  for (let round = 0; round < rounds && !signal.aborted; round++) {
    for (const page of PAGES) {
      // A turn for the others, as between two requests.
      await pause(1);
      const before = performance.now();
      await ask[page](round);
      times[page].push(performance.now() - before);
    }
  }
  const stall = busy();
  return { times, calls, stall, stallWithoutLists, posts: await writer() };
}

/** So many bodies are made in advance, at most; there are about 30 kB of each. */
const MAX_BODIES = 4_000;

/**
 * Posts batches of new sessions beside, at most `rate` a second, until it is told to stop; tells how many. `bodies` are
 * made in advance, because making them is the browser's work; when they are through, the others are made one by one.
 */
function startWriter(sentiero: Sentiero, rate: number, bodies: Iterator<Uint8Array>): () => Promise<number> {
  const over = new AbortController();
  let posts = 0;
  const work = async () => {
    while (!over.signal.aborted) {
      const begun = performance.now();
      await post(sentiero, bodies.next().value as Uint8Array);
      posts++;
      await pause(Math.max(0, 1000 / rate - (performance.now() - begun)));
    }
    return posts;
  };
  const working = work();
  // Who stops it is told of what went wrong.
  working.catch(() => {});
  return () => {
    over.abort();
    return working;
  };
}

/** Bodies of new sessions without end, of which the first `ready` are there at once. */
function makeBodies(ready: number): Iterator<Uint8Array> {
  function* make(): Generator<Uint8Array> {
    for (;;) for (const batch of makeBatches(40, 20)) yield gzipSync(JSON.stringify(batch));
  }
  const making = make();
  const made = Array.from({ length: Math.min(ready, MAX_BODIES) }, () => making.next().value as Uint8Array);
  function* all(): Generator<Uint8Array> {
    yield* made;
    yield* making;
  }
  return all();
}

async function post(sentiero: Sentiero, body: Uint8Array): Promise<void> {
  const request = new Request(`${BASE}/events`, {
    method: "POST",
    headers: { "content-type": "application/json", "content-encoding": "gzip" },
    body: new Uint8Array(body),
  });
  const response = await sentiero.handlers.events(request);
  if (response.status !== 200) throw new Error(`a batch got ${response.status}: ${await response.text()}`);
}

/** Watches how late timers are, and tells the longest delay when it is asked to stop. */
function watchStalls(): () => Stall {
  let wallMs = 0;
  let cpuMs = 0;
  let last = read();
  const look = () => {
    const now = read();
    wallMs = Math.max(wallMs, now.wall - last.wall - 1);
    cpuMs = Math.max(cpuMs, now.cpu - last.cpu);
    last = now;
  };
  const timer = setInterval(look, 1);
  return () => {
    clearInterval(timer);
    look();
    return { wallMs, cpuMs };
  };

  function read(): { wall: number; cpu: number } {
    const { user, system } = process.threadCpuUsage();
    return { wall: performance.now(), cpu: (user + system) / 1000 };
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const NAMES: Readonly<Record<StoreName, string>> = { sqlite: "SQLite", postgres: "PostgreSQL", redis: "Redis" };

const OPEN: Readonly<Record<StoreName, () => Promise<Bench>>> = {
  sqlite: openSqlite,
  postgres: openPostgres,
  redis: openRedis,
};

/** A file of its own, whose statements are counted. */
async function openSqlite(): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), "sentiero-bench-"));
  const database = createDatabase(nodeSqlite({ path: join(folder, "list.db") }));
  let calls = 0;
  const client = (await database.getInstance()) as unknown as SqliteClient;
  const prepare = client.prepare.bind(client);
  client.prepare = (sql) => {
    const statement = prepare(sql);
    for (const name of ["get", "all", "run"] as const) {
      const method = statement[name].bind(statement);
      statement[name] = (...params) => {
        calls++;
        return method(...params);
      };
    }
    return statement;
  };
  const storage = createStorage({ driver: db0Driver({ database: database as unknown as Database }) });
  return {
    storage,
    calls: () => calls,
    async drop() {
      await storage.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

interface SqliteClient {
  prepare(sql: string): Record<"get" | "all" | "run", (...params: unknown[]) => unknown>;
}

/** A database of its own. */
async function openPostgres(): Promise<Bench> {
  const { postgresPool } = await import("../dist/src/connectors.js");
  const name = `sentiero_bench_${randomBytes(6).toString("hex")}`;
  const admin = async (sql: string) => {
    const client = new pg.Client({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 2_000 });
    await client.connect();
    await client.query(sql).finally(() => client.end());
  };
  await admin(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`);
  const url = new URL(POSTGRES_URL);
  url.pathname = `/${name}`;
  const database = createDatabase(postgresPool({ url: url.href }));
  const pool = (await database.getInstance()) as { query(...args: unknown[]): unknown };
  const query = pool.query.bind(pool);
  let calls = 0;
  pool.query = (...args) => {
    calls++;
    return query(...args);
  };
  const storage = createStorage({ driver: db0Driver({ database: database as unknown as Database }) });
  return {
    storage,
    calls: () => calls,
    async drop() {
      await storage.dispose();
      await admin(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

/** Keys under a prefix of their own. */
async function openRedis(): Promise<Bench> {
  const probe = new Redis(REDIS_URL, { lazyConnect: true, retryStrategy: () => null });
  probe.on("error", () => {});
  await probe.ping().finally(() => probe.disconnect());
  const base = `sentiero-bench-${randomBytes(6).toString("hex")}`;
  const driver = redisDriver({ url: REDIS_URL, base });
  const client = driver.getInstance!() as unknown as Redis;
  const send = client.sendCommand.bind(client);
  let calls = 0;
  client.sendCommand = (command, stream) => {
    calls++;
    return send(command, stream);
  };
  return {
    storage: createStorage({ driver }),
    calls: () => calls,
    async drop() {
      for await (const keys of client.scanStream({ match: `${base}*`, count: 5_000 })) {
        if ((keys as string[]).length > 0) await client.unlink(...(keys as string[]));
      }
      client.disconnect();
    },
  };
}

/** What users get: the built package. */
async function importBuilt(): Promise<{
  createSentiero: typeof createSentiero;
  nodePlatform: typeof nodePlatform;
}> {
  const [{ createSentiero }, { nodePlatform }] = await Promise.all([
    import("../dist/src/index.js"),
    import("../dist/adapters/node.js"),
  ]);
  return { createSentiero, nodePlatform };
}

function toStoreName(text: string): StoreName {
  const found = STORES.find((name) => name === text);
  if (!found) throw new Error(`--stores takes ${STORES.join(", ")}`);
  return found;
}

function report(measured: readonly Figures[]): string {
  const rows = measured.flatMap((figures) => {
    const { store, sessions, times, calls, stall, stallWithoutLists } = figures;
    const smallest = measured.find((other) => other.store === store)!;
    return PAGES.map((page, index) => {
      const p50 = quantile(times[page], 0.5);
      const growth = p50 / quantile(smallest.times[page], 0.5);
      return [
        index === 0 ? `${NAMES[store]}, ${sessions}` : "",
        page,
        p50.toFixed(2),
        quantile(times[page], 0.99).toFixed(2),
        Math.max(...times[page]).toFixed(1),
        figures === smallest ? "" : `${growth.toFixed(2)}x`,
        String(calls[page]),
        index === 0 ? toText(stall) : "",
        index === 0 ? toText(stallWithoutLists) : "",
      ];
    });
  });
  return table(
    ["store, sessions", "page", "p50 ms", "p99 ms", "max ms", "p50 growth", "calls", "stall ms (CPU)", "without lists"],
    [["wanted", "", "<= 2", "<= 10", "", "<= 2x", "", "<= 25", ""], ...rows],
    "calls: statements or commands that a page sends. Stall: the longest time that the event loop gave nobody a turn,\n" +
      "with lists and batches, and with batches alone. What other programs take of the machine is in it, and in p99 and\n" +
      "max; CPU is the longest that this thread worked itself, without waiting for a disk.",
  );
}

function toText({ wallMs, cpuMs }: Stall): string {
  return `${wallMs.toFixed(1)} (${cpuMs.toFixed(1)})`;
}

/** One line that is written over. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
}
