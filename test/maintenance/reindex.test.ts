import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SessionDocument } from "../../src/sessions/document.ts";
import type { Store } from "../../src/storage/store.ts";
import type { Batch } from "../../src/types.ts";
import { createHouse, keys, readKeys, readSessions, type StoredSession } from "../support/house.ts";
import { intercept, openMemoryStore, openSqliteStore, platform } from "../support/stores.ts";

const START = Date.UTC(2027, 0, 15, 12);
const HOUR = 3_600_000;

const STORES: Record<string, () => Promise<Store>> = {
  memory: async () => openMemoryStore().store,
  SQLite: async () => (await openSqliteStore()).store,
};

/** One upload of two events; what it holds is told by its name. */
function toBatch(session: number, window: number, run: number, seq: number, now: number): Batch {
  const at = now - 1000 + seq;
  return {
    sessionId: session === 0 ? "Session-With-Capitals" : `session-${session}`,
    windowId: `window-${window}`,
    ...(run > 0 && { run: `${run}`.repeat(24), seq }),
    sentAt: now,
    key: "a".repeat(32),
    metadata: { userId: `person-${session}`, userAgent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0" },
    events: [
      { type: 4, data: { href: `https://shop.example/${seq}`, width: 800, height: 600 }, timestamp: at },
      { type: seq === 0 ? 2 : 3, data: { session, window, run, seq }, timestamp: at + 1 },
    ],
  };
}

/** Three sessions: one settled with a late batch, one settled, one that goes on. */
async function fill(store: Store) {
  let now = START;
  const house = createHouse(store, () => now);
  for (let seq = 0; seq < 6; seq++) {
    for (const session of [0, 1, 2]) await house.append(toBatch(session, seq % 2, 1 + (seq > 3 ? 1 : 0), seq, now));
    now += 1000;
  }
  now += HOUR;
  await house.sessions.settle("Session-With-Capitals");
  await house.sessions.settle("session-1");
  now += HOUR;
  await house.append(toBatch(1, 0, 1, 9, now));
  return { house, clock: () => now };
}

/** What can be known again after a document was lost: not when it settled, nor how wrong the browser's clock was. */
function withoutServerFacts({ document, rows, named }: StoredSession) {
  const { settledAt: _, windows, ...facts } = document;
  const bare = windows.map((window) => ({ ...window, runs: window.runs.map((run) => ({ ...run, skew: null })) }));
  return { ...facts, windows: bare, rows, named };
}

async function removeDocuments(store: Store): Promise<void> {
  for (const id of (await readSessions(store)).keys()) await store.documents.remove(keys.sessions, id);
}

async function corrupt(store: Store, id: string, change: (doc: SessionDocument) => unknown): Promise<void> {
  const { doc, score, version } = (await store.documents.get<SessionDocument>(keys.sessions, id))!;
  await store.documents.put(keys.sessions, id, change(doc), { score, expectedVersion: version });
}

describe.each(Object.entries(STORES))("over %s a reindex", (_, open) => {
  test("changes nothing where nothing is wrong", async () => {
    const store = await open();
    const { house } = await fill(store);
    const before = await readSessions(store);
    expect(await house.reindex()).toEqual({ seen: 3, changed: 0 });
    expect(await readSessions(store)).toEqual(before);
    expect(house.errors).toEqual([]);
  });

  test("derives equal documents when all are lost", async () => {
    const store = await open();
    const { house, clock } = await fill(store);
    const before = await readSessions(store);
    await removeDocuments(store);
    const other = createHouse(store, clock);
    expect(await other.reindex()).toEqual({ seen: 3, changed: 3 });
    const after = await readSessions(store);
    expect([...after.keys()].toSorted()).toEqual([...before.keys()].toSorted());
    for (const [id, session] of before) {
      expect(withoutServerFacts(after.get(id)!)).toEqual(withoutServerFacts(session));
    }
    // Found by its person again, and a batch that comes twice is still known.
    const term = { limit: 9, order: "ascending", term: before.get("session-1")!.document.terms[0]! } as const;
    expect((await store.documents.page(keys.sessions, term)).items.map(({ id }) => id)).toEqual(["session-1"]);
    await other.append(toBatch(1, 0, 1, 0, START));
    expect((await readSessions(store)).get("session-1")!.rows).toEqual(after.get("session-1")!.rows);
    expect(house.errors).toEqual([]);
  });

  test("puts right what stands in documents, and keeps what only the server knew", async () => {
    const store = await open();
    const { house } = await fill(store);
    const before = await readSessions(store);
    await corrupt(store, "session-1", (doc) => ({ ...doc, events: 1, bytes: 0, metadata: [], client: null }));
    await corrupt(store, "session-2", (doc) => {
      const [first, ...rest] = doc.windows;
      return {
        ...doc,
        snapshots: 9,
        windows: [{ ...first!, runs: first!.runs.map((run) => ({ ...run, rows: [] })) }, ...rest],
      };
    });
    expect(await house.reindex()).toEqual({ seen: 3, changed: 2 });
    expect(await readSessions(store)).toEqual(before);
  });

  test("derives a document of no shape at all anew", async () => {
    const store = await open();
    const { house } = await fill(store);
    const before = await readSessions(store);
    await corrupt(store, "session-1", () => ({ v: 1, id: "session-1", windows: "?" }));
    expect((await house.reindex()).changed).toBe(1);
    expect(withoutServerFacts((await readSessions(store)).get("session-1")!)).toEqual(
      withoutServerFacts(before.get("session-1")!),
    );
  });

  test("reports a batch that can't be read, leaves it, and keeps what its row tells", async () => {
    const store = await open();
    const { house } = await fill(store);
    const [key] = await readKeys(store, "batches:main:session-2:");
    await store.blobs.remove(key!);
    await store.blobs.create(key!, new Uint8Array([1, 2, 3]));
    const before = (await readSessions(store)).get("session-2")!;
    await house.reindex();
    const after = (await readSessions(store)).get("session-2")!;
    expect(after.rows).toEqual(before.rows);
    expect(after.document.events).toBe(before.document.events);
    expect(await store.blobs.get(key!)).toEqual(new Uint8Array([1, 2, 3]));
    expect(String(house.errors)).toContain(key!);
  });

  test("says that batches are missing, and names them no more", async () => {
    const store = await open();
    const { house } = await fill(store);
    const [key] = await readKeys(store, "batches:main:session-2:");
    await store.blobs.remove(key!);
    expect((await house.reindex()).changed).toBe(1);
    expect((await readSessions(store)).get("session-2")!.named).toEqual(
      await readKeys(store, "batches:main:session-2:"),
    );
    expect(String(house.errors)).toContain("1 batches of session session-2 are not there");
  });

  test("leaves documents alone when all their blobs are elsewhere", async () => {
    const store = await open();
    const { house } = await fill(store);
    const before = [...(await readSessions(store)).values()].map(({ document }) => document);
    for (const key of await readKeys(store)) await store.blobs.remove(key);
    expect((await house.reindex()).changed).toBe(0);
    expect([...(await readSessions(store)).values()].map(({ document }) => document)).toEqual(before);
    expect(house.errors).toHaveLength(3);
  });

  test("ends when more sessions than a step takes have neither a document nor a batch that can be read", async () => {
    const store = await open();
    const { house } = await fill(store);
    const lost = await readKeys(store, "batches:main:session-2:");
    await store.documents.remove(keys.sessions, "session-2");
    // They stand before it in the listing.
    for (let index = 0; index < 60; index++) {
      await store.blobs.create(`batches:main:a-broken-${index}:window-1:1`, new Uint8Array([1, 2, 3]));
    }
    await house.reindex();
    expect((await readSessions(store)).get("session-2")!.named).toEqual(lost);
    expect(house.errors).toHaveLength(60);
  });

  test("takes in a batch that came without its document, but none that carries another key", async () => {
    const store = await open();
    const { house, clock } = await fill(store);
    let keep = (): void => {};
    const crashing = createHouse(
      {
        ...store,
        putWithBlobs: undefined,
        documents: intercept(store.documents, (name, args, call) => {
          if (name === "put" && args[0] === keys.sessions) keep();
          return call();
        }),
      },
      clock,
    );
    keep = () => {
      throw new Error("killed");
    };
    const batch = toBatch(2, 0, 1, 20, clock());
    await expect(crashing.append(batch)).rejects.toThrow("killed");
    await expect(crashing.append({ ...toBatch(2, 0, 1, 21, clock()), key: "b".repeat(32) })).rejects.toThrow("rotate");
    const events = (await readSessions(store)).get("session-2")!.document.events;
    await house.reindex();
    expect((await readSessions(store)).get("session-2")!.document.events).toBe(events + 2);
    // The recorder tries again.
    await house.append(batch);
    expect((await readSessions(store)).get("session-2")!.document.events).toBe(events + 2);
  });

  test("counts what each day takes up anew", async () => {
    const store = await open();
    const { house } = await fill(store);
    await house.usage.fold();
    const before = await house.usage.days();
    await store.documents.put(
      "main/usage",
      "2027-01-15",
      { ...before[0], v: 1, sessions: 99, segmentBytes: 1 },
      {
        score: 1,
        expectedVersion: (await store.documents.get("main/usage", "2027-01-15"))!.version,
      },
    );
    await house.reindex();
    expect(await house.usage.days()).toEqual(before);
  });

  test("of some sessions derives those only", async () => {
    const store = await open();
    const { house } = await fill(store);
    const before = await readSessions(store);
    await removeDocuments(store);
    expect(await house.reindex({ ids: ["session-2", "nobody"] })).toEqual({ seen: 2, changed: 1 });
    expect([...(await readSessions(store)).keys()]).toEqual(["session-2"]);
    expect((await readSessions(store)).get("session-2")!.rows).toEqual(before.get("session-2")!.rows);
  });

  test("does not revive what was erased, whenever that happens", async () => {
    for (let moment = 0; ; moment++) {
      const store = await open();
      const { clock } = await fill(store);
      const eraser = createHouse(store, clock);
      // The documents of two are lost; the third is still there.
      await store.documents.remove(keys.sessions, "session-1");
      let calls = 0;
      let isReached = false;
      const around = (_: string, __: readonly unknown[], call: () => unknown): unknown => {
        if (calls++ !== moment) return call();
        isReached = true;
        return (async () => {
          for (const id of ["session-1", "session-2"]) {
            await store.documents.put(keys.tombstones, id, { v: 1 }, { score: clock() + HOUR, expectedVersion: 0 });
            await eraser.sessions.erase(id, { isOneOfMany: true });
          }
          return call();
        })();
      };
      const working = createHouse(
        {
          ...store,
          putWithBlobs: undefined,
          documents: intercept(store.documents, around),
          blobs: intercept(store.blobs, around),
        },
        clock,
      );
      await working.reindex();
      if (!isReached) break;
      expect([...(await readSessions(store)).keys()]).toEqual(["Session-With-Capitals"]);
      expect(await readKeys(store, "batches:main:session-")).toEqual([]);
      expect(await readKeys(store, "segments:main:session-")).toEqual([]);
      expect(await readKeys(store, "indexes:main:session-")).toEqual([]);
      // Every moment of the memory store, some of the slower one.
      if (_ === "SQLite") moment += 6;
    }
  });

  test("at any moment of another process's settling leaves every batch once", async () => {
    for (let moment = 0; ; moment++) {
      const store = await open();
      const { clock } = await fill(store);
      let calls = 0;
      let isReached = false;
      const around = async (_: string, __: readonly unknown[], call: () => unknown): Promise<unknown> => {
        if (calls++ === moment) {
          isReached = true;
          await createHouse(store, clock).reindex();
        }
        return call();
      };
      const settling = createHouse(
        {
          ...store,
          putWithBlobs: undefined,
          documents: intercept(store.documents, around),
          blobs: intercept(store.blobs, around),
        },
        clock,
      );
      // One that was settled before and got a batch since, and one that was not.
      await settling.sessions.settle("session-1");
      await settling.sessions.settle("session-2");
      if (!isReached) break;
      const house = createHouse(store, clock);
      await house.reindex();
      expect(house.errors).toEqual([]);
      const sessions = await readSessions(store);
      expect([...sessions.values()].map(({ document }) => document.events).toSorted()).toEqual([12, 12, 14]);
      expect([...sessions.values()].flatMap(({ named }) => named).toSorted()).toEqual(await readKeys(store));
      if (_ === "SQLite") moment += 6;
    }
  });

  test("goes on past a session that gets a batch each time it is looked at, and loses none", async () => {
    const store = await open();
    const { clock } = await fill(store);
    const writer = createHouse(store, clock);
    let seq = 30;
    const working = createHouse(
      {
        ...store,
        putWithBlobs: undefined,
        blobs: intercept(store.blobs, async (name, args, call) => {
          const result = await call();
          const isReading = name === "list" && args[0] === "batches:main:session-2:";
          if (isReading && seq < 60) await writer.append(toBatch(2, 0, 1, seq++, clock()));
          return result;
        }),
      },
      clock,
    );
    await corrupt(store, "session-1", (doc) => ({ ...doc, events: 0 }));
    await working.reindex();
    const sessions = await readSessions(store);
    expect(sessions.get("session-1")!.document.events).toBeGreaterThan(0);
    expect(sessions.get("session-2")!.document.events).toBe(2 * (6 + seq - 30));
    expect(sessions.get("session-2")!.named.filter((key) => key.startsWith("batches"))).toEqual(
      await readKeys(store, "batches:main:session-2:"),
    );
  });
});

test("of two segments that hold the same batch it cuts out what only one of them holds", async () => {
  const { store } = openMemoryStore();
  // Segments of the same session that two processes made of different batches, and the documents are lost.
  for (const seqs of [
    [0, 1, 2],
    [2, 3],
  ]) {
    const { store: other } = openMemoryStore();
    const house = createHouse(other, () => START);
    for (const seq of seqs) await house.append(toBatch(1, 0, 1, seq, START));
    await house.sessions.settle("session-1");
    for (const key of await readKeys(other)) await store.blobs.create(key, (await other.blobs.get(key))!);
  }
  const house = createHouse(store, () => START + HOUR);
  await house.reindex();
  const session = (await readSessions(store)).get("session-1")!;
  expect(session.document.events).toBe(8);
  expect(session.named).toEqual(await readKeys(store));
  expect(session.named.map((key) => key.split(":")[0])).toEqual(["batches", "segments"]);
});

test("a document in SQLite that is no JSON is derived anew, and holds up nobody", async () => {
  const { store, client } = await openSqliteStore();
  const { house } = await fill(store);
  const before = await readSessions(store);
  const tables = client.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as { name: string }[];
  const { name } = tables.find(({ name }) => /document/.test(name))!;
  client.exec(`UPDATE ${name} SET doc = '{"v":1,' WHERE id = 'session-1'`);
  await house.reindex();
  const after = await readSessions(store);
  for (const [id, session] of before) expect(withoutServerFacts(after.get(id)!)).toEqual(withoutServerFacts(session));
});

type Step =
  | {
      readonly kind: "append";
      readonly session: number;
      readonly window: number;
      readonly run: number;
      readonly seq: number;
      readonly crashAt: number;
    }
  | { readonly kind: "settle"; readonly session: number; readonly crashAt: number }
  | { readonly kind: "lose"; readonly session: number }
  | { readonly kind: "reindex"; readonly crashAt: number };

const session = fc.integer({ min: 0, max: 1 });
/** The number of a call of the store that never comes back. */
const crashAt = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constant(Infinity));

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("append" as const),
      session,
      window: fc.integer({ min: 0, max: 1 }),
      run: fc.integer({ min: 0, max: 2 }),
      seq: fc.integer({ min: 0, max: 9 }),
      crashAt,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("settle" as const), session, crashAt }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("lose" as const), session }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reindex" as const), crashAt }) },
);

