import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BatchDigest } from "../../src/sessions/digest.ts";
import type { SessionDocument } from "../../src/sessions/document.ts";
import { mergeDigest } from "../../src/sessions/merge.ts";
import { toDetail } from "../../src/sessions/summary.ts";
import { digests, shuffled } from "../support/digests.ts";
import { createDigest, hashOf, openMemoryStore, openSessions, readDocument } from "../support/stores.ts";

const RUNS = ["a".repeat(24), "b".repeat(24), ""];

const merge = (batches: readonly BatchDigest[]): SessionDocument | null =>
  batches.reduce<SessionDocument | null>(mergeDigest, null);

describe("merging batches into a session document", () => {
  test("gives the same document in any order and with any repetition", () => {
    const some = shuffled(digests({ windowIds: ["window-1", "window-2"], runs: RUNS, maxSeq: 6 }));
    fc.assert(
      fc.property(some, ([batches, again]) => {
        expect(JSON.stringify(merge(again))).toBe(JSON.stringify(merge(batches)));
        const [shown, shownAgain] = [batches, again].map((order) => toDetail(merge(order)!, 0).windows);
        expect(shownAgain).toEqual(shown);
        const has = new Set(batches.map(({ run, seq }) => `${run}/${seq}`));
        const gaps = shown!.flatMap((window) => window.gaps);
        expect(gaps.filter(({ run, seq }) => has.has(`${run}/${seq}`))).toEqual([]);
      }),
      { numRuns: 200, interruptAfterTimeLimit: 15_000 },
    );
  });

  test("shows what was given up unless its upload is there, whichever came first, and which gaps fit is the same", () => {
    const gap = { reason: "network" as const, events: 1 };
    const named = Array.from({ length: 5 }, (_, seq) => ({ ...gap, from: seq, to: seq, run: RUNS[0]!, seq }));
    const others = Array.from({ length: 20 }, (_, index) => ({ ...gap, from: 9 + index, to: 9 + index }));
    const telling = [
      createDigest({ run: RUNS[1]!, seq: 0, gaps: named }),
      createDigest({ run: RUNS[1]!, seq: 1, gaps: others }),
    ];
    const found = [1, 2, 3, 4].map((seq) => createDigest({ run: RUNS[0]!, seq, windowId: "window-2" }));
    for (const order of [
      [...telling, ...found],
      [...found, ...telling],
      [telling[0]!, ...found, telling[1]!],
      [telling[1]!, ...found, telling[0]!],
    ]) {
      const { windows } = toDetail(merge(order)!, 0);
      expect(windows.flatMap(({ gaps }) => gaps)).toEqual([named[0], ...others.slice(0, 15)]);
    }
  });

  test("a metadata key that did not fit stays out, whichever batch came first", () => {
    const [a, m, z] = (["a", "m", "z"] as const).map((key, seq) =>
      createDigest({ seq, metadata: { [key]: "\u0001".repeat({ a: 20, m: 670, z: 5 }[key]) } }),
    ) as [BatchDigest, BatchDigest, BatchDigest];
    const documents = [
      [a, m, z],
      [m, z, a],
      [z, m, a],
      [a, z, m],
    ].map((batches) => merge(batches)!.metadata);
    for (const metadata of documents) expect(metadata).toEqual(documents[0]);
  });

  test("counts every batch once", () => {
    const batches = [0, 1, 2].map((seq) => createDigest({ seq, events: 10, clicks: 2, pages: 1, bytes: 100 }));
    const document = merge([...batches, ...batches])!;
    expect(document).toMatchObject({ events: 30, clicks: 6, pages: 3, bytes: 300 });
    expect(document.windows[0]).toMatchObject({ events: 30, batches: 3, bytes: 300, conflicts: 0 });
    expect(document.windows[0]!.runs[0]!.seqs).toEqual([[0, 2]]);
  });

  test("keeps two bodies under one number and counts the conflict, in either order", () => {
    const first = createDigest({ seq: 3 });
    const second = createDigest({ seq: 3, hash: hashOf("other") });
    for (const batches of [
      [first, second],
      [second, first, second],
    ]) {
      const [window] = merge(batches)!.windows;
      expect(window).toMatchObject({ batches: 2, conflicts: 1 });
      expect(window!.runs[0]!.rows).toHaveLength(2);
      expect(window!.runs[0]!.seqs).toEqual([[3, 3]]);
    }
  });

  test("joins numbers into ranges as holes fill", () => {
    const seqs = (numbers: number[]) =>
      merge(numbers.map((seq) => createDigest({ seq })))!.windows[0]!.runs[0]!.seqs.map((range) => [...range]);
    expect(seqs([5, 0, 2])).toEqual([
      [0, 0],
      [2, 2],
      [5, 5],
    ]);
    expect(seqs([5, 0, 2, 1])).toEqual([
      [0, 2],
      [5, 5],
    ]);
    expect(seqs([5, 0, 2, 1, 4, 3])).toEqual([[0, 5]]);
  });

  test("takes the first and last page by the browser's clock, equal times by address", () => {
    const page = (at: number, href: string) => ({ at, href, width: 1, height: 1 });
    const digest = (seq: number, at: number, href: string) =>
      createDigest({ seq, entryPage: page(at, href), lastPage: page(at, href) });
    const batches = [digest(0, 5, "b"), digest(1, 5, "a"), digest(2, 5, "c")];
    for (const order of [batches, batches.toReversed()]) {
      expect(merge(order)).toMatchObject({ entry: { href: "a" }, last: { href: "c" } });
    }
  });

  test("the newest value of a metadata key wins, not the one that came last", () => {
    const old = createDigest({ seq: 0, last: 10, metadata: { plan: "free" } });
    const young = createDigest({ seq: 1, last: 20, metadata: { plan: "paid" } });
    for (const batches of [
      [old, young],
      [young, old],
    ]) {
      expect(merge(batches)!.metadata).toEqual([["plan", "paid", 20, expect.any(Number)]]);
    }
  });

  test("a metadata key named __proto__ is only a key", () => {
    const metadata = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
    const keys = merge([createDigest({ metadata })])!.metadata.map(([key]) => key);
    expect(keys).toEqual(["__proto__", "constructor"]);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });
});

