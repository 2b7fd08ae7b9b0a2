import type { CountQuery, Cursor, PageQuery } from "./documents.ts";

/** The order of one collection in memory: ids by (score, id), as a whole and for each term. */
export interface SortedIndex {
  readonly size: number;
  get(id: string): IndexEntry | undefined;
  /** Puts an id in its place, or moves it there. `terms` are all that it has from now on. */
  set(id: string, score: number, terms: ReadonlySet<string>): void;
  /** @returns whether it was there. */
  delete(id: string): boolean;
  /** The first places of a range, from one end or from behind a cursor. */
  take(query: PageQuery): readonly Cursor[];
  count(query: CountQuery): number;
  ids(): Iterable<string>;
}

/** Where an id is, and under which terms it is found. */
export interface IndexEntry {
  readonly score: number;
  readonly terms: ReadonlySet<string>;
}

/** An empty index. Moving one of a million ids takes some microseconds. */
export function createSortedIndex(): SortedIndex {
  const entries = new Map<string, IndexEntry & { readonly place: Cursor }>();
  const all = createSortedList();
  const byTerm = new Map<string, SortedList>();

  function listOf(term: string | undefined): SortedList | undefined {
    return term === undefined ? all : byTerm.get(term);
  }

  function addToTerm(term: string, place: Cursor): void {
    let list = byTerm.get(term);
    if (!list) byTerm.set(term, (list = createSortedList()));
    list.insert(place);
  }

  function removeFromTerm(term: string, place: Cursor): void {
    const list = byTerm.get(term);
    list?.remove(place);
    if (list?.isEmpty()) byTerm.delete(term);
  }

  return {
    get size() {
      return entries.size;
    },
    ids: () => entries.keys(),
    get: (id) => entries.get(id),
    set(id, score, terms) {
      const old = entries.get(id);
      const place = old?.score === score ? old.place : { score, id };
      if (place !== old?.place) {
        if (old) all.remove(old.place);
        all.insert(place);
      }
      for (const term of old?.terms ?? []) {
        if (place !== old!.place || !terms.has(term)) removeFromTerm(term, old!.place);
      }
      for (const term of terms) {
        if (place !== old?.place || !old.terms.has(term)) addToTerm(term, place);
      }
      entries.set(id, { score, terms, place });
    },
    delete(id) {
      const old = entries.get(id);
      if (!old) return false;
      entries.delete(id);
      all.remove(old.place);
      for (const term of old.terms) removeFromTerm(term, old.place);
      return true;
    },
    take(query) {
      const found: Cursor[] = [];
      if (query.limit <= 0) return found;
      for (const place of listOf(query.term)?.walk(query) ?? []) if (found.push(place) >= query.limit) break;
      return found;
    },
    count({ term, from, to, max }) {
      if (term === undefined && from === undefined && to === undefined) return Math.min(entries.size, max);
      let count = 0;
      if (max <= 0) return count;
      for (const _ of listOf(term)?.walk({ from, to, order: "ascending" }) ?? []) if (++count >= max) break;
      return count;
    },
  };
}

/** Places in chunks, so that inserting one of a million moves some hundred others. No chunk is empty. */
interface SortedList {
  insert(place: Cursor): void;
  remove(place: Cursor): void;
  isEmpty(): boolean;
  walk(range: Omit<PageQuery, "term" | "limit">): Iterable<Cursor>;
}

const CHUNK_LENGTH = 512;

function createSortedList(): SortedList {
  const chunks: Cursor[][] = [];

  /** The first place that is not before `place`, as a chunk and an index in it; behind the last chunk at the end. */
  function find(place: Cursor): [chunk: number, index: number] {
    const chunk = rank(chunks.length, (at) => isBefore(chunks[at]!.at(-1)!, place));
    const items = chunks[chunk];
    return [chunk, items ? rank(items.length, (at) => isBefore(items[at]!, place)) : 0];
  }

  function* upFrom([chunk, index]: [number, number]): Generator<Cursor> {
    for (; chunk < chunks.length; chunk++, index = 0) {
      for (const items = chunks[chunk]!; index < items.length; index++) yield items[index]!;
    }
  }

  function* downBefore([chunk, index]: [number, number]): Generator<Cursor> {
    for (; chunk >= 0; chunk--, index = chunks[chunk]?.length ?? 0) {
      const items = chunks[chunk] ?? [];
      while (index > 0) yield items[--index]!;
    }
  }

  return {
    isEmpty: () => chunks.length === 0,
    insert(place) {
      const [at, index] = find(place);
      // What comes behind everything goes into the last chunk.
      const items = chunks[at] ?? chunks.at(-1);
      if (!items) return void chunks.push([place]);
      items.splice(chunks[at] ? index : items.length, 0, place);
      if (items.length <= CHUNK_LENGTH) return;
      chunks.splice(Math.min(at, chunks.length - 1) + 1, 0, items.splice(CHUNK_LENGTH / 2));
    },
    remove(place) {
      const [chunk, index] = find(place);
      const items = chunks[chunk];
      if (!items || !isSame(items[index]!, place)) return;
      items.splice(index, 1);
      if (items.length === 0) chunks.splice(chunk, 1);
    },
    *walk({ from = -Infinity, to = Infinity, after, order }) {
      const isAscending = order === "ascending";
      const first = { score: from, id: "" };
      // Scores are whole numbers.
      const end = { score: Math.floor(to) + 1, id: "" };
      const places = isAscending
        ? upFrom(find(after && isBefore(first, after) ? after : first))
        : downBefore(find(after && isBefore(after, end) ? after : end));
      for (const place of places) {
        if (isAscending ? place.score > to : place.score < from) return;
        if (!after || !isSame(place, after)) yield place;
      }
    },
  };
}

/** How many of the first `length` items hold, where those that hold come first. */
function rank(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function isBefore(a: Cursor, b: Cursor): boolean {
  return a.score < b.score || (a.score === b.score && a.id < b.id);
}

function isSame(a: Cursor, b: Cursor): boolean {
  return a.score === b.score && a.id === b.id;
}
