import type { CountQuery, Cursor, PageQuery } from "./documents.ts";
import { forEachOf, type Items } from "./items.ts";
import type { Envelope } from "./slots.ts";
import { createSortedIndex } from "./sorted-index.ts";

/** The order of one collection: an index in memory, and the items that it is read from at start. */
export interface Order {
  /** Keeps where a document will be, or that it goes. The document is written after that; then what came of it is told. */
  announce(entry: Announced): Promise<(isWritten: boolean) => void>;
  /** The document may be elsewhere than the index says, or gone: it is looked at before the next page. */
  doubt(id: string): void;
  /** Takes in what other processes wrote, now and then, and settles doubts. */
  refresh(): Promise<void>;
  scoreOf(id: string): number | undefined;
  take(query: PageQuery): Promise<readonly Cursor[]>;
  count(query: CountQuery): Promise<number>;
  /** Whether another process has written since this one does. */
  hasOtherWriter(): Promise<boolean>;
  /** Writes the index anew, without entries of what is gone. */
  scrub(): Promise<void>;
  /** Waits for work under way. */
  drained(): Promise<void>;
}

/** A document's next place, or null for one that goes. */
export interface Announced {
  readonly id: string;
  readonly next: Pick<Envelope, "score" | "terms"> | null;
}

/** What the order asks of the documents. */
export interface OrderSource {
  /** The longest item that the driver takes. */
  readonly maxValueBytes: number;
  /** Reads a document while nobody changes it. */
  inspect<T>(id: string, task: (envelope: Envelope | null) => Promise<T>): Promise<T>;
  read(id: string): Promise<Envelope | null>;
  /** Every document of the collection. */
  readAll(): AsyncIterable<Envelope>;
  /** A term as it stands in the index. */
  toTerm(term: string): Promise<string>;
}

/** Stamp, id, score and terms, or stamp and id of one that is gone. Of two entries of an id the one with the higher stamp counts. */
type Entry = readonly [stamp: number, id: string, score?: number, ...terms: string[]];

/** One item with entries of this process. */
interface Group {
  readonly key: string;
  readonly text: string;
  /** Entries whose documents are not written yet. */
  open: number;
}

interface Waiting {
  readonly entry: Entry;
  readonly resolve: (settle: (isWritten: boolean) => void) => void;
  readonly reject: (error: unknown) => void;
}

/** So many small items are merged into one. */
const GROUPS_PER_MERGE = 64;
/** An item that is longer is left alone. */
const SEGMENT_BYTES = 64 * 1024;
/** The items of a whole index written anew. */
const SNAPSHOT_BYTES = 256 * 1024;
/** A process that begins to write puts more items than this in order. */
const MAX_ITEMS = 32;
/** A process that writes merges outdated entries away when there are so many more than documents. */
const MAX_OUTDATED = 20_000;
/** What another process announced is waited for this long. */
const ANNOUNCED_MS = 60_000;
const REFRESH_MS = 5_000;
/** The one process that writes need not look for others' entries; it does, to notice that it is not the one. */
const WRITER_REFRESH_MS = 60_000;
/** Where listing takes long it is done less often: one part of the time in so many. */
const REFRESH_SHARE = 50;
const MAX_DOUBTS_AT_ONCE = 100;
const MAX_TRIES = 5;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Opens the order of a collection from the items under `prefix`: `t-PROCESS-NUMBER` for the entries of a moment,
 * `s-PROCESS-NUMBER` for many of them. Where there are none but documents are, it is made anew from these.
 */
