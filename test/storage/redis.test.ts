import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Store } from "../../src/storage/store.ts";
import { storeContract } from "../../src/testing.ts";
import {
  hasRedis,
  hasRedisServer,
  openRedisCluster,
  openRedisStore,
  recordCommands,
  startRedis,
  startRedisCluster,
  startRedisForTest,
  type RedisServer,
} from "../support/redis.ts";

const PUT = { score: 1, expectedVersion: 0 } as const;
const ITEMS = "main/items";

const isThere = await hasRedis();
const canStart = await hasRedisServer();

describe.skipIf(!isThere)("contract: Redis", () => {
  for (const { name, run } of storeContract(async () => (await openRedisStore()).store)) test(name, run);
});

describe.skipIf(!isThere)("Redis, with a key prefix of the client and numbers as text", () => {
  const open = async () => (await openRedisStore({ keyPrefix: "sentiero-[test]*:", stringNumbers: true })).store;
  for (const { name, run } of storeContract(open)) test(name, run);
});

describe.skipIf(!canStart)("contract: Redis Cluster", () => {
  let servers: readonly RedisServer[] = [];
  const folders: string[] = [];

  beforeAll(async () => {
    for (let node = 0; node < 3; node++) folders.push(mkdtempSync(join(tmpdir(), "sentiero-test-")));
    servers = await startRedisCluster(folders);
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.kill()));
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  });
  const open = () => openRedisCluster(servers.map(({ port }) => port));

  for (const { name, run } of storeContract(async () => (await open()).store)) test(name, run);

  test("spreads sessions over the nodes, and sweeps find them all", async () => {
    const { store, client } = await open();
    const keys = await createSessions(store, 60);
    const sizes = await Promise.all(client.nodes("master").map((node) => node.dbsize()));
    expect(sizes.every((size) => size > 0)).toBe(true);
    expect(await keysOf(store, "")).toEqual(keys);
    expect(await keysOf(store, "batches:main:")).toEqual(keys.filter((key) => key.startsWith("batches:main:")));
    await store.blobs.removeAll("batches:main:");
    expect(await keysOf(store, "")).toEqual(keys.filter((key) => !key.startsWith("batches:main:")));
    expect(await store.check()).toEqual([expect.objectContaining({ level: "warning" })]);
  });
});

