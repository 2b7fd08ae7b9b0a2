import { EventType } from "../src/rrweb/events.ts";
import type { Gap, RecordedEvent } from "../src/types.ts";
import { type RunInfo, toBatchJson } from "./batch.ts";
import { type Buffer, createBuffer, type Entry } from "./buffer.ts";
import { type GapMemory, mergeGaps, toGaps } from "./gaps.ts";
import { mergeMetadata, type Metadata } from "./metadata.ts";

/** JSON characters of one upload; an event that alone is bigger goes alone. */
const MAX_BATCH_CHARS = 1_000_000;
/** What may wait for a server that doesn't answer. */
const MAX_BUFFERED_EVENTS = 5_000;
const MAX_BUFFERED_CHARS = 8_000_000;
/** Failures in a row after which an upload is given up. */
const MAX_TRIES = 10;
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
const MAX_RETRY_AFTER_MS = 600_000;
/** Browsers let a leaving page send 64 KiB in all (https://fetch.spec.whatwg.org/#http-network-or-cache-fetch); the rest is for others. */
const LEAVE_BUDGET_BYTES = 60_000;
/** `pagehide` and `visibilitychange` of one leave come together and share that budget. */
const LEAVE_WITHIN_MS = 5_000;
/** New sessions in a row without one upload taken; then the server is not going to take any. */
const MAX_ROTATIONS = 3;
/** Single events refused as too big in a row; then it is not their size. */
const MAX_REFUSED_EVENTS = 5;

/** The server's answer, or what is needed of it. */
export interface Answer {
  readonly status: number;
  /** The `Retry-After` header. */
  readonly retryAfter: string | null;
}

/** Everything the transport touches. */
export interface TransportOptions {
  readonly flushIntervalMs: number;
  readonly flushEventThreshold: number;
  /** Version of the recorder. */
  readonly version: string;
  /** Epoch ms, by the clock of the events. */
  now(): number;
  /** Ms that only ever grow; the computer's clock may be set back by hours. */
  clock(): number;
  /** 0 to 1. */
  random(): number;
  setTimer(run: () => void, delayMs: number): unknown;
  clearTimer(timer: unknown): void;
  /** Calls back when the page has time, within a second. */
  soon(run: () => void): void;
  /** Sends an upload; rejects when there is no answer. */
  post(body: string | Uint8Array<ArrayBuffer>): Promise<Answer>;
  /** Hands an upload to the browser, to be sent even if the page is gone; false when it won't. */
  beacon(body: string | Uint8Array<ArrayBuffer>): boolean;
  /** Null where it can't be done. */
  compress(text: string): Promise<Uint8Array<ArrayBuffer> | null>;
  readonly lost: GapMemory;
  /** Asked before anything is sent; false ends it. */
  isAllowed(): boolean;
  /** What follows can't be played without a new full snapshot. */
  requestSnapshot(): void;
  /** The server wants a new session; the owner calls `begin`. */
  onRotate(): void;
  /** Nothing will be sent any more. `status` is the server's last word, 0 when it was not the server. */
  onStop(status: number): void;
}

/** Brings the events of a page to the server. */
export interface Transport {
  /** Starts a run; events from here on belong to it. Numbers start at 0. */
  begin(info: RunInfo, metadata: Metadata): void;
  push(event: RecordedEvent): void;
  /** Rides the next upload. */
  setMetadata(metadata: Metadata): void;
  /** The page is hidden and may never come back; `isFinal` when it surely won't. */
  hide(isFinal: boolean): void;
  /** The page is there again. */
  show(): void;
  /** Throws everything away and sends nothing more. */
  discard(): void;
}

/** One run's events, with the number of its next upload. */
interface Segment {
  readonly info: RunInfo;
  readonly buffer: Buffer;
  nextSeq: number;
  metadata: Metadata;
}

/** An upload that has its number and will not change any more. */
interface Sealed {
  readonly segment: Segment;
  readonly seq: number;
  readonly entries: readonly Entry[];
  readonly metadata: Metadata;
  readonly gaps: readonly Gap[];
  readonly json: string;
  body: string | Uint8Array<ArrayBuffer> | null;
  tries: number;
  /** In which leave of the page it was handed to the browser; 0 for none. */
  leave: number;
}

