import { expect, test } from "vitest";
import { createBench, eventsOf } from "./fake-browser.ts";

function started() {
  const bench = createBench();
  bench.begin("run");
  return bench;
}

/** Whether a promise has resolved by now. */
function watch(promise: Promise<void>): { isDone: boolean } {
  const state = { isDone: false };
  void promise.then(() => (state.isDone = true));
  return state;
}

test("flush sends at once and resolves with the answer", async () => {
  const bench = started();
  bench.latencyMs = 500;
  bench.push();
  const flush = watch(bench.transport.flush());
  await bench.time.advance(499);
  expect(eventsOf(bench.seen)).toEqual([0]);
  expect(flush.isDone).toBe(false);
  await bench.time.advance(1);
  expect(flush.isDone).toBe(true);
});

test("flush waits for the upload under way and for what does not fit into one upload, not for what comes later", async () => {
  const bench = started();
  bench.latencyMs = 500;
  bench.push();
  await bench.time.advance(10_000);
  for (let n = 0; n < 3; n++) bench.push(600_000);
  const flush = watch(bench.transport.flush());
  for (let n = 0; n < 19; n++) {
    await bench.time.advance(100);
    expect(flush.isDone).toBe(false);
  }
  bench.push();
  await bench.time.advance(600);
  expect(flush.isDone).toBe(true);
  expect(eventsOf(bench.seen)).toEqual([0, 1, 2, 3]);
});

test("flush waits for the upload under way where nothing else is there, and for nothing where there is none", async () => {
  const bench = started();
  bench.latencyMs = 500;
  bench.push();
  await bench.time.advance(10_000);
  const flush = watch(bench.transport.flush());
  await bench.time.advance(499);
  expect(flush.isDone).toBe(false);
  await bench.time.advance(1);
  expect(flush.isDone).toBe(true);
  const idle = watch(bench.transport.flush());
  await bench.time.advance(0);
  expect(idle.isDone).toBe(true);
});

test("flush waits for every part of an upload that was too big", async () => {
  const bench = started();
  bench.latencyMs = 100;
  bench.reply = ({ text }) => (text.length > 15_000 ? 413 : 200);
  for (let n = 0; n < 4; n++) bench.push(10_000);
  const flush = bench.transport.flush().then(() => eventsOf(bench.seen));
  await bench.time.advance(60_000);
  expect(await flush).toEqual([0, 1, 2, 3]);
});

test("flush resolves when what it waits for is given up, thrown away, or can't be written", async () => {
  const bench = started();
  bench.reply = () => 500;
  bench.push();
  const refused = watch(bench.transport.flush());
  await bench.time.advance(100_000);
  expect(refused.isDone).toBe(false);
  await bench.time.advance(200_000);
  expect(refused.isDone).toBe(true);

  bench.push();
  const discarded = watch(bench.transport.flush());
  bench.transport.discard();
  const stopped = watch(bench.transport.flush());
  await bench.time.advance(0);
  expect([discarded.isDone, stopped.isDone]).toEqual([true, true]);

  const other = started();
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  other.transport.push({ type: 5, data: cyclic, timestamp: 1 });
  const unwritable = watch(other.transport.flush());
  await other.time.advance(0);
  expect(unwritable.isDone).toBe(true);
  expect(other.seen).toEqual([]);
});
