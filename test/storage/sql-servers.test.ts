import type { Database } from "db0";
import mysql2 from "db0/connectors/mysql2";
import postgresql from "db0/connectors/postgresql";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createDatabaseStore, type SqlDatabase } from "../../src/storage/sql-database.ts";
import { SQLITE } from "../../src/storage/sql-statements.ts";
import { createSqlStore } from "../../src/storage/sql.ts";
import type { Store } from "../../src/storage/store.ts";
import { createUpdater } from "../../src/storage/update.ts";
import {
  missing,
  mysqlServer,
  openPool,
  openSqlStore,
  postgresServer,
  type TestServer,
  toDatabase,
} from "../support/databases.ts";
import { platform } from "../support/stores.ts";
import { createProxy } from "../support/tcp-proxy.ts";

const ITEMS = "main/items";
const PUT = { score: 1, expectedVersion: 0 } as const;

const SERVERS = [
  { name: "PostgreSQL", variable: "POSTGRES", server: postgresServer, one: (url: string) => postgresql({ url }) },
  { name: "MariaDB", variable: "MYSQL", server: mysqlServer, one: (url: string) => mysql2({ uri: url }) },
];

for (const { name, variable, server, one } of SERVERS) {
  describe.skipIf(!server)(`${name}${missing(server, variable)}`, () => {
    test("is set up by several at once", async () => {
      const url = await makeDatabase(server!);
      const stores = Array.from({ length: 6 }, () => openSqlStore(keep(openPool(url, 2))));
      const writes = stores.map(({ documents }, index) => documents.put(ITEMS, `id-${index}`, {}, PUT));
      expect(await Promise.all(writes)).toEqual(stores.map(() => true));
      expect(await Promise.all(stores.map((store) => store.schemaVersion(1)))).toEqual(stores.map(() => 1));
      expect(await stores[0]!.documents.count(ITEMS, { max: 99 })).toBe(6);
    });

    test("of a newer schema is read and left as it is", async () => {
      const url = await makeDatabase(server!);
      const database = keep(openPool(url));
      const store = openSqlStore(database);
      await store.documents.put(ITEMS, "a", { n: 1 }, { ...PUT, terms: ["red"] });
      await store.schemaVersion(1);
      await database.exec("UPDATE sentiero_meta SET value = '999' WHERE name = 'schema'");
      // A newer version may have replaced an index.
      await database.exec(
        name === "PostgreSQL" ? "DROP INDEX sentiero_terms_by_id" : "DROP INDEX sentiero_terms_by_id ON sentiero_terms",
      );
      const older = openSqlStore(keep(openPool(url)));
      expect(await older.schemaVersion(1)).toBe(999);
      expect(await older.documents.get(ITEMS, "a")).toMatchObject({ doc: { n: 1 } });
      expect(await older.documents.count(ITEMS, { term: "red", max: 9 })).toBe(1);
      const indexes = await database
        .prepare(
          name === "PostgreSQL"
            ? "SELECT indexname AS name FROM pg_indexes WHERE indexname = 'sentiero_terms_by_id'"
            : "SELECT index_name AS name FROM information_schema.statistics WHERE table_schema = database() AND index_name = 'sentiero_terms_by_id'",
        )
        .all();
      expect(indexes).toEqual([]);
    });

    test("counts every change of twenty writers on two pools", async () => {
      const url = await makeDatabase(server!);
      const stores = [openSqlStore(keep(openPool(url))), openSqlStore(keep(openPool(url)))];
      const updaters = stores.map(({ documents, putWithBlobs }) => createUpdater(documents, putWithBlobs));
      const increment = { apply: (doc: { n: number } | null) => ({ n: (doc?.n ?? 0) + 1 }) };
      const changes = Array.from({ length: 200 }, (_, index) =>
        updaters[index % 2]!.update(ITEMS, "counter", increment, () => 1),
      );
      await Promise.all(changes);
      expect(await stores[0]!.documents.get(ITEMS, "counter")).toMatchObject({ doc: { n: 200 } });
    });

    test("keeps documents, terms and blobs together while two pools put and remove the same ones", async () => {
      const url = await makeDatabase(server!);
      const stores = [openSqlStore(keep(openPool(url, 4))), openSqlStore(keep(openPool(url, 4)))];
      const ids = Array.from({ length: 4 }, (_, index) => `id-${index}`);
      const work = async ({ documents, putWithBlobs, blobs }: Store, seed: number) => {
        for (let round = 0; round < 40; round++) {
          const id = ids[(round * 7 + seed) % ids.length]!;
          const stored = await documents.get(ITEMS, id);
          if (stored && (round + seed) % 4 === 0) await documents.remove(ITEMS, id);
          const key = `a:${seed}:${round}`;
          const options = {
            score: round * 10 + seed,
            terms: ["red", `by-${seed}`],
            expectedVersion: stored?.version ?? 0,
          };
          const won = await putWithBlobs!(ITEMS, id, { seed, round }, options, new Map([[key, Uint8Array.of(round)]]));
          expect(await blobs.has(key)).toBe(won);
        }
      };
      await Promise.all(Array.from({ length: 8 }, (_, seed) => work(stores[seed % 2]!, seed)));
      const { documents } = stores[0]!;
      const all = await documents.page(ITEMS, { order: "ascending", limit: 9 });
      const red = await documents.page(ITEMS, { order: "ascending", limit: 9, term: "red" });
      expect(red).toEqual(all);
      expect(await documents.count(ITEMS, { term: "red", max: 9 })).toBe(all.items.length);
      for (const id of ids) await documents.remove(ITEMS, id);
      expect(await documents.count(ITEMS, { term: "red", max: 9 })).toBe(0);
      expect(await documents.count(ITEMS, { term: "by-3", max: 9 })).toBe(0);
    });

    test("keeps nothing of a put whose blob it refuses", async () => {
      const url = await makeDatabase(server!);
      // Not as a storage is opened, which would cut it into parts.
      const store = createSqlStore(keep(openPool(url)), { platform, durability: "power" });
      await store.documents.put(ITEMS, "a", { n: 1 }, { ...PUT, terms: ["red"] });
      // A key that is too long for MariaDB, and a text that PostgreSQL refuses.
      const key = `a:\u0000${"k".repeat(300)}`;
      const options = { score: 2, terms: ["blue"], expectedVersion: 1 };
      const blobs = new Map([
        ["a:1", Uint8Array.of(1)],
        [key, Uint8Array.of(2)],
      ]);
      await expect(store.putWithBlobs!(ITEMS, "a", { n: 2 }, options, blobs)).rejects.toThrow();
      expect(await store.documents.get(ITEMS, "a")).toEqual({ id: "a", doc: { n: 1 }, version: 1, score: 1 });
      expect(await store.documents.count(ITEMS, { term: "blue", max: 9 })).toBe(0);
      expect(await store.blobs.has("a:1")).toBe(false);
    });

    // Of 130, fifty go at a time: where some of those were gone, the other eighty stayed for good.
    test("removes all under a prefix, also while another removes some of the same", async () => {
      const url = await makeDatabase(server!);
      const { blobs } = openSqlStore(keep(openPool(url)));
      const keys = Array.from({ length: 130 }, (_, index) => `a:1:${index}`);
      await Promise.all(keys.map((key) => blobs.create(key, Uint8Array.of(1))));
      const other = keep(toDatabase(one(url)));
      await other.exec("BEGIN");
      await other.exec("DELETE FROM sentiero_blobs WHERE sentiero_blobs.key IN ('a:1:0', 'a:1:1', 'a:1:10')");
      const removing = blobs.removeAll("a:1:");
      // It waits for the other's rows.
      await new Promise((resolve) => setTimeout(resolve, 200));
      await other.exec("COMMIT");
      await removing;
      expect((await blobs.list("a:1:", null)).keys).toEqual([]);
    });

    test("answers 503 while it is away, whatever is asked, and is set up when it comes", async () => {
      const url = new URL(await makeDatabase(server!));
      const proxy = await createProxy(url.hostname, Number(url.port));
      url.port = String(proxy.port);
      const store = openSqlStore(keep(openPool(url.href)));
      await expectUnavailable(store);
      await proxy.open();
      onTestFinished(() => proxy.close());
      expect(await store.documents.put(ITEMS, "a", {}, PUT)).toBe(true);
      await proxy.close();
      await expectUnavailable(store);
      await proxy.open();
      expect(await store.documents.get(ITEMS, "a")).not.toBeNull();
    });

    test("loses nothing that was answered when its connections are cut off under load", async () => {
      const url = await makeDatabase(server!);
      const store = openSqlStore(keep(openPool(url)));
      await store.schemaVersion(1);
      const answered: string[] = [];
      const over = new AbortController();
      const write = async (writer: number) => {
        for (let n = 0; !over.signal.aborted; n++) {
          const id = `${writer}-${n}`;
          const blobs = new Map([[`a:${id}`, Uint8Array.of(1)]]);
          const error = await store.putWithBlobs!(ITEMS, id, {}, PUT, blobs).then(
            () => void answered.push(id),
            (reason: unknown) => reason,
          );
          if (error) expect(error).toMatchObject({ status: 503, headers: { "retry-after": "2" } });
        }
      };
      const writers = Array.from({ length: 8 }, (_, writer) => write(writer));
      for (let round = 0; round < 3; round++) {
        const before = answered.length;
        await server!.disconnect(url);
        // Goes on by itself: the test's own time limit ends it otherwise.
        while (answered.length < before + 20) await new Promise((resolve) => setTimeout(resolve, 5));
      }
      over.abort();
      await Promise.all(writers);
      const stored = await Promise.all(answered.map((id) => store.documents.get(ITEMS, id)));
      expect(stored.filter((one) => one === null)).toEqual([]);
      expect(await Promise.all(answered.map((id) => store.blobs.has(`a:${id}`)))).not.toContain(false);
    });

    test("through one connection answers 503 once it is lost, and says beforehand that a pool is better", async () => {
      const url = await makeDatabase(server!);
      const store = openSqlStore(keep(toDatabase(one(url))));
      await store.documents.put(ITEMS, "a", {}, PUT);
      const finding = { level: "warning", remedy: expect.stringContaining("sentiero/connectors") };
      expect(await store.check()).toEqual([expect.objectContaining(finding)]);
      await server!.disconnect(url);
      await expectUnavailable(store);
    });

    test("shares a pool among many stores without listening to it once for each", async () => {
      const warnings: string[] = [];
      const listen = (warning: Error) => warnings.push(warning.name);
      process.on("warning", listen);
      onTestFinished(() => void process.off("warning", listen));
      const database = keep(openPool(await makeDatabase(server!), 2));
      for (let index = 0; index < 15; index++) {
        for (const durability of ["power", "process"] as const) {
          await openSqlStore(database, durability).documents.get(ITEMS, "a");
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
      expect(warnings).toEqual([]);
    });

    test("takes a pool for everything that unstorage does", async () => {
      const url = await makeDatabase(server!);
      const storage = createStorage({ driver: db0Driver({ database: keep(openPool(url)) }) });
      await storage.setItem("a:b", { n: 1 });
      expect(await storage.getItem("a:b")).toEqual({ n: 1 });
      expect(await storage.getKeys()).toEqual(["a:b"]);
    });
  });
}

describe.skipIf(!postgresServer)(`PostgreSQL alone${missing(postgresServer, "POSTGRES")}`, () => {
  test("changes a document in place while its score stays", async () => {
    const database = keep(openPool(await makeDatabase(postgresServer!)));
    const { documents } = openSqlStore(database);
    await documents.put(ITEMS, "a", {}, { ...PUT, terms: ["red"] });
    for (let version = 1; version <= 200; version++) {
      expect(await documents.put(ITEMS, "a", { version }, { score: 1, expectedVersion: version })).toBe(true);
    }
    const read = async () => {
      const [row] = (await database
        .prepare(
          "SELECT n_tup_upd AS all, n_tup_hot_upd AS hot FROM pg_stat_user_tables WHERE relname = 'sentiero_documents'",
        )
        .all()) as { all: string; hot: string }[];
      return { all: Number(row!.all), hot: Number(row!.hot) };
    };
    // Connections report now and then.
    await expect.poll(read, { timeout: 20_000 }).toMatchObject({ all: 200 });
    expect((await read()).hot).toBeGreaterThan(180);
  });

  test("goes on where statements are forgotten, as behind a pooler", async () => {
    const url = await makeDatabase(postgresServer!);
    const database = keep(toDatabase(postgresql({ url })));
    const { documents } = openSqlStore(database);
    await documents.put(ITEMS, "a", {}, PUT);
    await documents.get(ITEMS, "a");
    await database.exec("DEALLOCATE ALL");
    expect(await documents.get(ITEMS, "a")).not.toBeNull();
    expect(await documents.put(ITEMS, "a", {}, { score: 1, expectedVersion: 1 })).toBe(true);
  });

  test("commits without waiting for the disk with the durability of the process", async () => {
    const url = await makeDatabase(postgresServer!);
    for (const [durability, setting] of [
      ["process", "off"],
      ["power", "on"],
    ] as const) {
      const database = keep(openPool(url, 1));
      const store = openSqlStore(database, durability);
      expect(store.about.durability).toBe(durability === "process" ? "process" : "database");
      await store.documents.put(ITEMS, durability, {}, PUT);
      expect(await database.prepare("SHOW synchronous_commit").get()).toEqual({ synchronous_commit: setting });
    }
  });

  test("finds settings that lose data", async () => {
    const url = await makeDatabase(postgresServer!);
    const database = keep(openPool(url));
    await database.exec(`ALTER DATABASE ${new URL(url).pathname.slice(1)} SET synchronous_commit = off`);
    const found = await openSqlStore(keep(openPool(url))).check();
    expect(found).toEqual([
      expect.objectContaining({ level: "warning", what: expect.stringContaining("synchronous_commit") }),
    ]);
  });
});

/** An empty database that goes with the test. */
async function makeDatabase(server: TestServer): Promise<string> {
  const url = await server.createDatabase();
  onTestFinished(() => server.dropDatabase(url));
  return url;
}

/** Closes a database with the test; one that lost its connection has nothing to close. */
function keep(database: Database): Database {
  onTestFinished(() => database.dispose().catch(() => {}));
  return database;
}

/** Every method says that the database is not there. */
async function expectUnavailable(store: Store): Promise<void> {
  const { documents, blobs } = store;
  const calls: readonly (() => Promise<unknown>)[] = [
    () => documents.get(ITEMS, "a"),
    () => documents.getMany(ITEMS, ["a"]),
    () => documents.put(ITEMS, "a", {}, PUT),
    () => documents.remove(ITEMS, "a"),
    () => documents.page(ITEMS, { limit: 1, order: "ascending" }),
    () => documents.count(ITEMS, { max: 1 }),
    () => blobs.create("a:1", Uint8Array.of(1)),
    () => blobs.get("a:1"),
    () => blobs.has("a:1"),
    () => blobs.remove("a:1"),
    () => blobs.removeAll("a:"),
    () => blobs.list("", null),
    () => store.putWithBlobs!(ITEMS, "a", {}, PUT, new Map([["a:1", Uint8Array.of(1)]])),
    () => store.schemaVersion(1),
    () => store.check(),
  ];
  for (const call of calls) {
    const error = await call().then(
      () => "an answer",
      (reason: unknown) => reason,
    );
    expect(error, String(call)).toMatchObject({ status: 503, headers: { "retry-after": "2" } });
  }
}

describe("a database that does not behave", () => {
  // What is not asked here throws.
  const never = () => new Promise<never>(() => {});
  const open = (database: Partial<SqlDatabase>) =>
    createDatabaseStore({ dialect: SQLITE, setUp: async () => {}, ...database } as SqlDatabase, {
      name: "a database",
      writers: "any",
      durability: "database",
    });
  const unavailable = { status: 503, headers: { "retry-after": "2" } };

  test("by not answering is given up after ten seconds, and closing does not wait for it", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const store = open({ query: never });
    const asked = store.documents.get(ITEMS, "a").catch((error: unknown) => error);
    const closed = store.close();
    await vi.advanceTimersByTimeAsync(9_000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await asked).toMatchObject(unavailable);
    await closed;
  });

  test("by deadlocks without an end is given up after five seconds", async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    let tries = 0;
    const deadlock = Object.assign(new Error("deadlock detected"), { code: "40P01" });
    const store = open({ put: () => (tries++, Promise.reject(deadlock)) });
    const asked = store.documents.put(ITEMS, "a", {}, PUT).catch((error: unknown) => error);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(await asked).toMatchObject(unavailable);
    expect(tries).toBeGreaterThan(10);
  });

  test("by one deadlock is asked again", async () => {
    const answers = [Promise.reject(Object.assign(new Error("deadlock"), { code: "ER_LOCK_DEADLOCK" })), true];
    const store = open({ put: async () => answers.shift()! });
    expect(await store.documents.put(ITEMS, "a", {}, PUT)).toBe(true);
    expect(answers).toEqual([]);
  });

  test("by refusing a statement is not said to be away", async () => {
    const refusal = Object.assign(new Error("syntax error"), { code: "42601" });
    const store = open({ query: () => Promise.reject(refusal) });
    await expect(store.documents.get(ITEMS, "a")).rejects.toBe(refusal);
  });
});
