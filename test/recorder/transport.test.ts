import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countEvents, createBench, eventsOf, gapsOf, type Reply, type SeenBatch } from "./fake-browser.ts";

function started() {
  const bench = createBench();
  bench.begin("run");
  return bench;
}

const sum = (batches: Iterable<SeenBatch>): number =>
  [...batches].flatMap((batch) => batch.gaps ?? []).reduce((total, gap) => total + gap.events, 0);

describe("flushing", () => {
  test("sends after the interval", async () => {
    const bench = started();
    bench.push();
    await bench.time.advance(9_999);
    expect(bench.seen).toHaveLength(0);
    await bench.time.advance(1);
    expect(eventsOf(bench.seen)).toEqual([0]);
  });

  test("sends at once when the threshold is reached", async () => {
    const bench = started();
    for (let n = 0; n < 50; n++) bench.push();
    await bench.time.advance(0);
    expect(bench.seen[0]!.events).toHaveLength(50);
  });

  test("sends the first full snapshot within a second", async () => {
    const bench = started();
    bench.push(10, 4);
    bench.push(10, 2);
    await bench.time.advance(1_000);
    expect(eventsOf(bench.seen)).toEqual([0, 1]);
  });

  test("keeps no timer while there is nothing to send", async () => {
    const bench = started();
    bench.push();
    await bench.time.advance(60_000);
    expect(bench.time.pending).toBe(0);
  });

  test("has one request in flight", async () => {
    let inFlight = 0;
    let most = 0;
    const bench = createBench({
      async post() {
        most = Math.max(most, ++inFlight);
        await new Promise<void>((resolve) => bench.time.setTimer(resolve, 500));
        inFlight--;
        return { status: 200, retryAfter: null };
      },
    });
    bench.begin("run");
    for (let n = 0; n < 200; n++) {
      bench.push();
      await bench.time.advance(20);
    }
    await bench.time.advance(60_000);
    expect(most).toBe(1);
  });

  test("cuts uploads at about one megabyte and sends a bigger event alone", async () => {
    const bench = started();
    for (const size of [400_000, 400_000, 400_000, 1_500_000, 10]) bench.push(size);
    await bench.time.advance(20_000);
    expect(bench.seen.map((batch) => batch.events.length)).toEqual([2, 1, 1, 1]);
    expect(bench.seen.map((batch) => batch.seq)).toEqual([0, 1, 2, 3]);
  });

  test("writes text that survives parsing and stringifying unchanged", async () => {
    const bench = started();
    bench.transport.setMetadata({ "ключ\ud800": "\u2028\n", n: 1.5, is: true });
    bench.transport.push({
      type: 5,
      data: { tag: "ü", payload: { b: undefined, 2: "x", 1: "y", a: NaN } },
      timestamp: 1,
    });
    await bench.time.advance(10_000);
    const { text } = bench.seen[0]!;
    expect(JSON.stringify(JSON.parse(text))).toBe(text);
    expect(Object.keys(JSON.parse(text) as object)).toEqual([
      "sessionId",
      "windowId",
      "metadata",
      "run",
      "seq",
      "sentAt",
      "key",
      "recorder",
      // Last: the server tells at a glance that it may store the upload as it is.
      "events",
    ]);
  });

  test("sends metadata once, with the first upload, and later values with the next", async () => {
    const bench = started();
    bench.push();
    await bench.time.advance(10_000);
    bench.transport.setMetadata({ plan: "pro" });
    bench.push();
    await bench.time.advance(10_000);
    bench.push();
    await bench.time.advance(10_000);
    expect(bench.seen.map((batch) => batch.metadata)).toEqual([
      { url: "https://example.com/" },
      { plan: "pro" },
      undefined,
    ]);
  });

  test("counts 204 as taken", async () => {
    const bench = started();
    bench.reply = () => 204;
    bench.push();
    await bench.time.advance(60_000);
    expect(bench.seen).toHaveLength(1);
  });

  test("finishes an ended session's events under their own session first", async () => {
    const bench = started();
    bench.push();
    bench.begin("next");
    bench.push();
    await bench.time.advance(10_000);
    expect(bench.seen.map((batch) => [batch.run, batch.seq, batch.events[0]!.n])).toEqual([
      ["run", 0, 0],
      ["next", 0, 1],
    ]);
  });
});

