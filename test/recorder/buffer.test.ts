import { expect, test } from "vitest";
import { byteLength, createBuffer } from "../../recorder/buffer.ts";
import { createBench } from "./fake-browser.ts";

test("takes as many events as fit in bytes of UTF-8, and at least one", () => {
  const buffer = createBuffer();
  for (let n = 0; n < 3; n++) buffer.push({ type: 3, data: "ü".repeat(1_000), timestamp: n });
  const size = byteLength(buffer.peek()[0]!.json);
  expect(size).toBeGreaterThan(2_000);
  expect(buffer.take(2 * size + 2)).toHaveLength(2);
  expect(buffer.take(0)).toHaveLength(1);
  expect(buffer.take(0)).toHaveLength(0);
});

test("counts characters and those of the newest full snapshot, also after taking and putting back", () => {
  const buffer = createBuffer();
  buffer.push({ type: 3, data: "a", timestamp: 1 });
  buffer.push({ type: 2, data: "x".repeat(500), timestamp: 2 });
  const [first, snapshot] = buffer.peek().map(({ json }) => json.length) as [number, number];
  expect([buffer.chars, buffer.snapshotChars]).toEqual([first + snapshot, snapshot]);
  const taken = buffer.take(Infinity);
  expect([buffer.chars, buffer.snapshotChars]).toEqual([0, 0]);
  buffer.putBack(taken);
  expect([buffer.chars, buffer.snapshotChars]).toEqual([first + snapshot, snapshot]);
});

// Each event was written as JSON inside the page's own work once a snapshot above the limit was there.
test("an event costs the same with a huge snapshot in the buffer: it is not written before fifty have come", () => {
  const bench = createBench();
  bench.begin("run");
  bench.push(9_000_000, 2);
  let written = 0;
  const data = { toJSON: () => (written++, {}) };
  for (let n = 0; n < 49; n++) bench.transport.push({ type: 3, data, timestamp: n });
  expect(written).toBe(0);
  bench.transport.push({ type: 3, data, timestamp: 50 });
  expect(written).toBe(50);
});
