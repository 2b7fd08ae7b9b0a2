import { brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterEach, expect, inject, test, vi } from "vitest";
import type {
  BatchList,
  RecordedEvent,
  Sentiero,
  SentieroOptions,
  SessionAnswer,
  SessionDetail,
} from "../../src/index.ts";
import { createPieceReader } from "../../src/maintenance/session-pieces.ts";
import { createWebPlatform } from "../../src/platform.ts";
import { createSessionKeys } from "../../src/sessions/session-keys.ts";
import type { Sessions } from "../../src/sessions/sessions.ts";
import type { SettleHook } from "../../src/sessions/settle.ts";
import type { Store } from "../../src/storage/store.ts";
import { BASE, api, post } from "../support/sentiero.ts";
import { createInspectedSentiero } from "../support/stored.ts";
import { intercept, openSessions, platform } from "../support/stores.ts";

const START = 1_800_000_000_000;
const HOUR = 3_600_000;
const RUN = "a".repeat(24);
const OTHER_RUN = "b".repeat(24);

const BROTLI = [0xce, 0xb2, 0x62, 0x72];
const GZIP = [0x1f, 0x8b];

function open(options: SentieroOptions = {}) {
  let now = START;
  const inspected = createInspectedSentiero({ clock: () => now, maintenance: false, ...options } as SentieroOptions);
  return { ...inspected, later: (ms: number) => (now += ms), now: () => now };
}

/** A batch as the recorder sends it: two events, gzip. */
function body(seq: number, fields: Record<string, unknown> = {}): Uint8Array {
  const at = START - 5 * HOUR + seq * 1000;
  const events = [
    { type: seq === 0 ? 2 : 3, data: { text: `text ${seq}`.repeat(50) }, timestamp: at },
    { type: 3, data: { n: seq }, timestamp: at + 900 },
  ];
  return gzipSync(
    JSON.stringify({
      sessionId: "session-1",
      windowId: "window-1",
      run: RUN,
      seq,
      sentAt: at + 950,
      ...fields,
      events,
    }),
  );
}

const keysOf = (blobs: readonly { key: string }[], kind: string) =>
  blobs.map(({ key }) => key).filter((key) => key.startsWith(`${kind}:`));

async function eventsOf(sentiero: Parameters<typeof api>[0], window = "window-1"): Promise<RecordedEvent[]> {
  return (await api<RecordedEvent[]>(sentiero, `/sessions/session-1/windows/${window}/events`)).body;
}

async function batchesOf(sentiero: Parameters<typeof api>[0], window = "window-1"): Promise<BatchList["batches"]> {
  return (await api<BatchList>(sentiero, `/sessions/session-1/windows/${window}/batches`)).body.batches;
}

async function sessionOf(sentiero: Parameters<typeof api>[0]): Promise<SessionDetail> {
  return (await api<SessionAnswer>(sentiero, "/sessions/session-1")).body.session;
}

test("joins the batches of a settled window to one segment that plays the same events", async () => {
  const { sentiero, blobs, later } = open();
  for (let seq = 0; seq < 6; seq++) await post(sentiero, body(seq));
  const before = await eventsOf(sentiero);
  later(HOUR);
  expect(await sentiero.store.sessions.settle("session-1")).toBe(true);
  expect(keysOf(blobs(), "batches")).toEqual([]);
  expect(keysOf(blobs(), "segments")).toHaveLength(1);
  expect(await eventsOf(sentiero)).toEqual(before);
  expect(await batchesOf(sentiero)).toMatchObject([
    { key: expect.stringMatching(/^segment-/), eventCount: 12, hasFullSnapshot: true, run: RUN, seq: 0 },
  ]);
  expect(await sessionOf(sentiero)).toMatchObject({ state: "settled", eventCount: 12 });
  expect((await sessionOf(sentiero)).windows[0]).toMatchObject({ batchCount: 6, missing: [], conflictCount: 0 });
});

