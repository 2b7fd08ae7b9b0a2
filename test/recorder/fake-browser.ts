import type { Gap } from "../../src/types.ts";
import type { RememberedGap } from "../../recorder/gaps.ts";
import { createTransport, type Answer, type Transport, type TransportOptions } from "../../recorder/transport.ts";

/** Timers and clock that only move when told to. */
export function createFakeTime(startAt = 1_700_000_000_000) {
  let now = startAt;
  let nextId = 1;
  const timers = new Map<number, { at: number; run: () => void }>();
  return {
    now: () => now,
    setTimer(run: () => void, delayMs: number) {
      const id = nextId++;
      timers.set(id, { at: now + Math.max(0, delayMs), run });
      return id;
    },
    clearTimer: (id: unknown) => void timers.delete(id as number),
    get pending() {
      return timers.size;
    },
    /** Runs what is due within `ms`, in order, letting promises settle in between. */
    async advance(ms: number) {
      const end = now + ms;
      await settle();
      for (;;) {
        const due = [...timers].filter(([, timer]) => timer.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
        if (!due) break;
        timers.delete(due[0]);
        now = Math.max(now, due[1].at);
        due[1].run();
        await settle();
      }
      now = end;
    },
  };
}

/** Lets every promise that can settle do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn++) await Promise.resolve();
}

/** One upload as the fake server saw it. */
export interface SeenBatch {
  readonly text: string;
  readonly via: "request" | "leaving request" | "beacon";
  readonly sessionId: string;
  readonly run: string;
  readonly seq: number;
  readonly events: readonly { n: number; type: number }[];
  readonly metadata?: Record<string, unknown>;
  readonly gaps?: readonly Gap[];
}

export type Reply = number | "lost" | "dropped" | Answer;

/** A transport on fake time, with a server whose replies a test chooses. */
export function createBench(overrides: Partial<TransportOptions> = {}) {
  const time = createFakeTime();
  const seen: SeenBatch[] = [];
  const stored = new Map<string, SeenBatch>();
  const conflicts: SeenBatch[] = [];
  const remembered: { gaps: readonly RememberedGap[] } = { gaps: [] };
  const calls = { snapshots: 0, rotations: 0, stops: [] as number[] };
  const bench = {
    time,
    /** Every upload that reached the server, repeats included. */
    seen,
    /** What it keeps: by run and number, the first of each. */
    stored,
    /** Uploads with a known number and other content. */
    conflicts,
    remembered,
    calls,
    /** "lost": stored, but the answer never comes back; "dropped": never arrived. */
    reply: (_batch: SeenBatch): Reply => 200,
    takesBeacons: true,
    /** Ms between the server's storing and its answer. */
    latencyMs: 0,
    pushed: 0,
    snapshotType: 2,
    transport: null as unknown as Transport,
    push(size = 20, type = 3) {
      bench.transport.push({ type, data: { pad: "x".repeat(size) }, timestamp: time.now(), n: bench.pushed++ });
    },
    begin(name: string) {
      bench.transport.begin(
        { sessionId: `s-${name}`, windowId: "w", run: name, key: "k" },
        { url: "https://example.com/" },
      );
    },
  };

  function receive(
    body: string | Uint8Array,
    via: SeenBatch["via"],
    willStore: (batch: SeenBatch) => boolean,
  ): SeenBatch {
    const text = typeof body === "string" ? body : new TextDecoder().decode(body);
    const batch = { ...(JSON.parse(text) as SeenBatch), text, via };
    if (willStore(batch)) {
      seen.push(batch);
      const key = `${batch.run}/${batch.seq}`;
      const known = stored.get(key);
      if (!known) stored.set(key, batch);
      else if (known.text !== text) conflicts.push(batch);
    }
    return batch;
  }

  bench.transport = createTransport({
    flushIntervalMs: 10_000,
    flushEventThreshold: 50,
    version: "1.2.3",
    now: time.now,
    clock: time.now,
    random: () => 0.5,
    setTimer: time.setTimer,
    clearTimer: time.clearTimer,
    soon: (run) => void time.setTimer(run, 300),
    compress: async () => null,
    async post(body, isLeaving) {
      if (isLeaving && !bench.takesBeacons) throw new TypeError("over quota");
      let reply = 200 as Reply;
      receive(body, isLeaving ? "leaving request" : "request", (batch) => {
        reply = bench.reply(batch);
        // What it has already it can't refuse for its size.
        if (reply === 413 && stored.get(`${batch.run}/${batch.seq}`)?.text === batch.text) reply = 200;
        return reply === "lost" || reply === 200 || reply === 204;
      });
      if (bench.latencyMs > 0) await new Promise<void>((resolve) => void time.setTimer(resolve, bench.latencyMs));
      if (reply === "lost" || reply === "dropped") throw new TypeError("network");
      return typeof reply === "number" ? { status: reply, retryAfter: null } : (reply as Answer);
    },
    beacon(body) {
      if (!bench.takesBeacons) return false;
      receive(body, "beacon", () => true);
      return true;
    },
    lost: {
      take: () => [...remembered.gaps],
      save: (gaps) => void (remembered.gaps = gaps),
    },
    isAllowed: () => true,
    requestSnapshot: () => {
      calls.snapshots++;
      bench.push(10, 4);
      bench.push(200, 2);
    },
    onRotate: () => {
      calls.rotations++;
      bench.begin(`rotated${calls.rotations}`);
      bench.push(10, 4);
      bench.push(200, 2);
    },
    onStop: (status) => void calls.stops.push(status),
    ...overrides,
  });
  return bench;
}

/** What the server shows as lost: each gap with a name once, and none whose upload it has. */
export function gapsOf(stored: ReadonlyMap<string, SeenBatch>): Gap[] {
  const gaps = [...stored.values()].flatMap((batch) => batch.gaps ?? []);
  // The fake pages begin at the same time, so those without may look alike.
  const byText = new Map(gaps.map((gap, index) => [gap.run ? JSON.stringify(gap) : index, gap]));
  return [...byText.values()].filter(({ run, seq }) => !stored.has(`${run}/${seq}`));
}

/** How many events these gaps tell of. */
export function countEvents(gaps: readonly Gap[]): number {
  return gaps.reduce((sum, { events }) => sum + events, 0);
}

/** The numbers of all events that the server has, in order. */
export function eventsOf(batches: Iterable<SeenBatch>): number[] {
  return [...batches].flatMap((batch) => batch.events.map((event) => event.n));
}
