import type { BlobStore } from "./blobs.ts";
import type { CountQuery, Cursor, DocumentStore, PageQuery, StoredDocument } from "./documents.ts";
import { connectRedis, type RedisClient, type RedisConnection } from "./redis-connection.ts";
import type { Finding, Store } from "./store.ts";
import { encodeIds } from "./text.ts";
import { trackWrites } from "./track-writes.ts";

/**
 * Documents and blobs in Redis, alone or as a cluster, through the client behind unstorage's driver. Any number of
 * processes may use it. What an answered batch survives is what Redis was told to keep: see `check`.
 *
 * | key | what |
 * |---|---|
 * | `PREFIX:{COLLECTION}:d:ID` | a document: `version TAB place TAB terms LF json` |
 * | `PREFIX:{COLLECTION}:index` | sorted set of `place id` and `term place id`, all of score 0, so in the order of bytes |
 * | `PREFIX:b:KIND:PROJECT:SESSION` | hash of the blobs of a session by the rest of their keys |
 *
 * A collection lies on one node of a cluster, so that a put is one script; blobs, which are most of the bytes, spread.
 * Every key that a script touches is named to it.
 */
export function createRedisStore(client: RedisClient, { prefix = "sentiero" }: { prefix?: string } = {}): Store {
  const connection = connectRedis(client);
  const schemaKey = `${prefix}:schema`;
  return trackWrites({
    documents: encodeIds(createDocuments(client, connection, prefix)),
    blobs: createBlobs(client, connection, `${prefix}:b:`),
    about: { name: client.isCluster ? "Redis Cluster" : "Redis", writers: "any", durability: "database" },
    async schemaVersion(initial) {
      const found = await connection.command(() => client.get(schemaKey));
      if (found !== null) return Number(found);
      await connection.command(() => client.setnx(schemaKey, String(initial)));
      return Number(await connection.command(() => client.get(schemaKey)));
    },
    check: () => checkSettings(connection),
    isFull: () => false,
    close: async () => {},
  });
}

interface Scripts {
  sentieroPut(document: string, index: string, ...args: string[]): Promise<number | string>;
  sentieroRemove(document: string, index: string, id: string): Promise<unknown>;
}

/** ARGV: expected version, id, place, json, terms. A script that may not write fails at its first write, so as a whole. */
const PUT = `
local old = redis.call('GET', KEYS[1])
local version, place, terms = '0', nil, ''
if old then version, place, terms = string.match(old, '^(%d+)\\t([^\\t\\n]+)([^\\n]*)\\n') end
if version ~= ARGV[1] then return 0 end
if old and place ~= ARGV[3] then
  redis.call('ZREM', KEYS[2], place .. ARGV[2])
  for term in string.gmatch(terms, '[^\\t]+') do redis.call('ZREM', KEYS[2], term .. place .. ARGV[2]) end
end
for n = 5, #ARGV do
  if not string.find(terms .. '\\t', '\\t' .. ARGV[n] .. '\\t', 1, true) then terms = terms .. '\\t' .. ARGV[n] end
end
redis.call('ZADD', KEYS[2], 0, ARGV[3] .. ARGV[2])
for term in string.gmatch(terms, '[^\\t]+') do redis.call('ZADD', KEYS[2], 0, term .. ARGV[3] .. ARGV[2]) end
redis.call('SET', KEYS[1], string.format('%d', ARGV[1] + 1) .. '\\t' .. ARGV[3] .. terms .. '\\n' .. ARGV[4])
return 1`;

const REMOVE = `
local old = redis.call('GET', KEYS[1])
if not old then return 0 end
local place, terms = string.match(old, '^%d+\\t([^\\t\\n]+)([^\\n]*)\\n')
redis.call('ZREM', KEYS[2], place .. ARGV[1])
for term in string.gmatch(terms, '[^\\t]+') do redis.call('ZREM', KEYS[2], term .. place .. ARGV[1]) end
redis.call('DEL', KEYS[1])
return 1`;

