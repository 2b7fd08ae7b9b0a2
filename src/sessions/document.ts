import type { Gap } from "../types.ts";

/**
 * What the document store keeps of one session. It is derived from the session's batches and small (at most
 * {@link MAX_DOCUMENT_LENGTH} characters of JSON): lists are sorted, so the same batches give the same document in any order.
 */
export interface SessionDocument {
  /** Schema of this document. */
  readonly v: 1;
  readonly id: string;
  /** Server clock, epoch ms: first and last batch received. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Browser clock, epoch ms: first and last event; 0 where none had a time. */
  readonly firstEventAt: number;
  readonly lastEventAt: number;
  readonly events: number;
  readonly clicks: number;
  readonly pages: number;
  /** Stored bytes of all batches as they came in, and of those that are in segments now. */
  readonly bytes: number;
  readonly settledBytes: number;
  /** Full snapshots: without one there is nothing to see. */
  readonly snapshots: number;
  readonly entry: Page | null;
  readonly last: Page | null;
  /** Digest of the session's secret, where its first batch had one. */
  readonly keyHash: string | null;
  /** Sorted by key. */
  readonly metadata: readonly MetadataEntry[];
  /** The first key that did not fit: from it on none is kept any more. Null while all fit. */
  readonly metadataEnd: string | null;
  /** Sorted by time. */
  readonly gaps: readonly WindowGap[];
  /** Sorted by id. */
  readonly windows: readonly WindowEntry[];
  /** Names of index pages that were moved out of this document, and of lists of such names. */
  readonly indexPages: readonly string[];
  /** Words that find the session, sorted: who it belongs to. At most {@link MAX_TERMS}. */
  readonly terms: readonly string[];
  /** The newest user agent, in words; null where none was sent. */
  readonly client: Client | null;
  /** Server clock: when the batches were last joined to segments; 0 where they were not. */
  readonly settledAt: number;
  /** Server clock: when the first batch was refused because a limit of the session was reached; 0 where none was. */
  readonly fullAt: number;
}

/** What a user agent says. */
export interface Client {
  readonly browser: string;
  readonly device: "Desktop" | "Mobile" | "Tablet";
  readonly os: string;
  /** Browser clock, of the batch that told. */
  readonly at: number;
}

/** A page of the recording. */
export interface Page {
  /** Browser clock, epoch ms. */
  readonly at: number;
  readonly href: string;
  /** Viewport in CSS pixels. */
  readonly width: number;
  readonly height: number;
}

/**
 * The newest value of one metadata key: name, value, when it was sent (browser clock), and the greatest size that a
 * value of this key ever had, by which the budget is kept.
 */
export type MetadataEntry = readonly [key: string, value: string | number | boolean, at: number, size: number];

/** What the recorder of a window gave up. One that names an upload stays when that arrives, and is not shown: see `isAnswered`. */
export interface WindowGap extends Gap {
  readonly window: string;
}

/** One tab. */
export interface WindowEntry {
  readonly id: string;
  /** Browser clock; 0 where no event had a time. */
  readonly first: number;
  readonly last: number;
  readonly events: number;
  readonly batches: number;
  readonly bytes: number;
  readonly conflicts: number;
  /** Sorted by id. */
  readonly runs: readonly RunEntry[];
}

/** One start of the recorder. Batches without run and seq share the run with the empty id. */
export interface RunEntry {
  readonly id: string;
  /** Browser clock; 0 where no event had a time. */
  readonly first: number;
  /** Server clock minus browser clock, the smallest of its batches; null where none told. */
  readonly skew: number | null;
  /** Which numbers were seen: inclusive ranges, sorted, not touching. */
  readonly seqs: readonly (readonly [from: number, to: number])[];
  /** Batches that are not on an index page yet; sorted by seq and hash. */
  readonly rows: readonly IndexRow[];
}

/**
 * One batch in the index: number (-1 without one), first 96 bits of its content's digest, first and last event
 * (browser clock), events, stored bytes (0 once it lies in a segment), and whether playing can start in it. A segment
 * stands beside the batches that it holds, under the number of the first of them.
 */
export type IndexRow = readonly [
  seq: number,
  hash: string,
  first: number,
  last: number,
  events: number,
  bytes: number,
  hasFullSnapshot: 0 | 1,
  isSegment?: 1,
];

/** What lies under a name in `indexPages`: rows, or the names of further pages. */
export type IndexBlob = { readonly rows: readonly IndexPage[] } | { readonly names: readonly string[] };

/** Rows of one run, on an index page. */
export interface IndexPage {
  readonly window: string;
  readonly run: string;
  readonly rows: readonly IndexRow[];
}

/** A document is shorter than this as JSON, in characters. */
export const MAX_DOCUMENT_LENGTH = 16_384;

/** Bounds of one session; above them the recorder starts a new one. */
export const MAX_WINDOWS = 64;
export const MAX_RUNS = 256;
export const MAX_SEQ = 99_999;
export const MAX_TERMS = 8;

/** So many rows move to an index page together, and so many names of pages to a list of names. */
export const ROWS_PER_PAGE = 128;
export const NAMES_PER_LIST = 64;

/** Gaps kept of one session, and characters of metadata: the first in sort order, so that order of arrival does not matter. */
export const MAX_GAPS = 20;
export const MAX_METADATA_LENGTH = 4_096;
