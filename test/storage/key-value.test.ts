import { createStorage, type Driver } from "unstorage";
import { describe, expect, test } from "vitest";
import { openStore } from "../../src/storage/open.ts";
import type { Store } from "../../src/storage/store.ts";
import { createMapDriver } from "../support/map-driver.ts";
import { platform } from "../support/stores.ts";

const ITEMS = "main/items";
const UP = { order: "ascending", limit: 100 } as const;

function open(driver: Driver): Store {
  return openStore(createStorage({ driver }), { platform, maxMemoryBytes: 1, warn: () => {} });
}

async function add(store: Store, id: string, score: number, terms: readonly string[] = []): Promise<void> {
  expect(await store.documents.put(ITEMS, id, { id }, { score, terms, expectedVersion: 0 })).toBe(true);
}

async function idsOf({ documents }: Store, term?: string): Promise<readonly string[]> {
  return (await documents.page(ITEMS, { ...UP, term })).items.map(({ id }) => id);
}

/** What a document is, or undefined. */
interface State {
  readonly n: number;
  readonly version: number;
  readonly score: number;
  readonly terms: readonly string[];
}

type Step = readonly [id: string, change: "remove" | { score: number; terms?: readonly string[] }];

/** Creating, changing in place, moving, terms added, removing, and making anew. */
const STEPS: readonly Step[] = [
  ["a", { score: 10, terms: ["red"] }],
  ["b", { score: 20, terms: ["red"] }],
  ["a", { score: 10 }],
  ["c", { score: 15 }],
  ["a", { score: 30, terms: ["blue"] }],
  ["b", "remove"],
  ["c", { score: 15 }],
  ["b", { score: 5 }],
  ["c", { score: 16, terms: ["red"] }],
  ["a", "remove"],
  ["c", "remove"],
  ["a", { score: 40, terms: ["red"] }],
];

/** Runs the steps; calls `done` after each that was answered, with what there is then. */
async function runSteps(store: Store, done: (step: number, states: Map<string, State>) => void): Promise<void> {
  const states = new Map<string, State>();
  for (const [step, [id, change]] of STEPS.entries()) {
    if (change === "remove") {
      await store.documents.remove(ITEMS, id);
      states.delete(id);
    } else {
      const old = states.get(id);
      const { score, terms = [] } = change;
      const version = old?.version ?? 0;
      expect(await store.documents.put(ITEMS, id, { n: step }, { score, terms, expectedVersion: version })).toBe(true);
      states.set(id, { n: step, version: version + 1, score, terms: [...new Set([...(old?.terms ?? []), ...terms])] });
    }
    done(step, new Map(states));
  }
}

/** What a store says, in each way of asking, when it has just been opened. */
async function read(store: Store): Promise<Record<string, unknown>> {
  const { documents } = store;
  const found: Record<string, unknown> = {};
  for (const id of ["a", "b", "c"]) found[id] = await documents.get(ITEMS, id);
  found.items = (await documents.page(ITEMS, UP)).items;
  found.count = await documents.count(ITEMS, { max: 100 });
  for (const term of ["red", "blue"]) {
    found[term] = await idsOf(store, term);
    found[`${term} count`] = await documents.count(ITEMS, { term, max: 100 });
  }
  return found;
}

function expected(states: ReadonlyMap<string, State>): Record<string, unknown> {
  const items = [...states].map(([id, { n, version, score }]) => ({ id, doc: { n }, version, score }));
  items.sort((a, b) => a.score - b.score);
  const found: Record<string, unknown> = { items, count: items.length };
  for (const id of ["a", "b", "c"]) found[id] = items.find((item) => item.id === id) ?? null;
  for (const term of ["red", "blue"]) {
    found[term] = items.map(({ id }) => id).filter((id) => states.get(id)!.terms.includes(term));
    found[`${term} count`] = (found[term] as string[]).length;
  }
  return found;
}

