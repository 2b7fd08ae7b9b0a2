import { createStorage, type Storage } from "unstorage";
import { SentieroError } from "../errors.ts";
import type { Platform } from "../platform.ts";
import { splitBlobs, splitItems, splitPut } from "./blob-parts.ts";
import { createDenoKvStore, DENO_KV_MAX_BLOB_BYTES, type DenoKv } from "./deno-kv.ts";
import { traitsOf, type DriverTraits } from "./drivers.ts";
import { baseOf, createItems, type Items, type Place } from "./items.ts";
import { createKeyValueDocuments } from "./key-value.ts";
import { createMemoryStore } from "./memory.ts";
import { createRedisStore } from "./redis.ts";
import type { RedisClient } from "./redis-connection.ts";
import { createSqlStore, type SqlConnection } from "./sql.ts";
import { createStorageBlobs } from "./storage-blobs.ts";
import type { Finding, Store, StoreDescription } from "./store.ts";
import { trackWrites } from "./track-writes.ts";

/** What a store needs to know beside its storage. */
export interface OpenStoreOptions {
  readonly platform: Platform;
  /** Where the memory driver ends and the oldest session goes. */
  readonly maxMemoryBytes: number;
  readonly warn: (message: string) => void;
  /**
   * What an answered batch survives on SQLite: a power cut, or the end of our process only, which is faster.
   * @default "power"
   */
  readonly durability?: "power" | "process";
}

/**
 * Opens the store behind a storage, picked by its driver. Blobs live in the mount `batches` where there is one:
 * `storage.mount("batches", driver)`.
 * @throws SentieroError STORAGE_UNSUPPORTED naming the driver and what works.
 */
export function openStore(storage: Storage | undefined, options: OpenStoreOptions): Store {
  if (!storage) {
    options.warn("[sentiero] no `storage` was given: recordings are kept in memory and gone at restart");
    return openPlace(placeOf(createStorage(), ""), options);
  }
  // Only prefixStorage() makes the two one function. It hides the driver's keys from us, and ours from it.
  if (storage.keys === storage.getKeys) {
    throw new SentieroError(
      "STORAGE_UNSUPPORTED",
      "options.storage comes from prefixStorage(): give the storage itself, or its driver a `base`",
    );
  }
  const root = placeOf(storage, "");
  const batches = placeOf(storage, "batches:");
  return batches.base === ""
    ? openPlace(root, options)
    : compose(openPlace(root, options), openBlobs(batches, options));
}

function placeOf(storage: Storage, mount: string): Place {
  return { storage, ...storage.getMount(mount) };
}

/** Documents and blobs in one driver. */
function openPlace(place: Place, options: OpenStoreOptions): Store {
  const native = openNative(place, options);
  if (native) return native;
  const { items, traits } = openItems(place);
  if (traits.noDocuments !== undefined) throw new SentieroError("STORAGE_UNSUPPORTED", traits.noDocuments);
  const { platform } = options;
  const { maxValueBytes } = traits;
  // Elsewhere every document fits, and nobody has to look whether the one before it did.
  const areLong = maxValueBytes < LONGEST_DOCUMENT_BYTES;
  const documents = createKeyValueDocuments(areLong ? splitItems(items, maxValueBytes, platform) : items, {
    ...traits,
    platform,
  });
  const store: Store = {
    documents,
    blobs: openItemBlobs(items, traits, options),
    about: { name: traits.label, writers: "one process", durability: traits.durability },
    schemaVersion: documents.schemaVersion,
    scrub: documents.scrub,
    check: async () => [...(await documents.check()), ...(await checkItems(items, traits))],
    isFull: () => false,
    close: documents.drained,
  };
  return trackWrites(store);
}

/** Far above what a document may grow to. */
const LONGEST_DOCUMENT_BYTES = 256 * 1024;

function openItems(place: Place): { items: Items; traits: DriverTraits } {
  const traits = traitsOf(place.driver.name);
  if (traits.noUse !== undefined) throw new SentieroError("STORAGE_UNSUPPORTED", traits.noUse);
  return { items: createItems(place), traits };
}

type BlobsOnly = Pick<Store, "blobs" | "about" | "check" | "isFull" | "close">;

/** Blobs in a driver whose documents are elsewhere. */
function openBlobs(place: Place, options: OpenStoreOptions): BlobsOnly {
  const native = openNative(place, options);
  if (native) return native;
  const { items, traits } = openItems(place);
  return {
    blobs: openItemBlobs(items, traits, options),
    about: { name: traits.label, writers: "any", durability: traits.durability },
    check: () => checkItems(items, traits),
    isFull: () => false,
    close: async () => {},
  };
}

