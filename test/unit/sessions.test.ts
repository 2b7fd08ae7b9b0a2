import { createStorage } from "unstorage";
import { describe, expect, test } from "vitest";
import type { BatchDigest } from "../../src/sessions/digest.ts";
import { batchKey } from "../../src/sessions/replay-order.ts";
import type { Sessions } from "../../src/sessions/sessions.ts";
import { openStore } from "../../src/storage/open.ts";
import type { Store } from "../../src/storage/store.ts";
import {
  createDigest,
  hashOf,
  intercept,
  openMemoryStore,
  openSessions,
  openSqliteStore,
  platform,
  readDocument,
} from "../support/stores.ts";

const NOW = 1_800_000_000_000;
const RUN = "a".repeat(24);
const ONE = Uint8Array.of(1);

async function appendAll(sessions: Sessions, digests: Iterable<BatchDigest>): Promise<void> {
  for (const digest of digests) await sessions.append(digest, new TextEncoder().encode(digest.hash));
}

function range(count: number, fields: Partial<BatchDigest> = {}): BatchDigest[] {
  return Array.from({ length: count }, (_, seq) => createDigest({ ...fields, seq }));
}

async function batchesOf(sessions: Sessions, id = "session-1", windowId = "window-1") {
  return (await sessions.batches(id, windowId)) ?? [];
}