/** A settled session whose only segment is brotli, as on Node. */
async function openSettled(options: SentieroOptions = {}) {
  const opened = open({ platform, ...options });
  for (let seq = 0; seq < 4; seq++) await post(opened.sentiero, body(seq));
  opened.later(HOUR);
  await opened.sentiero.store.sessions.settle("session-1");
  const [segment] = await batchesOf(opened.sentiero);
  return { ...opened, path: `/sessions/session-1/windows/window-1/batches/${segment!.key}` };
}

function fetchEncoded(sentiero: Sentiero, path: string, encodings?: string): Promise<Response> {
  return sentiero.fetch(
    new Request(`${BASE}/api${path}`, encodings === undefined ? {} : { headers: { "accept-encoding": encodings } }),
  );
}

/** Where the segments lie, and what they begin with. */
function segmentsIn(blobs: () => readonly { key: string; bytes: Uint8Array }[]) {
  const found = blobs().filter(({ key }) => key.startsWith("segments:"));
  return found.map(({ key, bytes }) => ({
    key,
    bytes,
    begins: (...mark: number[]) => mark.every((byte, index) => bytes[index] === byte),
  }));
}

test.each([
  ["gzip, deflate, br, zstd", "br"],
  ["*", "br"],
  ["gzip, br;q=0", "gzip"],
  ["gzip, deflate", "gzip"],
  ["identity", null],
  [undefined, null],
])("serves a segment of brotli to a client that takes %j as %j, with the same content", async (encodings, expected) => {
  const { sentiero, blobs, path } = await openSettled();
  expect(segmentsIn(blobs).map(({ begins }) => begins(...BROTLI))).toEqual([true]);
  const response = await fetchEncoded(sentiero, path, encodings);
  expect([response.status, response.headers.get("content-encoding")]).toEqual([200, expected]);
  expect(response.headers.get("vary")).toBe("Accept-Encoding");
  const bytes = Buffer.from(await response.arrayBuffer());
  const plain = expected === "br" ? brotliDecompressSync(bytes) : expected === "gzip" ? gunzipSync(bytes) : bytes;
  const segment = JSON.parse(plain.toString()) as { events: RecordedEvent[]; batches: unknown[] };
  expect(segment.events).toEqual(await eventsOf(sentiero));
  expect([segment.events.length, segment.batches.length]).toEqual([8, 4]);
});

test("a segment of gzip plays on, and is brotli once it is joined with a late batch", async () => {
  const { sentiero, blobs, later } = open();
  for (let seq = 0; seq < 3; seq++) await post(sentiero, body(seq));
  later(HOUR);
  await sentiero.store.sessions.settle("session-1");
  expect(segmentsIn(blobs).map(({ begins }) => begins(...GZIP))).toEqual([true]);
  const [segment] = await batchesOf(sentiero);
  const path = `/sessions/session-1/windows/window-1/batches/${segment!.key}`;
  const asStored = await fetchEncoded(sentiero, path, "br, gzip");
  expect(asStored.headers.get("content-encoding")).toBe("gzip");
  Object.assign(sentiero.platform, platform);
  await post(sentiero, body(3));
  const before = await eventsOf(sentiero);
  expect(before).toHaveLength(8);
  later(HOUR);
  expect(await sentiero.store.sessions.settle("session-1")).toBe(true);
  expect(segmentsIn(blobs).map(({ begins }) => begins(...BROTLI))).toEqual([true]);
  expect(await eventsOf(sentiero)).toEqual(before);
});

