import { countClicks } from "../rrweb/clicks.ts";
import { EventType, eventData, isRecord, pageOf } from "../rrweb/events.ts";
import type { Batch, Gap, RecordedEvent } from "../types.ts";
import type { Client, Page } from "./document.ts";
import { parseUserAgent } from "./user-agent.ts";

/** What a session document needs to know of one batch. */
export interface BatchDigest {
  readonly sessionId: string;
  readonly windowId: string;
  /** Empty where the batch has no run and seq; seq is -1 then. */
  readonly run: string;
  readonly seq: number;
  /** First 24 hex digits of the SHA-256 of the events' JSON. */
  readonly hash: string;
  readonly keyHash: string | null;
  /** The word of the person that its metadata names, or null; see `user.ts`. */
  readonly userTerm: string | null;
  /** Server clock. */
  readonly receivedAt: number;
  /** Browser clock; 0 where no event had a time. */
  readonly first: number;
  readonly last: number;
  readonly events: number;
  readonly clicks: number;
  readonly pages: number;
  readonly bytes: number;
  readonly hasFullSnapshot: boolean;
  /** Server clock minus browser clock, ms; null where the batch does not say when it was sent. */
  readonly skew: number | null;
  readonly client: Client | null;
  readonly entryPage: Page | null;
  readonly lastPage: Page | null;
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
  readonly gaps: readonly Gap[];
}

/** Longest address that a list shows, as JSON; the recording keeps the whole one. */
const MAX_HREF_LENGTH = 512;

/** Reads a redacted batch once. */
export function digestBatch(
  batch: Batch,
  known: Pick<BatchDigest, "hash" | "keyHash" | "userTerm" | "receivedAt" | "bytes">,
): BatchDigest {
  let first = 0;
  let last = 0;
  let described = 0;
  let hasFullSnapshot = false;
  let entryPage: Page | null = null;
  let lastPage: Page | null = null;
  for (const event of batch.events) {
    const at = typeof event.timestamp === "number" ? event.timestamp : 0;
    if (at > 0) {
      first = first === 0 ? at : Math.min(first, at);
      last = Math.max(last, at);
    }
    if (event.type === EventType.FullSnapshot) hasFullSnapshot = true;
    const found = pageOf(event);
    if (!found) continue;
    described++;
    const page: Page = { at, ...found, href: cutHref(found.href) };
    if (!entryPage || page.at < entryPage.at) entryPage = page;
    if (!lastPage || page.at >= lastPage.at) lastPage = page;
  }
  const metadata = (batch.metadata ?? {}) as Record<string, string | number | boolean>;
  return {
    ...known,
    sessionId: batch.sessionId,
    windowId: batch.windowId,
    run: batch.run ?? "",
    seq: batch.seq ?? -1,
    first,
    last,
    events: batch.events.length,
    clicks: countClicks(batch.events),
    pages: countPages(batch, described),
    hasFullSnapshot,
    entryPage,
    lastPage,
    skew: toSkew(batch.sentAt, known.receivedAt),
    client: typeof metadata.userAgent === "string" ? { ...parseUserAgent(metadata.userAgent), at: last } : null,
    metadata,
    gaps: batch.gaps ?? [],
  };
}

/**
 * Page loads. `described`: how many times the page is described, which is with every full snapshot. A run is one page, and
 * says so in its first batch; one that begins because somebody clicked again goes on with the page of the run before. Where
 * nothing tells of runs, a snapshot is a page.
 */
function countPages({ run, seq, events }: Batch, described: number): number {
  if (run === undefined) return described;
  return seq === 0 && described > 0 && !events.some(isNewStretch) ? 1 : 0;
}

function isNewStretch(event: RecordedEvent): boolean {
  const data = event.type === EventType.Custom ? eventData(event) : null;
  return data?.tag === "__start" && isRecord(data.payload) && data.payload.reason === "activity";
}

/** No browser's clock is wrong by more than a lifetime; what says so is no clock. */
const MAX_SKEW_MS = 100 * 365 * 86_400_000;

function toSkew(sentAt: number | undefined, receivedAt: number): number | null {
  if (sentAt === undefined) return null;
  const skew = Math.round(receivedAt - sentAt);
  return Math.abs(skew) <= MAX_SKEW_MS ? skew : null;
}

/** Control characters and quotes grow when they are written as JSON. */
function cutHref(href: string): string {
  const cut = href.slice(0, MAX_HREF_LENGTH);
  return JSON.stringify(cut).length <= MAX_HREF_LENGTH + 2 ? cut : cut.slice(0, MAX_HREF_LENGTH / 6);
}