describe.each(["memory", "SQLite"])("sessions on %s", (kind) => {
  const open = async (): Promise<Store> =>
    kind === "memory" ? openMemoryStore().store : (await openSqliteStore()).store;

  test("a batch is there, whole, when append resolves", async () => {
    const sessions = openSessions(await open());
    const digest = createDigest();
    await sessions.append(digest, Uint8Array.of(1, 2, 3));
    expect(await batchesOf(sessions)).toMatchObject([{ key: batchKey(digest), run: RUN, seq: 0, isConflict: false }]);
    expect(await sessions.batch("session-1", "window-1", batchKey(digest))).toEqual(Uint8Array.of(1, 2, 3));
  });

  test("more batches than a document holds are listed completely and in order", async () => {
    const store = await open();
    const sessions = openSessions(store);
    const digests = range(300);
    // Sent out of order, as after a retry.
    await appendAll(sessions, [...digests.slice(150), ...digests.slice(0, 150).toReversed()]);
    expect((await readDocument(store))!.indexPages.length).toBeGreaterThan(0);
    const batches = await batchesOf(sessions);
    expect(batches.map(({ seq }) => seq)).toEqual(digests.map(({ seq }) => seq));
    expect(batches.filter(({ isConflict }) => isConflict)).toEqual([]);
    const bodies = await Promise.all(batches.map(({ key }) => sessions.batch("session-1", "window-1", key)));
    expect(bodies.map((body) => new TextDecoder().decode(body!))).toEqual(digests.map(({ hash }) => hash));
  });

  test("the same batches again change nothing, on an index page or not", async () => {
    const store = await open();
    const sessions = openSessions(store);
    const digests = [...range(140), createDigest({ run: "", seq: -1, hash: hashOf("loose") })];
    await appendAll(sessions, digests);
    const before = await store.documents.get("main/sessions", "session-1");
    await appendAll(sessions, digests.toReversed());
    expect(await store.documents.get("main/sessions", "session-1")).toEqual(before);
    expect(await batchesOf(sessions)).toHaveLength(141);
  });

  test("two bodies under one number are both kept, the second is flagged, before and after a spill", async () => {
    const sessions = openSessions(await open());
    const other = (seq: number) => createDigest({ seq, hash: hashOf(`other ${seq}`) });
    await appendAll(sessions, [...range(140), other(3), other(139), other(3)]);
    const batches = await batchesOf(sessions);
    expect(batches).toHaveLength(142);
    expect(batches.filter(({ isConflict }) => isConflict).map(({ seq }) => seq)).toEqual([3, 139]);
    for (const { key } of batches) expect(await sessions.batch("session-1", "window-1", key)).not.toBeNull();
    expect((await sessions.get("session-1"))!.windows[0]).toMatchObject({ conflictCount: 2, batchCount: 142 });
  });

  test("batches without run and number are kept once each, in the order of their events", async () => {
    const sessions = openSessions(await open());
    const loose = Array.from({ length: 200 }, (_, index) =>
      createDigest({ run: "", seq: -1, hash: hashOf(`loose ${index}`), first: 10_000 - index, last: 10_000 - index }),
    );
    await appendAll(sessions, [...loose, ...loose.slice(0, 20), ...loose.slice(190)]);
    const batches = await batchesOf(sessions);
    expect(batches.map(({ firstAt }) => firstAt)).toEqual(loose.map(({ first }) => first).toReversed());
    expect(batches.every(({ key, seq, isConflict }) => key.startsWith("loose-") && seq === -1 && !isConflict)).toBe(
      true,
    );
    expect((await sessions.get("session-1"))!.eventCount).toBe(200);
  });

  test("a batch whose blob was written before a crash is taken when it comes again", async () => {
    const store = await open();
    const sessions = openSessions(store);
    await appendAll(sessions, range(130));
    const lost = createDigest({ run: "", seq: -1, hash: hashOf("lost") });
    await store.blobs.create(`batches:main:session-1:window-1:${batchKey(lost)}`, ONE);
    await sessions.append(lost, ONE);
    expect((await batchesOf(sessions)).map(({ key }) => key)).toContain(batchKey(lost));
  });

  test("the numbers that never came are shown for each run", async () => {
    const sessions = openSessions(await open());
    const second = "b".repeat(24);
    await appendAll(sessions, [
      ...[1, 2, 5].map((seq) => createDigest({ seq })),
      ...[0, 1].map((seq) => createDigest({ run: second, seq })),
    ]);
    expect((await sessions.get("session-1"))!.windows[0]!.missing).toEqual([
      { run: RUN, from: 0, to: 0 },
      { run: RUN, from: 3, to: 4 },
    ]);
  });

  test("what the recorder gave up is shown at its window", async () => {
    const sessions = openSessions(await open());
    const gap = { reason: "overflow" as const, events: 9, from: 5, to: 7 };
    await appendAll(sessions, [createDigest({ gaps: [gap] }), createDigest({ windowId: "window-2" })]);
    const { windows } = (await sessions.get("session-1"))!;
    expect(windows.map(({ id, gaps }) => [id, gaps])).toEqual([
      ["window-1", [gap]],
      ["window-2", []],
    ]);
  });

  test("sixteen batches at once are all kept", async () => {
    const sessions = openSessions(await open());
    await Promise.all(range(16).map((digest) => sessions.append(digest, ONE)));
    expect(await batchesOf(sessions)).toHaveLength(16);
  });

  test("the same batch sixteen times at once is kept once", async () => {
    const sessions = openSessions(await open());
    await Promise.all(Array.from({ length: 16 }, () => sessions.append(createDigest(), ONE)));
    expect(await batchesOf(sessions)).toHaveLength(1);
    expect((await sessions.get("session-1"))!.eventCount).toBe(1);
  });

  test("ids that differ in case are different sessions and windows", async () => {
    const sessions = openSessions(await open());
    await appendAll(sessions, [
      createDigest({ sessionId: "abc", windowId: "w" }),
      createDigest({ sessionId: "ABC", windowId: "w" }),
      createDigest({ sessionId: "abc", windowId: "W", hash: hashOf("W") }),
    ]);
    expect((await sessions.get("abc"))!.windowCount).toBe(2);
    expect((await sessions.get("ABC"))!.windowCount).toBe(1);
    await sessions.erase("ABC");
    expect(await batchesOf(sessions, "abc", "w")).toHaveLength(1);
    expect(await sessions.batch("abc", "w", batchKey(createDigest({ windowId: "w" })))).not.toBeNull();
  });

  test("the place in the list moves at most once a minute", async () => {
    const store = await open();
    let now = NOW;
    const sessions = openSessions(store, { clock: () => now });
    const scores: number[] = [];
    for (const [seq, at] of [NOW, NOW + 30_000, NOW + 59_999, NOW + 60_000, NOW + 90_000].entries()) {
      now = at;
      await sessions.append(createDigest({ seq, receivedAt: at }), ONE);
      scores.push((await store.documents.get("main/sessions", "session-1"))!.score - NOW);
    }
    expect(scores).toEqual([0, 0, 0, 60_000, 60_000]);
    expect(await sessions.get("session-1")).toMatchObject({ createdAt: NOW, updatedAt: NOW + 90_000 });
  });
});

