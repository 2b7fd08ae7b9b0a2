import type { BlobPage, BlobStore } from "./storage/blobs.ts";
import type {
  CountQuery,
  Cursor,
  DocumentPage,
  DocumentStore,
  PageQuery,
  PutOptions,
  StoredDocument,
} from "./storage/documents.ts";
import type { Finding, PutWithBlobs, Store, StoreDescription } from "./storage/store.ts";

export type {
  BlobPage,
  BlobStore,
  CountQuery,
  Cursor,
  DocumentPage,
  DocumentStore,
  Finding,
  PageQuery,
  PutOptions,
  PutWithBlobs,
  Store,
  StoreDescription,
  StoredDocument,
};

/** One law that every store keeps. */
export interface ContractCase {
  /** The behaviour in plain words. */
  readonly name: string;
  /** Opens an empty store, tries it and closes it. @throws Error saying what was expected and what came. */
  readonly run: () => Promise<void>;
}

/** What may be set where a case would take too long. */
export interface ContractOptions {
  /**
   * How many blobs the case makes that removes some while it lists: more than a page of the store.
   * @default 1050
   */
  readonly listedBlobs?: number;
}

/**
 * The contract of a store, as cases for any test runner. `open` is called once a case and must give an empty store.
 *
 * ```ts
 * import { storeContract } from "sentiero/testing";
 *
 * for (const { name, run } of storeContract(() => openMyStore())) test(name, run);
 * ```
 */
export function storeContract(open: () => Promise<Store>, options: ContractOptions = {}): readonly ContractCase[] {
  return Object.entries({ ...DOCUMENT_LAWS, ...BLOB_LAWS, ...STORE_LAWS }).map(([name, law]) => ({
    name,
    run: async () => {
      const store = await open();
      try {
        await law(store, { listedBlobs: 1_050, ...options });
      } finally {
        await store.close();
      }
    },
  }));
}

type Law = (store: Store, options: Required<ContractOptions>) => Promise<void>;

/** The collection of most cases. */
const ITEMS = "main/items";

