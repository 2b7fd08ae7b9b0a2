import { readFileSync, readdirSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import type { RecordedEvent } from "sentiero";

/** The checked-in recordings, made by `scripts/record-demo.ts`. */
export const recordingsFolder: URL = new URL("./recordings/", import.meta.url);

/** Stands for the address of the site, which a player of the recording puts in its place. */
export const anyOrigin = "https://valcorda.invalid";

/** One page load in one tab. */
export interface PageVisit {
  /** Counts the tabs from 0. */
  readonly tab: number;
  /** What the recorder sent with the page's first batch. */
  readonly metadata: Readonly<Record<string, string | number | boolean>>;
  /** Times are ms since the visit to the site began. */
  readonly events: readonly RecordedEvent[];
}

/** One visit to the demo site, as the real recorder sent it. */
export interface Recording {
  readonly name: string;
  /** Version of the recorder. */
  readonly recorder: string;
  /** In the order of their first events. */
  readonly pages: readonly PageVisit[];
}

/**
 * Long texts that stand in many pages, such as the stylesheet and the drawings, are kept once in `texts`, and
 * `"\u0001<index>"` stands in their place: gzip can't see as far back as the page before.
 */
interface PackedRecording {
  readonly texts: readonly string[];
  readonly recording: unknown;
}

/** Shorter texts are left to gzip. */
const minTextLength = 120;

/** A recording as a `.json.gz` file. */
export function packRecording(recording: Recording): Uint8Array<ArrayBuffer> {
  const indexes = new Map<string, number>();
  const packed: unknown = JSON.parse(JSON.stringify(recording), (_, value: unknown) => {
    if (typeof value !== "string" || value.length < minTextLength) return value;
    if (!indexes.has(value)) indexes.set(value, indexes.size);
    return `\u0001${indexes.get(value)}`;
  });
  const file: PackedRecording = { texts: [...indexes.keys()], recording: packed };
  return new Uint8Array(gzipSync(JSON.stringify(file), { level: 9 }));
}

/** The opposite of `packRecording`; the site's address becomes `origin`. */
export function unpackRecording(bytes: Uint8Array, origin: string): Recording {
  const text = new TextDecoder().decode(gunzipSync(bytes)).replaceAll(anyOrigin, origin);
  const { texts, recording } = JSON.parse(text) as PackedRecording;
  return JSON.parse(JSON.stringify(recording), (_, value: unknown) =>
    typeof value === "string" && value.startsWith("\u0001") ? texts[Number(value.slice(1))] : value,
  ) as Recording;
}

/** All checked-in recordings, by name. `origin` is where the site is now, such as `http://127.0.0.1:4747`. */
export function readRecordings(origin: string): Recording[] {
  return readdirSync(recordingsFolder)
    .filter((name) => name.endsWith(".json.gz"))
    .sort()
    .map((name) => unpackRecording(readFileSync(new URL(name, recordingsFolder)), origin));
}