describe("erasing", () => {
  test("a batch that comes afterwards is refused with 410 and leaves nothing", async () => {
    const { store, storage } = openMemoryStore();
    const sessions = openSessions(store);
    await appendAll(sessions, range(140));
    expect(await sessions.erase("session-1")).toBe(true);
    expect(await storage.getKeys()).toEqual([]);
    await expect(sessions.append(createDigest({ seq: 140 }), ONE)).rejects.toMatchObject({
      status: 410,
      details: { rotate: true },
    });
    await expect(sessions.append(createDigest({ windowId: "window-9", run: "", seq: -1 }), ONE)).rejects.toMatchObject({
      status: 410,
    });
    expect(await storage.getKeys()).toEqual([]);
    expect(await sessions.get("session-1")).toBeNull();
    expect(await sessions.batches("session-1", "window-1")).toBeNull();
  });

  test("takes that session only", async () => {
    const { store, storage } = openMemoryStore();
    const sessions = openSessions(store);
    for (const sessionId of ["s-1", "s-10", "S-1"]) await sessions.append(createDigest({ sessionId }), ONE);
    await sessions.erase("s-1");
    expect(await storage.getKeys()).toHaveLength(2);
    expect(await sessions.get("s-10")).not.toBeNull();
    expect(await sessions.get("S-1")).not.toBeNull();
  });

  test("of a session that is not there answers false, twice is fine", async () => {
    const sessions = openSessions(openMemoryStore().store);
    expect(await sessions.erase("none")).toBe(false);
    await sessions.append(createDigest(), ONE);
    expect(await sessions.erase("session-1")).toBe(true);
    expect(await sessions.erase("session-1")).toBe(false);
  });

  test("is forgotten a day after the session could have lasted", async () => {
    let now = NOW;
    const sessions = openSessions(openMemoryStore().store, { clock: () => now, sessionMaxAgeMs: 1000 });
    await sessions.append(createDigest(), ONE);
    await sessions.erase("session-1");
    now += 86_400_999;
    await expect(sessions.append(createDigest(), ONE)).rejects.toMatchObject({ status: 410 });
    now += 1;
    await sessions.append(createDigest(), ONE);
    expect(await sessions.get("session-1")).not.toBeNull();
  });

  // With 127 batches before, the next one also writes an index page.
  test.each([
    ["just before its blob is written", 1, "create", "batches:"],
    ["between its blob and its put", 1, "put", "main/sessions"],
    ["just before an index page is written", 127, "create", "indexes:"],
    ["between an index page and its put", 127, "put", "main/sessions"],
  ])("of a session whose batch is on its way leaves nothing: %s", async (_when, count, method, target) => {
    const { store, storage } = openMemoryStore();
    const eraser = openSessions(store);
    await appendAll(eraser, range(count));
    let hasErased = false;
    const around = async (name: string, args: readonly unknown[], call: () => unknown): Promise<unknown> => {
      if (name === method && String(args[0]).startsWith(target) && !hasErased) {
        hasErased = true;
        await eraser.erase("session-1");
      }
      return call();
    };
    const sessions = openSessions({
      ...store,
      blobs: intercept(store.blobs, around),
      documents: intercept(store.documents, around),
    });
    await expect(sessions.append(createDigest({ seq: count }), ONE)).rejects.toMatchObject({ status: 410 });
    expect(hasErased).toBe(true);
    expect(await storage.getKeys()).toEqual([]);
    expect(await sessions.get("session-1")).toBeNull();
  });

  test("before the first put of a session keeps it from coming into being", async () => {
    const { store, storage } = openMemoryStore();
    const eraser = openSessions(store);
    let hasErased = false;
    const documents = intercept(store.documents, async (name, args, call) => {
      if (name === "put" && args[0] === "main/sessions" && !hasErased) {
        hasErased = true;
        await eraser.erase("session-1");
      }
      return call();
    });
    const sessions = openSessions({ ...store, documents });
    await sessions.append(createDigest(), ONE).catch(() => {});
    // Either the erasure came first and nothing is there, or it came to nothing and everything is.
    const isThere = (await sessions.get("session-1")) !== null;
    expect(await storage.getKeys()).toHaveLength(isThere ? 1 : 0);
    const key = batchKey(createDigest());
    expect((await sessions.batch("session-1", "window-1", key)) !== null).toBe(isThere);
  });
});

