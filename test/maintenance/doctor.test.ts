import { createStorage } from "unstorage";
import { expect, test } from "vitest";
import { createSentiero, type Notice, type SentieroOptions } from "../../src/index.ts";
import { readKeys } from "../support/house.ts";
import { batch, post } from "../support/sentiero.ts";
import { openSqliteStore, platform } from "../support/stores.ts";

const START = Date.UTC(2027, 0, 15, 12);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function open(options: SentieroOptions = {}) {
  let now = START;
  const clock = () => now;
  const onError = (): void => {};
  const settings = {
    onError,
    maintenance: false,
    retentionDays: 90,
    storage: createStorage(),
    platform,
    clock,
    ...options,
  };
  const sentiero = createSentiero(settings as SentieroOptions);
  for (let session = 0; session < 3; session++) {
    for (let seq = 0; seq < 2; seq++) {
      const fields = { sessionId: `session-${session}`, run: "a".repeat(24), seq };
      expect((await post(sentiero, batch(fields))).status).toBe(200);
    }
  }
  const { documents, blobs } = sentiero.store.ports;
  return { sentiero, documents, blobs, later: (ms: number) => (now += ms), clock };
}

/** What it finds, but for the advice about keeping everything in memory. */
async function examine({ sentiero }: Pick<Awaited<ReturnType<typeof open>>, "sentiero">): Promise<readonly Notice[]> {
  return (await sentiero.store.doctor()).filter(({ what }) => !what.includes("in memory"));
}

const finding = (level: Notice["level"], what: string, remedy: string) => ({
  level,
  what: expect.stringContaining(what),
  remedy: expect.stringContaining(remedy),
});

test("nothing is found where nothing is wrong, live or settled", async () => {
  const opened = await open();
  expect(await examine(opened)).toEqual([]);
  opened.later(2 * HOUR);
  await opened.sentiero.maintain();
  expect(await examine(opened)).toEqual([]);
});

test("recordings that are not there are found, and a reindex is what helps", async () => {
  const opened = await open();
  const { blobs, sentiero } = opened;
  await blobs.remove((await readKeys(sentiero.store.ports, "batches:main:session-1:"))[0]!);
  expect(await examine(opened)).toEqual([finding("error", "1 of 3 sessions", "sentiero reindex")]);
  await sentiero.store.maintenance.startJob("reindex", {});
  await sentiero.maintain();
  expect(await examine(opened)).toEqual([]);
});

test("recordings that nobody names are found when they have lain there, and a reindex is what helps", async () => {
  const opened = await open();
  const { blobs, sentiero, later } = opened;
  const key = (await readKeys(sentiero.store.ports, "batches:main:session-1:"))[0]!;
  await blobs.create(key.replace(/-\d-/, "-7-"), (await blobs.get(key))!);
  expect(await examine(opened)).toEqual([]);
  later(2 * HOUR);
  expect(await examine(opened)).toEqual([finding("warning", "1 of 3 sessions", "sentiero reindex")]);
});

test("an erasure that was cut is found, and a reindex ends it", async () => {
  const opened = await open();
  const { documents, sentiero } = opened;
  for (const id of ["session-1", "session-2"]) {
    await documents.put("main/tombstones", id, { v: 1 }, { score: START + DAY, expectedVersion: 0 });
  }
  await documents.remove("main/sessions", "session-2");
  expect(await examine(opened)).toEqual([finding("error", "2 sessions that were erased", "sentiero reindex")]);
  await sentiero.store.maintenance.startJob("reindex", {});
  await sentiero.maintain();
  expect(await examine(opened)).toEqual([]);
  expect(await readKeys(sentiero.store.ports, "batches:main:session-2:")).toEqual([]);
});

test("maintenance that nobody does is found by what it leaves undone", async () => {
  const opened = await open();
  await opened.sentiero.store.sessions.erase("session-2");
  opened.later(100 * DAY);
  const [notice, ...others] = await examine(opened);
  expect(others).toEqual([]);
  expect(notice).toEqual(finding("warning", "have not been settled", "sentiero serve"));
  expect(notice!.what).toContain("marks of erased sessions");
  expect(notice!.what).toContain("older than 90 days");
});

test("a job that does not move, and one that failed, are found", async () => {
  const opened = await open();
  const { sentiero, documents, later } = opened;
  const { id } = await sentiero.store.maintenance.startJob("purge", { to: START });
  later(HOUR);
  expect(await examine(opened)).toEqual([finding("warning", "A job (purge) has not moved for 60 minutes", "cancel")]);
  const { doc, version } = (await documents.get<object>("main/jobs", id))!;
  await documents.put(
    "main/jobs",
    id,
    { ...doc, state: "failed", error: "no disk" },
    { score: START, expectedVersion: version },
  );
  expect(await examine(opened)).toEqual([finding("warning", "The last job (purge) failed: no disk", "log")]);
});

test("a clock that is ahead is found", async () => {
  const opened = await open();
  opened.later(-10 * 60_000);
  expect(await examine(opened)).toEqual([finding("warning", "10 minutes ahead", "NTP")]);
});

test("limits that are near or reached are found", async () => {
  const near = await open({ limits: { maxBytesPerDay: 750 } });
  expect(await examine(near)).toMatchObject([{ level: "warning", remedy: expect.stringContaining("maxBytesPerDay") }]);
  await post(near.sentiero, batch({ sessionId: "session-9", metadata: { text: "x".repeat(900) } }));
  expect(await examine(near)).toMatchObject([{ level: "error", remedy: expect.stringContaining("maxBytesPerDay") }]);
});

test("recordings without an end are worth knowing", async () => {
  const opened = await open({ retentionDays: undefined });
  expect(await examine(opened)).toEqual([finding("info", "for ever", "retentionDays")]);
});

test("a document that can't be read is found, and a reindex is what helps", async () => {
  const { storage, client } = await openSqliteStore();
  const opened = await open({ storage });
  client.exec(`UPDATE sentiero_documents SET doc = '{' WHERE id = 'session-1'`);
  expect(await examine(opened)).toEqual([finding("error", "can't be read", "sentiero reindex")]);
  await opened.sentiero.store.maintenance.startJob("reindex", {});
  await opened.sentiero.maintain();
  expect(await examine(opened)).toEqual([]);
});

test("a store of a newer schema is found, and one that does not answer", async () => {
  const { storage, client } = await openSqliteStore();
  const opened = await open({ storage });
  client.exec("UPDATE sentiero_meta SET value = '99' WHERE name = 'schema'");
  expect(await examine(opened)).toEqual([finding("error", "schema 99", "Upgrade")]);
  client.exec("DROP TABLE sentiero_documents");
  expect(await examine(opened)).toContainEqual(finding("error", "does not answer as it should", "log"));
});