function createDocuments(client: RedisClient, { command }: RedisConnection, prefix: string): DocumentStore {
  client.defineCommand("sentieroPut", { numberOfKeys: 2, lua: PUT });
  client.defineCommand("sentieroRemove", { numberOfKeys: 2, lua: REMOVE });
  const scripts = client as RedisClient & Scripts;
  const indexKey = (collection: string) => `${prefix}:{${collection}}:index`;
  const documentKey = (collection: string, id: string) => `${prefix}:{${collection}}:d:${id}`;

  async function getMany<T>(collection: string, ids: readonly string[]): Promise<(StoredDocument<T> | null)[]> {
    if (ids.length === 0) return [];
    const texts = await command(() => client.mget(...ids.map((id) => documentKey(collection, id))));
    return texts.map((text, index) => (text === null ? null : parseDocument<T>(ids[index]!, text)));
  }

  return {
    async get<T>(collection: string, id: string) {
      const text = await command(() => client.get(documentKey(collection, id)));
      return text === null ? null : parseDocument<T>(id, text);
    },
    getMany,
    async put(collection, id, doc, { score, terms = [], expectedVersion }) {
      const args = [String(expectedVersion), id, toPlace(score), JSON.stringify(doc), ...terms.map(toTerm)];
      const put = () => scripts.sentieroPut(documentKey(collection, id), indexKey(collection), ...args);
      return Number(await command(put)) === 1;
    },
    async remove(collection, id) {
      await command(() => scripts.sentieroRemove(documentKey(collection, id), indexKey(collection), id));
    },
    async page<T>(collection: string, query: PageQuery) {
      const key = indexKey(collection);
      const { min, max } = toRange(query);
      const count = query.limit + 1;
      const entries = await command(() =>
        query.order === "ascending"
          ? client.zrangebylex(key, min, max, "LIMIT", 0, count)
          : client.zrevrangebylex(key, max, min, "LIMIT", 0, count),
      );
      const places = entries.slice(0, query.limit).map((entry) => parseEntry(entry, query.term));
      const found = await getMany<T>(
        collection,
        places.map(({ id }) => id),
      );
      // What was removed between the two readings is not there; what was moved comes as it is now.
      const items = found.filter((stored) => stored !== null);
      return { items, cursor: entries.length > query.limit ? (places.at(-1) ?? null) : null };
    },
    async count(collection, query) {
      const { min, max } = toRange(query);
      return Math.min(query.max, Number(await command(() => client.zlexcount(indexKey(collection), min, max))));
    },
  };
}

function parseDocument<T>(id: string, text: string): StoredDocument<T> {
  // The JSON has no line feed of its own, and neither has what is before it.
  const end = text.indexOf("\n");
  const [version, place] = text.slice(0, end).split("\t", 2) as [string, string];
  return { id, doc: JSON.parse(text.slice(end + 1)) as T, version: Number(version), score: toScore(place) };
}

/** Safe integers reach from -SCORES to SCORES, both excluded. */
const SCORES = 2 ** 53;

/** A score as 17 characters that sort as it does: `0` and 16 digits, or `-` and the distance from the least one. */
function toPlace(score: number): string {
  if (!Number.isSafeInteger(score)) throw new RangeError(`a score must be a safe integer, got ${score}`);
  return score < 0 ? `-${String(score + SCORES).padStart(16, "0")}` : String(score).padStart(17, "0");
}

function toScore(place: string): number {
  return place.startsWith("-") ? Number(place.slice(1)) - SCORES : Number(place);
}

/** A term ends where its quotes do, has no tab or line feed, and does not begin as a place does. */
const toTerm = (term: string): string => JSON.stringify(term);

function parseEntry(entry: string, term: string | undefined): Cursor {
  const start = term === undefined ? 0 : toTerm(term).length;
  return { score: toScore(entry.slice(start, start + 17)), id: entry.slice(start + 17) };
}

/** The bounds of ZRANGEBYLEX. */
function toRange(query: Omit<CountQuery, "max"> & Partial<Pick<PageQuery, "after" | "order">>): {
  min: string;
  max: string;
} {
  const { term, after } = query;
  const words = term === undefined ? "" : toTerm(term);
  const from = toPlace(Math.max(query.from ?? -Infinity, 1 - SCORES));
  const to = toPlace(Math.min(query.to ?? Infinity, SCORES - 1));
  // Everything that begins with a place lies before the place with its last digit raised, of which `:` follows `9`.
  const end = words + to.slice(0, -1) + String.fromCharCode(to.charCodeAt(16) + 1);
  const bounds = { min: `[${words}${from}`, max: `(${end}` };
  if (!after) return bounds;
  const place = toPlace(after.score);
  const behind = `(${words}${place}${after.id}`;
  if (query.order === "ascending") return place < from ? bounds : { ...bounds, min: behind };
  return place > to ? bounds : { ...bounds, max: behind };
}

/** How many keys one step of a sweep looks at. */
const KEYS_PER_SCAN = 500;

/** Fewer than the arguments that a call of a function takes. */
const FIELDS_PER_DELETE = 1_000;