describe("a store that fails", () => {
  test("rejects the append and nothing else: no rejection is left to end the process", async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    const { store } = openMemoryStore();
    const fail = () => Promise.reject(new Error("disk full"));
    const sessions = openSessions({
      ...store,
      blobs: { ...store.blobs, create: fail },
      documents: intercept(store.documents, (name, _args, call) => (name === "put" ? fail() : call())),
    });
    await expect(sessions.append(createDigest(), ONE)).rejects.toThrow("disk full");
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  test("never answers a batch as known whose blob was not written", async () => {
    const { store } = openMemoryStore();
    let failures = 1;
    const sessions = openSessions({
      ...store,
      blobs: {
        ...store.blobs,
        create: (key, bytes) =>
          failures-- > 0 ? Promise.reject(new Error("disk full")) : store.blobs.create(key, bytes),
      },
    });
    await expect(sessions.append(createDigest(), ONE)).rejects.toThrow("disk full");
    // The client sends it again, and is told that it is safe.
    await sessions.append(createDigest(), ONE);
    expect(await sessions.batch("session-1", "window-1", batchKey(createDigest()))).toEqual(ONE);
  });

  test("never lists batches of an index page that was not written", async () => {
    const { store } = openMemoryStore();
    let failures = 1;
    const sessions = openSessions({
      ...store,
      blobs: {
        ...store.blobs,
        create: (key, bytes) =>
          key.startsWith("indexes:") && failures-- > 0
            ? Promise.reject(new Error("disk full"))
            : store.blobs.create(key, bytes),
      },
    });
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on("unhandledRejection", note);
    for (const digest of range(140)) {
      await sessions.append(digest, ONE).catch(() => sessions.append(digest, ONE));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.off("unhandledRejection", note);
    expect(await batchesOf(sessions)).toHaveLength(140);
    expect(unhandled).toEqual([]);
  });

  test("keeps blob before document where writes are not ordered", async () => {
    const { store } = openMemoryStore();
    const finished: string[] = [];
    const sessions = openSessions({
      ...store,
      blobs: {
        ...store.blobs,
        create: async (key, bytes) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          await store.blobs.create(key, bytes);
          finished.push("blob");
        },
      },
      documents: intercept(store.documents, (name, _args, call) => {
        if (name === "put") finished.push("put");
        return call();
      }),
    });
    await sessions.append(createDigest(), ONE);
    expect(finished).toEqual(["blob", "put"]);
  });
});

describe("bounds of a session", () => {
  const rotate = { status: 409, message: "rotate" };

  test.each([99_999, 100_000, Number.MAX_SAFE_INTEGER])("a number of %i", async (seq) => {
    const sessions = openSessions(openMemoryStore().store);
    const first = sessions.append(createDigest({ seq }), ONE);
    if (seq <= 99_999) await first;
    else await expect(first).rejects.toMatchObject(rotate);
    expect(await batchesOf(sessions)).toHaveLength(seq <= 99_999 ? 1 : 0);
    await openSessionsWithOne(sessions);
    const later = sessions.append(createDigest({ sessionId: "other", seq }), ONE);
    if (seq <= 99_999) await later;
    else await expect(later).rejects.toMatchObject(rotate);
  });

  test("the 65th window begins a new session, the 64 go on", async () => {
    const sessions = openSessions(openMemoryStore().store);
    const windowId = (index: number) => `w-${index}`;
    const taken = [];
    for (let index = 0; index < 70; index++) {
      taken.push(
        await sessions.append(createDigest({ windowId: windowId(index) }), ONE).then(
          () => true,
          () => false,
        ),
      );
    }
    const count = taken.filter(Boolean).length;
    expect(count).toBeLessThanOrEqual(64);
    expect(taken.slice(count)).toEqual(Array(70 - count).fill(false));
    await expect(sessions.append(createDigest({ windowId: "w-999" }), ONE)).rejects.toMatchObject(rotate);
    await sessions.append(createDigest({ windowId: windowId(0), seq: 1 }), ONE);
    expect((await sessions.get("session-1"))!.windowCount).toBe(count);
  });

  test("a session takes no more than 256 runs of a window, and a run under way goes on", async () => {
    const sessions = openSessions(openMemoryStore().store);
    let taken = 0;
    for (let index = 0; index < 300; index++) {
      const run = index.toString(16).padStart(24, "0");
      taken += await sessions.append(createDigest({ run }), ONE).then(
        () => 1,
        () => 0,
      );
    }
    expect(taken).toBeGreaterThan(60);
    expect(taken).toBeLessThanOrEqual(256);
    await sessions.append(createDigest({ run: "0".repeat(24), seq: 1 }), ONE);
    await expect(sessions.append(createDigest({ run: "f".repeat(24) }), ONE)).rejects.toMatchObject(rotate);
    // A batch that is there already is no new one: its retry is answered as before.
    await sessions.append(createDigest({ run: "0".repeat(24), seq: 0 }), ONE);
  });

  async function openSessionsWithOne(sessions: Sessions): Promise<void> {
    await sessions.append(createDigest({ sessionId: "other" }), ONE);
  }
});

describe("the secret of a session", () => {
  const [mine, other] = [hashOf("mine"), hashOf("other")];

  test("binds later batches to the first", async () => {
    const sessions = openSessions(openMemoryStore().store);
    await sessions.append(createDigest({ keyHash: mine }), ONE);
    await sessions.append(createDigest({ seq: 1, keyHash: mine }), ONE);
    for (const keyHash of [other, null]) {
      const refused = sessions.append(createDigest({ seq: 2, keyHash }), ONE);
      await expect(refused).rejects.toMatchObject({ status: 409, message: "rotate" });
    }
    expect(await batchesOf(sessions)).toHaveLength(2);
  });

  test("of two that begin a session at once, one owns it", async () => {
    const sessions = openSessions(openMemoryStore().store);
    const settled = await Promise.allSettled([
      sessions.append(createDigest({ windowId: "w-1", keyHash: mine }), ONE),
      sessions.append(createDigest({ windowId: "w-2", keyHash: other }), ONE),
    ]);
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await sessions.get("session-1"))!.windowCount).toBe(1);
  });

  test("is not asked for where the first batch had none, or where binding is off", async () => {
    const open = openSessions(openMemoryStore().store);
    await open.append(createDigest(), ONE);
    await open.append(createDigest({ seq: 1, keyHash: mine }), ONE);
    const unbound = openSessions(openMemoryStore().store, { bindSessions: false });
    await unbound.append(createDigest({ keyHash: mine }), ONE);
    await unbound.append(createDigest({ seq: 1, keyHash: other }), ONE);
    expect(await batchesOf(unbound)).toHaveLength(2);
  });
});