describe.skipIf(!isThere)("Redis", () => {
  test("lists and removes blobs by any prefix", async () => {
    const { store } = await openRedisStore({ base: undefined, keyPrefix: "sentiero-[test]*:" });
    const keys = await createSessions(store, 250);
    const under = (prefix: string) => keys.filter((key) => key.startsWith(prefix));
    for (const prefix of ["", "batches:", "batches:main:", "batches:main:s7:", "batches:main:s7:w0:", "batches:m:"]) {
      expect(await keysOf(store, prefix)).toEqual(under(prefix));
    }
    for (const prefix of ["batches:main:s7:w0:", "batches:main:s8:", "index:"]) {
      const left = (await keysOf(store, "")).filter((key) => !key.startsWith(prefix));
      await store.blobs.removeAll(prefix);
      expect(await keysOf(store, "")).toEqual(left);
    }
  });

  test("takes one command for a blob, one for a put, and two for a page", async () => {
    const { store, client } = await openRedisStore();
    await store.documents.put(ITEMS, "a", {}, { ...PUT, terms: ["red"] });
    const commands = recordCommands(client);
    await store.blobs.create("batches:main:a:1", Uint8Array.of(1));
    await store.documents.put(ITEMS, "a", {}, { score: 2, terms: ["blue"], expectedVersion: 1 });
    await store.documents.page(ITEMS, { limit: 10, order: "descending" });
    expect(commands.map(({ name }) => name)).toEqual(["hsetnx", "evalsha", "zrevrangebylex", "mget"]);
  });

  test("pages and counts among 100,000 equal scores without reading the others", async () => {
    const { store, client } = await openRedisStore();
    const ids = Array.from({ length: 100_000 }, (_, index) => `id-${String(index).padStart(6, "0")}`);
    for (let at = 0; at < ids.length; at += 5_000) {
      const some = ids.slice(at, at + 5_000);
      await Promise.all(some.map((id) => store.documents.put(ITEMS, id, {}, { ...PUT, terms: ["red"] })));
    }
    const commands = recordCommands(client);
    for (const term of [undefined, "red"]) {
      // The cursor's document is gone by the time of the next page.
      const after = { score: 1, id: "id-050000-gone" };
      const up = await store.documents.page(ITEMS, { term, after, limit: 3, order: "ascending" });
      expect(up.items.map(({ id }) => id)).toEqual(ids.slice(50_001, 50_004));
      const down = await store.documents.page(ITEMS, { term, after, limit: 3, order: "descending" });
      expect(down.items.map(({ id }) => id)).toEqual(ids.slice(49_998, 50_001).toReversed());
      expect(await store.documents.count(ITEMS, { term, from: 1, to: 1, max: 1_000_000 })).toBe(100_000);
    }
    expect(commands).toHaveLength(10);
    expect(Math.max(...commands.map(({ replies }) => replies))).toBe(4);
  });

  test("sorts ids by their bytes, also where UTF-16 would not", async () => {
    const { store } = await openRedisStore();
    for (const id of ["😀", "\uffee", "é", "z"]) await store.documents.put(ITEMS, id, {}, PUT);
    const page = await store.documents.page(ITEMS, { limit: 9, order: "ascending", from: 1, to: 1 });
    expect(page.items.map(({ id }) => id)).toEqual(["z", "é", "\uffee", "😀"]);
  });

  test("takes unlimited bounds, and no score that is not a safe integer", async () => {
    const { store } = await openRedisStore();
    for (const score of [-Number.MAX_SAFE_INTEGER, -1, -0, 1, Number.MAX_SAFE_INTEGER]) {
      await store.documents.put(ITEMS, `at-${score}`, {}, { score, expectedVersion: 0 });
    }
    const range = { from: -Infinity, to: Infinity };
    expect(await store.documents.count(ITEMS, { ...range, max: 9 })).toBe(5);
    const page = await store.documents.page(ITEMS, { ...range, limit: 9, order: "ascending" });
    expect(page.items.map(({ score }) => score)).toEqual([-Number.MAX_SAFE_INTEGER, -1, 0, 1, Number.MAX_SAFE_INTEGER]);
    for (const score of [Number.NaN, 0.5, 2 ** 53, Infinity]) {
      await expect(store.documents.put(ITEMS, "a", {}, { score, expectedVersion: 0 })).rejects.toThrow(RangeError);
    }
  });

  test("leaves nothing behind of documents and blobs that were removed", async () => {
    const { store, client, prefix } = await openRedisStore();
    await store.documents.put(ITEMS, "a", {}, { ...PUT, terms: ["red", "a\tb", '"'] });
    await store.documents.put(ITEMS, "a", {}, { score: 2, terms: ["blue", "b"], expectedVersion: 1 });
    await store.blobs.create("batches:main:a:1", Uint8Array.of(1));
    expect(await client.keys(`${prefix}*`)).toHaveLength(3);
    await store.documents.remove(ITEMS, "a");
    await store.blobs.remove("batches:main:a:1");
    expect(await client.keys(`${prefix}*`)).toEqual([]);
  });

  test("runs its scripts again after Redis forgot them", async () => {
    const { store } = await openRedisStore();
    await store.documents.put(ITEMS, "a", {}, PUT);
    // Others only lose a round trip by it.
    const { client } = await openRedisStore();
    await client.script("FLUSH");
    expect(await store.documents.put(ITEMS, "b", {}, PUT)).toBe(true);
  });

  test("keeps the schema of the first process", async () => {
    const first = await openRedisStore();
    const second = await openRedisStore({ base: first.prefix });
    const found = await Promise.all([first.store.schemaVersion(3), second.store.schemaVersion(4)]);
    expect(found[0]).toBe(found[1]);
    expect(await second.store.schemaVersion(5)).toBe(found[0]);
  });

  test("loses no increment of four clients", async () => {
    const first = await openRedisStore();
    const others = await Promise.all([1, 2, 3].map(() => openRedisStore({ base: first.prefix })));
    await Promise.all(
      [first, ...others].map(async ({ store: { documents } }) => {
        for (let left = 50; left > 0;) {
          const stored = await documents.get<{ n: number }>(ITEMS, "counter");
          const doc = { n: (stored?.doc.n ?? 0) + 1 };
          if (await documents.put(ITEMS, "counter", doc, { score: doc.n, expectedVersion: stored?.version ?? 0 }))
            left--;
        }
      }),
    );
    expect(await first.store.documents.get(ITEMS, "counter")).toMatchObject({ doc: { n: 200 }, score: 200 });
    expect(await first.store.documents.count(ITEMS, { max: 9 })).toBe(1);
  });

  test("loses nothing when its connection is cut again and again", async () => {
    const { store, client, prefix } = await openRedisStore();
    const admin = (await openRedisStore({ base: prefix })).client;
    const names = Array.from({ length: 200 }, (_, index) => `name-${index}`);
    let cuts = 0;
    // An answer may be lost after its put, so a change has to know itself again, as a batch does by its hash.
    const add = async (name: string): Promise<void> => {
      for (;;) {
        const stored = await store.documents.get<{ names: string[] }>(ITEMS, "names");
        if (stored?.doc.names.includes(name)) return;
        const doc = { names: [...(stored?.doc.names ?? []), name] };
        if (await store.documents.put(ITEMS, "names", doc, { score: 1, expectedVersion: stored?.version ?? 0 })) return;
      }
    };
    for (let at = 0; at < names.length; at += 10) {
      const added = names.slice(at, at + 10).map(add);
      if (at % 40 === 0) cuts += Number(await admin.client("KILL", "ID", await clientId(client, admin)));
      await Promise.all(added);
    }
    expect(cuts).toBe(5);
    const stored = await store.documents.get<{ names: string[] }>(ITEMS, "names");
    expect(stored?.doc.names.toSorted()).toEqual(names.toSorted());
  });
});

