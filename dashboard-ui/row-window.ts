/** Rows are drawn and left out this many at a time. */
export const CHUNK_ROWS = 50;

/** What of a long list is drawn: chunks of rows, the last one included. */
export interface ChunkRange {
  readonly first: number;
  readonly last: number;
}

/** Knows how high a list's chunks are, or guesses, so that only those in sight need to be drawn. Lengths in px. */
export interface RowWindow {
  /** Says how high a chunk of so many rows was drawn. */
  measure(chunk: number, rows: number, height: number): void;
  /** Forgets what was drawn. */
  clear(): void;
  /** Where a chunk begins. */
  startOf(chunk: number): number;
  /** What to draw of a list of so many rows, to see it from `top` to `bottom`. */
  rangeOf(rowCount: number, top: number, bottom: number): ChunkRange;
}

/** A row of one line of text. */
const ROW_PX = 34;
/** A list this short is drawn as a whole: it can be searched by the browser, and printed. */
const WHOLE_ROWS = 300;
/** Drawn beyond what is seen. */
const MARGIN_PX = 800;

/** Starts with nothing measured. */
export function createRowWindow(): RowWindow {
  const heights = new Map<number, number>();
  let guess = ROW_PX * CHUNK_ROWS;
  const heightOf = (chunk: number): number => heights.get(chunk) ?? guess;

  return {
    measure(chunk, rows, height) {
      heights.set(chunk, height);
      if (rows === CHUNK_ROWS) guess = height;
    },
    clear: () => heights.clear(),
    startOf(chunk) {
      let start = 0;
      for (let at = 0; at < chunk; at++) start += heightOf(at);
      return start;
    },
    rangeOf(rowCount, top, bottom) {
      const end = Math.max(0, Math.ceil(rowCount / CHUNK_ROWS) - 1);
      if (rowCount <= WHOLE_ROWS) return { first: 0, last: end };
      let first = 0;
      let start = 0;
      while (first < end && start + heightOf(first) < top - MARGIN_PX) start += heightOf(first++);
      let last = first;
      while (last < end && start + heightOf(last) < bottom + MARGIN_PX) start += heightOf(last++);
      return { first, last };
    },
  };
}