const DOCUMENT_LAWS: Readonly<Record<string, Law>> = {
  "documents: an unknown one is null": async ({ documents }) => {
    equal(await documents.get(ITEMS, "none"), null, "get of an unknown id");
    equal(await documents.getMany(ITEMS, ["none", "nil"]), [null, null], "getMany of unknown ids");
    equal(await documents.page(ITEMS, { limit: 5, order: "ascending" }), { items: [], cursor: null }, "an empty page");
    equal(await documents.count(ITEMS, { max: 5 }), 0, "the count of nothing");
  },

  "documents: one comes back with its version and score": async ({ documents }) => {
    check(await documents.put(ITEMS, "a", { n: 1 }, { score: 7, expectedVersion: 0 }), "creating failed");
    equal(await documents.get(ITEMS, "a"), { id: "a", doc: { n: 1 }, version: 1, score: 7 }, "the created document");
    check(await documents.put(ITEMS, "a", { n: 2 }, { score: 9, expectedVersion: 1 }), "changing failed");
    equal(await documents.get(ITEMS, "a"), { id: "a", doc: { n: 2 }, version: 2, score: 9 }, "the changed document");
  },

  "documents: what somebody else created is not created again": async ({ documents }) => {
    await add(documents, "a", 1);
    check(!(await documents.put(ITEMS, "a", { other: true }, { score: 2, expectedVersion: 0 })), "created twice");
    equal(await documents.get(ITEMS, "a"), { id: "a", doc: { id: "a" }, version: 1, score: 1 }, "the first document");
  },

  "documents: a stale version changes nothing, terms included": async ({ documents }) => {
    await add(documents, "a", 1);
    check(await documents.put(ITEMS, "a", { n: 2 }, { score: 1, expectedVersion: 1 }), "changing failed");
    for (const expectedVersion of [0, 1, 3]) {
      const stale = await documents.put(ITEMS, "a", { n: 3 }, { score: 5, terms: ["stale"], expectedVersion });
      check(!stale, `a put with version ${expectedVersion} was taken, the document has version 2`);
    }
    equal(await documents.get(ITEMS, "a"), { id: "a", doc: { n: 2 }, version: 2, score: 1 }, "the document");
    equal(await documents.count(ITEMS, { term: "stale", max: 9 }), 0, "terms of a refused put");
  },

  "documents: a change of one that is not there is refused": async ({ documents }) => {
    check(!(await documents.put(ITEMS, "a", {}, { score: 1, expectedVersion: 1 })), "changed a missing document");
    equal(await documents.get(ITEMS, "a"), null, "the missing document");
  },

  "documents: of writers at once exactly one wins": async ({ documents }) => {
    const writers = Array.from({ length: 10 }, (_, index) => index);
    const race = (expectedVersion: number) =>
      Promise.all(writers.map((winner) => documents.put(ITEMS, "a", { winner }, { score: 1, expectedVersion })));
    for (const version of [0, 1, 2]) {
      const won = await race(version);
      equal(won.filter(Boolean).length, 1, `winners at version ${version}`);
      const stored = await documents.get<{ winner: number }>(ITEMS, "a");
      equal(stored?.doc.winner, won.indexOf(true), "the winner's document");
      equal(stored?.version, version + 1, "the version after the race");
    }
  },

  "documents: no increment is lost among twenty writers": async ({ documents }) => {
    const increment = async () => {
      for (;;) {
        const stored = await documents.get<{ n: number }>(ITEMS, "counter");
        const doc = { n: (stored?.doc.n ?? 0) + 1 };
        if (await documents.put(ITEMS, "counter", doc, { score: 1, expectedVersion: stored?.version ?? 0 })) return;
      }
    };
    await Promise.all(Array.from({ length: 20 }, increment));
    equal((await documents.get<{ n: number }>(ITEMS, "counter"))?.doc.n, 20, "the counter");
  },

  "documents: a removed one is gone from every reading": async ({ documents }) => {
    await add(documents, "a", 1, ["red"]);
    await add(documents, "b", 2, ["red"]);
    await documents.remove(ITEMS, "a");
    await documents.remove(ITEMS, "a");
    await documents.remove(ITEMS, "never");
    equal(await documents.get(ITEMS, "a"), null, "the removed document");
    equal(await idsOf(documents, { order: "ascending" }), ["b"], "the page");
    equal(await idsOf(documents, { order: "ascending", term: "red" }), ["b"], "the page of a term");
    equal(await documents.count(ITEMS, { term: "red", max: 9 }), 1, "the count of a term");
    await add(documents, "a", 3);
    equal(await idsOf(documents, { order: "ascending", term: "red" }), ["b"], "terms of one made anew");
  },

  "documents: getMany answers in the order of the ids, misses and repeats included": async ({ documents }) => {
    for (const id of ["a", "b", "c"]) await add(documents, id, 1);
    const found = await documents.getMany<{ id: string }>(ITEMS, ["c", "none", "a", "c"]);
    equal(
      found.map((stored) => stored?.id ?? null),
      ["c", null, "a", "c"],
      "ids",
    );
    equal(await documents.getMany(ITEMS, []), [], "no ids");
    const many = await documents.getMany(
      ITEMS,
      Array.from({ length: 200 }, (_, index) => (index === 199 ? "a" : `none-${index}`)),
    );
    equal(many.length, 200, "answers to 200 ids");
    equal(many[199]?.id, "a", "the last of 200");
  },

  "documents: collections do not see each other": async ({ documents }) => {
    await add(documents, "a", 1, ["red"]);
    check(
      await documents.put("main/others", "a", { other: true }, { score: 2, expectedVersion: 0 }),
      "creating failed",
    );
    equal((await documents.get(ITEMS, "a"))?.doc, { id: "a" }, "the document of the first collection");
    await documents.remove(ITEMS, "a");
    equal((await documents.get("main/others", "a"))?.doc, { other: true }, "the document of the other collection");
    equal(await documents.count("main/others", { term: "red", max: 9 }), 0, "terms of the other collection");
  },

  "documents: pages go through everything once, in both directions": async ({ documents }) => {
    const ids = Array.from({ length: 23 }, (_, index) => `id-${String(index).padStart(2, "0")}`);
    for (const [index, id] of ids.toReversed().entries()) await add(documents, id, 1000 - index);
    equal(await idsOf(documents, { order: "ascending", limit: 5 }), ids, "ascending");
    equal(await idsOf(documents, { order: "descending", limit: 5 }), ids.toReversed(), "descending");
    for (const limit of [1, 22, 23, 24]) {
      equal(await idsOf(documents, { order: "descending", limit }), ids.toReversed(), `pages of ${limit}`);
    }
    const whole = await documents.page(ITEMS, { order: "ascending", limit: 23 });
    equal(whole.cursor, null, "the cursor of a page that holds the last item");
  },

  "documents: equal scores are ordered by id, byte by byte": async ({ documents }) => {
    const ids = ["-", "0", "10", "9", "A", "B", "_", "a", "aa", "b"];
    for (const id of ["b", "10", "_", "A", "aa", "9", "-", "a", "0", "B"]) await add(documents, id, 5);
    equal(await idsOf(documents, { order: "ascending", limit: 3 }), ids, "ascending");
    equal(await idsOf(documents, { order: "descending", limit: 3 }), ids.toReversed(), "descending");
  },

  "documents: what is added, moved or removed between two pages shifts nothing": async ({ documents }) => {
    for (const score of [10, 20, 30, 40, 50]) await add(documents, `at-${score}`, score);
    const first = await page(documents, { order: "descending", limit: 2 });
    equal(first.ids, ["at-50", "at-40"], "the first page");
    await add(documents, "at-60", 60);
    await documents.put(ITEMS, "at-40", {}, { score: 70, expectedVersion: 1 });
    await documents.remove(ITEMS, "at-30");
    const second = await page(documents, { order: "descending", limit: 2, after: first.cursor! });
    equal(second, { ids: ["at-20", "at-10"], cursor: null }, "the second page");
    const up = await page(documents, { order: "ascending", limit: 1 });
    await documents.remove(ITEMS, up.ids[0]!);
    equal(
      await idsOf(documents, { order: "ascending", limit: 2, after: up.cursor! }),
      ["at-20", "at-50", "at-60", "at-40"],
      "ascending from an item that is gone",
    );
  },

  "documents: bounds of scores are inclusive, and hold with a cursor": async ({ documents }) => {
    for (const score of [-5, 0, 10, 20, 30]) await add(documents, `at-${score}`, score, ["red"]);
    for (const term of [undefined, "red"]) {
      const query = { order: "ascending", term } as const;
      const words = term ? " of a term" : "";
      equal(await idsOf(documents, { ...query, from: 0, to: 20 }), ["at-0", "at-10", "at-20"], `from and to${words}`);
      equal(await idsOf(documents, { ...query, from: 21 }), ["at-30"], `from${words}`);
      equal(await idsOf(documents, { ...query, to: -5 }), ["at--5"], `to${words}`);
      equal(await idsOf(documents, { ...query, from: 20, to: 10 }), [], `an empty range${words}`);
      equal(await documents.count(ITEMS, { term, from: 0, to: 20, max: 9 }), 3, `the count in a range${words}`);
      const down = await page(documents, { ...query, order: "descending", from: 0, to: 20, limit: 2 });
      equal(down.ids, ["at-20", "at-10"], `descending in a range${words}`);
      equal(
        await idsOf(documents, { ...query, order: "descending", from: 0, to: 20, limit: 2, after: down.cursor! }),
        ["at-0"],
        `the rest of a range${words}`,
      );
    }
  },

  "documents: times in milliseconds are kept to the last one": async ({ documents }) => {
    const scores = [1_700_000_000_000, 1_700_000_000_001, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER];
    for (const score of scores) await add(documents, `at-${score}`, score);
    for (const score of scores) equal((await documents.get(ITEMS, `at-${score}`))?.score, score, "a score");
    const newest = await documents.page(ITEMS, { order: "descending", limit: 1 });
    equal(newest.cursor?.score, Number.MAX_SAFE_INTEGER, "the score of a cursor");
  },

  "documents: a page of a term holds only what has it, whole word for whole word": async ({ documents }) => {
    await add(documents, "a", 1, ["user:1", "has-errors"]);
    await add(documents, "b", 2, ["user:10"]);
    await add(documents, "c", 3, ["user:1"]);
    await add(documents, "d", 4, ["USER:1", "user_1"]);
    equal(await idsOf(documents, { order: "ascending", term: "user:1" }), ["a", "c"], "user:1");
    equal(await idsOf(documents, { order: "ascending", term: "user:1", limit: 1 }), ["a", "c"], "user:1 by ones");
    equal(await idsOf(documents, { order: "descending", term: "has-errors" }), ["a"], "has-errors");
    equal(await idsOf(documents, { order: "ascending", term: "user:_" }), [], "a term that looks like a pattern");
    equal(await documents.count(ITEMS, { term: "user:1", max: 9 }), 2, "the count of user:1");
    equal((await documents.page(ITEMS, { order: "ascending", term: "user:1", limit: 1 })).items[0]?.doc, { id: "a" });
  },

  "documents: terms are only added, move with the document, and stay without being named": async ({ documents }) => {
    await add(documents, "a", 1, ["red"]);
    await add(documents, "b", 2, ["red"]);
    check(await documents.put(ITEMS, "a", {}, { score: 3, terms: ["blue", "red"], expectedVersion: 1 }), "put failed");
    check(await documents.put(ITEMS, "b", {}, { score: 5, expectedVersion: 1 }), "put failed");
    equal(await idsOf(documents, { order: "ascending", term: "red" }), ["a", "b"], "red");
    equal(await idsOf(documents, { order: "ascending", term: "blue" }), ["a"], "blue");
    equal(await idsOf(documents, { order: "ascending", term: "red", from: 4 }), ["b"], "red after a move");
    const moved = await documents.page(ITEMS, { order: "descending", term: "red", limit: 1 });
    equal(moved.items[0]?.score, 5, "the score on a page of a term");
    equal(moved.items[0]?.version, 2, "the version on a page of a term");
  },

  "documents: counting stops at the given number": async ({ documents }) => {
    for (let score = 0; score < 12; score++) await add(documents, `at-${score}`, score, score % 2 ? ["odd"] : []);
    equal(await documents.count(ITEMS, { max: 100 }), 12, "all");
    equal(await documents.count(ITEMS, { max: 12 }), 12, "exactly all");
    equal(await documents.count(ITEMS, { max: 5 }), 5, "stopped");
    equal(await documents.count(ITEMS, { term: "odd", max: 100 }), 6, "of a term");
    equal(await documents.count(ITEMS, { term: "odd", max: 2 }), 2, "of a term, stopped");
    equal(await documents.count(ITEMS, { from: 3, max: 4 }), 4, "in a range, stopped");
  },

  "documents: ids that differ in case only are different": async ({ documents }) => {
    for (const id of ["abc", "ABC", "Abc"]) await add(documents, id, 1);
    for (const id of ["abc", "ABC", "Abc"]) equal((await documents.get(ITEMS, id))?.doc, { id }, `the document ${id}`);
    await documents.remove(ITEMS, "abc");
    equal(await idsOf(documents, { order: "ascending" }), ["ABC", "Abc"], "what is left");
  },

  "documents: hostile ids and terms are only text": async ({ documents }) => {
    for (const id of HOSTILE_TEXTS) await add(documents, id, 1, [id]);
    for (const id of HOSTILE_TEXTS) {
      equal(await documents.get(ITEMS, id), { id, doc: { id }, version: 1, score: 1 }, `the document ${quote(id)}`);
      const byTerm = await documents.page(ITEMS, { order: "ascending", term: id, limit: 5 });
      equal(
        byTerm.items.map((item) => item.id),
        [id],
        `the page of the term ${quote(id)}`,
      );
    }
    equal(await documents.count(ITEMS, { max: 1000 }), HOSTILE_TEXTS.length, "the count");
    for (const id of HOSTILE_TEXTS) await documents.remove(ITEMS, id);
    equal(await documents.count(ITEMS, { max: 1000 }), 0, "the count after removing all");
  },

  "documents: hostile content comes back deeply equal": async ({ documents }) => {
    for (const [name, doc] of Object.entries(HOSTILE_DOCUMENTS)) {
      check(await documents.put(ITEMS, name, doc, { score: 1, expectedVersion: 0 }), `creating ${name} failed`);
      equal((await documents.get(ITEMS, name))?.doc, doc, name);
      equal((await documents.getMany(ITEMS, [name]))[0]?.doc, doc, `${name}, by getMany`);
    }
    const all = await documents.page(ITEMS, { order: "ascending", limit: 100 });
    for (const { id, doc } of all.items) equal(doc, HOSTILE_DOCUMENTS[id], `${id}, on a page`);
  },
};

