import { describe, expect, it } from "vitest";
import { problemsOf } from "../../dashboard-ui/recording-problems.ts";
import type { WindowSummary } from "../../src/index.ts";

const RUN = "a".repeat(24);
const AT = 1_700_000_000_000;

/** What is told of a window that misses these. */
function told({ missing = [], gaps = [] }: Partial<Pick<WindowSummary, "missing" | "gaps">>): string[] {
  return problemsOf({
    id: "window-1",
    firstEventAt: AT,
    lastEventAt: AT,
    eventCount: 1,
    batchCount: 1,
    byteCount: 1,
    conflictCount: 0,
    clockSkewMs: null,
    missing,
    gaps,
  });
}

const gap = (seq: number, run = RUN) => ({ reason: "network" as const, events: 3, from: AT, to: AT, run, seq });

describe("what is missing from a recording", () => {
  it("is told once where a gap names the upload that never came", () => {
    const missing = [{ run: RUN, from: 2, to: 2 }];
    const problems = told({ missing, gaps: [gap(2)] });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^3 events lost, .*: they could not be sent\.$/);
    expect(told({ missing, gaps: [gap(2, "b".repeat(24))] })).toHaveLength(2);
  });

  it("is told of the uploads that no gap names", () => {
    const problems = told({ missing: [{ run: RUN, from: 2, to: 9 }], gaps: [gap(4), gap(4), gap(9)] });
    expect(problems.map((text) => text.replace(/,.*/, ""))).toEqual([
      "2 uploads never arrived.",
      "4 uploads never arrived.",
      "3 events lost",
      "3 events lost",
      "3 events lost",
    ]);
  });

  it("is told of both where the gap has no name", () => {
    const { run: _run, seq: _seq, ...nameless } = gap(2);
    expect(told({ missing: [{ run: RUN, from: 2, to: 2 }], gaps: [nameless] })).toHaveLength(2);
  });
});
