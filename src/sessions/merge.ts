import type { BatchDigest } from "./digest.ts";
import {
  MAX_GAPS,
  MAX_METADATA_LENGTH,
  type Client,
  type IndexRow,
  type Page,
  type RunEntry,
  type SessionDocument,
  type WindowEntry,
  type WindowGap,
} from "./document.ts";

/**
 * The session document with one more batch in it. Pure, and a law: any order and any repetition of the same batches
 * gives the same document. A batch that the document's rows already name changes nothing.
 */
export function mergeDigest(document: SessionDocument | null, digest: BatchDigest): SessionDocument {
  if (document && findRow(document, digest)) return document;
  const windows = upsert(document?.windows ?? [], digest.windowId, (window) => mergeWindow(window, digest));
  return {
    v: 1,
    id: digest.sessionId,
    createdAt: Math.min(document?.createdAt ?? Infinity, digest.receivedAt),
    updatedAt: Math.max(document?.updatedAt ?? 0, digest.receivedAt),
    firstEventAt: earliest(document?.firstEventAt ?? 0, digest.first),
    lastEventAt: Math.max(document?.lastEventAt ?? 0, digest.last),
    events: (document?.events ?? 0) + digest.events,
    clicks: (document?.clicks ?? 0) + digest.clicks,
    pages: (document?.pages ?? 0) + digest.pages,
    bytes: (document?.bytes ?? 0) + digest.bytes,
    settledBytes: document?.settledBytes ?? 0,
    snapshots: (document?.snapshots ?? 0) + (digest.hasFullSnapshot ? 1 : 0),
    entry: pickPage(document?.entry ?? null, digest.entryPage, -1),
    last: pickPage(document?.last ?? null, digest.lastPage, 1),
    keyHash: document ? document.keyHash : digest.keyHash,
    ...mergeMetadata(document, digest),
    gaps: mergeGaps(document?.gaps ?? [], digest),
    windows,
    indexPages: document?.indexPages ?? [],
    terms: mergeTerms(document?.terms ?? [], digest.userTerm),
    client: pickClient(document?.client ?? null, digest.client),
    // A batch that comes in the millisecond of settling, or by a clock that is behind, is late all the same.
    settledAt: document ? Math.min(document.settledAt, Math.max(document.updatedAt, digest.receivedAt) - 1) : 0,
    fullAt: document?.fullAt ?? 0,
  };
}

/** The row of a batch, where the document still holds it. */
export function findRow(
  document: SessionDocument,
  { windowId, run, seq, hash }: Pick<BatchDigest, "windowId" | "run" | "seq" | "hash">,
): IndexRow | undefined {
  return findRun(document, windowId, run)?.rows.find((row) => row[0] === seq && row[1] === hash && !row[7]);
}

/** The run of a batch, where the session has it. */
export function findRun(document: SessionDocument, windowId: string, run: string): RunEntry | undefined {
  return document.windows.find(({ id }) => id === windowId)?.runs.find(({ id }) => id === run);
}

/** Whether a number was seen in a run, in the document or on an index page. */
export function hasSeq(run: RunEntry | undefined, seq: number): boolean {
  return run?.seqs.some(([from, to]) => from <= seq && seq <= to) ?? false;
}

/**
 * Whether a gap names an upload that is there after all; a run's name is its own, so it may be of another window. Such a gap
 * keeps its place in the document: were it taken out, the order of arrival would decide which others still fit.
 */
export function isAnswered(document: SessionDocument, { run, seq }: WindowGap): boolean {
  if (run === undefined || seq === undefined) return false;
  return document.windows.some(({ runs }) =>
    hasSeq(
      runs.find(({ id }) => id === run),
      seq,
    ),
  );
}

/** How many rows the document holds itself. */
export function countRows(document: SessionDocument): number {
  let count = 0;
  for (const window of document.windows) for (const run of window.runs) count += run.rows.length;
  return count;
}

function mergeWindow(window: WindowEntry | undefined, digest: BatchDigest): WindowEntry {
  const isConflict = hasSeq(
    window?.runs.find(({ id }) => id === digest.run),
    digest.seq,
  );
  return {
    id: digest.windowId,
    first: earliest(window?.first ?? 0, digest.first),
    last: Math.max(window?.last ?? 0, digest.last),
    events: (window?.events ?? 0) + digest.events,
    batches: (window?.batches ?? 0) + 1,
    bytes: (window?.bytes ?? 0) + digest.bytes,
    conflicts: (window?.conflicts ?? 0) + (isConflict ? 1 : 0),
    runs: upsert(window?.runs ?? [], digest.run, (run) => mergeRun(run, digest)),
  };
}

