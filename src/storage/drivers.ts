import type { StoreDescription } from "./store.ts";

/** What has to be known about an unstorage driver before it may keep recordings. */
export interface DriverTraits {
  /** A name for people. */
  readonly label: string;
  /**
   * The longest value in bytes of ours; longer ones are stored in parts. Drivers without raw values get base64, a third
   * more, and that is counted in here.
   */
  readonly maxValueBytes: number;
  /** Whether a value that is written again is never seen half written, not even after the process was killed. */
  readonly isAtomic: boolean;
  readonly durability: StoreDescription["durability"];
  /** Why documents cannot be kept there. Blobs can. */
  readonly noDocuments?: string;
  /** Why nothing can be kept there. */
  readonly noUse?: string;
  /** What somebody who runs it has to know, for `doctor`. */
  readonly advice?: Advice;
}

/** What is wrong with keeping recordings in a driver, and what to do. */
export interface Advice {
  readonly what: string;
  readonly remedy: string;
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** Nothing is known about a driver of somebody else: nothing is taken for granted. */
const UNKNOWN: DriverTraits = {
  label: "an unstorage driver",
  maxValueBytes: Infinity,
  isAtomic: false,
  durability: "process",
};

/** Objects on the network: each is written as a whole or not at all, and kept when the answer comes. */
const OBJECTS = { maxValueBytes: Infinity, isAtomic: true, durability: "power" } as const;
const DATABASE = { isAtomic: true, durability: "database" } as const;

const FILES: DriverTraits = {
  label: "files",
  maxValueBytes: Infinity,
  // fs.writeFile empties the file and then fills it; there is no fsync.
  isAtomic: false,
  durability: "process",
};

const NOT_CONSISTENT =
  "Workers KV is not consistent enough for documents: use D1 for documents and mount KV as `batches`";

function cannotList(driver: string): string {
  return `the driver ${driver} cannot list its keys, and nothing could be erased: give another storage`;
}

/**
 * The drivers of unstorage 1.17 that have no store of their own. Limits are those of the services' documentation, less
 * some room for what they add.
 */
const TRAITS: Readonly<Record<string, DriverTraits>> = {
  fs: FILES,
  "fs-lite": FILES,
  // One PUT takes 5 GB.
  s3: { ...OBJECTS, label: "S3" },
  "cloudflare-r2-binding": {
    ...OBJECTS,
    label: "Cloudflare R2",
    advice: {
      what: "R2 takes one write a second of the same key, so a busy session's document is refused now and then.",
      remedy: "Keep documents in D1 and mount R2 as `batches`.",
    },
  },
  // 25 MiB a value (Workers KV, limits).
  "cloudflare-kv-binding": {
    ...OBJECTS,
    label: "Workers KV",
    maxValueBytes: 20 * MIB,
    noDocuments: NOT_CONSISTENT,
  },
  "cloudflare-kv-http": {
    ...OBJECTS,
    label: "Workers KV",
    maxValueBytes: 16 * MIB,
    noDocuments: NOT_CONSISTENT,
  },
  // 16 MB a document (BSON).
  mongodb: { ...DATABASE, label: "MongoDB", maxValueBytes: 8 * MIB },
  // 1 MB a request on the smallest plan.
  upstash: { ...DATABASE, label: "Upstash Redis", maxValueBytes: 700 * KIB },
  "vercel-kv": { ...DATABASE, label: "Vercel KV", maxValueBytes: 700 * KIB },
  "vercel-blob": {
    ...OBJECTS,
    label: "Vercel Blob",
    noDocuments:
      "Vercel Blob answers from a cache for up to a minute after a change, so documents in it would be lost: " +
      "keep documents in a database and mount Vercel Blob as `batches`",
    advice: {
      what: "unstorage's Vercel Blob driver makes public objects: whoever has the address of a recording can read it.",
      remedy: "Mount a private object store as `batches`.",
    },
  },
  "netlify-blobs": {
    ...OBJECTS,
    label: "Netlify Blobs",
    maxValueBytes: 4 * MIB,
    advice: {
      what: "Netlify Blobs are consistent after up to a minute unless they are asked to be at once.",
      remedy: 'Give the driver the option consistency: "strong".',
    },
  },
  "azure-storage-blob": { ...OBJECTS, label: "Azure Blob Storage" },
  // A text property has 64 KiB of UTF-16, which are 32 Ki characters of base64.
  "azure-storage-table": { ...DATABASE, label: "Azure Table Storage", maxValueBytes: 23 * KIB },
  // 10,000 characters a value.
  "azure-app-configuration": { ...DATABASE, label: "Azure App Configuration", maxValueBytes: 7 * KIB },
  // 25 KB a secret.
  "azure-key-vault": { ...DATABASE, label: "Azure Key Vault", maxValueBytes: 18 * KIB },
  // One packet; 16 MB is what servers take by default.
  planetscale: { ...DATABASE, label: "PlanetScale", maxValueBytes: 8 * MIB },
  "lru-cache": {
    ...UNKNOWN,
    label: "an LRU cache",
    durability: "none",
    advice: { what: "The cache drops what was not used for a while.", remedy: "Use the memory driver, or a database." },
  },
  // Its query names no property, so that every key comes back undefined.
  "azure-cosmos": { ...UNKNOWN, label: "Azure Cosmos DB", noUse: cannotList("azure-cosmos") },
  // It asks for one page of at most 500 files.
  uploadthing: { ...UNKNOWN, label: "UploadThing", noUse: cannotList("uploadthing") },
  "vercel-runtime-cache": { ...UNKNOWN, label: "Vercel Runtime Cache", noUse: cannotList("vercel-runtime-cache") },
  null: { ...UNKNOWN, label: "nothing", noUse: "the driver null keeps nothing: give a storage that does" },
};

/** What is known about a driver by its name. */
export function traitsOf(name: string | undefined): DriverTraits {
  const traits = name !== undefined && Object.hasOwn(TRAITS, name) ? TRAITS[name] : undefined;
  return traits ?? (name === undefined ? UNKNOWN : { ...UNKNOWN, label: name });
}
