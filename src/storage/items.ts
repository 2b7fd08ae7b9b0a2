import type { Storage } from "unstorage";
import { SentieroError } from "../errors.ts";
import type { BlobPage } from "./blobs.ts";
import { createKvItems, listBucket, type KvNamespace, type R2Bucket } from "./cloudflare.ts";
import { folderOf, removeEmptyFolders } from "./folders.ts";
import { createS3Bucket, type S3Options } from "./s3.ts";

/**
 * Bytes under keys in the storage of any unstorage driver, to be written again and again: what blobs and documents are
 * built on where a driver has no store of its own.
 */
export interface Items {
  get(key: string): Promise<Uint8Array | null>;
  set(key: string, bytes: Uint8Array): Promise<void>;
  has(key: string): Promise<boolean>;
  remove(key: string): Promise<void>;
  /** As `BlobStore.removeAll`. */
  removeAll(prefix: string): Promise<void>;
  /** As `BlobStore.list`. */
  list(prefix: string, cursor: string | null): Promise<BlobPage>;
}

/** A driver and where it hangs in a storage: `base` is empty at the root, `batches:` for that mount. */
export interface Place {
  readonly storage: Storage;
  readonly base: string;
  readonly driver: Driver;
}

type Driver = ReturnType<Storage["getMount"]>["driver"];

/**
 * The items of one mount. Keys are those of the driver, without the mount's name.
 * @throws SentieroError STORAGE_UNSUPPORTED for a driver that cannot write.
 */
export function createItems(place: Place): Items {
  const { driver } = place;
  if (!driver.setItemRaw && !driver.setItem) {
    throw new SentieroError("STORAGE_UNSUPPORTED", `the driver ${driver.name ?? "of the storage"} cannot write`);
  }
  switch (driver.name) {
    case "cloudflare-kv-binding":
      return createKvItems(() => driver.getInstance!() as KvNamespace, baseOf(driver));
    case "s3": {
      const bucket = createS3Bucket(driver.options as S3Options);
      const { get, set, has, remove } = bucket;
      return { ...withSweeps(place, bucket), get, set, has, remove };
    }
    case "cloudflare-r2-binding": {
      const bucket = () => driver.getInstance!() as R2Bucket;
      const base = baseOf(driver);
      return withSweeps(place, {
        list: (prefix, cursor) => listBucket(bucket(), base, prefix, cursor),
        // One call takes a thousand keys, as many as a page has.
        removeMany: (keys) => bucket().delete(keys.map((key) => base + key)),
      });
    }
    default:
      return withSweeps(place, { list: createListing(place) });
  }
}

/** What differs by driver when many keys are listed or removed. */
interface Sweeps {
  readonly list: Items["list"];
  readonly removeMany?: (keys: string[]) => Promise<void>;
}

function withSweeps({ storage, base, driver }: Place, { list, removeMany }: Sweeps): Items {
  const toKey = (key: string) => base + key;
  const remove = (key: string) => storage.removeItem(toKey(key));
  const write = (key: string, bytes: Uint8Array) =>
    driver.setItemRaw
      ? // Vercel Blob refuses to write a name again without being told to; other drivers ignore what they don't know.
        storage.setItemRaw(toKey(key), bytes, driver.name === "vercel-blob" ? { allowOverwrite: true } : undefined)
      : // unstorage would write base64 too, but its own encoder overflows the stack where there is no Buffer.
        storage.setItem(toKey(key), BASE64_PREFIX + toBase64(bytes));
  return {
    async get(key) {
      // unstorage's http driver stumbles over a 404.
      if (driver.name === "http" && !(await storage.hasItem(toKey(key)))) return null;
      const value: unknown = await storage.getItemRaw(toKey(key));
      return value === null || value === undefined ? null : toBytes(value);
    },
    async set(key, bytes) {
      try {
        await write(key, bytes);
      } catch (error) {
        // The file's folder was empty, and was removed just before.
        if ((error as { code?: unknown }).code !== "ENOENT") throw error;
        await write(key, bytes);
      }
    },
    has: (key) => storage.hasItem(toKey(key)),
    remove,
    async removeAll(prefix) {
      let cursor: string | null = null;
      do {
        const page: BlobPage = await list(prefix, cursor);
        if (removeMany) await removeMany([...page.keys]);
        else await forEachOf(page.keys, remove);
        cursor = page.cursor;
      } while (cursor !== null);
      await removeEmptyFolders(driver, prefix);
    },
    list,
  };
}