/** A store whose process is killed at one of its calls. */
function crashing(store: Store, at: number): Store {
  let calls = 0;
  const around = (_: string, __: readonly unknown[], call: () => unknown): unknown => {
    if (calls++ >= at) return Promise.reject(new Error("killed"));
    return call();
  };
  return {
    ...store,
    putWithBlobs: undefined,
    documents: intercept(store.documents, around),
    blobs: intercept(store.blobs, around),
  };
}

test("whatever is lost and whenever a process is killed, a reindex leaves every batch once and no leftovers", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 30 }), async (steps) => {
      const { store } = openMemoryStore();
      let now = START;
      const clock = () => now;
      const kept = new Map<string, Batch>();
      for (const one of steps) {
        now += 60_000;
        const id = "session" in one ? toBatch(one.session, 0, 0, 0, 0).sessionId : "";
        if (one.kind === "append") {
          const batch = toBatch(one.session, one.window, one.run, one.seq, now);
          // The same number with another content would be a conflict, which is another law.
          const name = [one.session, one.window, one.run, one.seq].join();
          if (kept.has(name)) continue;
          // The recorder tries again with the same bytes.
          await createHouse(crashing(store, one.crashAt), clock)
            .append(batch)
            .catch(() => {});
          if (Number.isFinite(one.crashAt)) await createHouse(store, clock).append(batch);
          kept.set(name, batch);
        }
        if (one.kind === "settle") {
          await createHouse(crashing(store, one.crashAt), clock)
            .sessions.settle(id)
            .catch(() => {});
        }
        if (one.kind === "lose") await store.documents.remove(keys.sessions, id);
        if (one.kind === "reindex")
          await createHouse(crashing(store, one.crashAt), clock)
            .reindex()
            .catch(() => {});
      }
      now += 2 * HOUR;
      const house = createHouse(store, clock);
      await house.reindex();
      const sessions = await readSessions(store);
      expect([...sessions.values()].flatMap(({ named }) => named).toSorted()).toEqual(await readKeys(store));
      expect(await house.reindex()).toMatchObject({ changed: 0 });
      const played: string[] = [];
      for (const { document } of sessions.values()) {
        for (const { id: windowId } of document.windows) {
          for (const { key } of (await house.sessions.batches(document.id, windowId))!) {
            const stored = (await house.sessions.batch(document.id, windowId, key))!;
            const text = new TextDecoder().decode((await platform.inflate(stored, Infinity)) as Uint8Array);
            played.push(...(JSON.parse(text) as Batch).events.map((event) => JSON.stringify(event)));
          }
        }
      }
      const sent = [...kept.values()].flatMap(({ events }) => events.map((event) => JSON.stringify(event)));
      expect(played.toSorted()).toEqual(sent.toSorted());
      expect([...sessions.values()].reduce((sum, { document }) => sum + document.events, 0)).toBe(sent.length);
    }),
    { numRuns: Number(process.env.SENTIERO_SOAK ?? 60) },
  );
}, 120_000);