describe("a session document stays under 16,384 characters", () => {
  const sizes = async (batches: Iterable<BatchDigest>): Promise<{ largest: number; taken: number }> => {
    const { store } = openMemoryStore();
    const sessions = openSessions(store);
    const bytes = Uint8Array.of(1);
    let largest = 0;
    let taken = 0;
    for (const digest of batches) {
      const isTaken = await sessions.append(digest, bytes).then(
        () => true,
        (error: { status?: number }) => {
          if (error.status !== 409) throw error;
          return false;
        },
      );
      if (!isTaken) continue;
      taken++;
      largest = Math.max(largest, JSON.stringify(await readDocument(store)).length);
    }
    return { largest, taken };
  };

  test("whatever a recorder sends", async () => {
    const windowIds = Array.from({ length: 40 }, (_, index) => `${index}`.padEnd(128, "w"));
    const runs = [...Array.from({ length: 20 }, (_, index) => index.toString(16).padStart(24, "0")), ""];
    await fc.assert(
      fc.asyncProperty(
        fc.array(digests({ windowIds, runs, maxSeq: 99_999 }), { minLength: 5, maxLength: 60, size: "max" }),
        async (batches) => {
          expect((await sizes(batches)).largest).toBeLessThan(16_384);
        },
      ),
      { numRuns: 30, endOnFailure: true },
    );
  });

  test("with metadata names and values full of characters that JSON escapes", async () => {
    const metadata = Object.fromEntries(
      Array.from({ length: 50 }, (_, index) => [`${index}`.padEnd(128, "\u0001"), 1] as const),
    );
    const { largest, taken } = await sizes([createDigest({ metadata }), createDigest({ seq: 1, metadata })]);
    expect(taken).toBeGreaterThan(0);
    expect(largest).toBeLessThan(16_384);
  });

  test("with one batch that brings twenty gaps, long addresses and metadata to an almost full session", async () => {
    const page = { at: 1, href: '"'.repeat(512), width: 1, height: 1 };
    const gaps = Array.from({ length: 20 }, (_, index) => ({
      reason: "overflow" as const,
      events: Number.MAX_SAFE_INTEGER,
      from: -1.2345678901234568e-300 * (index + 1),
      to: 1.7976931348623157e308,
      run: "f".repeat(24),
      seq: Number.MAX_SAFE_INTEGER - index,
    }));
    const metadata = { a: '"'.repeat(1000), b: "\u0001".repeat(300) };
    const fill = Array.from({ length: 34 }, (_, index) => createDigest({ windowId: `${index}`.padEnd(128, "w") }));
    const last = createDigest({
      windowId: "0".padEnd(128, "w"),
      seq: 1,
      gaps,
      metadata,
      entryPage: page,
      lastPage: page,
    });
    expect((await sizes([...fill, last])).largest).toBeLessThan(16_384);
  });

  test("with addresses that grow sixfold as JSON, beside rows that fill it", async () => {
    const page = { at: -1.2345678901234568e-300, href: "\u0001".repeat(512), width: 999_999, height: 999_999 };
    const batches = Array.from({ length: 120 }, (_, index) =>
      createDigest({
        seq: 99_999 - index,
        events: 100_000,
        bytes: 8_388_608,
        first: 1.2345678901234568e-300,
        last: 1.7976931348623157e308,
        entryPage: page,
        lastPage: page,
      }),
    );
    const { largest, taken } = await sizes(batches);
    expect(taken).toBe(120);
    expect(largest).toBeLessThan(16_384);
    expect(largest).toBeGreaterThan(13_000);
  });

  test("with a run of 100,000 batches, all of which are taken", { timeout: 120_000 }, async () => {
    const { store } = openMemoryStore();
    // The blobs are not of interest here, only what the document keeps of them.
    const sessions = openSessions({
      ...store,
      blobs: { ...store.blobs, create: async () => {}, has: async () => true },
    });
    let largest = 0;
    let refusedAt = -1;
    for (let seq = 0; seq < 100_000; seq++) {
      const digest = { ...TEMPLATE, seq, hash: seq.toString(16).padStart(24, "0") };
      const isTaken = await sessions.append(digest, EMPTY).then(
        () => true,
        () => false,
      );
      if (!isTaken) {
        refusedAt = seq;
        break;
      }
      if (seq % 500 !== 499) continue;
      largest = Math.max(largest, JSON.stringify(await readDocument(store)).length);
      // Far above the bound already: the rest would only take long.
      if (largest > 32_768) break;
    }
    expect(largest).toBeLessThan(16_384);
    expect(refusedAt).toBe(-1);
  });

  test("with numberless batches without end", async () => {
    const { store } = openMemoryStore();
    const sessions = openSessions({
      ...store,
      blobs: { ...store.blobs, create: async () => {}, has: async () => false },
    });
    let largest = 0;
    // A page of its own for every batch would show after a few thousand; windows make the start nearly full.
    for (let index = 0; index < 34; index++) {
      await sessions
        .append(createDigest({ windowId: `${index}`.padEnd(128, "w"), run: "", seq: -1 }), EMPTY)
        .catch(() => {});
    }
    for (let index = 0; index < 3_000; index++) {
      const digest = createDigest({ windowId: "0".padEnd(128, "w"), run: "", seq: -1, hash: hashOf(`loose ${index}`) });
      await sessions.append(digest, EMPTY).catch(() => {});
      if (index % 100 === 99) largest = Math.max(largest, JSON.stringify(await readDocument(store)).length);
    }
    expect(largest).toBeLessThan(16_384);
  });

  test("with different bodies under one number without end", async () => {
    const { store } = openMemoryStore();
    const sessions = openSessions({
      ...store,
      blobs: { ...store.blobs, create: async () => {}, get: async () => null },
    });
    for (let index = 0; index < 34; index++) {
      await sessions.append(createDigest({ windowId: `${index}`.padEnd(128, "w") }), EMPTY).catch(() => {});
    }
    let largest = 0;
    for (let index = 0; index < 1_500; index++) {
      const digest = createDigest({ windowId: "0".padEnd(128, "w"), hash: hashOf(`conflict ${index}`) });
      await sessions.append(digest, EMPTY).catch(() => {});
      if (index % 100 === 99) largest = Math.max(largest, JSON.stringify(await readDocument(store)).length);
    }
    expect(largest).toBeLessThan(16_384);
  });
});

const EMPTY = new Uint8Array();
const TEMPLATE = createDigest();
