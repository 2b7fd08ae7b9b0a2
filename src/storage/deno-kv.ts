import { HTTPError } from "../errors.ts";
import type { BlobStore } from "./blobs.ts";
import type { CountQuery, DocumentStore, PageQuery, StoredDocument } from "./documents.ts";
import type { Store } from "./store.ts";
import { encodeIds } from "./text.ts";
import { trackWrites } from "./track-writes.ts";

type Key = readonly (string | number | boolean)[];

/** What is used of `Deno.Kv`, which `@deno/kv` gives to Node too. */
export interface DenoKv {
  get<T>(key: Key): Promise<DenoKvEntry<T>>;
  /** At most ten. */
  getMany<T>(keys: readonly Key[]): Promise<DenoKvEntry<T>[]>;
  list<T>(
    range: { prefix: Key } | { start: Key; end: Key },
    options?: { limit?: number; reverse?: boolean; batchSize?: number },
  ): AsyncIterable<{ readonly key: Key; readonly value: T }>;
  delete(key: Key): Promise<void>;
  atomic(): DenoKvAtomic;
}

export interface DenoKvEntry<T> {
  readonly key: Key;
  readonly value: T | null;
  readonly versionstamp: string | null;
}

export interface DenoKvAtomic {
  check(entry: { key: Key; versionstamp: string | null }): this;
  set(key: Key, value: unknown): this;
  delete(key: Key): this;
  commit(): Promise<{ ok: boolean }>;
}

/** The longest blob that Deno KV takes, less some room; longer ones have to be split before. */
export const DENO_KV_MAX_BLOB_BYTES: number = 60 * 1024;

/** A document up to here lies beside its version; a value has 64 KiB. */
const INLINE_BYTES = 40 * 1024;
const PART_BYTES = 60 * 1024;

/** Fewer than the mutations of one commit. */
const BLOBS_PER_COMMIT = 500;
const KEYS_PER_PAGE = 1_000;
const READS_AT_ONCE = 10;

/** What lies under a document's key. */
interface Head {
  readonly version: number;
  readonly score: number;
  readonly terms: readonly string[];
  /** The JSON in UTF-8, or how many parts it lies in. A commit takes 800 KiB, and so does a document. */
  readonly json: Uint8Array | number;
}

/**
 * Documents and blobs in Deno KV: a put is one commit that checks what it read. `prefix` begins every key.
 *
 * | key | what |
 * |---|---|
 * | `document, COLLECTION, ID` | a document, its score and terms |
 * | `part, COLLECTION, ID, VERSION, N` | the rest of a long document |
 * | `score, COLLECTION, SCORE, ID` and `term, COLLECTION, TERM, SCORE, ID` | its places in the order |
 * | `blob, KEY` | bytes |
 */
export function createDenoKvStore(
  opened: DenoKv | Promise<DenoKv>,
  { prefix = ["sentiero"] }: { prefix?: readonly string[] } = {},
): Store {
  const run: Run = async (work) => whileLocked(work, await opened);

  return trackWrites({
    documents: encodeIds(createDocuments(run, prefix)),
    blobs: createBlobs(run, [...prefix, "blob"]),
    about: { name: "Deno KV", writers: "any", durability: "database" },
    schemaVersion: (initial) =>
      run(async (kv) => {
        const key = [...prefix, "schema"];
        await kv.atomic().check({ key, versionstamp: null }).set(key, initial).commit();
        return (await kv.get<number>(key)).value ?? initial;
      }),
    check: async () => [],
    isFull: () => false,
    close: async () => {},
  });
}

/** Runs something that may run again from its start. */
type Run = <T>(work: (kv: DenoKv) => Promise<T>) => Promise<T>;

const LOCKED_FOR_MS = 5_000;

/** On one machine Deno KV is a SQLite file, and gives up at once when another process is writing. */
async function whileLocked<T>(work: (kv: DenoKv) => Promise<T>, kv: DenoKv): Promise<T> {
  const end = performance.now() + LOCKED_FOR_MS;
  for (let tries = 1; ; tries++) {
    try {
      return await work(kv);
    } catch (cause) {
      if (!(cause instanceof Error && cause.message.includes("database is locked"))) throw cause;
      if (performance.now() > end) {
        throw new HTTPError(503, "the database is busy, try again", { cause, headers: { "retry-after": "1" } });
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(tries * 2, 50)));
    }
  }
}

