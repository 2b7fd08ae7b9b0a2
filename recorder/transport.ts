import { EventType } from "../src/rrweb/events.ts";
import type { Gap, RecordedEvent } from "../src/types.ts";
import { createBackoff } from "./backoff.ts";
import type { RunInfo } from "./batch.ts";
import { byteLength } from "./buffer.ts";
import { type GapMemory, toGaps } from "./gaps.ts";
import { mergeMetadata, type Metadata } from "./metadata.ts";
import { createOutbox, LEAVE_BUDGET_BYTES, MAX_TRIES } from "./outbox.ts";
import { lossesOf, type Sealed } from "./sealed.ts";
import type { KeptBatch, UnsentStore } from "./unsent-store.ts";

/** Bytes of events in one upload; an event that alone is bigger goes alone. */
const MAX_BATCH_BYTES = 1_000_000;
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
  /** Sends an upload; rejects when there is no answer. `isLeaving` when it has to go on without the page. */
  post(body: string | Uint8Array<ArrayBuffer>, isLeaving: boolean): Promise<Answer>;
  /** Hands an upload to the browser, to be sent although the page is gone; false when it won't. */
  beacon(body: string | Uint8Array<ArrayBuffer>): boolean;
  /** Null where it can't be done. */
  compress(text: string): Promise<Uint8Array<ArrayBuffer> | null>;
  readonly lost: GapMemory;
  /** Where unsent uploads outlive the page; null to keep none. @default null */
  readonly keepUnsent?: UnsentStore | null;
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
  /**
   * Sends what is there at once. Resolves when all of it is answered or given up, which may take as long as the server is
   * away.
   */
  flush(): Promise<void>;
  /** Throws everything away and sends nothing more. */
  discard(): void;
}