describe.skipIf(!canStart)("a Redis that is away", () => {
  const clients = {
    "a client with the default options": {},
    "a client that tries for ever": { maxRetriesPerRequest: null },
    "a client without a queue": { enableOfflineQueue: false },
    "a client that connects when it is used": { lazyConnect: true },
  };

  for (const [name, options] of Object.entries(clients)) {
    test(`makes requests of ${name} fail with 503, and all is well when it is back`, async () => {
      const { folder, ...server } = await startRedisForTest(["--appendonly", "yes", "--appendfsync", "always"]);
      const { store, client } = await openRedisStore({ ...options, url: `redis://127.0.0.1:${server.port}` });
      expect(await store.documents.put(ITEMS, "before", {}, PUT)).toBe(true);
      await store.blobs.create("batches:main:a:1", Uint8Array.of(1));
      await server.kill();
      // What was sent before the client knew may still be done later, as after any lost answer.
      while (client.status === "ready") await pause(5);
      const settled = await Promise.allSettled([
        ...Array.from({ length: 50 }, (_, index) => store.documents.put(ITEMS, `away-${index}`, {}, PUT)),
        store.documents.get(ITEMS, "before"),
        store.documents.page(ITEMS, { limit: 5, order: "ascending" }),
        store.blobs.create("batches:main:a:2", Uint8Array.of(2)),
        store.blobs.removeAll("batches:"),
        store.check(),
      ]);
      for (const result of settled) {
        expect(result).toMatchObject({ reason: { status: 503, headers: { "retry-after": "2" } } });
      }
      const back = await startRedis(folder, ["--appendonly", "yes"], server.port);
      try {
        await untilItWorks(() => store.documents.get(ITEMS, "before"));
        // What failed was not kept for later.
        expect(await store.documents.count(ITEMS, { max: 99 })).toBe(1);
        expect(await keysOf(store, "")).toEqual(["batches:main:a:1"]);
        expect(await store.documents.put(ITEMS, "after", {}, PUT)).toBe(true);
      } finally {
        client.disconnect();
        await back.kill();
      }
    });
  }

  test("was never there: fails with 503", async () => {
    const server = await startRedisForTest();
    await server.kill();
    const { store } = await openRedisStore({ url: `redis://127.0.0.1:${server.port}` });
    await expect(store.documents.get(ITEMS, "a")).rejects.toMatchObject({ status: 503 });
  });

  test("that hangs is given up after some seconds, and answers again later", async () => {
    const server = await startRedisForTest();
    const { store } = await openRedisStore({ url: `redis://127.0.0.1:${server.port}` });
    await store.documents.put(ITEMS, "a", {}, PUT);
    server.process.kill("SIGSTOP");
    await expect(store.documents.get(ITEMS, "a")).rejects.toMatchObject({ status: 503 });
    server.process.kill("SIGCONT");
    await untilItWorks(() => store.documents.get(ITEMS, "a"));
    expect(await store.documents.get(ITEMS, "a")).toMatchObject({ id: "a" });
  });

  test("that is full, a replica, or loading answers 503 and keeps documents whole", async () => {
    const server = await startRedisForTest();
    const { store, client } = await openRedisStore({ url: `redis://127.0.0.1:${server.port}` });
    await store.documents.put(ITEMS, "a", { n: 1 }, { ...PUT, terms: ["red"] });
    const put = () => store.documents.put(ITEMS, "a", { n: 2 }, { score: 2, terms: ["blue"], expectedVersion: 1 });
    const away = { status: 503, headers: { "retry-after": "2" } };
    await client.config("SET", "maxmemory", "1");
    await expect(store.documents.put(ITEMS, "b", {}, PUT)).rejects.toMatchObject(away);
    await expect(store.blobs.create("batches:main:a:1", Uint8Array.of(1))).rejects.toMatchObject(away);
    await client.config("SET", "maxmemory", "0");
    await client.replicaof("127.0.0.1", "1");
    await expect(put()).rejects.toMatchObject(away);
    await untilItWorks(() => client.replicaof("NO", "ONE"));
    expect(await store.documents.count(ITEMS, { term: "blue", max: 9 })).toBe(0);
    expect(await store.documents.get(ITEMS, "b")).toBeNull();
    await untilItWorks(async () => expect(await put()).toBe(true));
  });

  test("does not make an error of ours 503", async () => {
    const server = await startRedisForTest();
    const { store, client, prefix } = await openRedisStore({ url: `redis://127.0.0.1:${server.port}` });
    await client.set(`${prefix}:b:batches:main:a`, "not a hash");
    const error = await store.blobs.get("batches:main:a:1").catch((reason: unknown) => reason);
    expect(error).toMatchObject({ message: expect.stringContaining("WRONGTYPE") });
    expect(error).not.toHaveProperty("status");
  });
});

