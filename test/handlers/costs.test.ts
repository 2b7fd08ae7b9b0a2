import { join } from "node:path";
import { createDatabase, type Database } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import { createStorage, type Storage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { expect, onTestFinished, test } from "vitest";
import type { Sentiero, SessionList } from "../../src/index.ts";
import type { SqliteClient, SqliteStatement } from "../../src/storage/sqlite-connection.ts";
import { openStore } from "../../src/storage/open.ts";
import type { Store } from "../../src/storage/store.ts";
import { createMapDriver } from "../support/map-driver.ts";
import { api, batch, createTestSentiero, post } from "../support/sentiero.ts";
import { createDigest, intercept, openSessions, platform, readDocument, temporaryFolder } from "../support/stores.ts";

const RUN = "a".repeat(24);

interface Counted {
  readonly storage: Storage;
  /** The statements that were run, as their text. */
  readonly statements: string[];
  /** How many rows came back. */
  rows: number;
}

/** A storage on a SQLite file whose statements are counted where the driver hands them over. */
function openCountedSqlite(): Counted {
  const counted = { statements: [] as string[], rows: 0 };
  const wrapStatement = (sql: string, statement: SqliteStatement): SqliteStatement =>
    intercept(statement, (name, _, call) => {
      counted.statements.push(sql);
      const answer = call();
      counted.rows += Array.isArray(answer) ? answer.length : 1;
      return answer;
    });
  const database = createDatabase(nodeSqlite({ path: join(temporaryFolder(), "costs.sqlite") }));
  let client: SqliteClient | undefined;
  const wrapClient = (real: SqliteClient): SqliteClient => ({
    exec: (sql) => {
      counted.statements.push(sql);
      return real.exec(sql);
    },
    prepare: (sql) => wrapStatement(sql, real.prepare(sql)),
  });
  const wrapped = intercept(database as Database, (name, _, call) =>
    name === "getInstance" ? (client ??= wrapClient(call() as SqliteClient)) : call(),
  );
  const storage = createStorage({ driver: db0Driver({ database: wrapped }) });
  onTestFinished(() => storage.dispose());
  return Object.assign(counted, { storage });
}

/**
 * A sentiero whose clock stands still, so that the counters, which are written every few seconds and not with a batch,
 * are written once, before anything is counted.
 */
async function openSentiero(storage: Storage): Promise<Sentiero> {
  const sentiero = createTestSentiero({ storage, maintenance: false, clock: () => 1_800_000_000_000 });
  expect((await post(sentiero, batch({ sessionId: "warm-up" }))).status).toBe(200);
  await sentiero.maintain();
  return sentiero;
}

/** What a POST of batch `seq` of a session writes, as `TABLE verb`. */
async function writesOf({ statements }: Counted, sentiero: Sentiero, seq: number): Promise<readonly string[]> {
  statements.length = 0;
  const fields = { run: RUN, seq, metadata: { userAgent: "Mozilla/5.0 Firefox/130.0" } };
  const events = [{ type: seq === 0 ? 2 : 3, data: { n: seq }, timestamp: 1_700_000_000_000 + seq }];
  expect((await post(sentiero, batch({ ...fields, events }))).status).toBe(200);
  return statements.flatMap((sql) => {
    const [, verb, table] = /^\s*(INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO) (\w+)/i.exec(sql) ?? [];
    return verb ? [`${table} ${verb}`] : [];
  });
}

test("a POST costs one blob, one document and one transaction on SQLite", async () => {
  const counted = openCountedSqlite();
  const sentiero = await openSentiero(counted.storage);

  const first = await writesOf(counted, sentiero, 0);
  const commits = counted.statements.filter((sql) => sql === "COMMIT").length;
  expect(first).toEqual(["sentiero_documents INSERT INTO", "sentiero_blobs INSERT INTO"]);
  expect(commits).toBe(1);
  for (const seq of [1, 2, 3]) {
    // The session keeps its place in the list, so neither its score nor its terms move.
    expect(await writesOf(counted, sentiero, seq)).toEqual(["sentiero_documents UPDATE", "sentiero_blobs INSERT INTO"]);
    expect(counted.statements.filter((sql) => sql === "COMMIT")).toHaveLength(1);
  }
});

test("a batch costs one blob and one document where they share no transaction, and nothing lists keys or reads a batch", async () => {
  const calls: string[] = [];
  const note = (port: string) => (name: string, _: readonly unknown[], call: () => unknown) => {
    calls.push(`${port}.${name}`);
    return call();
  };
  const driver = createMapDriver("fs-lite");
  const storage = createStorage({ driver });
  const opened = openStore(storage, { platform, maxMemoryBytes: 1, warn: () => {} });
  expect(opened.putWithBlobs).toBeUndefined();
  const store: Store = {
    ...opened,
    documents: intercept(opened.documents, note("documents")),
    blobs: intercept(opened.blobs, note("blobs")),
  };
  const sessions = openSessions(store);
  const costs = async (seq: number) => {
    calls.length = 0;
    await sessions.append(createDigest({ seq }), Uint8Array.of(seq));
    return calls.filter((call) => !/\.(get|has)$/.test(call));
  };

  expect(await costs(0)).toEqual(["blobs.create", "documents.put"]);
  expect(await costs(1)).toEqual(["blobs.create", "documents.put"]);
  for (let seq = 2; seq < 40; seq++) await costs(seq);
  const before = { ...driver.calls };
  expect(await costs(40)).toEqual(["blobs.create", "documents.put"]);
  expect(calls).not.toContain("blobs.get");
  expect(driver.calls.getKeys).toBe(before.getKeys);
});

test("a batch that is there already costs no write", async () => {
  const counted = openCountedSqlite();
  const sentiero = await openSentiero(counted.storage);
  await writesOf(counted, sentiero, 0);
  expect(await writesOf(counted, sentiero, 0)).toEqual([]);
});

test("the first page costs the same statements and rows at 10 and at 2,000 sessions", async () => {
  const counted = openCountedSqlite();
  const sentiero = await openSentiero(counted.storage);
  const { documents } = sentiero.store.ports;

  await fill(sentiero, documents, 9);
  const few = await costOfPage(counted, sentiero, 5);
  await fill(sentiero, documents, 2_000);
  const many = await costOfPage(counted, sentiero, 5);

  expect(few.statements).toBeGreaterThan(0);
  expect(many).toEqual(few);
});

test("the first page reads as many items of a plain driver at 10 and at 2,000 sessions", async () => {
  const driver = createMapDriver("fs-lite");
  const sentiero = await openSentiero(createStorage({ driver }));
  const { documents } = sentiero.store.ports;
  const costs = async () => {
    const before = { ...driver.calls };
    expect((await listed(sentiero, 5)).sessions).toHaveLength(5);
    return Object.entries(driver.calls).map(([name, count]) => [name, count - (before[name] ?? 0)] as const);
  };

  await fill(sentiero, documents, 9);
  const few = new Map(await costs());
  await fill(sentiero, documents, 2_000);
  const many = new Map(await costs());

  expect(few.get("getItemRaw")).toBeGreaterThan(0);
  expect(many).toEqual(few);
});

async function costOfPage(
  counted: Counted,
  sentiero: Sentiero,
  limit: number,
): Promise<{ statements: number; rows: number }> {
  counted.statements.length = 0;
  counted.rows = 0;
  expect((await listed(sentiero, limit)).sessions).toHaveLength(limit);
  return { statements: counted.statements.length, rows: counted.rows };
}

async function listed(sentiero: Sentiero, limit: number): Promise<SessionList> {
  return (await api<SessionList>(sentiero, `/sessions?limit=${limit}`)).body;
}

/** Copies of the session that is there, each with a place of its own in the list. */
async function fill(sentiero: Sentiero, documents: Store["documents"], count: number): Promise<void> {
  const doc = (await readDocument(sentiero.store.ports, "warm-up"))!;
  const puts = Array.from({ length: count }, (_, index) => {
    const id = `copy-${count}-${index}`;
    return documents.put("main/sessions", id, { ...doc, id }, { score: 1_600_000_000_000 + index, expectedVersion: 0 });
  });
  expect(new Set(await Promise.all(puts))).toEqual(new Set([true]));
}