describe("documents over a driver with keys and values only", () => {
  // A third-party driver is taken for one that writes in place; MongoDB's is known to write whole values.
  for (const [name, isAtomic] of [
    ["third-party", false],
    ["mongodb", true],
  ] as const) {
    test(`are all there after a crash at any write (${name})`, async () => {
      const reference = createMapDriver(name);
      const history: Map<string, State>[] = [];
      await runSteps(open(reference), (_, states) => history.push(states));
      const writes = (reference.calls.setItemRaw ?? 0) + (reference.calls.removeItem ?? 0);
      expect(writes).toBeGreaterThan(STEPS.length);

      for (let survived = 0; survived <= writes; survived++) {
        let left = survived;
        const crashing = createMapDriver(name, {
          beforeWrite(half) {
            if (left-- > 0) return;
            if (left === -1 && !isAtomic) half();
            throw new Error("killed");
          },
        });
        let answered = -1;
        await runSteps(open(crashing), (step) => (answered = step)).catch((error: unknown) => {
          if ((error as Error).message !== "killed") throw error;
        });
        const found = await read(open(createMapDriver(name, { values: crashing.values })));
        // Of the step that was under way all is there, or nothing.
        const before = expected(history[answered] ?? new Map());
        const after = expected(history[answered + 1] ?? history[answered]!);
        expect([before, after], `after ${survived} of ${writes} writes`).toContainEqual(found);
      }
    });
  }

  test("are read as they are, by this process and the next, when a write fails and the driver comes back", async () => {
    let isDown = false;
    const driver = createMapDriver("third-party", {
      beforeWrite() {
        if (isDown) throw new Error("the disk is full");
      },
    });
    const store = open(driver);
    await add(store, "a", 1);
    isDown = true;
    const put = { score: 5, terms: ["red"], expectedVersion: 1 };
    await expect(store.documents.put(ITEMS, "a", {}, put)).rejects.toThrow("the disk is full");
    await expect(store.documents.remove(ITEMS, "a")).rejects.toThrow("the disk is full");
    isDown = false;
    for (const reader of [store, open(createMapDriver("third-party", { values: driver.values }))]) {
      expect(await reader.documents.get(ITEMS, "a")).toMatchObject({ version: 1, score: 1 });
      expect(await idsOf(reader)).toEqual(["a"]);
      expect(await idsOf(reader, "red")).toEqual([]);
    }
    expect(await store.documents.put(ITEMS, "a", {}, put)).toBe(true);
    expect(await idsOf(store, "red")).toEqual(["a"]);
  });

  // One item a document where writes are atomic, two where they are not.
  for (const [name, itemsEach] of [
    ["mongodb", 1],
    ["third-party", 2],
  ] as const) {
    test(`a page costs the same at 30 and at 2,000 documents, and lists no keys (${name})`, async () => {
      for (const count of [30, 2_000]) {
        const driver = createMapDriver(name);
        const store = open(driver);
        await Promise.all(Array.from({ length: count }, (_, index) => add(store, `id-${index}`, index, ["red"])));
        await store.documents.count(ITEMS, { max: 1 });
        for (const query of [{}, { term: "red" }, { after: { score: 25, id: "id-25" } }]) {
          for (const method of Object.keys(driver.calls)) delete driver.calls[method];
          await store.documents.page(ITEMS, { order: "descending", limit: 10, ...query });
          await store.documents.count(ITEMS, { max: 1_000 });
          expect(driver.calls).toEqual({ getItemRaw: 10 * itemsEach });
        }
      }
    });
  }

  test("put one document in one write, and two when its place changes", async () => {
    const driver = createMapDriver("mongodb");
    const { documents } = open(driver);
    await documents.put(ITEMS, "a", {}, { score: 1, expectedVersion: 0 });
    driver.calls.setItemRaw = 0;
    await documents.put(ITEMS, "a", {}, { score: 1, expectedVersion: 1 });
    expect(driver.calls.setItemRaw).toBe(1);
    await documents.put(ITEMS, "a", {}, { score: 2, expectedVersion: 2 });
    expect(driver.calls.setItemRaw).toBe(3);
  });

  test("of thousands, moved again and again, leave an index of some items that the next process reads", async () => {
    const driver = createMapDriver("mongodb");
    const store = open(driver);
    const ids = Array.from({ length: 400 }, (_, index) => `id-${index}`);
    for (let round = 0; round < 10; round++) {
      const put = { score: round * 1_000, terms: ["red"], expectedVersion: round };
      for (let at = 0; at < ids.length; at += 10) {
        await Promise.all(ids.slice(at, at + 10).map((id) => store.documents.put(ITEMS, id, { round }, put)));
      }
    }
    await store.close();
    const indexItems = () => [...driver.values.keys()].filter((key) => key.startsWith("documents-order:"));
    expect(indexItems().length).toBeLessThan(150);
    const next = open(createMapDriver("mongodb", { values: driver.values }));
    expect(await next.documents.count(ITEMS, { term: "red", max: 1_000 })).toBe(400);
    expect((await next.documents.page(ITEMS, UP)).items[0]).toMatchObject({ score: 9_000, doc: { round: 9 } });
  });

  test("leave few index items, however many processes come and go", async () => {
    const { values } = createMapDriver("mongodb");
    for (let process = 0; process < 80; process++) {
      const store = open(createMapDriver("mongodb", { values }));
      await add(store, `id-${process}`, process);
      await store.close();
    }
    expect([...values.keys()].filter((key) => key.startsWith("documents-order:")).length).toBeLessThan(40);
    expect(await open(createMapDriver("mongodb", { values })).documents.count(ITEMS, { max: 1_000 })).toBe(80);
  });

  test("are listed again when the index is lost", async () => {
    const driver = createMapDriver("third-party");
    const store = open(driver);
    for (const [index, id] of ["a", "B", "__proto__"].entries()) await add(store, id, index, ["red"]);
    await store.documents.remove(ITEMS, "a");
    await store.close();
    for (const key of driver.values.keys()) if (key.startsWith("documents-order:")) driver.values.delete(key);
    const next = open(driver);
    expect(await idsOf(next, "red")).toEqual(["B", "__proto__"]);
    await add(next, "c", 9);
    await next.close();
    driver.calls.getItemRaw = 0;
    expect(await idsOf(open(driver))).toEqual(["B", "__proto__", "c"]);
  });

  test("that another process writes are found, and two writers are reported", async () => {
    const driver = createMapDriver("mongodb");
    const [first, second] = [open(driver), open(driver)];
    await add(first, "a", 1);
    expect(await idsOf(second)).toEqual(["a"]);
    expect((await first.check()).filter(({ level }) => level === "error")).toEqual([]);
    await add(second, "b", 2);
    expect(await first.check()).toContainEqual(
      expect.objectContaining({ level: "error", what: expect.stringMatching(/another process/i) }),
    );
    expect(await idsOf(first)).toEqual(["a", "b"]);
  });

  test("that are removed leave neither id nor terms once the store is scrubbed", async () => {
    const driver = createMapDriver("mongodb");
    const store = open(driver);
    const text = () => [...driver.values].map(([key, value]) => key + new TextDecoder().decode(value)).join("\n");
    await add(store, "session-of-ada", 1, ["user:ada@example.org"]);
    await add(store, "session-of-bob", 2, ["user:bob@example.org"]);
    await store.documents.remove(ITEMS, "session-of-ada");
    // No term stands in the index as it is.
    expect(text()).not.toContain("ada@");
    expect(text()).toContain("session-of-ada");
    await store.scrub!();
    expect(text()).not.toContain("ada");
    await store.scrub!();
    for (const reader of [store, open(createMapDriver("mongodb", { values: driver.values }))]) {
      expect(await idsOf(reader, "user:bob@example.org")).toEqual(["session-of-bob"]);
      expect(await idsOf(reader)).toEqual(["session-of-bob"]);
    }
  });

  test("are not kept by a driver that cannot write", () => {
    const { setItem: _, setItemRaw: __, ...readOnly } = createMapDriver("read-only");
    expect(() => open(readOnly)).toThrow(expect.objectContaining({ code: "STORAGE_UNSUPPORTED" }));
    expect(() => open({ ...createMapDriver("null") })).toThrow(
      expect.objectContaining({ code: "STORAGE_UNSUPPORTED" }),
    );
  });
});