/** How unstorage marks the base64 text of raw values in drivers that have text only. */
const BASE64_PREFIX = "base64:";

/** Requests under way at once in a sweep: enough to hide the way to a server, too few to be throttled. */
const CONCURRENCY = 16;

/** Runs a task for each item, some at once, and gives the results in the order of the items. */
export async function forEachOf<T, R>(items: Iterable<T>, task: (item: T) => Promise<R>): Promise<R[]> {
  const waiting = [...items].entries();
  const results: R[] = [];
  async function work(): Promise<void> {
    for (const [index, item] of waiting) results[index] = await task(item);
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  return results;
}

const KEYS_PER_PAGE = 1_000;
/** A listing that was left is forgotten after this long. */
const LISTING_MS = 5 * 60_000;

/**
 * Pages of what a driver lists in one piece. The keys are kept from page to page, because most drivers read through
 * everything for each call.
 */
function createListing({ driver }: Place): Items["list"] {
  let last: { prefix: string; keys: string[]; until: number } | null = null;

  async function keysUnder(prefix: string): Promise<string[]> {
    const found = (await listFolder(driver, prefix)) ?? (await driver.getKeys(prefix, {}));
    // Cosmos DB's driver gives undefined for every key; fs and s3 give slashes; a base of the driver may be left on.
    const strange = baseOf(driver);
    return found
      .filter((key): key is string => typeof key === "string")
      .map((key) => key.replaceAll(/[/\\]/g, ":").replace(/^:/, ""))
      .map((key) => (driver.name === "vercel-kv" && key.startsWith(strange) ? key.slice(strange.length) : key))
      .filter((key) => key.startsWith(prefix))
      .sort();
  }

  return async (prefix, cursor) => {
    let listing = last?.prefix === prefix && cursor !== null && Date.now() < last.until ? last : null;
    listing ??= { prefix, keys: await keysUnder(prefix), until: Date.now() + LISTING_MS };
    const rest = cursor === null ? 0 : listing.keys.findIndex((key) => key > cursor);
    const keys = rest < 0 ? [] : listing.keys.slice(rest, rest + KEYS_PER_PAGE);
    const isLast = rest < 0 || rest + KEYS_PER_PAGE >= listing.keys.length;
    last = isLast ? null : listing;
    return { keys, cursor: isLast ? null : keys.at(-1)! };
  };
}

/**
 * The keys under a prefix by walking its folder only: unstorage's file drivers walk the whole tree for every prefix, and
 * `fs` leaves out what lies in a folder named `node_modules`. Null where that cannot be done.
 */
async function listFolder(driver: Driver, prefix: string): Promise<string[] | null> {
  const folder = folderOf(driver, prefix);
  if (folder === null) return null;
  // Not a literal, so that bundlers for runtimes without files leave it alone.
  const specifier = "unstorage/drivers/fs-lite";
  const openFolder = await (
    import(/* @vite-ignore */ specifier) as Promise<{ default: (options: object) => Driver }>
  ).then(
    (module) => module.default,
    () => null,
  );
  if (!openFolder) return null;
  const keys = await openFolder({ base: folder }).getKeys("", {});
  return keys.map((key) => prefix + key);
}

/** The base that some drivers put before their keys, with its colon. */
export function baseOf(driver: Driver): string {
  const base = (driver.options as { base?: unknown } | undefined)?.base;
  if (typeof base !== "string") return "";
  const parts = base.split(/[:/\\]+/).filter(Boolean);
  return parts.length > 0 ? `${parts.join(":")}:` : "";
}

/** Raw values come back as Buffer, Uint8Array, ArrayBuffer, Blob, stream, an array of numbers or base64 text, by driver. */
async function toBytes(value: unknown): Promise<Uint8Array> {
  if (value instanceof Uint8Array) {
    // A plain view: a Buffer answers differently to slice() and compares as something else.
    return value.constructor === Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (Array.isArray(value)) return Uint8Array.from(value as number[]);
  if (typeof value === "string") {
    const text = value.startsWith(BASE64_PREFIX) ? value.slice(BASE64_PREFIX.length) : value;
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  }
  if (value instanceof Blob || value instanceof ReadableStream) {
    return new Uint8Array(await new Response(value).arrayBuffer());
  }
  throw new TypeError(`the storage driver gave back a raw value of type ${typeof value}`);
}

/** In pieces: a call takes some ten thousand arguments only. Three bytes make four characters, so pieces of a multiple. */
const BASE64_PIECE = 0x3000;

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += BASE64_PIECE) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + BASE64_PIECE)));
  }
  return text;
}