/** Makes a transport; nothing is sent before `begin`. */
export function createTransport(options: TransportOptions): Transport {
  const { flushIntervalMs, flushEventThreshold, version } = options;
  const { now, clock, random, setTimer, clearTimer, soon, post, beacon, compress } = options;
  const { lost, isAllowed, requestSnapshot, onRotate, onStop } = options;
  // More than one while an ended session's events are still waiting.
  let segments: Segment[] = [];
  let gaps: Gap[] = lost.take();
  let sealed: Sealed | null = null;
  let isSending = false;
  let isStopped = false;
  let isHidden = false;
  // The newest events are wanted on the server at once.
  let isUrgent = false;
  let wantsSnapshot = false;
  let timer: { readonly at: number; readonly id: unknown } | null = null;
  let failures = 0;
  let notBefore = 0;
  let rotations = 0;
  let refusedEvents = 0;
  let maxChars = MAX_BATCH_CHARS;
  let leftAt = -Infinity;
  let leaveBudget = 0;
  let leaves = 0;

  function schedule(delayMs: number): void {
    const now = clock();
    const at = Math.max(now + delayMs, notBefore);
    if (isStopped || (timer && timer.at <= at)) return;
    if (timer) clearTimer(timer.id);
    timer = { at, id: setTimer(onTimer, at - now) };
  }

  function onTimer(): void {
    timer = null;
    pump();
  }

  function pump(): void {
    if (isStopped || isSending) return;
    if (clock() < notBefore) return schedule(0);
    if (!isAllowed()) return stop(0);
    sealed ??= sealNext();
    if (!sealed) return;
    isSending = true;
    void send(sealed);
  }

  async function send(batch: Sealed): Promise<void> {
    let answer: Answer | null = null;
    try {
      batch.body ??= (await compress(batch.json)) ?? batch.json;
      if (!isStopped) answer = await post(batch.body);
    } catch {
      // No answer: the same as a server that is down.
    }
    isSending = false;
    if (isStopped) return;
    settle(batch, answer);
    if (isHidden) rememberLost();
  }

  function settle(batch: Sealed, answer: Answer | null): void {
    const status = answer?.status ?? 0;
    if (status >= 200 && status < 300) return onTaken();
    if (status === 0 || status === 408 || status === 429 || status >= 500) return onFailure(batch, answer);
    failures = 0;
    if (status === 413) return onTooBig(batch);
    if (status === 409 || status === 410) return onRotation(batch, status);
    giveUp(batch, "rejected");
    giveUpBuffered("rejected");
    stop(status);
  }

  function onTaken(): void {
    sealed = null;
    failures = 0;
    notBefore = 0;
    rotations = 0;
    refusedEvents = 0;
    // A size refused once may have been someone else's passing trouble.
    maxChars = Math.min(maxChars * 2, MAX_BATCH_CHARS);
    dropEmptySegments();
    if (wantsSnapshot) {
      wantsSnapshot = false;
      requestSnapshot();
    }
    scheduleNext();
  }

  function onFailure(batch: Sealed, answer: Answer | null): void {
    failures++;
    batch.tries++;
    const backoff = Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), MAX_RETRY_MS);
    const asked = retryAfterMs(answer?.retryAfter ?? null, now());
    // Never earlier than asked, and many pages at different times.
    const delay = asked > backoff ? asked * (1 + random() / 5) : backoff * (0.75 + random() / 2);
    notBefore = clock() + delay;
    if (batch.tries >= MAX_TRIES) {
      giveUp(batch, "network");
      // Later: while the server is away a snapshot would only fill the buffer.
      wantsSnapshot = true;
    }
    schedule(delay);
  }

  function onTooBig(batch: Sealed): void {
    const { segment, entries, seq } = batch;
    // Nothing was stored, so the number is free; unless a leaving page sent it once more, or later ones, which would
    // then come before what is left of this.
    const isFree = segment.nextSeq === seq + 1 && batch.leave === 0;
    if (isFree && entries.length > 1) {
      maxChars = Math.ceil(Math.min(maxChars, batch.json.length) / 2);
      unseal(batch);
    } else {
      if (isFree) segment.nextSeq = seq;
      giveUp(batch, "rejected");
      if (++refusedEvents >= MAX_REFUSED_EVENTS) {
        giveUpBuffered("rejected");
        return stop(413);
      }
      if (entries.every((entry) => entry.type !== EventType.FullSnapshot)) requestSnapshot();
    }
    schedule(0);
  }

  function onRotation(batch: Sealed, status: number): void {
    giveUp(batch, "rejected");
    gaps = mergeGaps(gaps, toGaps(batch.segment.buffer.take(Infinity), "rejected"));
    if (++rotations > MAX_ROTATIONS) {
      giveUpBuffered("rejected");
      return stop(status);
    }
    // The newest run has the session that was refused: a new one is needed. An older one is simply over.
    if (batch.segment === segments.at(-1)) onRotate();
    dropEmptySegments();
    schedule(0);
  }

  /** Ends an upload that was not taken; what rode on it rides the next one. */
  function giveUp(batch: Sealed, reason: Gap["reason"]): void {
    sealed = null;
    gaps = mergeGaps(batch.gaps, gaps, toGaps(batch.entries, reason));
    const heir = segments.at(-1);
    if (heir && heir.info.sessionId === batch.segment.info.sessionId) {
      heir.metadata = mergeMetadata(batch.metadata, heir.metadata);
    }
  }

  function giveUpBuffered(reason: Gap["reason"]): void {
    for (const { buffer } of segments) gaps = mergeGaps(gaps, toGaps(buffer.take(Infinity), reason));
  }

  function unseal(batch: Sealed): void {
    const { segment } = batch;
    if (batch === sealed) sealed = null;
    segment.nextSeq = batch.seq;
    segment.buffer.putBack(batch.entries);
    segment.metadata = mergeMetadata(batch.metadata, segment.metadata);
    gaps = mergeGaps(batch.gaps, gaps);
  }

  function sealNext(): Sealed | null {
    dropEmptySegments();
    const segment = segments[0];
    if (!segment) return null;
    const entries = segment.buffer.take(maxChars);
    // What was cut off goes right after.
    isUrgent = segment.buffer.count > 0;
    return entries.length > 0 ? seal(segment, entries) : null;
  }

  function seal(segment: Segment, entries: readonly Entry[]): Sealed {
    const content = { seq: segment.nextSeq++, entries, metadata: segment.metadata, gaps };
    segment.metadata = {};
    gaps = [];
    const json = toBatchJson({ ...content, info: segment.info, sentAt: now(), recorder: version });
    return { ...content, segment, json, body: null, tries: 0, leave: 0 };
  }

  function dropEmptySegments(): void {
    const newest = segments.at(-1);
    // One whose upload is under way may get that back.
    segments = segments.filter(
      (segment) => segment === newest || segment === sealed?.segment || segment.buffer.count > 0,
    );
  }

  function scheduleNext(): void {
    const count = segments.reduce((sum, { buffer }) => sum + buffer.count, 0);
    if (count === 0) return;
    const isDue = isUrgent || segments.length > 1 || count >= flushEventThreshold;
    schedule(isDue ? 0 : flushIntervalMs);
  }

  function limitBuffer(event: RecordedEvent): void {
    let count = 0;
    let chars = 0;
    for (const { buffer } of segments) {
      count += buffer.count;
      chars += buffer.chars;
    }
    if (count <= MAX_BUFFERED_EVENTS && chars <= MAX_BUFFERED_CHARS) return;
    const { buffer } = segments.at(-1)!;
    const all = buffer.peek();
    // A huge snapshot doesn't count: what would be asked for in its place is no smaller.
    const snapshot = all.findLast((entry) => entry.type === EventType.FullSnapshot);
    if (count <= MAX_BUFFERED_EVENTS && chars - (snapshot?.json.length ?? 0) <= MAX_BUFFERED_CHARS) return;
    // A snapshot that just came is the new beginning, together with its Meta event.
    const isSnapshot = event.type === EventType.FullSnapshot;
    const keep = event.type === EventType.Meta ? 1 : isSnapshot ? 1 + Number(all.at(-2)?.type === EventType.Meta) : 0;
    const kept = keep > 0 ? all.slice(-keep) : [];
    buffer.remove(kept);
    giveUpBuffered("overflow");
    buffer.putBack(kept);
    dropEmptySegments();
    if (keep === 0) requestSnapshot();
  }

  /** Sends what fits as plain JSON: compressing takes time that a leaving page doesn't have. */
  function beaconBuffered(segment: Segment, isFinal: boolean): void {
    const empty = toBatchJson({
      ...segment,
      seq: 99_999,
      sentAt: now(),
      recorder: version,
      entries: [],
      gaps,
    });
    let room = leaveBudget - byteLength(empty);
    const fitting: Entry[] = [];
    for (const entry of segment.buffer.peek()) {
      const size = byteLength(entry.json) + 1;
      if (size <= room) {
        room -= size;
        fitting.push(entry);
      } else if (!isFinal) {
        // The page may live on and send the rest, so nothing may overtake it.
        break;
      }
    }
    if (fitting.length === 0) return;
    const batch = seal(segment, fitting);
    if (beacon(batch.json)) {
      leaveBudget -= byteLength(batch.json);
      segment.buffer.remove(fitting);
    } else {
      segment.nextSeq = batch.seq;
      segment.metadata = batch.metadata;
      gaps = [...batch.gaps];
    }
  }

  function rememberLost(): void {
    const unsent = segments.flatMap(({ buffer }) => buffer.peek());
    const inFlight = sealed && sealed.leave !== leaves ? sealed : null;
    lost.save(mergeGaps(inFlight?.gaps ?? [], gaps, toGaps([...(inFlight?.entries ?? []), ...unsent], "unload")));
  }

  function stop(status: number): void {
    isStopped = true;
    if (timer) clearTimer(timer.id);
    timer = null;
    sealed = null;
    segments = [];
    if (status > 0) lost.save(gaps);
    gaps = [];
    onStop(status);
  }

  return {
    begin(info, metadata) {
      if (isStopped) return;
      segments.push({ info, buffer: createBuffer(), nextSeq: 0, metadata });
      dropEmptySegments();
    },

    push(event) {
      const segment = segments.at(-1);
      if (isStopped || !segment) return;
      segment.buffer.push(event);
      if (event.type === EventType.FullSnapshot && !isUrgent) {
        // Without its first snapshot a recording is nothing, and short visits end before the interval does.
        isUrgent = true;
        soon(pump);
      }
      limitBuffer(event);
      if (!isSending) scheduleNext();
    },

    setMetadata(metadata) {
      const segment = segments.at(-1);
      if (segment) segment.metadata = mergeMetadata(segment.metadata, metadata);
    },

    hide(isFinal) {
      if (isStopped || !isAllowed()) return;
      const now = clock();
      if (now - leftAt > LEAVE_WITHIN_MS) {
        leaveBudget = LEAVE_BUDGET_BYTES;
        leaves++;
      }
      leftAt = now;
      isHidden = true;
      if (sealed && sealed.leave !== leaves) {
        // The request in flight may die with the page; the server ignores the repeat.
        const body = sealed.body ?? sealed.json;
        const size = byteLength(body);
        if (size <= leaveBudget && beacon(body)) {
          leaveBudget -= size;
          sealed.leave = leaves;
        }
      }
      for (const segment of segments) beaconBuffered(segment, isFinal);
      rememberLost();
      if (!isFinal) scheduleSoonAfterHide();
    },

    show() {
      if (isStopped || !isHidden) return;
      isHidden = false;
      leftAt = -Infinity;
      lost.save([]);
      if (sealed) schedule(0);
      else scheduleNext();
    },

    discard() {
      if (isStopped) return;
      lost.save([]);
      stop(0);
    },
  };

  function scheduleSoonAfterHide(): void {
    if (!isSending && (sealed || segments.some(({ buffer }) => buffer.count > 0))) schedule(0);
  }
}

/** The wait a server asks for: seconds or a date; 0 when it asks for none. */
export function retryAfterMs(header: string | null, now: number): number {
  if (header === null) return 0;
  const seconds = Number(header);
  const wait = Number.isNaN(seconds) ? Date.parse(header) - now : seconds * 1_000;
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), MAX_RETRY_AFTER_MS) : 0;
}

function byteLength(body: string | Uint8Array): number {
  return typeof body === "string" ? new TextEncoder().encode(body).length : body.length;
}