const BLOB_LAWS: Readonly<Record<string, Law>> = {
  "blobs: an unknown one is null": async ({ blobs }) => {
    equal(await blobs.get("a:none"), null, "get of an unknown key");
    equal(await blobs.has("a:none"), false, "has of an unknown key");
    await blobs.remove("a:none");
    await blobs.removeAll("a:none:");
  },

  "blobs: bytes come back exactly": async ({ blobs }) => {
    const bodies: Record<string, Uint8Array> = {
      "all values": Uint8Array.from({ length: 256 }, (_, value) => value),
      empty: new Uint8Array(),
      zeros: new Uint8Array(3),
      "5 MB": patternOf(5 * 1024 * 1024),
      "bytes like those that stores mark their own with": Uint8Array.of(0xf5, 1, 0x7b, 0x7d),
      "one such byte": Uint8Array.of(0xf5),
      "a view into a larger buffer": Uint8Array.from([9, 9, 1, 2, 3, 9, 9]).subarray(2, 5),
    };
    for (const text of ["123", "null", "true", "{}", "[1]", "base64:AAAA", "AAAA", "\u{feff}text"]) {
      bodies[`the text ${text}`] = new TextEncoder().encode(text);
    }
    for (const [index, [name, bytes]] of Object.entries(bodies).entries()) {
      await blobs.create(`a:${index}`, bytes);
      const found = await blobs.get(`a:${index}`);
      check(found instanceof Uint8Array, `${name}: the bytes came back as ${typeof found}`);
      check(isSameBytes(found, bytes), `${name}: the bytes came back changed`);
      check(await blobs.has(`a:${index}`), `${name}: has does not know it`);
    }
  },

  "blobs: creating one again with the same bytes changes nothing, at once or later": async ({ blobs }) => {
    // A key names its content, so that other bytes never come under the same key; a store may or may not look.
    const bytes = patternOf(5_000);
    const create = () => blobs.create("a:1", bytes);
    await create();
    await create();
    await Promise.all(Array.from({ length: 5 }, create));
    check(isSameBytes((await blobs.get("a:1")) ?? new Uint8Array(), bytes), "the bytes changed");
    await blobs.remove("a:1");
    equal(await blobs.get("a:1"), null, "the removed blob");
    await blobs.create("a:1", Uint8Array.from([9]));
    equal([...((await blobs.get("a:1")) ?? [])], [9], "the bytes after a removal");
  },

  "blobs: a removed one is gone, and only it": async ({ blobs }) => {
    for (const key of ["a:1", "a:10", "a:2:1"]) await blobs.create(key, Uint8Array.of(1));
    await blobs.remove("a:1");
    equal(await Promise.all(["a:1", "a:10", "a:2:1"].map((key) => blobs.has(key))), [false, true, true], "has");
    equal(await blobs.get("a:1"), null, "get");
  },

  "blobs: removing a prefix takes only what lies under it": async ({ blobs }) => {
    // No key lies under another key: on a disk it would be a file and a folder at once.
    const under = ["a:1:x", "a:1:y:z", "a:1:0", "a:1:_digest", "a:1:-"];
    const beside = ["a:10:x", "a:1-:x", "a:1_:x", "a:11:x", "a:2:x", "b:a:1:x", "aa:1:x", "a:x"];
    for (const key of [...under, ...beside]) await blobs.create(key, Uint8Array.of(1));
    await blobs.removeAll("a:1:");
    for (const key of under) check(!(await blobs.has(key)), `${key} is still there`);
    for (const key of beside) check(await blobs.has(key), `${key} was removed too`);
    await blobs.removeAll("a:1:");
  },

  "blobs: a listing has every key under its prefix, and no other": async ({ blobs }) => {
    equal(await blobs.list("a:1:", null), { keys: [], cursor: null }, "a listing of nothing");
    const under = ["a:1:x", "a:1:y:z", "a:1:0", "a:1:_digest", "a:1:-"];
    const beside = ["a:10:x", "a:1-:x", "a:1_:x", "a:2:x", "b:a:1:x", "aa:1:x"];
    for (const key of [...under, ...beside]) await blobs.create(key, Uint8Array.of(1));
    equal([...(await listAll(blobs, "a:1:"))].sort(), [...under].sort(), "the keys under a:1:");
    equal([...(await listAll(blobs, "b:"))], ["b:a:1:x"], "the keys under b:");
    equal([...(await listAll(blobs, ""))].sort(), [...under, ...beside].sort(), "all keys");
    await blobs.removeAll("a:");
    equal([...(await listAll(blobs, ""))].sort(), ["aa:1:x", "b:a:1:x"], "the keys that are left");
  },

  "blobs: what is removed or added during a listing makes it miss no other": async ({ blobs }, { listedBlobs }) => {
    const keys = Array.from({ length: listedBlobs }, (_, index) => `a:${index % 3}:${String(index).padStart(5, "0")}`);
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => blobs.create(key, Uint8Array.of(1))));
    }
    equal((await listAll(blobs, "a:")).size, keys.length, "how many keys are listed");
    const found = new Set<string>();
    const removed = new Set<string>();
    let pages = 0;
    let cursor: string | null = null;
    do {
      const listed: BlobPage = await blobs.list("a:", cursor);
      for (const key of listed.keys) found.add(key);
      // Of those that were listed, of those that may still come, and new ones.
      const gone = [...listed.keys.slice(0, 20), ...keys.filter((_, index) => index % 100 === pages)];
      await Promise.all([...new Set(gone)].map((key) => blobs.remove(key)));
      for (const key of gone) removed.add(key);
      await blobs.create(`a:0:${pages}`, Uint8Array.of(1));
      cursor = listed.cursor;
      check(++pages < 1_000, "the listing does not end");
    } while (cursor !== null);
    const missed = keys.filter((key) => !found.has(key) && !removed.has(key));
    equal(missed, [], "keys that were there all the time and did not come");
    await blobs.removeAll("a:");
    equal(await blobs.list("a:", null), { keys: [], cursor: null }, "a listing after everything was removed");
  },

  "blobs: one of 20 MB comes back exactly, is listed once, and goes as a whole": async ({ blobs }) => {
    const bytes = patternOf(20 * 1024 * 1024);
    await blobs.create("a:1:big", bytes);
    await blobs.create("a:2:big", bytes.subarray(0, 2_000_001));
    await blobs.create("a:1:big", bytes);
    check(await blobs.has("a:1:big"), "has does not know it");
    const found = await blobs.get("a:1:big");
    check(found !== null && isSameBytes(found, bytes), "the bytes came back changed");
    equal([...(await listAll(blobs, "a:"))].sort(), ["a:1:big", "a:2:big"], "the keys");
    await blobs.remove("a:1:big");
    equal(await blobs.get("a:1:big"), null, "the removed blob");
    equal((await blobs.get("a:2:big"))?.length, 2_000_001, "the length of the other blob");
    await blobs.removeAll("a:2:");
    equal(await blobs.get("a:2:big"), null, "the blob removed by its prefix");
    equal([...(await listAll(blobs, ""))], [], "the keys that are left");
  },

  "blobs: many are written at once": async ({ blobs }) => {
    const keys = Array.from({ length: 60 }, (_, index) => `a:${index}`);
    await Promise.all(keys.map((key, index) => blobs.create(key, Uint8Array.of(index))));
    const found = await Promise.all(keys.map((key) => blobs.get(key)));
    equal(
      found.map((bytes) => bytes?.[0]),
      keys.map((_, index) => index),
      "the bytes",
    );
    await Promise.all(Array.from({ length: 10 }, () => blobs.create("a:same", Uint8Array.of(7))));
    equal([...((await blobs.get("a:same")) ?? [])], [7], "one key written ten times at once");
  },

  "blobs: keys of 200 bytes are told apart to the last": async ({ blobs }) => {
    const long = `a:${"k".repeat(197)}`;
    await blobs.create(`${long}1`, Uint8Array.of(1));
    await blobs.create(`${long}2`, Uint8Array.of(2));
    equal([(await blobs.get(`${long}1`))?.[0], (await blobs.get(`${long}2`))?.[0]], [1, 2], "the bytes");
  },
};

