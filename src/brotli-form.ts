/** A brotli stream and what tells that it is whole: half of all flipped bits inflate to something else unnoticed. */
export interface BrotliContent {
  /** A brotli stream (RFC 7932), as `Content-Encoding: br` wants it. */
  readonly stream: Uint8Array;
  /** Of the inflated bytes, as in gzip. */
  readonly crc32: number;
}

/** "βbr" in UTF-8; gzip begins with 0x1f, and JSON with a bracket. */
const MARK = [0xce, 0xb2, 0x62, 0x72];

/** The mark, and four bytes of the checksum, lowest first. */
const HEAD_BYTES = 8;

/**
 * The form in which brotli is stored: a mark, because brotli has no magic of its own, the checksum, because it has none
 * either, and the stream.
 */
export function toStoredBrotli({ stream, crc32 }: BrotliContent): Uint8Array {
  const stored = new Uint8Array(HEAD_BYTES + stream.byteLength);
  stored.set(MARK);
  new DataView(stored.buffer).setUint32(MARK.length, crc32, true);
  stored.set(stream, HEAD_BYTES);
  return stored;
}

/** The parts of stored bytes that begin with our mark, or null. Whether the stream is whole, inflating it tells. */
export function parseStoredBrotli(stored: Uint8Array): BrotliContent | null {
  if (stored.byteLength < HEAD_BYTES || !MARK.every((byte, index) => stored[index] === byte)) return null;
  const crc32 = new DataView(stored.buffer, stored.byteOffset).getUint32(MARK.length, true);
  return { stream: stored.subarray(HEAD_BYTES), crc32 };
}

/** Whether bytes begin as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}
