import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GapMemory, type RememberedGap } from "../../recorder/gaps.ts";
import type { KeptBatch, UnsentStore } from "../../recorder/unsent-store.ts";
import { countEvents, createBench, eventsOf, gapsOf, type Reply, type SeenBatch } from "./fake-browser.ts";

/** A browser's store of unsent uploads and a tab's memory of gaps, which outlive their pages. */
function createTab() {
  const kept = new Map<string, KeptBatch>();
  const calls = { kept: 0, cleared: 0 };
  let gaps: readonly RememberedGap[] = [];
  const lost: GapMemory = {
    take: () => [...gaps],
    save: (next) => void (gaps = next),
  };
  const keepUnsent: UnsentStore = {
    take: async () => ({ batches: [...kept.values()], gaps: [], ids: [...kept.keys()] }),
    keep(batches) {
      calls.kept += batches.length;
      for (const batch of batches) kept.set(batch.id, batch);
    },
    remove: (id) => void kept.delete(id),
    clear: () => void (calls.cleared++, kept.clear()),
  };
  return {
    kept,
    calls,
    get gaps() {
      return gaps;
    },
    /** A page of the tab whose run has this name; events are numbered from `first`. */
    open(name: string, { first = 0, keeps = true } = {}) {
      const bench = createBench({
        lost,
        keepUnsent: keeps ? keepUnsent : null,
        onRotate: () => {
          bench.begin(`${name}.${++bench.calls.rotations}`);
          bench.push(10, 4);
          bench.push(200, 2);
        },
      });
      bench.begin(name);
      bench.pushed = first;
      return bench;
    },
  };
}

const declared = (batches: Iterable<SeenBatch>): number =>
  [...batches].flatMap((batch) => batch.gaps ?? []).reduce((total, gap) => total + gap.events, 0);

