import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSortedIndex } from "../../src/storage/sorted-index.ts";

interface Row {
  readonly score: number;
  readonly terms: readonly string[];
}

const id = fc.integer({ min: 0, max: 40 }).map((n) => `id-${n}`);
const score = fc.integer({ min: -3, max: 3 });
const terms = fc.uniqueArray(fc.constantFrom("red", "blue", "__proto__"));
const change = fc.oneof(
  { weight: 3, arbitrary: fc.record({ id, row: fc.record({ score, terms }) }) },
  { weight: 1, arbitrary: fc.record({ id, row: fc.constant(null) }) },
);
const query = fc.record({
  order: fc.constantFrom("ascending" as const, "descending" as const),
  limit: fc.integer({ min: 0, max: 50 }),
  term: fc.option(fc.constantFrom("red", "blue", "__proto__", "none"), { nil: undefined }),
  from: fc.option(score, { nil: undefined }),
  to: fc.option(score, { nil: undefined }),
  after: fc.option(fc.record({ score, id }), { nil: undefined }),
});

function compare(a: { score: number; id: string }, b: { score: number; id: string }): number {
  return a.score - b.score || (a.id < b.id ? -1 : Number(a.id > b.id));
}

describe("a sorted index", () => {
  test("gives what sorting and filtering everything gives", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 120 }), query, (changes, { order, limit, term, from, to, after }) => {
        const index = createSortedIndex();
        const rows = new Map<string, Row>();
        for (const { id, row } of changes) {
          if (row) index.set(id, row.score, new Set(row.terms));
          else expect(index.delete(id)).toBe(rows.has(id));
          if (row) rows.set(id, row);
          else rows.delete(id);
        }
        const inRange = [...rows]
          .filter(([, row]) => term === undefined || row.terms.includes(term))
          .filter(([, row]) => row.score >= (from ?? -Infinity) && row.score <= (to ?? Infinity))
          .map(([id, { score }]) => ({ score, id }))
          .sort(compare);
        expect(index.size).toBe(rows.size);
        expect(index.count({ term, from, to, max: limit })).toBe(Math.min(limit, inRange.length));
        if (order === "descending") inRange.reverse();
        const behind = inRange.filter(
          (place) => !after || (order === "ascending" ? compare(place, after) > 0 : compare(place, after) < 0),
        );
        expect(index.take({ order, limit, term, from, to, after })).toEqual(behind.slice(0, limit));
      }),
    );
  });

  test("keeps its order over many chunks, however they fill and empty", () => {
    const index = createSortedIndex();
    const count = 5_000;
    // Every seventh of a prime's multiples: an order without order.
    const ids = Array.from({ length: count }, (_, at) => String((at * 2_741) % count).padStart(5, "0"));
    for (const [at, id] of ids.entries()) index.set(id, at % 3, new Set([`t-${at % 2}`]));
    for (const id of ids) index.set(id, Number(id), new Set(["all"]));
    for (const id of ids) if (Number(id) % 5 > 0) index.delete(id);
    const left = Array.from({ length: count / 5 }, (_, at) => at * 5);
    const scores = index.take({ order: "ascending", limit: count, term: "all" }).map(({ score }) => score);
    expect(scores).toEqual(left);
    expect(index.take({ order: "descending", limit: count }).map(({ score }) => score)).toEqual(left.toReversed());
    expect(index.count({ term: "t-0", max: 10 })).toBe(0);
  });
});
