import { gzipSync } from "node:zlib";
import type { Batch, RecordedEvent } from "sentiero";
import { createRandom, type Random } from "./random.ts";
import type { PageVisit, Recording } from "./recordings.ts";

/** What the filler makes and where it goes. */
export interface FillOptions {
  /** The demo's own handler; its clock must be `clock.now`. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** Set before every upload to the time at which the server gets it. */
  readonly clock: { now: number };
  readonly recordings: readonly Recording[];
  readonly sessions: number;
  /** Where the site is, such as `http://127.0.0.1:4747`. */
  readonly origin: string;
  /** Epoch ms: sessions end before it and begin at most 14 days before. */
  readonly now: number;
  /** The same seed and `now` give the same sessions, byte for byte. @default 1 */
  readonly seed?: number;
  readonly onSession?: (done: number, batches: number) => void;
  /** Ends the filling after the session in work. */
  readonly signal?: AbortSignal;
}

/** What was stored. */
export interface FillResult {
  readonly sessions: number;
  readonly batches: number;
  readonly events: number;
}

/** One session to come. */
interface Visit {
  readonly recorder: string;
  readonly pages: readonly PageVisit[];
  readonly startAt: number;
  /** Recorded time → time in the new session. */
  readonly timeOf: ReadonlyMap<number, number>;
}

const days = 14;
const dayMs = 86_400_000;

/** No session is still live when the demo opens: live is who sent something in the last five minutes. */
const quietMs = 6 * 60_000;

/** As the recorder cuts its batches. */
const maxEvents = 50;
const maxBatchMs = 10_000;

/** Shorter gaps belong to one movement of the hand and stay as they are. */
const pauseMs = 250;

/** How busy each hour of the day is, from midnight. */
const hours = [2, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 9, 10, 9, 8, 8, 9, 10, 11, 13, 14, 12, 8, 4] as const;

const referrers = [
  "",
  "",
  "",
  "https://search.example/",
  "https://search.example/",
  "https://hiking-club.example/forum",
  "https://news.example/weekend",
] as const;

/**
 * Fills a store with sessions made from recordings of the demo site: some of a recording's pages, with other pauses,
 * other ids and other times. They go through the events lane like a browser's uploads.
 * @throws Error when the events lane refuses one.
 */