test("pieces of more than a megabyte are read again when a late batch comes", async () => {
  const { sentiero, blobs, later } = open({ platform });
  const large = (seq: number) => {
    const events = [{ type: 3, data: { text: `text ${seq} `.repeat(100_000) }, timestamp: START + seq }];
    return gzipSync(JSON.stringify({ sessionId: "session-1", windowId: "window-1", run: RUN, seq, events }));
  };
  for (let seq = 0; seq < 3; seq++) expect((await post(sentiero, large(seq))).status).toBe(200);
  later(HOUR);
  expect(await sentiero.store.sessions.settle("session-1")).toBe(true);
  await post(sentiero, large(3));
  later(HOUR);
  expect(await sentiero.store.sessions.settle("session-1")).toBe(true);
  expect([keysOf(blobs(), "batches"), keysOf(blobs(), "segments")]).toEqual([[], [expect.any(String)]]);
  expect(await eventsOf(sentiero)).toHaveLength(4);
});

test.each([
  [
    "a flipped bit",
    (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, index) => (index === 200 ? byte ^ 1 : byte)),
    "corrupt",
  ],
  ["its end cut off", (bytes: Uint8Array) => bytes.slice(0, -5), "corrupt"],
  ["no mark", (bytes: Uint8Array) => bytes.slice(8), "corrupt"],
])("a segment with %s is told and kept, and what came later plays on", async (_, spoil, what) => {
  const { sentiero, storage, blobs, later, errors, path } = await openSettled();
  const [segment] = segmentsIn(blobs);
  await storage.setItemRaw(segment!.key, spoil(segment!.bytes));
  expect((await fetchEncoded(sentiero, path, "gzip")).status).toBe(500);
  expect(String(errors.at(-1))).toContain(what);
  await expect((await fetchEncoded(sentiero, path.replace(/batches.*/, "events"))).text()).rejects.toThrow(what);
  expect(errors).toHaveLength(2);
  await post(sentiero, body(4));
  later(HOUR);
  expect(await sentiero.store.sessions.settle("session-1")).toBe(true);
  expect(segmentsIn(blobs).map(({ key }) => key)).toEqual([segment!.key]);
  expect(keysOf(blobs(), "batches")).toHaveLength(1);
});

test("a segment that inflates to more than the runtime can hold is not inflated", async () => {
  const { sentiero, errors, path } = await openSettled();
  sentiero.platform.maxInflatedBytes = 2000;
  expect((await fetchEncoded(sentiero, path, "gzip")).status).toBe(500);
  expect(String(errors.at(-1))).toContain("too-large");
  expect((await fetchEncoded(sentiero, path, "br")).status).toBe(200);
});

test("where brotli is missing, everything that reads a segment says so, and none takes it for broken", async () => {
  const { sentiero, blobs, later, errors, path } = await openSettled();
  const { DecompressionStream } = globalThis;
  vi.stubGlobal(
    "DecompressionStream",
    class extends DecompressionStream {
      constructor(format: CompressionFormat) {
        if (!["gzip", "deflate", "deflate-raw"].includes(format)) throw new TypeError(`no ${format}`);
        super(format);
      }
    },
  );
  Object.assign(sentiero.platform, createWebPlatform(), { brotli: undefined });
  const told = /runtime with brotli.*node:zlib/;
  expect((await fetchEncoded(sentiero, path, "gzip")).status).toBe(500);
  expect(String(errors.at(-1))).toMatch(told);
  await expect((await fetchEncoded(sentiero, path.replace(/batches.*/, "events"))).text()).rejects.toThrow(told);
  expect(String(errors.at(-1))).toMatch(told);
  expect(errors).toHaveLength(2);
  expect((await fetchEncoded(sentiero, path, "br")).status).toBe(200);

  const [segment] = segmentsIn(blobs);
  const { ports } = sentiero.store;
  const readPiece = createPieceReader(ports.blobs, createSessionKeys("main", platform), sentiero.platform);
  await expect(readPiece(segment!.key)).rejects.toThrow(told);
  const listed = `/sessions/session-1/windows/window-1/batches/${RUN}-0-${"0".repeat(24)}`;
  expect((await fetchEncoded(sentiero, listed, "gzip")).status).toBe(500);
  await post(sentiero, body(4));
  later(HOUR);
  await expect(sentiero.store.sessions.settle("session-1")).rejects.toThrow(told);
  expect(segmentsIn(blobs)).toEqual([expect.objectContaining({ key: segment!.key, bytes: segment!.bytes })]);
});