function createBlobs(client: RedisClient, { command, nodes }: RedisConnection, prefix: string): BlobStore {
  const hidden = client.options.keyPrefix ?? "";
  const fieldsOf = (group: string) => command(() => client.hkeys(prefix + group));
  const unlink = (group: string) => command(() => client.unlink(prefix + group));

  /** Some groups under a prefix that is shorter than a group; the cursor is a node of the cluster and its own cursor. */
  async function scan(start: string, cursor: string | null): Promise<{ groups: string[]; cursor: string | null }> {
    const [index, position] = (cursor ?? "0 0").split(" ") as [string, string];
    const all = nodes();
    const node = all[Number(index)];
    if (!node) return { groups: [], cursor: null };
    const pattern = `${escapeGlob(hidden + prefix + start.slice(0, -1))}*`;
    const [next, keys] = await command(() => node.scan(position, "MATCH", pattern, "COUNT", KEYS_PER_SCAN));
    const groups = keys.map((key) => key.slice(hidden.length + prefix.length));
    const following = next === "0" ? `${Number(index) + 1} 0` : `${index} ${next}`;
    return {
      groups: groups.filter((group) => `${group}:`.startsWith(start)),
      cursor: next === "0" && Number(index) + 1 >= all.length ? null : following,
    };
  }

  return {
    async create(key, bytes) {
      const { group, field } = split(key);
      await command(() => client.hsetnx(prefix + group, field, toBuffer(bytes)));
    },
    async get(key) {
      const { group, field } = split(key);
      const bytes = await command(() => client.hgetBuffer(prefix + group, field));
      return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    async has(key) {
      const { group, field } = split(key);
      return Number(await command(() => client.hexists(prefix + group, field))) === 1;
    },
    async remove(key) {
      const { group, field } = split(key);
      await command(() => client.hdel(prefix + group, field));
    },
    async removeAll(start) {
      const { group, field } = split(start);
      if (field !== "") {
        const fields = (await fieldsOf(group)).filter((name) => name.startsWith(field));
        for (let at = 0; at < fields.length; at += FIELDS_PER_DELETE) {
          await command(() => client.hdel(prefix + group, ...fields.slice(at, at + FIELDS_PER_DELETE)));
        }
        return;
      }
      if (isGroup(start)) return void (await unlink(group));
      let cursor: string | null = null;
      do {
        const page = await scan(start, cursor);
        await Promise.all(page.groups.map(unlink));
        cursor = page.cursor;
      } while (cursor !== null);
    },
    async list(start, cursor) {
      if (isGroup(start)) {
        const { group, field } = split(start);
        const fields = await fieldsOf(group);
        return {
          keys: fields.filter((name) => name.startsWith(field)).map((name) => `${group}:${name}`),
          cursor: null,
        };
      }
      // A step may find nothing and still not be the last.
      for (let next = cursor; ;) {
        const page = await scan(start, next);
        const fields = await Promise.all(page.groups.map(fieldsOf));
        const keys = page.groups.flatMap((group, index) => fields[index]!.map((name) => `${group}:${name}`));
        if (keys.length > 0 || page.cursor === null) return { keys, cursor: page.cursor };
        next = page.cursor;
      }
    },
  };
}

/** Whether a prefix names a session, or something within one. */
function isGroup(prefix: string): boolean {
  return prefix.split(":").length > 3;
}

/** Kind, project and session of a key, and the rest; a shorter key leaves its last part to the rest. */
function split(key: string): { group: string; field: string } {
  const parts = key.split(":");
  const size = Math.min(3, parts.length - 1);
  return { group: parts.slice(0, size).join(":"), field: parts.slice(size).join(":") };
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, "\\$&");
}

/** ioredis sends anything but text and Buffers as text; where it runs there is a Buffer. */
function toBuffer(bytes: Uint8Array): Uint8Array {
  const { Buffer } = globalThis as unknown as {
    Buffer: { from(buffer: ArrayBufferLike, offset: number, length: number): Uint8Array };
  };
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** What Redis was told about memory and disks. Empty where it does not say: managed ones forbid CONFIG. */
async function checkSettings({ command, nodes }: RedisConnection): Promise<readonly Finding[]> {
  const findings = new Map<string, Finding>();
  for (const node of nodes()) {
    const read = async (name: string) => (await command(() => node.config("GET", name)))[1] ?? "";
    let settings: string[];
    try {
      settings = await Promise.all(["maxmemory-policy", "appendonly", "save"].map(read));
    } catch (error) {
      if (error instanceof Error && error.name === "ReplyError") continue;
      throw error;
    }
    for (const finding of toFindings(settings as [string, string, string])) findings.set(finding.what, finding);
  }
  return [...findings.values()];
}

function* toFindings([policy, appendOnly, save]: [string, string, string]): Generator<Finding> {
  // The volatile policies take only keys that expire; ours never do.
  if (policy.startsWith("allkeys-")) {
    yield {
      level: "error",
      what: `Redis may evict recordings: its maxmemory-policy is ${policy}.`,
      remedy: "Set maxmemory-policy noeviction in redis.conf.",
    };
  }
  if (appendOnly === "no") {
    yield {
      level: "warning",
      what: save
        ? "What came since the last snapshot of Redis is gone when it crashes."
        : "Recordings are gone when Redis restarts.",
      remedy: "Set appendonly yes in redis.conf.",
    };
  }
}
