import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createStorage } from "unstorage";
import fsDriver from "unstorage/drivers/fs-lite";
import { describe, expect, onTestFinished, test } from "vitest";
import { importStore } from "../../src/maintenance/archive-import.ts";
import { ARCHIVED, exportStore, type ArchivePlace } from "../../src/maintenance/archive.ts";
import { KINDS } from "../../src/sessions/kinds.ts";
import { openStore } from "../../src/storage/open.ts";
import { guardSchema } from "../../src/storage/schema.ts";
import type { Store } from "../../src/storage/store.ts";
import type { Batch } from "../../src/types.ts";
import { missing, openPool, openSqlStore, postgresServer } from "../support/databases.ts";
import { createHouse, keys, readKeys, readSessions } from "../support/house.ts";
import { intercept, openMemoryStore, openSqliteStore, platform, temporaryFolder } from "../support/stores.ts";

const START = Date.UTC(2027, 0, 15, 12);
const HOUR = 3_600_000;

function toBatch(session: number, seq: number, now: number, fields: Partial<Batch> = {}): Batch {
  return {
    sessionId: session === 0 ? "Session-With-Capitals" : `session-${session}`,
    windowId: "window-1",
    run: "a".repeat(24),
    seq,
    sentAt: now,
    metadata: { userId: `person-${session}` },
    events: [{ type: seq === 0 ? 2 : 3, data: { text: `é😀 ${session}/${seq}` }, timestamp: now - 1000 }],
    ...fields,
  };
}

/** Sessions of every sort: settled, not settled, with index pages, and one that was erased. */
async function fill(store: Store): Promise<() => number> {
  let now = START;
  const house = createHouse(store, () => now);
  for (let session = 0; session < 5; session++) {
    for (let seq = 0; seq < (session === 2 ? 140 : 3); seq++) await house.append(toBatch(session, seq, now));
    now += 60_000;
  }
  now += HOUR;
  await house.sessions.settle("Session-With-Capitals");
  await house.sessions.settle("session-1");
  await house.sessions.erase("session-4");
  await house.usage.fold();
  return () => now;
}

const options = (clock: () => number) => ({ project: "main", platform, clock, onError: console.error });

