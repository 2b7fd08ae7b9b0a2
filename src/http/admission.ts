import { HTTPError } from "../errors.ts";

/** How many requests may be worked on at once; what comes above is asked to wait before its body is read. */
const MAX_REQUESTS = 256;

/** A body without a length may turn out to be as large as is allowed; most are small. */
const UNKNOWN_BYTES = 64 * 1024;

/** Lets a request in, or not. */
export interface Admission {
  /**
   * Counts a request as under way.
   * @throws HTTPError 503 with `Retry-After` when there is too much to do. Nothing of the body was read then.
   */
  enter(request: Request): Visit;
}

/** One request under way. */
export interface Visit {
  /** Counts what the body inflated to. @throws HTTPError 503 when that is too much beside all others. */
  grow(bytes: number): void;
  /** The answer is ready. */
  leave(): void;
}

/**
 * Back-pressure: at most 256 requests and `maxInflightBytes` of bodies at once. Above it, a client that comes back later
 * costs less than one that waits in memory. One body alone is always let in.
 */
export function createAdmission({ maxInflightBytes }: { maxInflightBytes: number }): Admission {
  let requests = 0;
  let bytes = 0;
  return {
    enter(request) {
      const length = Number(request.headers.get("content-length") ?? Number.NaN);
      const size = Number.isFinite(length) && length >= 0 ? length : UNKNOWN_BYTES;
      if (requests >= MAX_REQUESTS || (requests > 0 && bytes + size > maxInflightBytes)) {
        throw tooMuch();
      }
      requests++;
      bytes += size;
      let own = size;
      return {
        grow(more) {
          if (requests > 1 && bytes + more > maxInflightBytes) throw tooMuch();
          bytes += more;
          own += more;
        },
        leave() {
          requests--;
          bytes -= own;
        },
      };
    },
  };
}

function tooMuch(): HTTPError {
  return new HTTPError(503, "too much to do, try again", { headers: { "retry-after": "2" } });
}