/** The store that a driver has of its own, or null. */
function openNative(place: Place, options: OpenStoreOptions): Store | null {
  const { platform, maxMemoryBytes, durability = "power", warn } = options;
  const { driver } = place;
  switch (driver.name) {
    case "memory":
      return createMemoryStore(place, maxMemoryBytes);
    case "db0": {
      const store = createSqlStore(driver.getInstance!() as SqlConnection, {
        platform,
        durability,
        warn,
      });
      return split(store, store.maxBlobBytes, platform);
    }
    case "redis":
      return createRedisStore(driver.getInstance!() as RedisClient, { prefix: `${baseOf(driver)}sentiero` });
    case "deno-kv":
    case "deno-kv-node": {
      const opened = Promise.resolve(driver.getInstance!() as DenoKv | Promise<DenoKv>);
      // Whoever uses it first is told.
      opened.catch(() => {});
      const prefix = [...baseOf(driver).split(":").filter(Boolean), "sentiero"];
      return split(createDenoKvStore(opened, { prefix }), DENO_KV_MAX_BLOB_BYTES, platform);
    }
    default:
      return null;
  }
}

/** A blob in parts is many writes, and between two of them none is under way: closing waits for the last. */
function split(store: Store, maxBlobBytes: number, platform: Platform): Store {
  if (!Number.isFinite(maxBlobBytes)) return store;
  const { blobs, putWithBlobs } = store;
  return trackWrites({
    ...store,
    blobs: splitBlobs(blobs, maxBlobBytes, platform),
    ...(putWithBlobs && { putWithBlobs: splitPut(putWithBlobs, blobs, maxBlobBytes, platform) }),
  });
}

function openItemBlobs(items: Items, traits: DriverTraits, { platform }: OpenStoreOptions): Store["blobs"] {
  return splitBlobs(createStorageBlobs(items, traits), traits.maxValueBytes, platform);
}

/** Documents of the one store and blobs of the other. They share no transaction, so blobs are written first. */
function compose(root: Store, mounted: BlobsOnly): Store {
  return trackWrites({
    documents: root.documents,
    blobs: mounted.blobs,
    about: {
      name: `${root.about.name}, blobs on ${mounted.about.name}`,
      writers: root.about.writers,
      durability: weaker(root.about.durability, mounted.about.durability),
    },
    schemaVersion: root.schemaVersion,
    ...(root.scrub && { scrub: root.scrub }),
    check: async () => [...(await root.check()), ...(await mounted.check())],
    isFull: () => root.isFull() || mounted.isFull(),
    close: async () => void (await Promise.all([root.close(), mounted.close()])),
  });
}

const DURABILITIES: readonly StoreDescription["durability"][] = ["none", "process", "database", "power"];

function weaker(
  ...durabilities: readonly [StoreDescription["durability"], StoreDescription["durability"]]
): StoreDescription["durability"] {
  return DURABILITIES.find((durability) => durabilities.includes(durability))!;
}

/** Tries whether the driver keeps and lists what is written: erasure and retention find blobs by listing. */
async function checkItems(items: Items, traits: DriverTraits): Promise<readonly Finding[]> {
  const findings: Finding[] = traits.advice ? [{ level: "warning", ...traits.advice }] : [];
  const prefix = `check:${crypto.randomUUID().slice(0, 8)}:`;
  const remedy = "Keep recordings elsewhere: see the documentation's page of storages.";
  try {
    await items.set(`${prefix}a`, Uint8Array.of(1));
    const isKept = (await items.get(`${prefix}a`))?.[0] === 1;
    const { keys } = await items.list(prefix, null);
    await items.remove(`${prefix}a`);
    if (!isKept) findings.push({ level: "error", what: `${traits.label}: what is written is not there.`, remedy });
    else if (!keys.includes(`${prefix}a`)) {
      const what = `${traits.label}: what is written is not listed, so that erasing and purging do not find it.`;
      findings.push({ level: traits.noDocuments === undefined ? "error" : "warning", what, remedy });
    }
  } catch (error) {
    findings.push({ level: "error", what: `${traits.label} does not work: ${reasonOf(error)}`, remedy });
  }
  return findings;
}

/** The cause of a 503 says more than it. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
