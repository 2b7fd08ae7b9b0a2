import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BatchDigest } from "../../src/sessions/digest.ts";
import type { IndexPage, SessionDocument } from "../../src/sessions/document.ts";
import { readIndexPages, spillRows, type Spilled } from "../../src/sessions/index-pages.ts";
import { mergeDigest } from "../../src/sessions/merge.ts";
import { batchKey, toBatchList } from "../../src/sessions/replay-order.ts";
import { digests } from "../support/digests.ts";
import { createDigest, hashOf } from "../support/stores.ts";

const [A, B] = ["a".repeat(24), "b".repeat(24)] as const;

const merge = (batches: readonly BatchDigest[]): SessionDocument =>
  batches.reduce<SessionDocument | null>(mergeDigest, null)!;

const list = (batches: readonly BatchDigest[], windowId = "window-1") => toBatchList(merge(batches), [], windowId);

describe("the order of replay", () => {
  test("runs come by their first event, batches of a run by number", () => {
    const batches = [
      createDigest({ run: A, seq: 1, first: 90, last: 99 }),
      createDigest({ run: A, seq: 0, first: 50, last: 60 }),
      createDigest({ run: B, seq: 0, first: 10, last: 20 }),
      createDigest({ run: B, seq: 1, first: 95, last: 98 }),
    ];
    expect(list(batches).map(({ run, seq }) => [run, seq])).toEqual([
      [B, 0],
      [B, 1],
      [A, 0],
      [A, 1],
    ]);
  });

  test("the number decides within a run, not the clock, which may be set back", () => {
    const batches = [
      createDigest({ seq: 0, first: 500, last: 500 }),
      createDigest({ seq: 1, first: 100, last: 100 }),
      createDigest({ seq: 10, first: 300, last: 300 }),
      createDigest({ seq: 9, first: 400, last: 400 }),
    ];
    expect(list(batches).map(({ seq }) => seq)).toEqual([0, 1, 9, 10]);
  });

  test("batches of equal times keep one order", () => {
    const loose = ["x", "y", "z"].map((name) =>
      createDigest({ run: "", seq: -1, hash: hashOf(name), first: 5, last: 5 }),
    );
    expect(list(loose)).toEqual(list(loose.toReversed()));
    const runs = [createDigest({ run: A, first: 5 }), createDigest({ run: B, first: 5 })];
    expect(list(runs).map(({ run }) => run)).toEqual([A, B]);
    expect(list(runs.toReversed()).map(({ run }) => run)).toEqual([A, B]);
  });

  test("of two bodies under one number the second is flagged, of three the second and the third", () => {
    const batches = ["x", "y", "z"].map((name) => createDigest({ seq: 4, hash: hashOf(name) }));
    expect(list(batches).map(({ isConflict }) => isConflict)).toEqual([false, true, true]);
  });

  test("batches without a number never conflict", () => {
    const loose = ["x", "y"].map((name) => createDigest({ run: "", seq: -1, hash: hashOf(name) }));
    expect(list(loose).map(({ isConflict }) => isConflict)).toEqual([false, false]);
  });

  test("windows are apart", () => {
    const batches = [createDigest(), createDigest({ windowId: "window-2" })];
    expect(list(batches)).toHaveLength(1);
    expect(list(batches, "window-2")).toHaveLength(1);
    expect(list(batches, "none")).toEqual([]);
  });

  test("a batch says what the player needs", () => {
    const digest = createDigest({ seq: 2, first: 5, last: 9, events: 3, bytes: 77, hasFullSnapshot: true });
    expect(list([digest])).toEqual([
      {
        key: `${A}-2-${digest.hash}`,
        run: A,
        seq: 2,
        firstAt: 5,
        lastAt: 9,
        eventCount: 3,
        byteCount: 77,
        hasFullSnapshot: true,
        isConflict: false,
      },
    ]);
  });

  test("is the same wherever the rows lie: in the document or on index pages", async () => {
    const batch = digests({ windowIds: ["window-1", "window-2"], runs: [A, B, ""], maxSeq: 5 });
    const named = fc.uniqueArray(batch, {
      minLength: 1,
      maxLength: 12,
      selector: (digest) => `${digest.windowId}${batchKey(digest)}`,
    });
    await fc.assert(
      fc.asyncProperty(named, fc.nat(12), async (batches, splitAt) => {
        const whole = toBatchList(merge(batches), [], "window-1");
        let pages: readonly IndexPage[] = [];
        let document: SessionDocument | null = null;
        for (const [index, digest] of batches.entries()) {
          document = mergeDigest(document, digest);
          if (index !== splitAt) continue;
          const spilled: Spilled = await spillRows(document, async () => "page");
          document = spilled.document;
          ({ pages } = await readIndexPages(["page"], async (name) => spilled.blobs.get(name) ?? null));
        }
        expect(toBatchList(document!, pages, "window-1")).toEqual(whole);
      }),
      { numRuns: 60, interruptAfterTimeLimit: 10_000 },
    );
  });
});

test("two bodies under one number have two names", () => {
  expect(batchKey({ run: A, seq: 1, hash: hashOf("x") })).not.toBe(batchKey({ run: A, seq: 1, hash: hashOf("y") }));
  expect(batchKey({ run: "", seq: -1, hash: "0".repeat(24) })).toBe(`loose-${"0".repeat(24)}`);
});
