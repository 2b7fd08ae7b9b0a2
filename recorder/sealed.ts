import type { Gap } from "../src/types.ts";
import type { RunInfo } from "./batch.ts";
import type { Buffer, Entry } from "./buffer.ts";
import { toGaps } from "./gaps.ts";
import type { Metadata } from "./metadata.ts";

/** The events of one run, with the number of its next upload. */
export interface Run {
  readonly info: RunInfo;
  readonly buffer: Buffer;
  nextSeq: number;
  metadata: Metadata;
}

/** An upload that has its number and whose content will not change any more. */
export interface Sealed {
  /** `run/seq`. */
  readonly id: string;
  /** Null for one that an earlier page has kept. */
  readonly run: Run | null;
  readonly seq: number;
  readonly entries: readonly Entry[];
  readonly metadata: Metadata;
  /** What it declares. */
  readonly gaps: readonly Gap[];
  /** JSON, or gzip of it. */
  body: string | Uint8Array<ArrayBuffer>;
  /** Whether compressing was tried. */
  isPacked: boolean;
  /** Failures that the server answered. */
  tries: number;
  /** Whether a leaving page has handed it to the browser, and there is no answer yet. */
  isLeaving: boolean;
  /** Whether it may reach the server in another way than by the next answer: handed to the browser once, or kept for a later page. */
  isOut: boolean;
  /** Who waits for its answer. */
  waiters: (() => void)[];
}

/**
 * What has to be declared if it is lost, its own events for this reason. Each names the upload, which may have been stored
 * although nobody knows: what it declares is declared then, too.
 */
export function lossesOf({ id, gaps, entries }: Sealed, reason: Gap["reason"] = "unload"): Gap[] {
  const [run, seq] = id.split("/");
  return [...gaps, ...toGaps(entries, reason)].map((gap) => ({ run, seq: Number(seq), ...gap }));
}