describe("a full memory store", () => {
  const kilobyte = new Uint8Array(1000);

  test("drops the session that was quiet longest, never the one being written", async () => {
    const { store } = openMemoryStore(20_000);
    let now = NOW;
    const sessions = openSessions(store, { clock: () => now });
    for (let index = 0; index < 40; index++) {
      now += 120_000;
      await sessions.append(createDigest({ sessionId: `s-${index}`, receivedAt: now }), kilobyte);
      expect(await sessions.get(`s-${index}`)).not.toBeNull();
    }
    expect(await sessions.get("s-0")).toBeNull();
    expect(await sessions.get("s-38")).not.toBeNull();
    expect(store.isFull()).toBe(false);
  });

  test("makes as much room as a large batch needs, not one session's worth", async () => {
    const { store } = openMemoryStore(60_000);
    let now = NOW;
    const sessions = openSessions(store, { clock: () => now });
    for (let index = 0; index < 30; index++) {
      now += 120_000;
      await sessions.append(createDigest({ sessionId: `s-${index}`, receivedAt: now }), kilobyte);
    }
    now += 120_000;
    await sessions.append(createDigest({ sessionId: "large", receivedAt: now }), new Uint8Array(40_000));
    expect(store.isFull()).toBe(false);
    expect(await sessions.get("large")).not.toBeNull();
  });

  test("does not grow without end by one session alone", async () => {
    const { store, storage } = openMemoryStore(50_000);
    const sessions = openSessions(store);
    for (let seq = 0; seq < 200; seq++) {
      await sessions.append(createDigest({ seq }), kilobyte).catch(() => {});
    }
    const data = storage.getMount("").driver.getInstance!() as Map<string, Uint8Array>;
    const kept = [...data.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0);
    expect(kept).toBeLessThan(100_000);
  });
});

