import { HTTPError } from "../errors.ts";
import { collect, type Platform } from "../platform.ts";
import type { Connection } from "./connection.ts";

/**
 * Above 4 MiB, a body that inflates two hundredfold is no recording (those stay below fifty): parsing it would hold the
 * event loop for seconds.
 */
const RATIO_FREE_BYTES = 4 * 1024 * 1024;
const MAX_RATIO = 200;

/** A request body and, where it came compressed, the envelope it came in. */
export interface Body {
  /** Inflated bytes. */
  readonly bytes: Uint8Array;
  /** The gzip bytes as received, or null where the body was plain or is not one plain gzip member. */
  readonly gzip: Uint8Array | null;
}

/**
 * Reads a body of at most `maxBodyBytes` and inflates it to at most `maxInflatedBytes`. Gzip is known by its header
 * or by its first two bytes, because a beacon cannot set headers.
 * @throws HTTPError 413 above a limit, 400 when the gzip is corrupt.
 */
export async function readBody(
  request: Request,
  platform: Platform,
  limits: { maxBodyBytes: number; maxInflatedBytes: number },
): Promise<Body> {
  const raw = await readBytes(request, limits.maxBodyBytes);
  const isGzip = raw[0] === 0x1f && raw[1] === 0x8b;
  const claimsGzip = request.headers.get("content-encoding")?.trim().toLowerCase() === "gzip";
  if (!isGzip) {
    if (claimsGzip) throw new HTTPError(400, "body is not gzip");
    return { bytes: raw, gzip: null };
  }
  const bytes = await platform.gunzip(raw, Math.min(limits.maxInflatedBytes, platform.maxInflatedBytes));
  if (bytes === "too-large") throw tooLarge();
  if (bytes === "corrupt") throw new HTTPError(400, "body is not valid gzip");
  if (bytes.byteLength > RATIO_FREE_BYTES && bytes.byteLength > raw.byteLength * MAX_RATIO) throw tooLarge();
  return { bytes, gzip: isPlainMember(raw, bytes.byteLength) ? raw : null };
}

/**
 * A body of at most `maxBytes` as received.
 * @throws HTTPError 413 above the limit, 400 when the body ended early.
 */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge();
  const { bodyBytes } = request as Connection;
  if (bodyBytes && bodyBytes.byteLength > maxBytes) throw tooLarge();
  if (bodyBytes || !request.body) return bodyBytes ?? new Uint8Array();
  const bytes = await collect(request.body, maxBytes).catch((cause: unknown) => {
    // The client went away, or a proxy cut the body: nobody reads the answer, but it is not our failure.
    throw new HTTPError(400, "body ended early", { cause });
  });
  if (!bytes) throw tooLarge();
  return bytes;
}

/**
 * Whether every reader will see the same content: no optional header fields, and the length in the last four bytes is
 * that of all that came out, so there is neither a second member nor anything behind it (RFC 1952).
 */
function isPlainMember(gzip: Uint8Array, inflatedLength: number): boolean {
  const end = gzip.byteLength;
  if (end < 18 || gzip[2] !== 8 || gzip[3] !== 0) return false;
  const length = gzip[end - 4]! + gzip[end - 3]! * 0x100 + gzip[end - 2]! * 0x10000 + gzip[end - 1]! * 0x1000000;
  return length === inflatedLength;
}

function tooLarge(): HTTPError {
  return new HTTPError(413, "body too large");
}
