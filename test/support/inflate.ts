import { brotliDecompressSync, constants, gunzipSync } from "node:zlib";
import { isGzip, parseStoredBrotli } from "../../src/brotli-form.ts";

const GZIP = Buffer.from([0x1f, 0x8b, 8]);
const BROTLI = Buffer.from([0xce, 0xb2, 0x62, 0x72]);

/** What is stored, as it was before it was compressed. */
export function inflateStored(bytes: Uint8Array): Buffer {
  if (isGzip(bytes)) return gunzipSync(bytes);
  const brotli = parseStoredBrotli(bytes);
  return brotli ? brotliDecompressSync(brotli.stream) : Buffer.from(bytes);
}

/** What the compressed blobs in the bytes of a file begin with. The first 300 bytes of one lie together, whatever its length is. */
export function beginningsIn(raw: Buffer): readonly Buffer[] {
  return [
    ...cut(raw, GZIP, (part) => gunzipSync(part, { finishFlush: constants.Z_SYNC_FLUSH })),
    ...cut(raw, BROTLI, (part) =>
      brotliDecompressSync(part.subarray(8), { finishFlush: constants.BROTLI_OPERATION_FLUSH }),
    ),
  ];
}

function cut(raw: Buffer, mark: Buffer, inflate: (part: Buffer) => Buffer): Buffer[] {
  const texts: Buffer[] = [];
  for (let at = raw.indexOf(mark); at >= 0; at = raw.indexOf(mark, at + 1)) {
    try {
      texts.push(inflate(raw.subarray(at, at + 308)));
    } catch {
      // Bytes that only look like a beginning, or one that was overwritten.
    }
  }
  return texts;
}
