import type { Gap } from "../src/types.ts";
import type { Entry } from "./buffer.ts";
import type { Metadata } from "./metadata.ts";

/** Whom a run's uploads belong to. */
export interface RunInfo {
  readonly sessionId: string;
  readonly windowId: string;
  /** One start of the recorder, or one session's part of it. */
  readonly run: string;
  readonly key: string;
}

/** What goes into one upload. */
export interface BatchContent {
  readonly info: RunInfo;
  readonly seq: number;
  readonly sentAt: number;
  readonly recorder: string;
  readonly entries: readonly Entry[];
  readonly metadata: Metadata;
  readonly gaps: readonly Gap[];
}

/**
 * The upload's text. It equals what `JSON.stringify` makes of the parsed text, and its events come last: the server
 * stores an upload as received only where it can tell so at a glance. The events are put in as texts made before.
 */
export function toBatchJson({ info, seq, sentAt, recorder, entries, metadata, gaps }: BatchContent): string {
  const { sessionId, windowId, run, key } = info;
  const head = JSON.stringify({
    sessionId,
    windowId,
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    run,
    seq,
    sentAt,
    key,
    recorder,
    gaps: gaps.length > 0 ? gaps : undefined,
  });
  return `${head.slice(0, -1)},"events":[${entries.map((entry) => entry.json).join(",")}]}`;
}