afterEach(() => void vi.unstubAllGlobals());

test("settles once, and again only after a late batch", async () => {
  const { sentiero, blobs, later } = open();
  for (let seq = 0; seq < 3; seq++) await post(sentiero, body(seq));
  later(HOUR);
  expect(await sentiero.store.sessions.settle("session-1")).toBe(true);
  expect(await sentiero.store.sessions.settle("session-1")).toBe(false);
  expect((await post(sentiero, body(3))).status).toBe(200);
  expect(await sessionOf(sentiero)).toMatchObject({ state: "live" });
  expect((await batchesOf(sentiero)).map(({ key }) => key.startsWith("segment-"))).toEqual([true, false]);
  const events = await eventsOf(sentiero);
  later(HOUR);
  expect(await sentiero.store.sessions.settle("session-1")).toBe(true);
  expect(await eventsOf(sentiero)).toEqual(events);
  expect(events.map((event) => event.timestamp)).toEqual(events.map((event) => event.timestamp).toSorted());
  expect(keysOf(blobs(), "segments")).toHaveLength(1);
  expect(keysOf(blobs(), "batches")).toEqual([]);
});

test("knows a batch again that lies in a segment, in the document or on an index page", async () => {
  for (const count of [3, 150]) {
    const { sentiero, blobs, later } = open();
    for (let seq = 0; seq < count; seq++) await post(sentiero, body(seq));
    later(HOUR);
    await sentiero.store.sessions.settle("session-1");
    const before = { session: await sessionOf(sentiero), blobs: blobs() };
    for (let seq = 0; seq < count; seq++) expect((await post(sentiero, body(seq))).status).toBe(200);
    expect({ session: await sessionOf(sentiero), blobs: blobs() }).toEqual(before);
  }
});

test("keeps another body under a settled batch's number beside it, flagged and not played", async () => {
  const { sentiero, later } = open();
  for (let seq = 0; seq < 3; seq++) await post(sentiero, body(seq));
  later(HOUR);
  await sentiero.store.sessions.settle("session-1");
  const events = await eventsOf(sentiero);
  expect((await post(sentiero, body(1, { windowId: "window-1", sentAt: 5, run: RUN, recorder: "x" }))).status).toBe(
    200,
  );
  const other = gzipSync(
    JSON.stringify({
      sessionId: "session-1",
      windowId: "window-1",
      run: RUN,
      seq: 1,
      events: [{ type: 3, timestamp: 1 }],
    }),
  );
  expect((await post(sentiero, other)).status).toBe(200);
  expect((await batchesOf(sentiero)).map(({ isConflict }) => isConflict)).toEqual([false, true]);
  expect(await eventsOf(sentiero)).toEqual(events);
  later(HOUR);
  await sentiero.store.sessions.settle("session-1");
  expect((await batchesOf(sentiero)).map(({ isConflict }) => isConflict)).toEqual([false, true]);
});

test("serves a batch that was listed before it was joined", async () => {
  const { sentiero, later } = open();
  for (let seq = 0; seq < 3; seq++) await post(sentiero, body(seq));
  const listed = await batchesOf(sentiero);
  const read = (key: string) => api(sentiero, `/sessions/session-1/windows/window-1/batches/${key}`);
  const before = await Promise.all(listed.map(({ key }) => read(key)));
  later(HOUR);
  await sentiero.store.sessions.settle("session-1");
  expect(await Promise.all(listed.map(({ key }) => read(key)))).toEqual(before);
});

test("never joins two starts of the recorder that ran at the same time", async () => {
  const { sentiero, later } = open();
  for (let seq = 0; seq < 3; seq++) {
    await post(sentiero, body(seq));
    await post(sentiero, body(seq, { run: OTHER_RUN, recorder: "other" }));
  }
  later(HOUR);
  await sentiero.store.sessions.settle("session-1");
  expect((await batchesOf(sentiero)).map(({ run, eventCount }) => [run, eventCount])).toEqual([
    [RUN, 6],
    [OTHER_RUN, 6],
  ]);
});