describe("cost", () => {
  test("the first page of the list costs the same at 10 and at 2,000 sessions", async () => {
    const costs: unknown[] = [];
    for (const count of [10, 2_000]) {
      const { store, client } = await openSqliteStore();
      await Promise.all(
        Array.from({ length: count }, (_, index) => {
          const doc = { v: 1, id: `s-${index}`, windows: [], metadata: [], gaps: [], updatedAt: NOW - index };
          return store.documents.put("main/sessions", doc.id, doc, { score: NOW - index, expectedVersion: 0 });
        }),
      );
      const calls: string[] = [];
      const counted = intercept(client, (name, args, call) => {
        if (name !== "prepare") calls.push(name);
        const result = call();
        return name !== "prepare"
          ? result
          : intercept(result as object, (method, _args, run) => {
              calls.push(`${method} ${String(args[0])}`);
              return run();
            });
      });
      const storage = createStorage({
        driver: {
          name: "db0",
          getInstance: () => ({ connector: "node-sqlite", getInstance: () => counted }),
          hasItem: () => false,
          getItem: () => null,
          getKeys: () => [],
        },
      });
      const sessions = openSessions(openStore(storage, { platform, maxMemoryBytes: 1, warn: () => {} }));
      await sessions.list({ limit: 5 });
      calls.length = 0;
      const page = await sessions.list({ limit: 5 });
      expect(page.sessions.map(({ id }) => id)).toEqual(["s-0", "s-1", "s-2", "s-3", "s-4"]);
      costs.push([...calls]);
      // Neither statement may read the whole table.
      for (const text of calls) {
        const plan = client
          .prepare(`EXPLAIN QUERY PLAN ${text.replace(/^\w+ /, "")}`)
          .all(...Array<string>(text.split("?").length - 1).fill("1"));
        expect(JSON.stringify(plan)).not.toMatch(/SCAN sentiero|TEMP B-TREE/);
      }
    }
    expect(costs[1]).toEqual(costs[0]);
    expect((costs[0] as string[]).length).toBe(2);
  });

  test("neither taking, listing nor reading lists the keys of the storage", async () => {
    const storage = createStorage();
    const listed: string[] = [];
    const watched = intercept(storage, (name, _args, call) => {
      if (name === "getKeys" || name === "keys" || name === "clear") listed.push(name);
      return call();
    });
    const sessions = openSessions(openStore(watched, { platform, maxMemoryBytes: 1 << 30, warn: () => {} }));
    await appendAll(sessions, [...range(140), ...range(140)]);
    await sessions.list({ limit: 10 });
    await sessions.get("session-1");
    for (const { key } of await batchesOf(sessions)) await sessions.batch("session-1", "window-1", key);
    expect(listed).toEqual([]);
  });

  test("taking does not list the keys of the storage when the memory is full either", async () => {
    const listed: string[] = [];
    const watched = intercept(createStorage(), (name, _args, call) => {
      if (name === "getKeys") listed.push(name);
      return call();
    });
    const store = openStore(watched, { platform, maxMemoryBytes: 5_000, warn: () => {} });
    const sessions = openSessions(store);
    for (let index = 0; index < 20; index++) {
      await sessions.append(createDigest({ sessionId: `s-${index}`, receivedAt: NOW + index }), new Uint8Array(1000));
    }
    expect(listed).toEqual([]);
  });

  test("a known batch of a long session costs a few reads, not the whole index", async () => {
    const { store } = openMemoryStore();
    let reads = 0;
    const blobs = intercept(store.blobs, (name, _args, call) => {
      if (name === "get") reads++;
      return call();
    });
    const sessions = openSessions({ ...store, blobs });
    await appendAll(sessions, range(2_000));
    reads = 0;
    await sessions.append(createDigest({ seq: 5 }), ONE);
    expect(reads).toBeLessThanOrEqual(4);
  });
});