describe("failures", () => {
  test("a retry sends the same bytes, and later events wait", async () => {
    const bench = started();
    const bodies: string[] = [];
    let tries = 0;
    bench.reply = (batch) => {
      bodies.push(batch.text);
      return ++tries < 4 ? 503 : 200;
    };
    bench.push();
    await bench.time.advance(10_000);
    bench.push();
    await bench.time.advance(30_000);
    expect(new Set(bodies.slice(0, 4)).size).toBe(1);
    expect(eventsOf(bench.stored.values())).toEqual([0, 1]);
  });

  test("waits longer after each failure, up to 30 seconds, and tries by itself", async () => {
    const bench = started();
    const times: number[] = [];
    bench.reply = () => {
      times.push(bench.time.now());
      return "dropped";
    };
    bench.push();
    await bench.time.advance(300_000);
    const waits = times.slice(1).map((time, index) => time - times[index]!);
    expect(waits.slice(0, 9)).toEqual([1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000, 30000]);
  });

  test("waits as long as Retry-After asks", async () => {
    const bench = started();
    let tries = 0;
    const times: number[] = [];
    bench.reply = () => {
      times.push(bench.time.now());
      return ++tries === 1 ? { status: 429, retryAfter: "120" } : 200;
    };
    bench.push();
    await bench.time.advance(300_000);
    expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(120_000);
  });

  // Each answer that got lost made a gap of what was stored, and an hour without a network one of what could have waited.
  test("does not give up what nobody has answered while there is room for it", async () => {
    const bench = started();
    bench.push();
    bench.reply = () => "lost";
    await bench.time.advance(3_600_000);
    bench.reply = () => 200;
    bench.push();
    await bench.time.advance(60_000);
    expect(eventsOf(bench.stored.values())).toEqual([0, 1]);
    expect(sum(bench.seen)).toBe(0);
  });

  test("does not keep for ever what is never answered: once the buffer is full it goes as well", async () => {
    const bench = started();
    bench.reply = ({ seq }) => (seq === 0 ? "dropped" : 200);
    bench.push();
    await bench.time.advance(600_000);
    for (let n = 0; n < 5_001; n++) bench.push();
    await bench.time.advance(60_000);
    expect(bench.seen[0]!.seq).toBe(1);
    expect(sum(bench.seen)).toBe(5_002);
  });

  // What was stored although no answer came back was shown as lost.
  test("names the upload of what it gives up, so that the server knows whether it has it", async () => {
    const bench = started();
    bench.reply = ({ seq }) => (seq === 0 ? "lost" : 200);
    bench.push();
    await bench.time.advance(600_000);
    bench.push();
    for (let n = 0; n < 5_000; n++) bench.push();
    await bench.time.advance(60_000);
    const [gap, ...others] = bench.stored.get("run/1")!.gaps!;
    expect(gap).toMatchObject({ reason: "overflow", events: 1, run: "run", seq: 0 });
    expect(others).toEqual([expect.not.objectContaining({ run: "run" })]);
    expect(gapsOf(bench.stored)).toEqual(others);
    expect(eventsOf(bench.stored.values()).length + countEvents(others)).toBe(bench.pushed);
  });

  test("declares under the name of an upload what that one would have declared", async () => {
    const gap = { reason: "unload" as const, events: 7, from: 1, to: 2 };
    const bench = createBench({ lost: { take: () => [gap], save: () => {} } });
    bench.begin("run");
    let tries = 0;
    bench.reply = () => (++tries <= 10 ? 500 : 200);
    bench.push();
    await bench.time.advance(170_000);
    bench.push();
    await bench.time.advance(60_000);
    expect(bench.seen[0]!.gaps).toEqual([
      { ...gap, run: "run", seq: 0 },
      expect.objectContaining({ reason: "network", events: 1, run: "run", seq: 0 }),
    ]);
  });

  test("counts what waits in uploads of a hidden page against the limits", async () => {
    const bench = started();
    bench.takesBeacons = false;
    bench.reply = () => "dropped";
    for (let round = 0; round < 6; round++) {
      for (let n = 0; n < 1_000; n++) bench.push();
      bench.transport.hide(false);
      bench.transport.show();
    }
    expect(bench.calls.snapshots).toBe(1);
    bench.reply = () => 200;
    bench.takesBeacons = true;
    await bench.time.advance(600_000);
    expect(eventsOf(bench.stored.values()).length + sum(bench.seen)).toBe(bench.pushed);
  });

  test("gives an upload up after ten failures, reports it, and asks for a snapshot when the server is back", async () => {
    const bench = started();
    let tries = 0;
    bench.reply = () => (++tries <= 10 ? 500 : 200);
    bench.push();
    await bench.time.advance(170_000);
    bench.push();
    expect(bench.calls.snapshots).toBe(0);
    await bench.time.advance(60_000);
    expect(bench.seen[0]!.gaps).toEqual([expect.objectContaining({ reason: "network", events: 1 })]);
    expect(bench.seen[0]!.seq).toBe(1);
    expect(bench.seen[0]!.metadata).toEqual({ url: "https://example.com/" });
    expect(bench.calls.snapshots).toBe(1);
  });

  test("splits what is too big, under the same numbers", async () => {
    const bench = started();
    bench.reply = (batch) => (batch.text.length > 600_000 ? 413 : 200);
    for (let n = 0; n < 10; n++) bench.push(99_000);
    await bench.time.advance(60_000);
    expect(eventsOf(bench.seen)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(bench.seen.map((batch) => batch.seq)).toEqual(bench.seen.map((_, index) => index));
    expect(sum(bench.seen)).toBe(0);
  });

  // Found by the law below: the ended session was forgotten while its upload was under way.
  test("splits what is too big of a session that ended meanwhile", async () => {
    const bench = started();
    bench.latencyMs = 500;
    bench.reply = (batch) => (batch.text.length > 150_000 ? 413 : 200);
    bench.push(100_000);
    bench.push(100_000);
    await bench.time.advance(10_100);
    bench.begin("next");
    bench.push();
    await bench.time.advance(60_000);
    expect(bench.seen.map((batch) => [batch.run, batch.seq])).toEqual([
      ["run", 0],
      ["run", 1],
      ["next", 0],
    ]);
  });

  // Found by the law below: the browser's repeat may have been stored although the request was refused.
  test("does not use a number again that a leaving page sent once more", async () => {
    const bench = started();
    bench.latencyMs = 500;
    bench.reply = () => 413;
    bench.push();
    bench.push();
    await bench.time.advance(10_100);
    bench.transport.hide(true);
    bench.transport.show();
    await bench.time.advance(500);
    bench.reply = () => 200;
    await bench.time.advance(60_000);
    expect(bench.conflicts).toEqual([]);
    expect(bench.seen.map((batch) => batch.seq)).toEqual([0, 1, 2]);
    expect(sum(bench.seen)).toBe(2);
  });

  test("does not declare what a request was refused for, but a leaving page's request of the same upload stored", async () => {
    const bench = started();
    bench.latencyMs = 500;
    bench.reply = ({ via }) => (via === "request" ? 413 : 200);
    bench.push();
    await bench.time.advance(10_100);
    bench.transport.hide(false);
    bench.transport.show();
    await bench.time.advance(60_000);
    bench.reply = () => 200;
    bench.push();
    await bench.time.advance(60_000);
    expect(eventsOf(bench.stored.values())).toEqual([0, 1]);
    expect(sum(bench.seen)).toBe(0);
  });

  test("gives up a single event that is too big, without losing its number", async () => {
    const bench = started();
    bench.reply = (batch) => (batch.text.length > 50_000 ? 413 : 200);
    bench.push();
    bench.push(80_000);
    bench.push();
    await bench.time.advance(60_000);
    expect(eventsOf(bench.seen)).toEqual(expect.arrayContaining([0, 2]));
    expect(bench.seen.map((batch) => batch.seq)).toEqual(bench.seen.map((_, index) => index));
    expect(bench.seen.flatMap((batch) => batch.gaps ?? [])).toEqual([
      expect.objectContaining({ reason: "rejected", events: 1 }),
    ]);
    expect(bench.calls.snapshots).toBe(1);
  });

  test("stops when every size is too big", async () => {
    const bench = started();
    let tries = 0;
    bench.reply = () => (tries++, 413);
    for (let n = 0; n < 30; n++) bench.push();
    await bench.time.advance(600_000);
    expect(tries).toBeLessThan(30);
    expect(bench.calls.stops).toEqual([413]);
  });

  test.each([409, 410])("takes a new session on %i and declares what the old one lost", async (status) => {
    const bench = started();
    bench.reply = (batch) => (batch.run === "run" ? status : 200);
    bench.push();
    await bench.time.advance(60_000);
    expect(bench.calls.rotations).toBe(1);
    expect(bench.seen[0]).toMatchObject({ run: "rotated1", seq: 0, gaps: [{ reason: "rejected", events: 1 }] });
    expect(bench.seen[0]!.events.map((event) => event.type)).toEqual([4, 2]);
  });

  test("stays in its session when only an ended one is refused", async () => {
    const bench = started();
    bench.reply = (batch) => (batch.run === "run" ? 409 : 200);
    bench.push();
    bench.begin("next");
    bench.push();
    await bench.time.advance(60_000);
    expect(bench.calls.rotations).toBe(0);
    expect(bench.seen).toMatchObject([{ run: "next", seq: 0, gaps: [{ reason: "rejected", events: 1 }] }]);
  });

  test("does not take new sessions for ever", async () => {
    const bench = started();
    bench.reply = () => 409;
    bench.push();
    await bench.time.advance(600_000);
    expect(bench.calls).toMatchObject({ rotations: 3, stops: [409] });
  });

  test.each([400, 401, 403, 404])("stops for this page on %i and leaves a note for the next one", async (status) => {
    const bench = started();
    bench.reply = () => status;
    bench.push();
    await bench.time.advance(10_000);
    bench.push();
    await bench.time.advance(60_000);
    expect(bench.calls.stops).toEqual([status]);
    expect(bench.remembered.gaps).toEqual([expect.objectContaining({ reason: "rejected", events: 1 })]);
    expect(bench.time.pending).toBe(0);
  });

  test("reports what the last page left behind", async () => {
    const gap = { reason: "unload" as const, events: 7, from: 1, to: 2 };
    const bench = createBench({ lost: { take: () => [gap], save: () => {} } });
    bench.begin("run");
    bench.push();
    await bench.time.advance(10_000);
    expect(bench.seen[0]!.gaps).toEqual([gap]);
  });

  test("gives up everything when the buffer is full and begins again with a snapshot", async () => {
    const bench = started();
    bench.reply = () => "dropped";
    for (let n = 0; n < 5_001; n++) bench.push();
    expect(bench.calls.snapshots).toBe(1);
    bench.reply = () => 200;
    await bench.time.advance(60_000);
    const events = bench.seen.flatMap((batch) => batch.events);
    expect(events.map((event) => event.type)).toEqual([4, 2]);
    expect(bench.seen[0]!.gaps).toEqual([expect.objectContaining({ reason: "overflow", events: 5_001 })]);
  });

  test("counts characters too, but never drops a huge snapshot for its size alone", async () => {
    const bench = started();
    bench.push(10, 4);
    bench.push(9_000_000, 2);
    for (let n = 0; n < 100; n++) bench.push();
    expect(bench.calls.snapshots).toBe(0);
    for (let n = 0; n < 100; n++) bench.push(100_000);
    expect(bench.calls.snapshots).toBe(1);
    await bench.time.advance(60_000);
    expect(sum(bench.seen) + eventsOf(bench.seen).length).toBe(bench.pushed);
  });

  test("sends nothing after it was discarded, not even what was being compressed", async () => {
    const bench = started();
    bench.push();
    bench.transport.discard();
    bench.push();
    bench.transport.hide(true);
    await bench.time.advance(60_000);
    expect(bench.seen).toHaveLength(0);
    expect(bench.time.pending).toBe(0);
  });

  test("stops when it is not allowed any more", async () => {
    let isAllowed = true;
    const bench = createBench({ isAllowed: () => isAllowed });
    bench.begin("run");
    bench.push();
    isAllowed = false;
    await bench.time.advance(60_000);
    expect(bench.seen).toHaveLength(0);
    expect(bench.calls.stops).toEqual([0]);
  });
});

describe("leaving", () => {
  test("hands buffered events to the browser and does not send them again", async () => {
    const bench = started();
    bench.push();
    bench.push();
    bench.transport.hide(false);
    expect(bench.seen.map((batch) => [batch.via, batch.seq, batch.events.length])).toEqual([["leaving request", 0, 2]]);
    expect(bench.remembered.gaps).toEqual([]);
    await bench.time.advance(0);
    bench.transport.show();
    bench.push();
    await bench.time.advance(60_000);
    expect(eventsOf(bench.seen)).toEqual([0, 1, 2]);
    expect(bench.seen.map((batch) => batch.seq)).toEqual([0, 1]);
  });

  test("repeats the request in flight with the same bytes", async () => {
    let answer = (): void => {};
    const posted: { body: unknown; isLeaving: boolean }[] = [];
    const bench = createBench({
      post: (body, isLeaving) => {
        posted.push({ body, isLeaving });
        return new Promise((resolve) => (answer = () => resolve({ status: 200, retryAfter: null })));
      },
    });
    bench.begin("run");
    bench.push();
    await bench.time.advance(10_000);
    bench.push();
    bench.transport.hide(true);
    expect(bench.seen.map((batch) => [batch.via, batch.seq])).toEqual([
      ["beacon", 0],
      ["beacon", 1],
    ]);
    expect(bench.seen[0]!.text).toBe(posted[0]!.body);
    answer();
    await bench.time.advance(0);
    expect(posted).toHaveLength(1);
  });

  test("hands over what is not answered yet once for both events of one leave", async () => {
    const bench = started();
    bench.latencyMs = 500;
    bench.push();
    bench.transport.hide(false);
    bench.transport.hide(true);
    await bench.time.advance(60_000);
    expect(bench.seen).toHaveLength(1);
  });

  // A beacon tells nothing: a page that was only hidden lost what the server was not there for.
  test("sends again what a hidden page's request could not bring", async () => {
    const bench = started();
    bench.reply = () => "dropped";
    bench.push();
    bench.transport.hide(false);
    await bench.time.advance(500);
    expect(bench.remembered.gaps).toEqual([expect.objectContaining({ reason: "unload", events: 1, id: "run/0" })]);
    bench.reply = () => 200;
    await bench.time.advance(60_000);
    expect(bench.seen.map((batch) => [batch.seq, batch.gaps])).toEqual([[0, undefined]]);
    expect(bench.remembered.gaps).toEqual([]);
  });

  test("declares what it handed to the browser while the server was known to be away", async () => {
    const bench = started();
    bench.reply = () => "dropped";
    bench.push();
    await bench.time.advance(10_500);
    bench.push();
    bench.transport.hide(true);
    expect(bench.remembered.gaps.map(({ reason, events }) => [reason, events])).toEqual([
      ["unload", 1],
      ["unload", 1],
    ]);
  });

  test("keeps within the budget in UTF-8 bytes and declares the rest when the page is gone", () => {
    const bench = started();
    for (let n = 0; n < 10; n++) bench.transport.push({ type: 3, data: "ü".repeat(5_000), timestamp: 5, n });
    bench.transport.hide(true);
    const bytes = bench.seen.reduce((total, batch) => total + new TextEncoder().encode(batch.text).length, 0);
    expect(bytes).toBeLessThanOrEqual(60_000);
    expect(eventsOf(bench.seen)).toEqual([0, 1, 2, 3, 4]);
    expect(countEvents(bench.remembered.gaps)).toBe(5);
    for (const gap of bench.remembered.gaps) {
      expect(gap).toMatchObject({ reason: "unload", from: 5, to: 5 });
      expect(gap.id).toBe(`${gap.run}/${gap.seq}`);
    }
  });

  test("shares the budget with what earlier leaves still have under way", async () => {
    const bench = started();
    bench.latencyMs = 20_000;
    bench.push(40_000);
    bench.transport.hide(false);
    bench.transport.show();
    bench.push(40_000);
    await bench.time.advance(6_000);
    bench.transport.hide(false);
    expect(eventsOf(bench.seen)).toEqual([0]);
    await bench.time.advance(60_000);
    expect(eventsOf(bench.seen)).toEqual([0, 1]);
  });

  test("a page that surely goes sends the small events around one that does not fit", () => {
    const bench = started();
    bench.push();
    bench.push(100_000, 2);
    bench.push();
    bench.transport.hide(true);
    expect(eventsOf(bench.seen)).toEqual([0, 2]);
    expect(bench.seen[0]!.metadata).toEqual({ url: "https://example.com/" });
    expect(bench.remembered.gaps).toEqual([expect.objectContaining({ reason: "unload", events: 1 })]);
  });

  test("what is known of the page goes with what fits, not with a snapshot that does not", () => {
    const bench = started();
    bench.push(100_000, 2);
    bench.push();
    bench.transport.hide(true);
    expect(bench.seen).toMatchObject([{ seq: 1, metadata: { url: "https://example.com/" } }]);
  });

  test("a page that may come back sends the rest as usual, under numbers in the order of recording", async () => {
    const bench = started();
    bench.push();
    bench.push(100_000);
    bench.push();
    bench.transport.hide(false);
    expect(bench.remembered.gaps).toEqual([expect.objectContaining({ events: 1, id: "run/1" })]);
    await bench.time.advance(0);
    expect(eventsOf(bench.seen.toSorted((a, b) => a.seq - b.seq))).toEqual([0, 1, 2]);
    expect(bench.remembered.gaps).toEqual([]);
  });

  test("keeps what the browser refuses", async () => {
    const bench = started();
    bench.takesBeacons = false;
    bench.push();
    bench.transport.hide(false);
    bench.transport.show();
    await bench.time.advance(60_000);
    expect(bench.seen.map((batch) => [batch.seq, batch.metadata])).toEqual([[0, { url: "https://example.com/" }]]);
  });
});

describe("laws", () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant("push" as const), size: fc.integer({ min: 0, max: 70_000 }) }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 0, max: 40_000 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constantFrom("hide" as const, "show" as const, "refuse beacons" as const) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("rotate" as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant("burst" as const), count: fc.integer({ min: 1, max: 2_000 }) }),
    },
  );
  const replies = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.constant<Reply>(200) },
      { weight: 4, arbitrary: fc.constantFrom<Reply>("lost", "dropped", 500, 503, 429) },
      { weight: 1, arbitrary: fc.constantFrom<Reply>(413, 409, 410) },
    ),
    { maxLength: 60 },
  );

  test("every event arrives once or is declared lost; retries change no byte; no number is left out without a gap", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 40 }),
        replies,
        fc.constantFrom(0, 300, 20_000),
        async (steps, given, latencyMs) => {
          const bench = started();
          const queue = [...given];
          bench.latencyMs = latencyMs;
          bench.reply = () => queue.shift() ?? 200;
          let runs = 0;
          bench.push(10, 4);
          bench.push(500, 2);
          for (const each of steps) {
            if (each.do === "push") bench.push(each.size);
            else if (each.do === "burst") for (let n = 0; n < each.count; n++) bench.push(5);
            else if (each.do === "wait") await bench.time.advance(each.ms);
            else if (each.do === "hide") bench.transport.hide(false);
            else if (each.do === "show") bench.transport.show();
            else if (each.do === "refuse beacons") bench.takesBeacons = !bench.takesBeacons;
            else bench.begin(`turn${++runs}`);
          }
          bench.transport.show();
          bench.push();
          await bench.time.advance(2_000_000);
          if (bench.calls.stops.length > 0) return;
          // One more upload, which carries what is still to be declared.
          queue.length = 0;
          bench.push();
          await bench.time.advance(2_000_000);

          expect(bench.conflicts).toEqual([]);
          const events = eventsOf(bench.stored.values());
          expect(new Set(events).size).toBe(events.length);
          const declared = sum(bench.stored.values());
          // An upload may be stored although every answer was lost; then it is declared as well, and the server knows by its name.
          expect(events.length + declared).toBeGreaterThanOrEqual(bench.pushed);
          expect(events.length + countEvents(gapsOf(bench.stored))).toBe(bench.pushed);

          const byRun = new Map<string, SeenBatch[]>();
          for (const batch of bench.stored.values()) byRun.set(batch.run, [...(byRun.get(batch.run) ?? []), batch]);
          for (const batches of byRun.values()) {
            const seqs = batches.map((batch) => batch.seq).sort((a, b) => a - b);
            const hasHole = seqs.some((seq, index) => seq !== index);
            if (hasHole) expect(declared).toBeGreaterThan(0);
            const inOrder = eventsOf(batches.sort((a, b) => a.seq - b.seq));
            expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