test("cuts segments at 4 MB, and leaves a larger batch as it is", async () => {
  const { sentiero, blobs, later } = open();
  const large = (seq: number, megabytes: number) => {
    const text = Array.from({ length: megabytes * 20_000 }, (_, index) => `${index} ${seq}`.padEnd(50, "x")).join("");
    return gzipSync(
      JSON.stringify({
        sessionId: "session-1",
        windowId: "window-1",
        run: RUN,
        seq,
        events: [{ type: 3, data: { text }, timestamp: START + seq }],
      }),
    );
  };
  for (const [seq, megabytes] of [1, 1, 1, 2, 1, 6, 1, 1].entries()) await post(sentiero, large(seq, megabytes));
  const before = await eventsOf(sentiero);
  later(HOUR);
  await sentiero.store.sessions.settle("session-1");
  expect(await eventsOf(sentiero)).toEqual(before);
  expect((await batchesOf(sentiero)).map(({ eventCount }) => eventCount)).toEqual([3, 2, 1, 2]);
  for (const { text } of blobs()) if (!text.includes('run":')) expect(text.length).toBeLessThan(4.2 * 1024 * 1024);
});

test("refuses a batch that comes seven days after a settled session's last one", async () => {
  const { sentiero, later } = open();
  for (let seq = 0; seq < 2; seq++) await post(sentiero, body(seq));
  later(HOUR);
  await sentiero.store.sessions.settle("session-1");
  later(7 * 24 * HOUR);
  const answer = await post(sentiero, body(2));
  expect([answer.status, await answer.json()]).toEqual([409, { error: "rotate" }]);
});

test("a batch that comes while a session settles is kept, and the session settles another time", async () => {
  const { sentiero, later } = open();
  for (let seq = 0; seq < 3; seq++) await post(sentiero, body(seq));
  later(HOUR);
  const { ports } = sentiero.store;
  let isLate = false;
  const blobs = intercept(ports.blobs, async (name, args, call) => {
    if (name === "create" && String(args[0]).startsWith("segments:") && !isLate) {
      isLate = true;
      await post(sentiero, body(3));
    }
    return call();
  });
  const sessions = openBeside({ ...ports, blobs }, []);
  expect(await sessions.settle("session-1")).toBe(false);
  expect(isLate).toBe(true);
  expect((await batchesOf(sentiero)).map(({ seq }) => seq)).toEqual([0, 1, 2, 3]);
  expect(await eventsOf(sentiero)).toHaveLength(8);
  later(HOUR);
  expect(await sessions.settle("session-1")).toBe(true);
  expect(await eventsOf(sentiero)).toHaveLength(8);
});

test("two processes that settle one session at once lose nothing", async () => {
  const { sentiero, later } = open();
  for (let seq = 0; seq < 5; seq++) await post(sentiero, body(seq));
  const before = await eventsOf(sentiero);
  later(HOUR);
  const { ports } = sentiero.store;
  await Promise.all([1, 2, 3].map(() => openBeside(ports, []).settle("session-1")));
  expect(await eventsOf(sentiero)).toEqual(before);
});

test("an erasure while a session settles leaves nothing", async () => {
  const { sentiero, blobs, later } = open();
  for (let seq = 0; seq < 3; seq++) await post(sentiero, body(seq));
  later(HOUR);
  const { ports } = sentiero.store;
  let isErased = false;
  const stopped = intercept(ports.blobs, async (name, args, call) => {
    const result = await call();
    if (name === "create" && String(args[0]).startsWith("segments:") && !isErased) {
      isErased = true;
      await sentiero.store.sessions.erase("session-1");
    }
    return result;
  });
  expect(await openBeside({ ...ports, blobs: stopped }, []).settle("session-1")).toBe(false);
  expect(blobs()).toEqual([]);
  expect((await api(sentiero, "/sessions/session-1")).status).toBe(404);
});