const STORE_LAWS: Readonly<Record<string, Law>> = {
  "store: a put with blobs keeps both, or neither": async (store) => {
    if (!store.putWithBlobs) return;
    const put = (expectedVersion: number, key: string) =>
      store.putWithBlobs!(ITEMS, "a", {}, { score: 1, expectedVersion }, new Map([[key, Uint8Array.of(1)]]));
    check(await put(0, "a:1"), "creating failed");
    check(await store.blobs.has("a:1"), "the document was put, its blob is not there");
    check(!(await put(0, "a:2")), "created twice");
    check(!(await store.blobs.has("a:2")), "the put was refused, its blob is there");
  },

  "store: a put keeps blobs of 3 MB, or none of them": async (store) => {
    if (!store.putWithBlobs) return;
    const bytes = patternOf(3 * 1024 * 1024);
    const put = (expectedVersion: number, key: string) =>
      store.putWithBlobs!(ITEMS, "a", {}, { score: 1, expectedVersion }, new Map([[key, bytes]]));
    check(await put(0, "a:1:x"), "creating failed");
    const found = await store.blobs.get("a:1:x");
    check(found !== null && isSameBytes(found, bytes), "the bytes came back changed");
    check(!(await put(0, "a:1:y")), "created twice");
    equal(await store.blobs.get("a:1:y"), null, "the blob of the refused put");
    check(await put(1, "a:1:y"), "changing failed");
    check(await store.blobs.has("a:1:y"), "the document was put, its blob is not there");
  },

  "store: says what it is and promises": async ({ about }) => {
    check(about.name.length > 0, "it has no name");
    check(["any", "one machine", "one process"].includes(about.writers), `writers: ${about.writers}`);
    check(["power", "process", "database", "none"].includes(about.durability), `durability: ${about.durability}`);
  },

  "store: looks after itself without finding an error in an empty store": async (store) => {
    for (const { level, what, remedy } of await store.check()) {
      check(level === "warning", `${level}: ${what}`);
      check(what.length > 0 && remedy.length > 0, "a finding says nothing");
    }
    equal([...(await listAll(store.blobs, ""))], [], "what the look left behind");
  },

  "store: the first to ask sets the schema": async (store) => {
    equal(await Promise.all([store.schemaVersion(7), store.schemaVersion(7)]), [7, 7], "asked twice at once");
    equal(await store.schemaVersion(9), 7, "asked later");
  },

  "store: closing waits for what was begun": async (store) => {
    const begun = [
      store.blobs.create("a:1", Uint8Array.of(1)),
      store.documents.put(ITEMS, "a", {}, { score: 1, expectedVersion: 0 }),
    ];
    let isDone = false;
    const done = Promise.all(begun).then(() => (isDone = true));
    await store.close();
    // The promises settle a few turns after the write they stand for.
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    check(isDone, "close() resolved before the writes");
    await done;
  },
};

