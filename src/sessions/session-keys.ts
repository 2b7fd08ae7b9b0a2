import type { Platform } from "../platform.ts";
import { toKeyPart } from "../storage/keys.ts";
import { SEGMENT_PREFIX } from "./replay-order.ts";

/** Where the parts of a session lie in the store. */
export interface SessionKeys {
  /** Collection of the session documents. */
  readonly sessions: string;
  readonly tombstones: string;
  /** Prefix of one kind of a session's blobs, as in `batches:main:0f3c:`. */
  prefix(kind: string, sessionId: string): Promise<string>;
  /** Key of a batch or a segment, as the API names it within its window. */
  blob(sessionId: string, windowId: string, key: string): Promise<string>;
}

/** Keys and collections of one project. */
export function createSessionKeys(project: string, platform: Platform): SessionKeys {
  const prefix = async (kind: string, sessionId: string): Promise<string> =>
    `${kind}:${project}:${await toKeyPart(sessionId, platform)}:`;
  return {
    sessions: `${project}/sessions`,
    tombstones: `${project}/tombstones`,
    prefix,
    async blob(sessionId, windowId, key) {
      const isSegment = key.startsWith(SEGMENT_PREFIX);
      const start = await prefix(isSegment ? "segments" : "batches", sessionId);
      return `${start}${await toKeyPart(windowId, platform)}:${isSegment ? key.slice(SEGMENT_PREFIX.length) : key}`;
    },
  };
}