export async function fillStore(options: FillOptions): Promise<FillResult> {
  const { recordings, sessions, now, seed = 1, signal } = options;
  if (recordings.length === 0) throw new Error("There are no recordings to fill the store with.");
  // One stream for what is planned and one for ids, so that a second filling is alike but not the same sessions.
  const random = createRandom(seed);
  const ids = createRandom(seed ^ (now % 0xffff_ffff));
  const visits = Array.from({ length: sessions }, () => planVisit(random, recordings, now));
  // Oldest first, as they would have come.
  visits.sort((a, b) => a.startAt - b.startAt);

  const result = { sessions: 0, batches: 0, events: 0 };
  for (const visit of visits) {
    if (signal?.aborted) break;
    for (const batch of toBatches(visit, ids, random)) {
      await send(batch, random, options);
      result.batches += 1;
      result.events += batch.events.length;
    }
    result.sessions += 1;
    options.onSession?.(result.sessions, result.batches);
    // The filler shares the process with a terminal that wants to draw and a Ctrl-C that wants to be heard.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return result;
}

function planVisit(random: Random, recordings: readonly Recording[], now: number): Visit {
  const recording = random.pick(recordings);
  let pages = pickPages(random, recording.pages);
  // Some stay longer: another visit by the same kind of screen goes on where the first one ended.
  while (random.next() < 0.3) {
    const alike = recordings.filter((other) => viewportOf(other) === viewportOf(recording));
    pages = append(pages, pickPages(random, random.pick(alike).pages));
  }
  const times = [...new Set(pages.flatMap(({ events }) => events.map((event) => event.timestamp ?? 0)))].sort(
    (a, b) => a - b,
  );
  const offsets = stretch(random, times);
  const lengthMs = offsets.at(-1) ?? 0;
  const startAt = pickStart(random, now - quietMs - lengthMs);
  return {
    recorder: recording.recorder,
    pages,
    startAt,
    timeOf: new Map(times.map((time, index) => [time, startAt + offsets[index]!])),
  };
}

function viewportOf(recording: Recording): unknown {
  return recording.pages[0]?.metadata.viewport;
}

function append(pages: readonly PageVisit[], more: readonly PageVisit[]): PageVisit[] {
  const times = ({ events }: PageVisit): number[] => events.map((event) => event.timestamp ?? 0);
  const shift = Math.max(...pages.flatMap(times)) - Math.min(...more.flatMap(times)) + 1_500;
  return [
    ...pages,
    ...more.map((page) => ({
      ...page,
      events: page.events.map((event) => ({ ...event, timestamp: (event.timestamp ?? 0) + shift })),
    })),
  ];
}

/** A stretch of pages, or all of them. Each page load begins with a full snapshot, so any of them can stand alone. */
function pickPages(random: Random, pages: readonly PageVisit[]): readonly PageVisit[] {
  if (random.next() < 0.35) return pages;
  const length = random.integer(1, pages.length);
  const from = random.integer(0, pages.length - length);
  return pages.slice(from, from + length);
}

/** New times for `times`, from 0: pauses get longer or shorter, with now and then a long look or a coffee. */
function stretch(random: Random, times: readonly number[]): number[] {
  const pace = random.between(1.2, 5);
  let at = 0;
  return times.map((time, index) => {
    const gap = index === 0 ? 0 : time - times[index - 1]!;
    if (gap < pauseMs) at += gap;
    else {
      at += Math.min(gap, 4_000) * pace * random.between(0.6, 1.6);
      const dice = random.next();
      if (dice < 0.004) at += random.between(60_000, 420_000);
      else if (dice < 0.16) at += random.between(4_000, 40_000);
    }
    return Math.round(at);
  });
}

/** A time of the last 14 days: more by day than by night, none after `latest`. */
function pickStart(random: Random, latest: number): number {
  const busiest = Math.max(...hours);
  for (;;) {
    const at = Math.round(latest - random.next() * (days * dayMs - (dayMs >> 1)));
    if (random.next() * busiest < hours[new Date(at).getUTCHours()]!) return at;
  }
}

/** The visit as the recorder would have uploaded it, in the order of sending. */
function toBatches(visit: Visit, ids: Random, random: Random): Batch[] {
  const session = { id: ids.uuid(), key: ids.hex(32) };
  const tabs = new Map<number, string>();
  const entry = { entry_url: visit.pages[0]!.metadata.url ?? "", entry_referrer: random.pick(referrers) };
  const batches: Batch[] = [];
  for (const [index, { tab, events, metadata }] of visit.pages.entries()) {
    if (!tabs.has(tab)) tabs.set(tab, ids.uuid());
    const run = ids.hex(24);
    const page = { ...metadata, ...entry, ...(index === 0 ? { referrer: entry.entry_referrer } : {}) };
    const moved = events.map((event) => ({ ...event, timestamp: visit.timeOf.get(event.timestamp ?? 0)! }));
    for (const [seq, part] of cut(moved).entries()) {
      batches.push({
        sessionId: session.id,
        windowId: tabs.get(tab)!,
        ...(seq === 0 ? { metadata: page } : {}),
        run,
        seq,
        sentAt: part.at(-1)!.timestamp + random.integer(2, 30),
        key: session.key,
        recorder: visit.recorder,
        // Last, as the recorder writes them: only such a body is kept as it came.
        events: part,
      });
    }
  }
  return batches.sort((a, b) => a.sentAt! - b.sentAt!);
}

function cut<T extends RecordedEvent & { timestamp: number }>(events: readonly T[]): T[][] {
  const parts: T[][] = [];
  for (const event of events) {
    const part = parts.at(-1);
    const isFull = !part || part.length >= maxEvents || event.timestamp - part[0]!.timestamp > maxBatchMs;
    if (isFull) parts.push([event]);
    else part.push(event);
  }
  return parts;
}

async function send(batch: Batch, random: Random, { fetch, clock, origin }: FillOptions): Promise<void> {
  clock.now = batch.sentAt! + random.integer(30, 250);
  const agent = batch.metadata?.userAgent;
  const response = await fetch(
    new Request(`${origin}/sentiero/events`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "content-encoding": "gzip",
        ...(typeof agent === "string" ? { "user-agent": agent } : {}),
      },
      // Level 1: the filler is judged by its speed.
      body: new Uint8Array(gzipSync(JSON.stringify(batch), { level: 1 })),
    }),
  );
  if (response.status !== 200) {
    throw new Error(`The events lane answered ${response.status}: ${(await response.text()).slice(0, 200)}`);
  }
}
