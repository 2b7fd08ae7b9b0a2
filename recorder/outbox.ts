import { EventType } from "../src/rrweb/events.ts";
import type { Gap, RecordedEvent } from "../src/types.ts";
import { type RunInfo, toBatchJson } from "./batch.ts";
import { byteLength, createBuffer, type Entry } from "./buffer.ts";
import { mergeGaps, type RememberedGap, toGaps } from "./gaps.ts";
import { mergeMetadata, type Metadata } from "./metadata.ts";
import { lossesOf, type Run, type Sealed } from "./sealed.ts";

/** What may wait for a server that doesn't answer. */
const MAX_BUFFERED_EVENTS = 5_000;
const MAX_BUFFERED_CHARS = 8_000_000;

/** Failures in a row after which an upload may be given up. */
export const MAX_TRIES = 10;
/** Browsers let a leaving page have 64 KiB under way in all (https://fetch.spec.whatwg.org/#http-network-or-cache-fetch); the rest is for others. */
export const LEAVE_BUDGET_BYTES = 60_000;

/** What is still to be sent: events by run, uploads without an answer, and what has to be declared. */
export interface Outbox {
  /** Events that no upload has yet. */
  readonly count: number;
  /** The run that events belong to now. */
  readonly newest: Run | undefined;
  /** Uploads without an answer, in the order in which they are to be sent. */
  readonly waiting: readonly Sealed[];
  /** Whether events wait of a run that is over. */
  readonly hasOld: boolean;
  begin(info: RunInfo, metadata: Metadata): void;
  /** True when the event made the buffer too full, and what follows can't be played without a new full snapshot. */
  push(event: RecordedEvent): boolean;
  /** Makes the next upload of at most `maxBytes` of events, or of one event; null when there are none. */
  sealNext(maxBytes: number): Sealed | null;
  /**
   * Makes uploads of everything. Each begins with as many events as `room` has bytes for; once the next one would not
   * fit, though it could have, the rest is cut at `maxBytes`.
   */
  sealAll(maxBytes: number, room: () => number, onSealed: (batch: Sealed) => void): void;
  /** Takes an upload off, because it was stored or its events are declared. */
  remove(batch: Sealed): void;
  /** Turns an upload that was surely not stored back into events; false when its number can't be had back. */
  unseal(batch: Sealed): boolean;
  /** Ends an upload that was not taken; what rode on it rides the next one. */
  giveUp(batch: Sealed, reason: Gap["reason"]): void;
  /** Gives the events up that no upload has yet: of one run, or all. */
  giveUpBuffered(reason: Gap["reason"], run?: Run): void;
  /** Has the next upload declare these. */
  declare(gaps: readonly Gap[]): void;
  /** What would be lost, were the page gone now; uploads for which `isSafe` holds are not. */
  losses(isSafe: (batch: Sealed) => boolean): RememberedGap[];
  /** Calls back when everything that is here now was answered or given up. */
  onceEmpty(run: () => void): void;
}