/** Makes a transport; nothing is sent before `begin`. */
export function createTransport(options: TransportOptions): Transport {
  const { flushIntervalMs, flushEventThreshold, version } = options;
  const { now, clock, setTimer, clearTimer, soon, post, beacon, compress } = options;
  const { lost, keepUnsent, isAllowed, requestSnapshot, onRotate, onStop } = options;
  const outbox = createOutbox(version, now, (id) => keepUnsent?.remove(id));
  const backoff = createBackoff(options);
  /** Uploads of earlier pages; they go when there is nothing else to send. */
  let adopted: Sealed[] = [];
  const beaconed: Sealed[] = [];
  let inFlight = 0;
  let leavingBytes = 0;
  let isStopped = false;
  let isHidden = false;
  // The newest events are wanted on the server at once.
  let isUrgent = false;
  let wantsSnapshot = false;
  let timer: { readonly at: number; readonly id: unknown } | null = null;
  let rotations = 0;
  let refusedEvents = 0;
  let maxBytes = MAX_BATCH_BYTES;

  let remembered = lost.take();

  if (keepUnsent) void adopt(keepUnsent);
  else declareRemembered([]);

  async function adopt(store: UnsentStore): Promise<void> {
    inFlight++;
    const { batches, gaps, ids } = await store.take();
    inFlight--;
    declareRemembered(ids);
    outbox.declare(gaps);
    adopted = batches.map(toSealed);
    scheduleNext();
  }

  function declareRemembered(without: readonly string[]): void {
    outbox.declare(remembered.filter(({ id }) => !without.includes(id!)));
    remembered = [];
  }

  function schedule(delayMs: number): void {
    const now = clock();
    const at = Math.max(now + delayMs, backoff.notBefore);
    if (isStopped || (timer && timer.at <= at)) return;
    if (timer) clearTimer(timer.id);
    timer = { at, id: setTimer(onTimer, at - now) };
  }

  function onTimer(): void {
    timer = null;
    pump();
  }

  function pump(): void {
    if (isStopped || inFlight > 0) return;
    if (clock() < backoff.notBefore) return schedule(0);
    if (!isAllowed()) return stop(0);
    const waiting = outbox.waiting.find(({ isLeaving }) => !isLeaving);
    const batch = waiting ?? (adopted.length === 0 || isDue() ? sealNext() : null) ?? adopted[0];
    if (batch) void send(batch, false);
  }

  function sealNext(): Sealed | null {
    const batch = outbox.sealNext(maxBytes);
    // What was cut off goes right after.
    isUrgent = batch !== null && batch.run!.buffer.count > 0;
    return batch;
  }

  async function send(batch: Sealed, isLeaving: boolean): Promise<void> {
    let answer: Answer | null = null;
    inFlight++;
    try {
      // It takes time that a leaving page doesn't have.
      if (!batch.isPacked && !isLeaving) {
        batch.body = (await compress(batch.body as string)) ?? batch.body;
        batch.isPacked = true;
      }
      if (!isStopped && isOpen(batch)) answer = await post(batch.body, isLeaving);
    } catch {
      // No answer: the same as a server that is down.
    }
    inFlight--;
    if (isLeaving) batch.isLeaving = false;
    if (isStopped) return;
    // Another request of the same upload may have been answered before.
    if (isOpen(batch)) settle(batch, answer);
    else scheduleNext();
    if (isHidden) rememberLost();
  }

  function isOpen(batch: Sealed): boolean {
    return outbox.waiting.includes(batch) || adopted.includes(batch);
  }

  function settle(batch: Sealed, answer: Answer | null): void {
    const status = answer?.status ?? 0;
    if (status >= 200 && status < 300) return onTaken(batch);
    // The other request of the same upload may fare better.
    if (batch.isLeaving) return;
    if (status === 0 || status === 408 || status === 429 || status >= 500) return onFailure(batch, answer);
    backoff.reset();
    if (status === 413) return onTooBig(batch);
    if (status === 409 || status === 410) return onRotation(batch, status);
    stop(status);
  }

  function onTaken(batch: Sealed): void {
    remove(batch);
    backoff.reset();
    rotations = 0;
    refusedEvents = 0;
    // A size refused once may have been someone else's passing trouble.
    maxBytes = Math.min(maxBytes * 2, MAX_BATCH_BYTES);
    if (wantsSnapshot) {
      wantsSnapshot = false;
      requestSnapshot();
    }
    scheduleNext();
  }

  function onFailure(batch: Sealed, answer: Answer | null): void {
    backoff.fail(answer?.retryAfter ?? null);
    batch.tries++;
    // Without an answer it may have been stored, and another would hardly fare better: it stays while there is room.
    if (answer && batch.tries >= MAX_TRIES) {
      giveUp(batch, "network");
      // Later: while the server is away a snapshot would only fill the buffer.
      wantsSnapshot ||= batch.run !== null;
    } else if (!batch.isOut) keep([batch]);
    // What the page itself has goes before what it has found.
    if (!batch.run) isUrgent = true;
    schedule(0);
  }

  function onTooBig(batch: Sealed): void {
    const { run, entries } = batch;
    const isFree = outbox.unseal(batch);
    if (isFree && entries.length > 1) {
      const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
      maxBytes = Math.ceil(Math.min(maxBytes, bytes) / 2);
    } else {
      // The first that was put back is the one.
      if (isFree) outbox.declare(toGaps(run!.buffer.take(0), "rejected"));
      else giveUp(batch, "rejected");
      if (run && ++refusedEvents >= MAX_REFUSED_EVENTS) return stop(413);
      if (run && entries.every((entry) => entry.type !== EventType.FullSnapshot)) requestSnapshot();
    }
    schedule(0);
  }

  function onRotation(batch: Sealed, status: number): void {
    const { run } = batch;
    giveUp(batch, "rejected");
    if (run) {
      for (const other of outbox.waiting) if (other.run === run) giveUp(other, "rejected");
      outbox.giveUpBuffered("rejected", run);
      if (++rotations > MAX_ROTATIONS) return stop(status);
      // The newest run has the session that was refused: a new one is needed. An older one is simply over.
      if (run === outbox.newest) onRotate();
    }
    schedule(0);
  }

  function remove(batch: Sealed): void {
    adopted = adopted.filter((other) => other !== batch);
    outbox.remove(batch);
  }

  function giveUp(batch: Sealed, reason: Gap["reason"]): void {
    outbox.giveUp(batch, reason);
    remove(batch);
  }

  function keep(batches: readonly Sealed[]): void {
    if (!keepUnsent || batches.length === 0) return;
    for (const batch of batches) batch.isOut = true;
    const kept = batches.map((batch) => ({ id: batch.id, body: batch.body, gaps: lossesOf(batch) }));
    keepUnsent.keep(kept, isHidden);
  }

  function isDue(): boolean {
    return isUrgent || outbox.hasOld || outbox.count >= flushEventThreshold;
  }

  function scheduleNext(): void {
    if (outbox.waiting.length > 0 || adopted.length > 0 || isDue()) schedule(0);
    else if (outbox.count > 0) schedule(flushIntervalMs);
  }

  function handOver(batch: Sealed, isFinal: boolean): void {
    const size = byteLength(batch.body);
    if (batch.isLeaving || size > LEAVE_BUDGET_BYTES - leavingBytes) return;
    // A page that lives on wants the answer; one that is gone can't take it, but learns whether the browser refuses.
    if (isFinal && !beacon(batch.body)) return;
    batch.isLeaving = batch.isOut = true;
    leavingBytes += size;
    if (isFinal) beaconed.push(batch);
    else void send(batch, true).then(() => (leavingBytes -= size));
  }

  function rememberLost(): void {
    // What the browser has is likely to arrive, unless the server is known to be away.
    lost.save([...remembered, ...outbox.losses((batch) => batch.isLeaving && backoff.failures === 0)]);
  }

  function stop(status: number): void {
    isStopped = true;
    if (timer) clearTimer(timer.id);
    timer = null;
    for (const batch of outbox.waiting) giveUp(batch, "rejected");
    outbox.giveUpBuffered("rejected");
    if (status > 0) lost.save(outbox.losses(() => false));
    else keepUnsent?.clear();
    onStop(status);
  }

  return {
    begin(info, metadata) {
      if (!isStopped) outbox.begin(info, metadata);
    },

    push(event) {
      if (isStopped || !outbox.newest) return;
      const isFull = outbox.push(event);
      if (event.type === EventType.FullSnapshot && !isUrgent) {
        // Without its first snapshot a recording is nothing, and short visits end before the interval does.
        isUrgent = true;
        soon(pump);
      }
      if (isFull) requestSnapshot();
      if (inFlight === 0) scheduleNext();
    },

    setMetadata(metadata) {
      const run = outbox.newest;
      if (run) run.metadata = mergeMetadata(run.metadata, metadata);
    },

    hide(isFinal) {
      if (isStopped || !isAllowed()) return;
      isHidden = true;
      for (const batch of outbox.waiting) handOver(batch, isFinal);
      outbox.sealAll(
        maxBytes,
        () => LEAVE_BUDGET_BYTES - leavingBytes,
        (batch) => handOver(batch, isFinal),
      );
      keep([...outbox.waiting, ...adopted]);
      rememberLost();
      if (!isFinal) scheduleNext();
    },

    show() {
      if (isStopped || !isHidden) return;
      isHidden = false;
      // What became of these was never told.
      for (const batch of beaconed.splice(0)) batch.isLeaving = false;
      lost.save(remembered);
      scheduleNext();
    },

    flush() {
      if (outbox.count > 0) isUrgent = true;
      schedule(0);
      return new Promise((resolve) => outbox.onceEmpty(resolve));
    },

    discard() {
      if (isStopped) return;
      lost.save([]);
      stop(0);
    },
  };
}

function toSealed({ id, body, gaps }: KeptBatch): Sealed {
  const state = { isPacked: typeof body !== "string", tries: 0, isLeaving: false, isOut: true, waiters: [] };
  return { id, run: null, seq: 0, entries: [], metadata: {}, gaps, body, ...state };
}