describe("uploads kept for the next page", () => {
  test("are there once the server has not taken them, and gone once it has", async () => {
    const tab = createTab();
    const page = tab.open("one");
    page.push();
    page.reply = () => "dropped";
    await page.time.advance(13_000);
    expect([...tab.kept.keys()]).toEqual(["one/0"]);
    expect(tab.calls.kept).toBe(1);
    page.reply = () => 200;
    await page.time.advance(60_000);
    expect(tab.kept.size).toBe(0);
  });

  test("are not needed while all is well", async () => {
    const tab = createTab();
    const page = tab.open("one");
    page.push();
    await page.time.advance(60_000);
    expect(tab.calls.kept).toBe(0);
  });

  test("go with the next page's first uploads, byte for byte, and are not declared lost", async () => {
    const tab = createTab();
    const first = tab.open("one");
    const posted: string[] = [];
    first.reply = ({ text }) => (posted.push(text), "dropped");
    first.takesBeacons = false;
    first.push(10, 2);
    await first.time.advance(1_000);
    first.push(200_000);
    first.push();
    first.transport.hide(true);
    expect(tab.gaps.length).toBeGreaterThan(0);

    const second = tab.open("two", { first: first.pushed });
    second.push();
    await second.time.advance(60_000);
    expect(second.seen.find((batch) => batch.run === "one" && batch.seq === 0)!.text).toBe(posted[0]);
    expect(eventsOf(second.stored.values()).toSorted()).toEqual([0, 1, 2, 3]);
    expect(declared(second.seen)).toBe(0);
    expect(tab.kept.size).toBe(0);
  });

  test("wait for what the page itself has to send", async () => {
    const tab = createTab();
    tab.kept.set("old/0", { id: "old/0", body: '{"run":"old","seq":0,"events":[{"n":-1}]}', gaps: [] });
    const page = tab.open("one");
    page.reply = ({ run }) => (run === "old" ? 500 : 200);
    for (let n = 0; n < 3; n++) {
      page.push();
      await page.time.advance(20_000);
    }
    expect(page.seen.map(({ run, seq }) => [run, seq])).toEqual([
      ["one", 0],
      ["one", 1],
      ["one", 2],
    ]);
  });

  test("that the server refuses are declared, and cost the page's session nothing", async () => {
    const tab = createTab();
    const gap = { reason: "unload" as const, events: 4, from: 1, to: 2 };
    tab.kept.set("old/0", { id: "old/0", body: '{"run":"old","seq":0,"events":[{"n":-1}]}', gaps: [gap] });
    const page = tab.open("one");
    page.reply = ({ run }) => (run === "old" ? 410 : 200);
    await page.time.advance(1_000);
    page.push();
    await page.time.advance(60_000);
    expect(page.calls).toMatchObject({ rotations: 0, stops: [] });
    expect(page.seen.flatMap((batch) => batch.gaps ?? [])).toEqual([{ ...gap, run: "old", seq: 0 }]);
    expect(tab.kept.size).toBe(0);
  });

  test("are deleted when the visitor objects", async () => {
    const tab = createTab();
    const page = tab.open("one");
    page.reply = () => "dropped";
    page.push();
    await page.time.advance(13_000);
    expect(tab.kept.size).toBe(1);
    page.transport.discard();
    expect(tab.calls.cleared).toBe(1);
  });

  test("are not sent again once they were declared because the buffer was full", async () => {
    const tab = createTab();
    const page = tab.open("one");
    page.takesBeacons = false;
    page.reply = () => "dropped";
    for (let n = 0; n < 30; n++) page.push(250_000);
    page.transport.hide(false);
    expect(tab.kept.size).toBeGreaterThan(5);
    page.transport.show();
    for (let n = 0; n < 100; n++) page.push(20_000);
    page.reply = () => 200;
    await page.time.advance(600_000);
    expect(tab.kept.size).toBe(0);
    const events = eventsOf(page.stored.values());
    expect(new Set(events).size).toBe(events.length);
    expect(events.length + declared(page.stored.values())).toBe(page.pushed);
  });

  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant("push" as const), n: fc.integer({ min: 0, max: 40_000 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), n: fc.integer({ min: 0, max: 40_000 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("hide" as const, "show" as const), n: fc.constant(0) }) },
  );
  const replies = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant<Reply>(200) },
      { weight: 4, arbitrary: fc.constantFrom<Reply>("lost", "dropped", 500, 503, 429) },
      { weight: 1, arbitrary: fc.constantFrom<Reply>(413, 409) },
    ),
    { maxLength: 30 },
  );
  const pages = fc.array(fc.record({ steps: fc.array(step, { maxLength: 15 }), replies, takesBeacons: fc.boolean() }), {
    minLength: 1,
    maxLength: 4,
  });

  test.each([true, false])(
    "over several pages every event arrives once or is declared (kept: %s); what is kept is not also declared",
    async (keeps) => {
      await fc.assert(
        fc.asyncProperty(pages, fc.constantFrom(0, 300, 20_000), async (given, latencyMs) => {
          const tab = createTab();
          const stored = new Map<string, SeenBatch>();
          let pushed = 0;
          let isRefused = false;
          for (const [index, visit] of [...given, { steps: [], replies: [], takesBeacons: true }].entries()) {
            const page = tab.open(`page${index}`, { first: pushed, keeps });
            const queue = [...visit.replies];
            isRefused ||= queue.some((reply) => reply === 413 || reply === 409 || reply === 500);
            page.latencyMs = latencyMs;
            page.takesBeacons = visit.takesBeacons;
            page.reply = () => queue.shift() ?? 200;
            page.push(10, 4);
            page.push(500, 2);
            for (const each of visit.steps) {
              if (each.do === "push") page.push(each.n);
              else if (each.do === "wait") await page.time.advance(each.n);
              else if (each.do === "hide") page.transport.hide(false);
              else page.transport.show();
            }
            // The last page lives long enough to bring everything.
            if (index === given.length) {
              await page.time.advance(2_000_000);
              page.push();
              await page.time.advance(2_000_000);
            } else {
              // What a request is still to tell of a leave before this one.
              await page.time.advance(30_000);
              page.transport.hide(true);
            }
            for (const [key, batch] of page.stored) {
              if (stored.has(key)) expect(batch.text).toBe(stored.get(key)!.text);
              stored.set(key, batch);
            }
            pushed = page.pushed;
            if (page.calls.stops.length > 0) return;
          }
          const events = eventsOf(stored.values());
          expect(new Set(events).size).toBe(events.length);
          const lost = declared(stored.values());
          expect(events.length + lost).toBeGreaterThanOrEqual(pushed);
          expect(events.length + countEvents(gapsOf(stored))).toBe(pushed);
          if (keeps && !isRefused) expect(lost).toBe(0);
          expect(tab.kept.size).toBe(0);
        }),
        { numRuns: 200 },
      );
    },
  );
});