async function collect(lines: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const found: Uint8Array[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

async function* from(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** What two stores must agree in. */
async function contentOf(store: Store): Promise<unknown> {
  const blobs: Record<string, string> = {};
  for (const key of await readKeys(store)) blobs[key] = Buffer.from((await store.blobs.get(key))!).toString("base64");
  const sessions = await readSessions(store);
  const found: Record<string, string[]> = {};
  for (const { document } of sessions.values()) {
    for (const term of document.terms) {
      const { items } = await store.documents.page(keys.sessions, { term, limit: 9, order: "ascending" });
      found[term] = items.map(({ id }) => id);
    }
  }
  const others: unknown[] = [];
  for (const kind of ["tombstones", "usage"]) {
    const { items } = await store.documents.page(`main/${kind}`, { limit: 99, order: "ascending" });
    others.push(...items.map(({ id, doc, score }) => ({ kind, id, doc, score })));
  }
  return { blobs, sessions: [...sessions].toSorted(), found, others };
}

async function openPostgresStore(): Promise<Store> {
  const url = await postgresServer!.createDatabase();
  const database = openPool(url);
  onTestFinished(async () => {
    await database.dispose();
    await postgresServer!.dropDatabase(url);
  });
  return openSqlStore(database);
}

function openFolderStore(): Store {
  const base = join(temporaryFolder(), "store");
  mkdirSync(base);
  return openStore(createStorage({ driver: fsDriver({ base }) }), { platform, maxMemoryBytes: 1, warn: () => {} });
}

test.skipIf(!postgresServer)(
  `a store comes out of SQLite, PostgreSQL, files and memory as it was${missing(postgresServer, "POSTGRES")}`,
  async () => {
    const { store: first } = await openSqliteStore();
    const clock = await fill(first);
    const content = await contentOf(first);
    let source = first;
    for (const open of [openPostgresStore, openFolderStore, () => openMemoryStore().store]) {
      const target = await open();
      const result = await importStore(target, exportStore(source, options(clock)), options(clock));
      expect(result).toMatchObject({
        added: 4,
        present: 0,
        differing: 0,
        erased: 0,
        archive: { sessions: 4, missing: 0 },
      });
      expect(await contentOf(target)).toEqual(content);
      source = target;
    }
    const house = createHouse(source, clock);
    expect((await house.reindex()).changed).toBe(0);
    await expect(house.append(toBatch(4, 9, clock()))).rejects.toThrow("erased");
    await source.close();
  },
);

describe("an import", () => {
  test("that is done again changes nothing", async () => {
    const { store } = openMemoryStore();
    const clock = await fill(store);
    const archive = await collect(exportStore(store, options(clock)));
    const { store: target } = openMemoryStore();
    await importStore(target, from(archive), options(clock));
    const content = await contentOf(target);
    const result = await importStore(target, from(archive), options(clock));
    expect(result).toMatchObject({ added: 0, present: 4, bytes: 0 });
    expect(await contentOf(target)).toEqual(content);
    // Settled or not, it is the same session.
    await createHouse(target, clock).sessions.settle("session-2");
    expect(await importStore(target, from(archive), options(clock))).toMatchObject({ present: 4, differing: 0 });
  });

  test("takes what was recorded since an earlier one, and leaves what the target has more", async () => {
    const { store } = openMemoryStore();
    const clock = await fill(store);
    const { store: target } = openMemoryStore();
    const early = await collect(exportStore(store, options(clock)));
    await importStore(target, from(early), options(clock));
    const house = createHouse(store, clock);
    await house.append(toBatch(2, 300, clock()));
    await house.append(toBatch(3, 3, clock()));
    const result = await importStore(target, exportStore(store, options(clock)), options(clock));
    expect(result).toMatchObject({ added: 0, updated: 2, present: 2 });
    expect((await readSessions(target)).get("session-3")).toEqual((await readSessions(store)).get("session-3"));
    const again = await importStore(target, from(early), options(clock));
    expect(again).toMatchObject({ updated: 0, present: 4, differing: 0 });
  });

  test("erases here who was erased there since an earlier one", async () => {
    const { store } = openMemoryStore();
    const clock = await fill(store);
    const { store: target } = openMemoryStore();
    await importStore(target, exportStore(store, options(clock)), options(clock));
    const house = createHouse(store, clock);
    await house.sessions.erase("session-3");
    await house.usage.fold();
    await importStore(target, exportStore(store, options(clock)), options(clock));
    expect((await readSessions(target)).has("session-3")).toBe(false);
    expect((await readKeys(target)).filter((key) => key.includes("session-3"))).toEqual([]);
    expect(await contentOf(target)).toEqual(await contentOf(store));
  });

  test("leaves and tells a session that is there with other content", async () => {
    const { store } = openMemoryStore();
    const clock = await fill(store);
    const { store: target } = openMemoryStore();
    const house = createHouse(target, clock);
    await house.append(toBatch(3, 0, clock(), { run: "b".repeat(24) }));
    const before = (await readSessions(target)).get("session-3");
    const result = await importStore(target, exportStore(store, options(clock)), options(clock));
    expect(result).toMatchObject({ added: 3, differing: 1, differingIds: ["session-3"] });
    expect((await readSessions(target)).get("session-3")).toEqual(before);
    expect(await readKeys(target, "batches:main:session-3:")).toEqual(before!.named);
  });

  test("leaves nothing of a session that is erased, at whatever moment", async () => {
    const { store } = openMemoryStore();
    const clock = await fill(store);
    const archive = await collect(exportStore(store, options(clock)));
    for (let moment = 0; ; moment++) {
      const { store: target } = openMemoryStore();
      let calls = 0;
      let isReached = false;
      const around = async (_: string, __: readonly unknown[], call: () => unknown): Promise<unknown> => {
        if (calls++ === moment) {
          isReached = true;
          const score = clock() + HOUR;
          await target.documents.put(keys.tombstones, "session-3", { v: 1 }, { score, expectedVersion: 0 });
          await createHouse(target, clock).sessions.erase("session-3");
        }
        return call();
      };
      const around_ = { documents: intercept(target.documents, around), blobs: intercept(target.blobs, around) };
      await importStore({ ...target, putWithBlobs: undefined, ...around_ }, from(archive), options(clock));
      if (!isReached) break;
      expect([...(await readSessions(target)).keys()]).not.toContain("session-3");
      expect((await readKeys(target)).filter((key) => key.includes("session-3"))).toEqual([]);
      // One with so many batches takes most of the calls.
      moment += 2;
    }
  });

  test("of a cut archive keeps what was whole, says where it ends, and goes on with the whole one", async () => {
    const { store } = openMemoryStore();
    const clock = await fill(store);
    const archive = Buffer.concat(await collect(exportStore(store, options(clock))));
    const whole = await contentOf(store);
    for (const share of [0, 0.001, 0.3, 0.6, 0.99, 0.99999]) {
      const { store: target } = openMemoryStore();
      const part = archive.subarray(0, Math.floor(archive.byteLength * share));
      await expect(importStore(target, from([part]), options(clock))).rejects.toThrow(
        /^line \d+: the archive is cut here/,
      );
      const sessions = await readSessions(target);
      expect([...sessions.values()].flatMap(({ named }) => named).toSorted()).toEqual(await readKeys(target));
      await importStore(target, from([archive]), options(clock));
      expect(await contentOf(target)).toEqual(whole);
    }
  });

  test("of a damaged archive names the line and keeps what stands before it", async () => {
    const { store } = openMemoryStore();
    const clock = await fill(store);
    const lines = await collect(exportStore(store, options(clock)));
    const at = lines.findIndex((line) => Buffer.from(line).includes('"id":"session-2"'));
    const damaged = lines.map((line, index) => {
      const text = Buffer.from(line).toString("utf8");
      return index === at + 2 ? Buffer.from(text.replace(/"bytes":"H4/, '"bytes":"H5')) : line;
    });
    const { store: target } = openMemoryStore();
    await expect(importStore(target, from(damaged), options(clock))).rejects.toThrow(
      `line ${at + 3}: the line is damaged`,
    );
    expect([...(await readSessions(target)).keys()].toSorted()).toEqual(["Session-With-Capitals", "session-1"]);
    expect(await readKeys(target, "batches:main:session-2:")).toEqual([]);
    // A session that was left out is noticed too.
    const without = lines.filter((_, index) => index < at || index >= lines.length - 6);
    await expect(importStore(target, from(without), options(clock))).rejects.toThrow(
      "4 sessions should stand here, and 3 do",
    );
  });

  test("refuses an archive of a newer schema, a store of a newer schema, and what is none", async () => {
    const { store } = openMemoryStore();
    const clock = await fill(store);
    const { store: target } = openMemoryStore();
    const newer = exportStore({ ...store, schemaVersion: async () => 2 }, options(clock));
    await expect(importStore(target, newer, options(clock))).rejects.toThrow("newer sentiero");
    const { store: upgraded } = openMemoryStore();
    const guarded = guardSchema({ ...upgraded, schemaVersion: async () => 2 }, clock);
    await expect(importStore(guarded, exportStore(store, options(clock)), options(clock))).rejects.toThrow(
      "newer sentiero",
    );
    expect(await readKeys(upgraded)).toEqual([]);
    for (const text of ["hello\n", '{"sum":"0000000000000000","type":"archive"}\n', "\n"]) {
      const source = from([new TextEncoder().encode(text)]);
      await expect(importStore(target, source, options(clock))).rejects.toThrow(
        "line 1: this is no archive of sentiero",
      );
    }
    expect(await readKeys(target)).toEqual([]);
  });

  test("lets maintenance settle what came in behind the place where it stands", async () => {
    const { store } = openMemoryStore();
    const clock = await fill(store);
    const { store: target } = openMemoryStore();
    const progress = { v: 1, settledTo: clock(), settledAt: 1, settledSessions: 7, retainedAt: 0, retentionRemoved: 0 };
    await target.documents.put("main/progress", "maintenance", progress, { score: 0, expectedVersion: 0 });
    await importStore(target, exportStore(store, options(clock)), options(clock));
    const { doc } = (await target.documents.get<typeof progress>("main/progress", "maintenance"))!;
    expect(doc).toEqual({ ...progress, settledTo: (await readSessions(target)).get("session-2")!.score - 1 });
  });
});

describe("an export", () => {
  test("that was cut goes on behind a whole session, to the same archive", async () => {
    const { store } = openMemoryStore();
    const clock = await fill(store);
    const whole = Buffer.concat(await collect(exportStore(store, options(clock))));
    for (let stopAt = 1; stopAt <= 4; stopAt++) {
      const written: Uint8Array[] = [];
      let place: ArchivePlace | null = null;
      let sessions = 0;
      const onPlace = (next: ArchivePlace): void => {
        place = next;
        if (++sessions === stopAt) throw new Error("stopped");
      };
      await expect(
        (async () => {
          for await (const line of exportStore(store, { ...options(clock), onPlace })) written.push(line);
        })(),
      ).rejects.toThrow("stopped");
      const rest = await collect(exportStore(store, { ...options(clock), from: place }));
      expect(Buffer.concat([...written, ...rest]).equals(whole)).toBe(true);
    }
  });

  test("holds a session whole that is settled or erased while it is read", async () => {
    for (let moment = 0; ; moment++) {
      const { store } = openMemoryStore();
      const clock = await fill(store);
      let calls = 0;
      let isReached = false;
      const around = async (_: string, __: readonly unknown[], call: () => unknown): Promise<unknown> => {
        if (calls++ === moment) {
          isReached = true;
          const house = createHouse(store, clock);
          await house.sessions.settle("session-2");
          await house.sessions.settle("session-3");
          await house.sessions.erase("session-1");
        }
        return call();
      };
      const busy = { documents: intercept(store.documents, around), blobs: intercept(store.blobs, around) };
      const archive = await collect(exportStore({ ...store, ...busy }, options(clock)));
      if (!isReached) break;
      const { store: target } = openMemoryStore();
      const { archive: counts } = await importStore(target, from(archive), options(clock));
      expect(counts.missing).toBe(0);
      const sessions = await readSessions(target);
      const events = (id: string) => sessions.get(id)?.document.events;
      expect([events("Session-With-Capitals"), events("session-2"), events("session-3")]).toEqual([3, 140, 3]);
      expect([...sessions.values()].flatMap(({ named }) => named).toSorted()).toEqual(await readKeys(target));
      moment += 4;
    }
  });

  test("says how many recordings were not there", async () => {
    const { store } = openMemoryStore();
    const clock = await fill(store);
    await store.blobs.remove((await readKeys(store, "batches:main:session-3:"))[0]!);
    const { store: target } = openMemoryStore();
    expect((await importStore(target, exportStore(store, options(clock)), options(clock))).archive.missing).toBe(1);
  });

  test("takes every kind or says why not", () => {
    const undecided = KINDS.filter(({ stored, of }) => stored === "documents" && of === "store").map(
      ({ name }) => name,
    );
    expect(Object.keys(ARCHIVED).toSorted()).toEqual(undecided.toSorted());
  });
});