export async function createOrder(items: Items, prefix: string, source: OrderSource): Promise<Order> {
  const index = createSortedIndex();
  /** The stamp of the last entry of an id, of one that is gone too. */
  const stamps = new Map<string, number>();
  const doubtful = new Set<string>();
  const writer = `${Date.now().toString(36)}${crypto.randomUUID().slice(0, 8)}`;
  // Four bytes a character at most; a segment that is nearly full takes what comes to one merge.
  const segmentBytes = Math.min(SEGMENT_BYTES, source.maxValueBytes / 8);
  let counter = 0;
  let lastStamp = 0;
  let lastForeignStamp = 0;
  /** The items that the index holds. */
  let seen = new Set<string>();
  let entryCount = 0;
  let isWriter = false;
  /** Whether the items say something else than the index, or are too many: they are written anew then. */
  let isDisordered = false;
  let isTidying = false;
  let groups: Group[] = [];
  let segment: { key: string; text: string } | null = null;
  let waiting: Waiting[] = [];
  let flushing: Promise<void> | null = null;
  let background: Promise<void> = Promise.resolve();
  let refreshing: Promise<unknown> | null = null;
  let refreshAt = 0;

  const nextStamp = () => (lastStamp = Math.max(lastStamp + 1, Date.now()));
  const newKey = (kind: "s" | "t") => `${prefix}${kind}-${writer}-${String(counter++).padStart(8, "0")}`;
  const isOwn = (key: string) => key.includes(`-${writer}-`);

  function apply([stamp, id, score, ...terms]: Entry): void {
    lastStamp = Math.max(lastStamp, stamp);
    if (stamp <= (stamps.get(id) ?? 0)) return;
    stamps.set(id, stamp);
    if (score === undefined) index.delete(id);
    else index.set(id, score, new Set(terms));
  }

  async function toEntry(id: string, next: Announced["next"], stamp = nextStamp()): Promise<Entry> {
    return next ? [stamp, id, next.score, ...(await Promise.all(next.terms.map(source.toTerm)))] : [stamp, id];
  }

  /** Reads the items that are new, and says which documents stand in items that a crash may have left. */
  async function readNew(): Promise<{ count: number; recent: Set<string> }> {
    const recent = new Set<string>();
    const startedAt = Date.now();
    let count = 0;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const listed = await listAll(items, prefix);
      count = listed.length;
      const unread = listed.filter((key) => !seen.has(key));
      const areThere = await forEachOf(unread, async (key) => {
        const body = await items.get(key);
        if (!body) return false;
        for (const entry of parseEntries(body)) {
          apply(entry);
          entryCount++;
          if (!isOwn(key)) lastForeignStamp = Math.max(lastForeignStamp, entry[0]);
          if (key.startsWith(`${prefix}t-`)) recent.add(entry[1]);
        }
        return true;
      });
      const missing = new Set(unread.filter((_, at) => !areThere[at]));
      // Our own of this moment may not be listed yet.
      seen = new Set([...listed.filter((key) => !missing.has(key)), ...groups.map(({ key }) => key)]);
      // What was merged between listing and reading stands in a newer item.
      if (missing.size === 0) break;
    }
    const pause = isWriter ? WRITER_REFRESH_MS : REFRESH_MS;
    refreshAt = Date.now() + Math.max(pause, (Date.now() - startedAt) * REFRESH_SHARE);
    return { count, recent };
  }

  /** Puts an id where its document is. */
  async function settleDoubt(id: string, envelope: Envelope | null): Promise<void> {
    const known = index.get(id);
    if (!envelope) {
      index.delete(id);
      isDisordered ||= known !== undefined;
      // Another process may be about to write it.
      const isRecent = Math.abs(Date.now() - (stamps.get(id) ?? 0)) < ANNOUNCED_MS;
      if (!isRecent || isWriter) doubtful.delete(id);
      return;
    }
    doubtful.delete(id);
    const entry = await toEntry(id, envelope);
    if (known?.score === envelope.score && known.terms.size === entry.length - 3) return;
    isDisordered = true;
    apply(entry);
  }

  async function settleDoubts(): Promise<void> {
    const some = [...doubtful].slice(0, MAX_DOUBTS_AT_ONCE);
    await forEachOf(some, (id) => source.inspect(id, (envelope) => settleDoubt(id, envelope)));
  }

  async function flush(): Promise<void> {
    // What comes in the same moment shares an item.
    await Promise.resolve();
    while (waiting.length > 0) {
      const taken = takeGroup(waiting, segmentBytes);
      waiting = waiting.slice(taken.length);
      const group: Group = { key: newKey("t"), text: toLines(taken.map(({ entry }) => entry)), open: taken.length };
      try {
        seen.add(group.key);
        groups.push(group);
        await items.set(group.key, encoder.encode(group.text));
        entryCount += taken.length;
        for (const { entry, resolve } of taken) {
          resolve((isWritten) => {
            group.open--;
            if (isWritten) apply(entry);
            tidy();
          });
        }
      } catch (error) {
        // It may be there all the same: whoever opens the store next looks whether its documents are.
        groups = groups.filter((other) => other !== group);
        for (const { reject } of taken) reject(error);
      }
    }
    flushing = null;
  }

  function enqueue(entry: Entry): Promise<(isWritten: boolean) => void> {
    return new Promise((resolve, reject) => {
      waiting.push({ entry, resolve, reject });
      flushing ??= flush();
    });
  }

  /** Merging goes on beside the writes, one after the other. What fails is done again later: nothing is lost by it. */
  function tidy(): void {
    const isAnew = isDisordered || entryCount > 2 * index.size + MAX_OUTDATED;
    if (isTidying || (!isAnew && groups.length < GROUPS_PER_MERGE)) return;
    isTidying = true;
    background = (isAnew ? writeAnew() : merge()).catch(() => {}).finally(() => (isTidying = false));
  }

  /** The oldest small items and the last unfinished segment become one. */
  async function merge(): Promise<void> {
    const firstOpen = groups.findIndex(({ open }) => open > 0);
    const merged = groups.slice(0, firstOpen < 0 ? groups.length : firstOpen);
    if (merged.length < GROUPS_PER_MERGE / 2) return;
    const parts = segment ? [segment, ...merged] : merged;
    const next = { key: newKey("s"), text: parts.map(({ text }) => text).join("") };
    await items.set(next.key, encoder.encode(next.text));
    seen.add(next.key);
    groups = groups.filter((group) => !merged.includes(group));
    segment = next.text.length < segmentBytes ? next : null;
    await removeItems(parts.map(({ key }) => key));
  }

  /** The whole index as few items; every other one goes. */
  async function writeAnew(): Promise<void> {
    // What is written out now is not looked at when the store is opened again.
    if (isWriter) while (doubtful.size > 0) await settleDoubts();
    isDisordered = false;
    const kept = new Set(groups.filter(({ open }) => open > 0).map(({ key }) => key));
    const old = [...seen].filter((key) => !kept.has(key));
    const maxBytes = Math.min(SNAPSHOT_BYTES, source.maxValueBytes);
    let lines = "";
    let count = 0;
    const write = async () => {
      const key = newKey("s");
      await items.set(key, encoder.encode(lines));
      seen.add(key);
      lines = "";
    };
    try {
      for (const id of index.ids()) {
        const { score, terms } = index.get(id)!;
        lines += toLines([[stamps.get(id) ?? 0, id, score, ...terms]]);
        count++;
        // An id or a term has a few characters; four bytes each at most.
        if (lines.length > maxBytes / 4) await write();
      }
      await write();
    } catch (error) {
      isDisordered = true;
      throw error;
    }
    entryCount = count;
    segment = null;
    groups = groups.filter(({ key }) => !old.includes(key));
    for (const id of stamps.keys()) if (!index.get(id)) stamps.delete(id);
    await removeItems(old);
  }

  async function removeItems(keys: readonly string[]): Promise<void> {
    await forEachOf(keys, (key) => items.remove(key));
    for (const key of keys) seen.delete(key);
  }

  async function withTerm<Q extends { readonly term?: string }>(query: Q): Promise<Q> {
    return query.term === undefined ? query : { ...query, term: await source.toTerm(query.term) };
  }

  const { count, recent } = await readNew();
  // A crash leaves entries without documents only among the newest, and may have come before anything was kept.
  await forEachOf(recent, async (id) => {
    doubtful.add(id);
    await settleDoubt(id, await source.read(id));
  });
  if (count === 0) {
    for await (const envelope of source.readAll()) apply(await toEntry(envelope.id, envelope));
    isDisordered = index.size > 0;
  }
  isDisordered ||= count > MAX_ITEMS;
  lastForeignStamp = 0;

  return {
    async announce({ id, next }) {
      isWriter = true;
      return enqueue(await toEntry(id, next));
    },
    doubt: (id) => void doubtful.add(id),
    async refresh() {
      if (Date.now() >= refreshAt) {
        refreshing ??= readNew().finally(() => (refreshing = null));
        if (isWriter) refreshing.catch(() => {});
        else await refreshing;
      }
      if (doubtful.size > 0) await settleDoubts();
    },
    scoreOf: (id) => index.get(id)?.score,
    take: async (query) => index.take(await withTerm(query)),
    count: async (query) => index.count(await withTerm(query)),
    async hasOtherWriter() {
      await readNew();
      return isWriter && Date.now() - lastForeignStamp < 5 * 60_000;
    },
    async scrub() {
      await background;
      if (isTidying || entryCount === index.size) return;
      isTidying = true;
      const work = writeAnew().finally(() => (isTidying = false));
      background = work.catch(() => {});
      await work;
    },
    async drained() {
      await flushing;
      await background;
      await refreshing?.catch(() => {});
    },
  };
}

async function listAll(items: Items, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Items["list"]>> = await items.list(prefix, cursor);
    keys.push(...page.keys);
    cursor = page.cursor;
  } while (cursor !== null);
  return keys;
}

/** What fits into one item, one at least. */
function takeGroup(waiting: readonly Waiting[], maxBytes: number): Waiting[] {
  let length = 0;
  const end = waiting.findIndex(({ entry }) => (length += toLines([entry]).length) > maxBytes / 4);
  return waiting.slice(0, end < 0 ? waiting.length : Math.max(1, end));
}

function toLines(entries: readonly Entry[]): string {
  return entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
}

/** The entries of an item; a process that was killed may have left the last one cut. */
function* parseEntries(body: Uint8Array): Generator<Entry> {
  for (const line of decoder.decode(body).split("\n")) {
    if (line === "") continue;
    try {
      yield JSON.parse(line) as Entry;
    } catch {
      return;
    }
  }
}
