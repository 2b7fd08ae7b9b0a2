import type { SessionDetail, SessionSummary, WindowSummary } from "../types.ts";
import type { RunEntry, SessionDocument, WindowEntry } from "./document.ts";
import { isAnswered } from "./merge.ts";

/** A session that sent nothing for this long is idle. */
const LIVE_MS = 5 * 60_000;

/** A session document as the API shows it. */
export function toSummary(document: SessionDocument, now: number): SessionSummary {
  return {
    id: document.id,
    createdAt: document.createdAt,
    updatedAt: document.updatedAt,
    firstEventAt: document.firstEventAt,
    lastEventAt: document.lastEventAt,
    durationMs: document.lastEventAt - document.firstEventAt,
    state: toState(document, now),
    eventCount: document.events,
    clickCount: document.clicks,
    pageCount: document.pages,
    byteCount: document.bytes,
    windowCount: document.windows.length,
    entryUrl: document.entry?.href ?? "",
    lastUrl: document.last?.href ?? "",
    viewportWidth: document.entry?.width ?? 0,
    viewportHeight: document.entry?.height ?? 0,
    browser: document.client?.browser ?? null,
    device: document.client?.device ?? null,
    os: document.client?.os ?? null,
    fullAt: document.fullAt || null,
    metadata: Object.fromEntries(document.metadata.map(([key, value]) => [key, value])),
  };
}

function toState({ updatedAt, settledAt }: SessionDocument, now: number): SessionSummary["state"] {
  if (now - updatedAt < LIVE_MS) return "live";
  return settledAt >= updatedAt ? "settled" : "idle";
}

/** The same with its windows, oldest first. */
export function toDetail(document: SessionDocument, now: number): SessionDetail {
  const windows = document.windows.map((window) => toWindow(document, window));
  windows.sort((a, b) => a.firstEventAt - b.firstEventAt || (a.id < b.id ? -1 : 1));
  return { ...toSummary(document, now), windows };
}

function toWindow(document: SessionDocument, window: WindowEntry): WindowSummary {
  return {
    id: window.id,
    firstEventAt: window.first,
    lastEventAt: window.last,
    eventCount: window.events,
    batchCount: window.batches,
    byteCount: window.bytes,
    missing: window.runs.flatMap(findMissing),
    gaps: document.gaps
      .filter((gap) => gap.window === window.id && !isAnswered(document, gap))
      .map(({ window: _window, ...gap }) => gap),
    conflictCount: window.conflicts,
    clockSkewMs: window.runs.reduce<number | null>(
      (least, { skew }) => (skew !== null && (least === null || skew < least) ? skew : least),
      null,
    ),
  };
}

/** Numbers below a run's highest that never came. */
function findMissing({ id, seqs }: RunEntry): WindowSummary["missing"] {
  return seqs.flatMap(([from], index) => {
    const expected = index === 0 ? 0 : seqs[index - 1]![1] + 1;
    return from > expected ? [{ run: id, from: expected, to: from - 1 }] : [];
  });
}