function createDocuments(run: Run, prefix: Key): DocumentStore {
  const headKey = (collection: string, id: string): Key => [...prefix, "document", collection, id];
  const partsKey = (collection: string, id: string, version: number): Key => [
    ...prefix,
    "part",
    collection,
    id,
    version,
  ];
  const placesKey = (collection: string, term: string | undefined): Key =>
    term === undefined ? [...prefix, "score", collection] : [...prefix, "term", collection, term];
  const placeKeys = (collection: string, id: string, { score, terms }: Pick<Head, "score" | "terms">): Key[] =>
    [undefined, ...terms].map((term) => [...placesKey(collection, term), score, id]);

  async function toStored<T>(collection: string, id: string, head: Head | null): Promise<StoredDocument<T> | null> {
    if (!head) return null;
    const { version, score, json } = head;
    const bytes = typeof json === "number" ? await join(partsKey(collection, id, version), json) : json;
    // Parts go with their version: another one came meanwhile.
    if (!bytes) return get(collection, id);
    return { id, doc: JSON.parse(new TextDecoder().decode(bytes)) as T, version, score };
  }

  async function join(prefix: Key, count: number): Promise<Uint8Array | null> {
    const parts = await run((kv) => collect(kv.list<Uint8Array>({ prefix }), ({ value }) => value));
    if (parts.length !== count) return null;
    const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    for (const [index, part] of parts.entries()) bytes.set(part, index * PART_BYTES);
    return bytes;
  }

  async function get<T>(collection: string, id: string): Promise<StoredDocument<T> | null> {
    const { value } = await run((kv) => kv.get<Head>(headKey(collection, id)));
    return toStored<T>(collection, id, value);
  }

  async function getMany<T>(collection: string, ids: readonly string[]): Promise<(StoredDocument<T> | null)[]> {
    const keys = chunk(
      ids.map((id) => headKey(collection, id)),
      READS_AT_ONCE,
    );
    const heads = (await Promise.all(keys.map((some) => run((kv) => kv.getMany<Head>(some))))).flat();
    return Promise.all(heads.map(({ value }, index) => toStored<T>(collection, ids[index]!, value)));
  }

  return {
    get,
    getMany,
    put(collection, id, doc, { score, terms = [], expectedVersion }) {
      const key = headKey(collection, id);
      const bytes = new TextEncoder().encode(JSON.stringify(doc));
      const parts = bytes.length > INLINE_BYTES ? slices(bytes, PART_BYTES) : [];
      const version = expectedVersion + 1;
      return run(async (kv) => {
        const old = await kv.get<Head>(key);
        if ((old.value?.version ?? 0) !== expectedVersion) return false;
        const head: Head = {
          version,
          // There are two zeros among the keys.
          score: score + 0,
          terms: [...new Set([...(old.value?.terms ?? []), ...terms])],
          json: parts.length || bytes,
        };
        const commit = kv.atomic().check(old).set(key, head);
        if (old.value) deleteParts(commit, collection, id, old.value);
        if (old.value && old.value.score !== head.score) deletePlaces(commit, collection, id, old.value);
        for (const place of placeKeys(collection, id, head)) commit.set(place, 0);
        for (const [index, part] of parts.entries()) commit.set([...partsKey(collection, id, version), index], part);
        return (await commit.commit()).ok;
      });
    },
    remove: (collection, id) =>
      run(async (kv) => {
        for (;;) {
          const old = await kv.get<Head>(headKey(collection, id));
          if (!old.value) return;
          const commit = kv.atomic().check(old).delete(old.key);
          deleteParts(commit, collection, id, old.value);
          deletePlaces(commit, collection, id, old.value);
          if ((await commit.commit()).ok) return;
        }
      }),
    async page<T>(collection: string, query: PageQuery) {
      const range = toRange(placesKey(collection, query.term), query);
      const options = { limit: query.limit + 1, reverse: query.order === "descending" };
      const keys = await run((kv) => collect(kv.list(range, options), ({ key }) => key));
      const places = keys.map((key) => ({ score: key.at(-2) as number, id: key.at(-1) as string }));
      const cursor = places.length > query.limit ? (places[query.limit - 1] ?? null) : null;
      const found = await getMany<T>(
        collection,
        places.slice(0, query.limit).map(({ id }) => id),
      );
      // What was removed between the two readings is not there; what was moved comes as it is now.
      return { items: found.filter((stored) => stored !== null), cursor };
    },
    async count(collection, query) {
      const range = toRange(placesKey(collection, query.term), query);
      const options = { limit: query.max, batchSize: KEYS_PER_PAGE };
      return (await run((kv) => collect(kv.list(range, options), () => 0))).length;
    },
  };

  function deletePlaces(commit: DenoKvAtomic, collection: string, id: string, old: Head): void {
    for (const place of placeKeys(collection, id, old)) commit.delete(place);
  }

  function deleteParts(commit: DenoKvAtomic, collection: string, id: string, old: Head): void {
    if (typeof old.json !== "number") return;
    for (let part = 0; part < old.json; part++) commit.delete([...partsKey(collection, id, old.version), part]);
  }
}

