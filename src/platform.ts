import { isGzip, parseStoredBrotli, toStoredBrotli, type BrotliContent } from "./brotli-form.ts";

/**
 * The one seam to the runtime. The defaults need Web APIs only; `sentiero/node` and the CLI hand in native functions,
 * which inflate a batch three times faster. Replace members before the first request:
 * `Object.assign(sentiero.platform, native)`.
 */
export interface Platform {
  /** Inflates gzip, stopping as soon as more than `maxBytes` come out. */
  gunzip(bytes: Uint8Array, maxBytes: number): MaybePromise<Uint8Array | "too-large" | "corrupt">;
  gzip(bytes: Uint8Array): MaybePromise<Uint8Array>;
  /**
   * Makes bytes as small as the runtime can, by `brotli` or else `gzip`: for what is written once and kept long.
   * `inflate` reads it, here and on other runtimes.
   */
  compress(bytes: Uint8Array): MaybePromise<Uint8Array>;
  /**
   * Inflates what was stored, by `compress` or as gzip, stopping as soon as more than `maxBytes` come out.
   * @throws Error when it is brotli and the runtime has none: nothing is wrong with the bytes.
   */
  inflate(stored: Uint8Array, maxBytes: number): MaybePromise<Uint8Array | "too-large" | "corrupt">;
  /** Where it is missing, segments are written as gzip, and brotli is read by DecompressionStream where that knows it. */
  brotli?: Brotli;
  /** SHA-256 as 64 lower-case hex digits; of text, its UTF-8 bytes. */
  sha256(data: Uint8Array | string): MaybePromise<string>;
  /** Runs a task after the events that are already waiting, so that writes of one tick are committed together. */
  defer(task: () => void): void;
  /** Most bytes that one body may inflate to, and all at once, where the runtime has less memory than the options allow. */
  maxInflatedBytes: number;
  /**
   * Whether a request's work ends with its answer, as on Workers. Then no request does another's work, and nothing is left
   * to do afterwards but through `waitUntil`.
   */
  isolatesRequests: boolean;
  /**
   * A file of the build such as `recorder-HASH.js`, plain, or null where there is none of that name. Where it is missing,
   * files are read from the module that is built into the package.
   */
  readAsset?(file: string): Promise<Uint8Array | null>;
  /**
   * Runs SQL on a SQLite file in another thread, by node:sqlite. Only for a file that this process has open by node:sqlite
   * too: two copies of the library in one process undo each other's locks. Where it is missing, what takes long on a file
   * holds up the event loop.
   * @throws what SQLite says, and an Error when there is no thread to run it.
   */
  runSqlite?(file: string, sql: string): Promise<void>;
}

/** Brotli of the runtime, off the event loop. */
export interface Brotli {
  compress(bytes: Uint8Array): Promise<BrotliContent>;
  /**
   * Stops as soon as more than `maxBytes` come out. A stream that something stands behind, and one with another checksum,
   * is corrupt.
   */
  inflate(content: BrotliContent, maxBytes: number): Promise<Uint8Array | "too-large" | "corrupt">;
}

type MaybePromise<T> = T | Promise<T>;

/** The defaults: DecompressionStream, CompressionStream, WebCrypto and timers. */
export function createWebPlatform(): Platform {
  // Workers have 128 MB for everything, and a batch of JSON needs four times its size while it is taken in.
  const isWorkers = globalThis.navigator?.userAgent === "Cloudflare-Workers";
  return {
    gunzip,
    gzip: deflate,
    async compress(bytes) {
      return this.brotli ? toStoredBrotli(await this.brotli.compress(bytes)) : this.gzip(bytes);
    },
    async inflate(stored, maxBytes) {
      if (isGzip(stored)) return this.gunzip(stored, maxBytes);
      const content = parseStoredBrotli(stored);
      if (!content) return "corrupt";
      return this.brotli ? this.brotli.inflate(content, maxBytes) : inflateBrotli(content, maxBytes);
    },
    sha256,
    defer: (task) => void setTimeout(task, 0),
    maxInflatedBytes: isWorkers ? 24 * 1024 * 1024 : Infinity,
    isolatesRequests: isWorkers,
  };
}

async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  return (await collect(pipe(bytes, new CompressionStream("gzip")), Infinity))!;
}

async function sha256(data: Uint8Array | string): Promise<string> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function gunzip(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array | "too-large" | "corrupt"> {
  return read(bytes, new DecompressionStream("gzip"), maxBytes);
}

async function inflateBrotli(content: BrotliContent, maxBytes: number): Promise<Uint8Array | "too-large" | "corrupt"> {
  const bytes = await read(content.stream, createBrotliReader(), maxBytes);
  return typeof bytes === "string" || crc32(bytes) === content.crc32 ? bytes : "corrupt";
}

function createBrotliReader(): DecompressionStream {
  try {
    // Types know it later than runtimes do.
    return new DecompressionStream("brotli" as CompressionFormat);
  } catch (cause) {
    throw new Error(
      "[sentiero] this store was settled on a runtime with brotli, and this one has none: give it node:zlib " +
        "(`platform: nodePlatform` of sentiero/node; on Workers the flag nodejs_compat)",
      { cause },
    );
  }
}

async function read(
  bytes: Uint8Array,
  transform: DecompressionStream,
  maxBytes: number,
): Promise<Uint8Array | "too-large" | "corrupt"> {
  try {
    return (await collect(pipe(bytes, transform), maxBytes)) ?? "too-large";
  } catch {
    return "corrupt";
  }
}

/** CRC-32 as in gzip (RFC 1952, 8); no Web API has it. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

function pipe(bytes: Uint8Array, transform: CompressionStream | DecompressionStream): ReadableStream<Uint8Array> {
  const source = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
  return source.pipeThrough(transform as unknown as TransformStream<Uint8Array, Uint8Array>);
}

/** All bytes of a stream in one piece, or null when there are more than `maxBytes`; the rest is not read then. */
export async function collect(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > maxBytes) {
      // A broken stream may refuse to be cancelled; the answer is the same.
      reader.cancel().catch(() => {});
      return null;
    }
    chunks.push(value);
  }
  if (chunks.length === 1) return chunks[0]!;
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}