/** Text that could be taken for something else: by SQL, by patterns, by JSON, by an object's prototype, or as a number. */
const HOSTILE_TEXTS: readonly string[] = [
  "'",
  '"',
  "`",
  "\\",
  "%",
  "_",
  "*",
  "?",
  "a'; DROP TABLE sentiero_documents; --",
  "__proto__",
  "constructor",
  "toString",
  "123",
  "0123",
  "1e3",
  "-0",
  "null",
  "true",
  "undefined",
  "[object Object]",
  " ",
  " a",
  "a ",
  "a\nb",
  "a:b",
  "a/b",
  "../a",
  "é",
  "e\u0301",
  "\u212b",
  "\u00c5",
  "A\u030a",
  "ß",
  "SS",
  "日本語",
  "😀",
  "\u{feff}a",
  "\u202ea",
  "\u0001",
  "\u0000",
  "a\u0000b",
  "a\u0000",
  "\ud800",
  "a\udc00",
  "\udc00\ud800",
  "\ufffd",
  "\u2410",
  "\u24100000",
  "k".repeat(199) + "1",
  "k".repeat(199) + "2",
];

const HOSTILE_DOCUMENTS: Readonly<Record<string, unknown>> = {
  empty: {},
  "empty lists": { list: [], nested: [[], [[]]], object: {} },
  numbers: { zero: 0, negative: -1.5, big: Number.MAX_SAFE_INTEGER, huge: 1e308, tiny: 5e-324, float: 0.1 },
  "text that looks like something else": { texts: HOSTILE_TEXTS },
  "text with NUL and lone surrogates": { nul: "a\u0000b", high: "\ud800", low: "\udc00", swapped: "\udc00\ud800" },
  "keys with NUL and lone surrogates": { "a\u0000b": 1, "\ud800": 2, "\udc00": 3, "\ufffd": 4 },
  "composed and decomposed": { "\u00e9": 1, "e\u0301": 2 },
  "line separators": { text: "\u2028\u2029\r\n\t" },
  // Parsed, so that `__proto__` is a key of its own.
  "names of the prototype": JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":1},"toString":0}'),
  "empty key": { "": { "": null } },
  "nulls and flags": { none: null, yes: true, no: false, list: [null, true, false] },
  "keys in odd order": { 2: "b", 1: "a", b: 1, a: 2 },
  deep: nest(200),
  "16 KB": { text: "é'\\\"".repeat(4_000) },
  "70 KB": { text: "x".repeat(70_000) },
};

