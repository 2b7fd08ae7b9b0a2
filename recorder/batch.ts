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
 * The upload's text. It equals what `JSON.stringify` makes of the parsed text, key order included, since the server
 * stores an upload as received only then; the events are put in as texts that were made before.
 */
export function toBatchJson(content: BatchContent): string {
  const { info, metadata, gaps } = content;
  const { sessionId, windowId, run, key } = info;
  const head = JSON.stringify({ sessionId, windowId }).slice(0, -1);
  const tail = JSON.stringify({
    metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    run,
    seq: content.seq,
    sentAt: content.sentAt,
    key,
    recorder: content.recorder,
    gaps: gaps.length > 0 ? gaps : undefined,
  }).slice(1);
  return `${head},"events":[${content.entries.map((entry) => entry.json).join(",")}],${tail}`;
}