function mergeRun(
  run: RunEntry | undefined,
  { seq, hash, first, last, events, bytes, hasFullSnapshot, skew, run: id }: BatchDigest,
): RunEntry {
  const row: IndexRow = [seq, hash, first, last, events, bytes, hasFullSnapshot ? 1 : 0];
  return {
    id,
    first: earliest(run?.first ?? 0, first),
    skew: run && run.skew !== null && (skew === null || run.skew < skew) ? run.skew : skew,
    seqs: seq < 0 ? [] : addSeq(run?.seqs ?? [], seq),
    rows: [...(run?.rows ?? []), row].sort(compareRows),
  };
}

/** By number, then by digest: which of two conflicting batches came first is not known to another process. */
export function compareRows(a: IndexRow, b: IndexRow): number {
  return a[0] - b[0] || compareText(a[1], b[1]);
}

function addSeq(seqs: RunEntry["seqs"], seq: number): RunEntry["seqs"] {
  const merged: [number, number][] = [];
  let from = seq;
  let to = seq;
  for (const range of seqs) {
    if (range[1] < from - 1 || range[0] > to + 1) merged.push([...range]);
    else {
      from = Math.min(from, range[0]);
      to = Math.max(to, range[1]);
    }
  }
  return [...merged, [from, to] as const].sort((a, b) => a[0] - b[0]);
}

/** The earlier (`-1`) or later (`1`) of two pages; equal times are decided by the address, so that the order of arrival is not. */
function pickPage(a: Page | null, b: Page | null, side: -1 | 1): Page | null {
  if (!a || !b) return a ?? b;
  const order = a.at - b.at || compareText(a.href, b.href) || a.width - b.width || a.height - b.height;
  return Math.sign(order) === side ? a : b;
}

function mergeTerms(terms: readonly string[], term: string | null): readonly string[] {
  return term === null || terms.includes(term) ? terms : [...terms, term].sort();
}

/** The newest; of equal ones the greater text. */
function pickClient(a: Client | null, b: Client | null): Client | null {
  if (!a || !b) return a ?? b;
  const order = a.at - b.at || compareText(JSON.stringify(a), JSON.stringify(b));
  return order < 0 ? b : a;
}

/**
 * The newest value of each key by the browser's clock; of equal ones the greater text. Keys are kept in sort order until
 * the budget is spent, each counted with the greatest size it ever had. The first that does not fit is remembered, and
 * neither it nor a later one is kept again: what was dropped once is dropped in any order.
 */
function mergeMetadata(
  document: SessionDocument | null,
  { metadata, last }: BatchDigest,
): Pick<SessionDocument, "metadata" | "metadataEnd"> {
  const merged = new Map((document?.metadata ?? []).map((entry) => [entry[0], entry]));
  for (const [key, value] of Object.entries(metadata)) {
    const old = merged.get(key);
    const json = JSON.stringify(value);
    const size = Math.max(old?.[3] ?? 0, JSON.stringify(key).length + json.length + METADATA_OVERHEAD);
    const isNewer = !old || last > old[2] || (last === old[2] && compareText(json, JSON.stringify(old[1])) > 0);
    merged.set(key, isNewer ? [key, value, last, size] : [old[0], old[1], old[2], size]);
  }
  const sorted = [...merged.values()].sort((a, b) => compareText(a[0], b[0]));
  const known = document?.metadataEnd ?? null;
  let budget = MAX_METADATA_LENGTH;
  const end = sorted.findIndex(([key, , , size]) => (known !== null && key >= known) || (budget -= size) < 0);
  if (end < 0) return { metadata: sorted, metadataEnd: known };
  const cut = sorted[end]![0];
  return { metadata: sorted.slice(0, end), metadataEnd: known !== null && known < cut ? known : cut };
}

/** Time, size and punctuation of an entry: a double is up to 24 characters. */
const METADATA_OVERHEAD = 36;

function mergeGaps(gaps: readonly WindowGap[], digest: BatchDigest): readonly WindowGap[] {
  if (digest.gaps.length === 0) return gaps;
  const byText = new Map<string, WindowGap>();
  for (const gap of gaps) byText.set(JSON.stringify(gap), gap);
  for (const { reason, events, from, to, run, seq } of digest.gaps) {
    const name = run === undefined ? null : { run, seq };
    const gap: WindowGap = { window: digest.windowId, reason, events, from, to, ...name };
    byText.set(JSON.stringify(gap), gap);
  }
  const sorted = [...byText].sort(([a, x], [b, y]) => x.from - y.from || compareText(a, b));
  return sorted.slice(0, MAX_GAPS).map(([, gap]) => gap);
}

/** Replaces the entry with this id, or adds it, keeping the list sorted by id. */
function upsert<T extends { readonly id: string }>(
  list: readonly T[],
  id: string,
  change: (entry: T | undefined) => T,
): readonly T[] {
  const index = list.findIndex((entry) => entry.id === id);
  if (index >= 0) return list.with(index, change(list[index]));
  return [...list, change(undefined)].sort((a, b) => compareText(a.id, b.id));
}

/** The earlier of two times of which 0 means none. */
function earliest(a: number, b: number): number {
  return a === 0 || b === 0 ? Math.max(a, b) : Math.min(a, b);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