function nest(levels: number): unknown {
  return levels === 0 ? "bottom" : [{ down: nest(levels - 1) }];
}

async function add(documents: DocumentStore, id: string, score: number, terms?: readonly string[]): Promise<void> {
  check(await documents.put(ITEMS, id, { id }, { score, terms, expectedVersion: 0 }), `creating ${quote(id)} failed`);
}

/** All keys of a listing. */
async function listAll(blobs: BlobStore, prefix: string): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  let cursor: string | null = null;
  for (let pages = 0; pages < 1_000; pages++) {
    const listed: BlobPage = await blobs.list(prefix, cursor);
    for (const key of listed.keys) {
      check(key.startsWith(prefix), `${key} is listed under ${quote(prefix)}`);
      keys.add(key);
    }
    cursor = listed.cursor;
    if (cursor === null) return keys;
  }
  throw new Error("the listing does not end");
}

/** Bytes that are not the same twice within some thousand. */
function patternOf(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 31 + (index >> 8) + (index >> 16)) & 0xff;
  return bytes;
}

async function page(
  documents: DocumentStore,
  query: PageQuery,
): Promise<{ ids: readonly string[]; cursor: Cursor | null }> {
  const { items, cursor } = await documents.page(ITEMS, query);
  return { ids: items.map(({ id }) => id), cursor };
}

/** The ids of all pages, one page after the other. */
async function idsOf(
  documents: DocumentStore,
  query: Omit<PageQuery, "limit"> & { limit?: number },
): Promise<readonly string[]> {
  const ids: string[] = [];
  let after = query.after;
  for (let pages = 0; pages < 100; pages++) {
    const next = await page(documents, { limit: 10, ...query, after });
    check(next.ids.length <= (query.limit ?? 10), "a page holds more than its limit");
    ids.push(...next.ids);
    if (!next.cursor) return ids;
    after = next.cursor;
  }
  throw new Error("the pages do not end");
}

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

function equal(actual: unknown, expected: unknown, what = "the value"): void {
  if (!isEqual(actual, expected)) throw new Error(`${what}: expected ${quote(expected)}, got ${quote(actual)}`);
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && isEqual(left[key], right[key]))
  );
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index]);
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
