import { kMaxLength } from "node:buffer";
import { hash } from "node:crypto";
import { promisify } from "node:util";
import { constants, crc32, gzip, gzipSync, inflateRaw, inflateRawSync } from "node:zlib";
import type { Platform } from "../src/platform.ts";
import { nodeBrotli } from "./node-brotli.ts";
import { runSqlite } from "./node-sqlite.ts";

const gzipLater = promisify(gzip);

/** Above this size zlib works in its thread pool: below it, handing over costs more than the work. */
const INLINE_BYTES = 64 * 1024;

/** What may come out on the main thread; a small body can hold a thousand times its size. */
const INLINE_INFLATED_BYTES = 1024 * 1024;

/**
 * Level 1 is three times faster than the default and makes these bodies a tenth larger; only bodies that came without
 * compression or were changed by redaction are compressed here.
 */
const GZIP = { level: constants.Z_BEST_SPEED };

/** Node's own zlib, crypto and threads for the platform seam. */
export const nodePlatform: Partial<Platform> = {
  gunzip,
  gzip: (bytes) => (bytes.byteLength <= INLINE_BYTES ? gzipSync(bytes, GZIP) : gzipLater(bytes, GZIP)),
  brotli: nodeBrotli,
  sha256: (data) => hash("sha256", data, "hex"),
  defer: (task) => void setImmediate(task),
  runSqlite,
};

/**
 * Node's own gunzip takes several members and ignores what stands behind them; other readers do not. Here one member is
 * inflated, and its end, length and checksum are looked at (RFC 1952).
 */
async function gunzip(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array | "too-large" | "corrupt"> {
  const start = headerLength(bytes);
  if (start === null || bytes.byteLength < start + 8) return "corrupt";
  const inflated = await inflate(bytes.subarray(start), Math.min(maxBytes, kMaxLength));
  if (typeof inflated === "string") return inflated;
  const { buffer, consumed } = inflated;
  const end = start + consumed;
  if (end + 8 !== bytes.byteLength) return "corrupt";
  const trailer = new DataView(bytes.buffer, bytes.byteOffset + end, 8);
  const isWhole =
    trailer.getUint32(0, true) === crc32(buffer) && trailer.getUint32(4, true) === buffer.byteLength % 2 ** 32;
  return isWhole ? buffer : "corrupt";
}

type Inflated = { readonly buffer: Buffer; readonly consumed: number };

/** What zlib gives with the option `info`; its types do not say so. */
interface InflateInfo {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

async function inflate(deflated: Uint8Array, maxBytes: number): Promise<Inflated | "too-large" | "corrupt"> {
  const inlineBytes = deflated.byteLength <= INLINE_BYTES ? Math.min(maxBytes, INLINE_INFLATED_BYTES) : 0;
  try {
    if (inlineBytes > 0) {
      return toInflated(
        inflateRawSync(deflated, { info: true, maxOutputLength: inlineBytes }) as unknown as InflateInfo,
      );
    }
  } catch (error) {
    if (!isTooLarge(error)) return "corrupt";
    if (inlineBytes === maxBytes) return "too-large";
  }
  return new Promise((resolve) => {
    inflateRaw(deflated, { info: true, maxOutputLength: maxBytes }, (error, result) => {
      if (error) resolve(isTooLarge(error) ? "too-large" : "corrupt");
      else resolve(toInflated(result as unknown as InflateInfo));
    });
  });
}

function toInflated({ buffer, engine }: InflateInfo): Inflated {
  return { buffer, consumed: engine.bytesWritten };
}

function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
}

const FLAG = { headerCrc: 2, extra: 4, name: 8, comment: 16 };

/** Bytes before the deflated data, or null where they are no gzip header. */
function headerLength(bytes: Uint8Array): number | null {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[2] !== 8) return null;
  const flags = bytes[3] ?? 0;
  if (flags > 31) return null;
  let at = 10;
  if (flags & FLAG.extra) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  for (const flag of [FLAG.name, FLAG.comment]) {
    if (!(flags & flag)) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) return null;
    at = end + 1;
  }
  return flags & FLAG.headerCrc ? at + 2 : at;
}
