import { hash } from "node:crypto";
import { promisify } from "node:util";
import { constants, gunzip, gunzipSync, gzip, gzipSync } from "node:zlib";
import type { Platform } from "../src/platform.ts";

const gunzipLater = promisify(gunzip);
const gzipLater = promisify(gzip);

/** Above this size zlib works in its thread pool: below it, handing over costs more than the work. */
const INLINE_BYTES = 64 * 1024;

/**
 * Level 1 is three times faster than the default and makes these bodies a tenth larger; only bodies that came without
 * compression or were changed by redaction are compressed here.
 */
const GZIP = { level: constants.Z_BEST_SPEED };

/** Node's own zlib and crypto for the platform seam. */
export const nodePlatform: Partial<Platform> = {
  async gunzip(bytes, maxBytes) {
    const options = { maxOutputLength: Math.min(maxBytes, 0x7fffffff) };
    try {
      return bytes.byteLength <= INLINE_BYTES ? gunzipSync(bytes, options) : await gunzipLater(bytes, options);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE" ? "too-large" : "corrupt";
    }
  },
  gzip: (bytes) => (bytes.byteLength <= INLINE_BYTES ? gzipSync(bytes, GZIP) : gzipLater(bytes, GZIP)),
  sha256: (data) => hash("sha256", data, "hex"),
  defer: (task) => void setImmediate(task),
};