test("a crash at any write leaves every event, and settling goes on", async () => {
  for (let crashAt = 0; crashAt < 12; crashAt++) {
    const { sentiero, later } = open();
    for (let seq = 0; seq < 4; seq++) {
      await post(sentiero, body(seq));
      await post(sentiero, body(seq, { windowId: "window-2", recorder: "2" }));
    }
    const before = [await eventsOf(sentiero), await eventsOf(sentiero, "window-2")];
    later(HOUR);
    const { ports } = sentiero.store;
    let writes = 0;
    const crash = (name: string, _: readonly unknown[], call: () => unknown) => {
      if (["create", "remove", "removeAll", "put"].includes(name) && writes++ >= crashAt) throw new Error("crash");
      return call();
    };
    const broken = { ...ports, blobs: intercept(ports.blobs, crash), documents: intercept(ports.documents, crash) };
    await openBeside(broken, [])
      .settle("session-1")
      .catch(() => {});
    expect([await eventsOf(sentiero), await eventsOf(sentiero, "window-2")]).toEqual(before);
    await sentiero.store.sessions.settle("session-1");
    expect([await eventsOf(sentiero), await eventsOf(sentiero, "window-2")]).toEqual(before);
  }
});

test("hooks see every event of a session once, in order, window by window", async () => {
  const { sentiero, later } = open();
  for (const seq of [2, 0, 1]) {
    await post(sentiero, body(seq));
    await post(sentiero, body(seq, { windowId: "window-2", recorder: "2" }));
  }
  const before = { "window-1": await eventsOf(sentiero), "window-2": await eventsOf(sentiero, "window-2") };
  later(HOUR);
  const seen: Record<string, RecordedEvent[]> = {};
  let finished = 0;
  const hook: SettleHook = ({ id }) => ({
    take(windowId, events) {
      expect(id).toBe("session-1");
      (seen[windowId] ??= []).push(...events);
    },
    finish: () => void finished++,
  });
  await openBeside(sentiero.store.ports, [hook]).settle("session-1");
  expect(seen).toEqual(before);
  expect(finished).toBe(1);
});

test("settling after any batches in any order, again and again, changes no event", async () => {
  const one = fc.record({
    window: fc.constantFrom("window-1", "window-2"),
    run: fc.constantFrom(RUN, OTHER_RUN, undefined),
    seq: fc.integer({ min: 0, max: 6 }),
    settles: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(one, { minLength: 1, maxLength: 15 }), async (steps) => {
      const settled = open();
      const plain = open();
      for (const { window, run, seq, settles } of steps) {
        const bytes = body(seq, { windowId: window, run, seq: run && seq, recorder: `${run}`.slice(0, 3) });
        expect((await post(settled.sentiero, bytes)).status).toBe(200);
        expect((await post(plain.sentiero, bytes)).status).toBe(200);
        settled.later(HOUR);
        plain.later(HOUR);
        if (settles) await settled.sentiero.store.sessions.settle("session-1");
        for (const name of new Set(steps.map((step) => step.window))) {
          const order = ({ timestamp: a = 0 }: RecordedEvent, { timestamp: b = 0 }: RecordedEvent) => a - b;
          const [left, right] = [await eventsOf(settled.sentiero, name), await eventsOf(plain.sentiero, name)];
          if (Array.isArray(right)) expect([...left].sort(order)).toEqual([...right].sort(order));
        }
      }
    }),
    { numRuns: 40, seed: inject("seed"), interruptAfterTimeLimit: 15_000 },
  );
});

/** Sessions over the same store, as another process has them. */
function openBeside(store: Store, settleHooks: readonly SettleHook[]): Sessions {
  return openSessions(store, { clock: () => START + 10 * HOUR, settleHooks });
}
