import type { Platform } from "../platform.ts";

/** The format that this code writes; it reads this one only. */
export const ARCHIVE_FORMAT = 1;

/**
 * The lines of an archive: a header, documents that are nobody's, then each session with its blobs, and an end that
 * counts them. Every line is JSON whose first field `sum` is the start of the SHA-256 of everything behind it.
 */
export type ArchiveLine =
  | { readonly type: "archive"; readonly format: number; readonly schema: number; readonly exportedAt: number }
  | {
      readonly type: "document";
      /** As registered in `kinds.ts`. */
      readonly kind: string;
      readonly id: string;
      readonly score: number;
      readonly doc: unknown;
    }
  | { readonly type: "session"; readonly id: string; readonly score: number; readonly doc: unknown }
  | {
      readonly type: "blob";
      readonly kind: string;
      /** What of its key stands behind the session's prefix. */
      readonly name: string;
      /** As stored, in base64. */
      readonly bytes: string;
    }
  /** False where the session changed while it was read: what stands since its `session` line does not count. */
  | { readonly type: "session-end"; readonly whole: boolean }
  | ({ readonly type: "end" } & ArchiveCounts);

/** What an archive holds. */
export interface ArchiveCounts {
  readonly documents: number;
  readonly sessions: number;
  readonly blobs: number;
  /** Of the blobs, as stored. */
  readonly bytes: number;
  /** Blobs that a session names and that were not in the store. */
  readonly missing: number;
}

/** An archive that can't be read on, and at which line. What stands before it has been taken in. */
export class ArchiveError extends Error {
  readonly line: number;

  constructor(line: number, message: string, options?: ErrorOptions) {
    super(`line ${line}: ${message}`, options);
    this.name = "ArchiveError";
    this.line = line;
  }
}

const SUM_LENGTH = 16;

/** What stands before the sum and behind it. */
const HEAD = '{"sum":"';
const TAIL = '",';

/** A line with its sum and its end. */
export async function writeLine(line: ArchiveLine, platform: Pick<Platform, "sha256">): Promise<Uint8Array> {
  const rest = JSON.stringify(line).slice(1);
  const sum = (await platform.sha256(rest)).slice(0, SUM_LENGTH);
  return new TextEncoder().encode(`${HEAD}${sum}${TAIL}${rest}\n`);
}

/** @throws ArchiveError for a line that is not as it was written. */
export async function readLine(text: string, number: number, platform: Pick<Platform, "sha256">): Promise<ArchiveLine> {
  const start = HEAD.length + SUM_LENGTH + TAIL.length;
  const rest = text.slice(start);
  const sum = text.slice(HEAD.length, HEAD.length + SUM_LENGTH);
  if (!text.startsWith(HEAD) || (await platform.sha256(rest)).slice(0, SUM_LENGTH) !== sum) {
    throw new ArchiveError(number, number === 1 ? "this is no archive of sentiero" : "the line is damaged");
  }
  return JSON.parse(`{${rest}`) as ArchiveLine;
}

/** The lines of a stream, without their ends. The last one is given with `isWhole` false where its end is missing. */
export async function* splitLines(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ readonly text: string; readonly isWhole: boolean }> {
  const decoder = new TextDecoder();
  let parts: Uint8Array[] = [];

  function join(): string {
    let text = "";
    for (const part of parts) text += decoder.decode(part, { stream: true });
    text += decoder.decode();
    parts = [];
    return text;
  }

  for await (const chunk of source) {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(10, start);
      if (end < 0) break;
      parts.push(chunk.subarray(start, end));
      yield { text: join(), isWhole: true };
      start = end + 1;
    }
    // A copy: who reads a file may use its buffer again.
    if (start < chunk.byteLength) parts.push(chunk.slice(start));
  }
  if (parts.length > 0) yield { text: join(), isWhole: false };
}

/** Above some ten thousand arguments a call overflows the stack. */
const CHARS_AT_ONCE = 0x2000;

/** Bytes as base64. */
export function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.byteLength; at += CHARS_AT_ONCE) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHARS_AT_ONCE));
  }
  return btoa(text);
}

/** The bytes of {@link toBase64}. */
export function fromBase64(text: string): Uint8Array {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