describe.skipIf(!canStart)("the settings of Redis", () => {
  test("that lose recordings are found, and those that CONFIG does not tell are not guessed", async () => {
    const server = await startRedisForTest();
    const url = `redis://127.0.0.1:${server.port}`;
    const { store, client } = await openRedisStore({ url });
    const gone = { level: "warning", what: expect.stringContaining("restarts"), remedy: expect.anything() };
    expect(await store.check()).toEqual([gone]);
    await client.config("SET", "save", "60 1");
    expect(await store.check()).toEqual([{ ...gone, what: expect.stringContaining("snapshot") }]);
    await client.config("SET", "appendonly", "yes");
    expect(await store.check()).toEqual([]);
    await client.config("SET", "maxmemory-policy", "volatile-lru");
    expect(await store.check()).toEqual([]);
    await client.config("SET", "maxmemory-policy", "allkeys-lru");
    expect(await store.check()).toEqual([
      { level: "error", what: expect.stringContaining("evict"), remedy: expect.stringContaining("noeviction") },
    ]);
    await client.acl("SETUSER", "app", "on", ">secret", "~*", "+@all", "-config");
    const app = await openRedisStore({ url, username: "app", password: "secret" });
    expect(await app.store.check()).toEqual([]);
  });
});

/** Sessions of two projects, with two windows each; gives their keys, sorted. */
async function createSessions(store: Store, sessions: number): Promise<readonly string[]> {
  const keys = Array.from({ length: sessions }, (_, index) => `s${index}`).flatMap((session) =>
    ["batches:main", "batches:main-2", "index:main"].flatMap((start) =>
      ["w0", "w1"].map((window) => `${start}:${session}:${window}:0`),
    ),
  );
  await Promise.all(keys.map((key) => store.blobs.create(key, Uint8Array.of(1))));
  return keys.sort();
}

/** All keys of a listing, sorted. */
async function keysOf(store: Store, prefix: string): Promise<readonly string[]> {
  const keys = new Set<string>();
  let cursor: string | null = null;
  do {
    const page = await store.blobs.list(prefix, cursor);
    for (const key of page.keys) keys.add(key);
    cursor = page.cursor;
  } while (cursor !== null);
  return [...keys].sort();
}

/** The id by which Redis knows the connection of a client, asked by another. */
async function clientId(client: Redis, admin: Redis): Promise<number> {
  await client.client("SETNAME", "to-be-cut");
  const list = (await admin.client("LIST")) as string;
  const line = list.split("\n").find((text) => text.includes(" name=to-be-cut "))!;
  return Number(/^id=(\d+)/.exec(line)![1]);
}

async function untilItWorks(attempt: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await attempt();
      return;
    } catch {
      await pause(50);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