/** Makes an empty outbox. `version` is the recorder's, `now` gives epoch ms, `onRemoved` is told which uploads are over. */
export function createOutbox(version: string, now: () => number, onRemoved: (id: string) => void): Outbox {
  // More than one while an ended session's events are still waiting.
  let runs: Run[] = [];
  let waiting: Sealed[] = [];
  let heldEvents = 0;
  let heldChars = 0;
  let gaps: Gap[] = [];
  let waiters: (() => void)[] = [];

  const count = (): number => runs.reduce((sum, { buffer }) => sum + buffer.count, 0);

  function dropEmptyRuns(): void {
    const newest = runs.at(-1);
    // One whose upload is under way may get that back.
    runs = runs.filter((run) => run === newest || run.buffer.count > 0 || waiting.some((batch) => batch.run === run));
    if (count() > 0) return;
    for (const done of waiters.splice(0)) done();
  }

  /** `carries` is false for one that is not likely to arrive. */
  function seal(run: Run, entries: readonly Entry[], carries = true): Sealed {
    const seq = run.nextSeq++;
    const content = { seq, entries, metadata: carries ? run.metadata : {}, gaps: carries ? gaps : [] };
    if (carries) {
      run.metadata = {};
      gaps = [];
    }
    const batch: Sealed = {
      ...content,
      id: `${run.info.run}/${seq}`,
      run,
      body: toBatchJson({ ...content, info: run.info, sentAt: now(), recorder: version }),
      isPacked: false,
      tries: 0,
      isLeaving: false,
      isOut: false,
      waiters: [],
    };
    setWaiting([...waiting, batch]);
    if (count() === 0) batch.waiters = waiters.splice(0);
    return batch;
  }

  function setWaiting(next: Sealed[]): void {
    waiting = next;
    // The first is on its way, and may be one huge snapshot.
    const held = next.slice(1).flatMap(({ entries }) => entries);
    heldEvents = held.length;
    heldChars = held.reduce((sum, { json }) => sum + json.length, 0);
  }

  function remove(batch: Sealed): void {
    setWaiting(waiting.filter((other) => other !== batch));
    onRemoved(batch.id);
    for (const done of batch.waiters.splice(0)) done();
    dropEmptyRuns();
  }

  function declare(more: readonly Gap[]): void {
    gaps = mergeGaps(gaps, more);
  }

  function giveUp(batch: Sealed, reason: Gap["reason"]): void {
    gaps = mergeGaps(lossesOf(batch, reason), gaps);
    const heir = runs.at(-1);
    if (heir && heir.info.sessionId === batch.run?.info.sessionId) {
      heir.metadata = mergeMetadata(batch.metadata, heir.metadata);
    }
    remove(batch);
  }

  function giveUpBuffered(reason: Gap["reason"], only?: Run): void {
    for (const run of runs) if (!only || run === only) declare(toGaps(run.buffer.take(Infinity), reason));
    dropEmptyRuns();
  }

  return {
    get count() {
      return count();
    },
    get newest() {
      return runs.at(-1);
    },
    get waiting() {
      return waiting;
    },
    get hasOld() {
      return runs.length > 1;
    },

    begin(info, metadata) {
      runs.push({ info, buffer: createBuffer(), nextSeq: 0, metadata });
      dropEmptyRuns();
    },

    push(event) {
      const { buffer } = runs.at(-1)!;
      buffer.push(event);
      // A huge snapshot doesn't count: what would be asked for in its place is no smaller.
      const chars = runs.reduce((sum, run) => sum + run.buffer.chars, heldChars - buffer.snapshotChars);
      if (count() + heldEvents <= MAX_BUFFERED_EVENTS && chars <= MAX_BUFFERED_CHARS) return false;
      const all = buffer.take(Infinity);
      // A snapshot that just came is the new beginning, together with its Meta event.
      const isSnapshot = event.type === EventType.FullSnapshot;
      const keep = event.type === EventType.Meta ? 1 : isSnapshot ? 1 + Number(all.at(-2)?.type === EventType.Meta) : 0;
      const kept = all.splice(all.length - keep);
      for (const batch of waiting) if (batch !== waiting[0] || batch.tries >= MAX_TRIES) giveUp(batch, "overflow");
      declare(toGaps(all, "overflow"));
      giveUpBuffered("overflow");
      buffer.putBack(kept);
      return keep === 0;
    },

    sealNext(maxBytes) {
      dropEmptyRuns();
      const run = runs[0];
      const entries = run?.buffer.take(maxBytes) ?? [];
      if (entries.length > 0) return seal(run!, entries);
      dropEmptyRuns();
      return null;
    },

    sealAll(maxBytes, room, onSealed) {
      for (const run of runs) {
        let isOpen = true;
        while (run.buffer.count > 0) {
          const empty = { ...run, seq: 99_999, sentAt: now(), recorder: version, entries: [], gaps };
          const limit = room() - byteLength(toBatchJson(empty));
          isOpen &&= limit > 0;
          const entries = run.buffer.take(isOpen ? limit : maxBytes);
          if (entries.length === 0) break;
          const fits = entries.length > 1 || entries[0]!.bytes < limit;
          onSealed(seal(run, entries, fits || !isOpen));
          // What is too big for every leave is passed over: small events tell something without their snapshot too.
          isOpen &&= fits || entries[0]!.bytes > LEAVE_BUDGET_BYTES;
        }
      }
      dropEmptyRuns();
    },

    remove,

    unseal(batch) {
      const { run } = batch;
      const taken = waiting.filter((other) => other.run === run && other.seq >= batch.seq);
      // None of them may have been sent in another way, or by somebody else.
      if (!run || run.nextSeq !== batch.seq + taken.length) return false;
      if (taken.some(({ isOut }) => isOut)) return false;
      for (const each of taken.reverse()) {
        setWaiting(waiting.filter((other) => other !== each));
        run.buffer.putBack(each.entries);
        run.metadata = mergeMetadata(each.metadata, run.metadata);
        gaps = mergeGaps(each.gaps, gaps);
        waiters.push(...each.waiters);
      }
      run.nextSeq = batch.seq;
      return true;
    },

    giveUp,
    giveUpBuffered,
    declare,

    losses(isSafe) {
      const unsafe = waiting.filter((batch) => !isSafe(batch));
      const sealed = unsafe.flatMap((batch) => lossesOf(batch).map((gap) => ({ ...gap, id: batch.id })));
      return [...mergeGaps(gaps, ...runs.map(({ buffer }) => toGaps(buffer.peek(), "unload"))), ...sealed];
    },

    onceEmpty(run) {
      if (count() > 0 || waiting.length === 0) waiters.push(run);
      else waiting.at(-1)!.waiters.push(run);
      dropEmptyRuns();
    },
  };
}