/** The places in a range of scores, from one end or from behind a cursor. `true` is greater than every number and text. */
function toRange(
  places: Key,
  { from, to, after, order }: Omit<CountQuery, "max"> & Partial<Pick<PageQuery, "after" | "order">>,
): { start: Key; end: Key } {
  const start = [...places, from ?? -Infinity];
  const end = [...places, to ?? Infinity, true];
  if (from !== undefined && to !== undefined && from > to) return { start, end: start };
  if (!after) return { start, end };
  const place = [...places, after.score, after.id];
  return order === "ascending" ? { start: [...place, true], end } : { start, end: place };
}

function createBlobs(run: Run, prefix: Key): BlobStore {
  // Keys are plain ASCII, so everything with a prefix lies before the prefix with its colon raised to a semicolon.
  const toBlobRange = (start: string): { start: Key; end: Key } => ({
    start: [...prefix, start],
    end: [...prefix, start === "" ? true : `${start.slice(0, -1)};`],
  });
  return {
    create: (key, bytes) =>
      run(async (kv) => {
        await kv
          .atomic()
          .check({ key: [...prefix, key], versionstamp: null })
          .set([...prefix, key], bytes)
          .commit();
      }),
    async get(key) {
      return (await run((kv) => kv.get<Uint8Array>([...prefix, key]))).value;
    },
    async has(key) {
      return (await run((kv) => kv.get([...prefix, key]))).versionstamp !== null;
    },
    remove: (key) => run((kv) => kv.delete([...prefix, key])),
    removeAll: (start) =>
      run(async (kv) => {
        const keys = await collect(kv.list(toBlobRange(start)), ({ key }) => key);
        for (const some of chunk(keys, BLOBS_PER_COMMIT)) {
          const commit = kv.atomic();
          for (const key of some) commit.delete(key);
          await commit.commit();
        }
      }),
    async list(start, cursor) {
      const { start: first, end } = toBlobRange(start);
      // What follows a key is that key with one more part.
      const range = { start: cursor === null ? first : [...prefix, cursor, true], end };
      const options = { limit: KEYS_PER_PAGE, batchSize: KEYS_PER_PAGE };
      const keys = await run((kv) => collect(kv.list(range, options), ({ key }) => key.at(-1) as string));
      return { keys, cursor: keys.length === KEYS_PER_PAGE ? keys.at(-1)! : null };
    },
  };
}

async function collect<T, R>(items: AsyncIterable<T>, map: (item: T) => R): Promise<R[]> {
  const results: R[] = [];
  for await (const item of items) results.push(map(item));
  return results;
}

function chunk<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

function slices(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.slice(index * size, (index + 1) * size),
  );
}
