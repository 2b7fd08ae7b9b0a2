import type { Items } from "./items.ts";

/** What is kept of a document beside its content. */
export interface Label {
  readonly id: string;
  readonly version: number;
  readonly score: number;
  readonly terms: readonly string[];
}

/** A document with all that is kept of it. */
export interface Envelope extends Label {
  readonly doc: unknown;
}

/** Documents under keys, each as a whole. */
export interface Slots {
  /** Without an id whatever document has this key. */
  read(key: string, id?: string): Promise<Envelope | null>;
  /** Writes the version behind the one that is there; the caller sees to it that nobody else does. `json` is the document. */
  write(key: string, label: Label, json: string): Promise<void>;
  remove(key: string): Promise<void>;
  /** The key of the document that an item belongs to. */
  keyOf(itemKey: string): string;
}

/**
 * Where a driver writes in place, a process that is killed leaves half a value behind, and what was there before is
 * gone. So there are two items for each document, for odd and even versions: the version that was answered last is
 * never written over, and of two that can be read the higher one counts. One item is enough where writes are atomic.
 */
export function createSlots(items: Items, isAtomic: boolean): Slots {
  if (isAtomic) {
    return {
      read: async (key, id) => decode(await items.get(key), id),
      write: (key, label, json) => items.set(key, encode(label, json)),
      remove: (key) => items.remove(key),
      keyOf: (itemKey) => itemKey,
    };
  }
  const slotsOf = (key: string) => [`${key}.0`, `${key}.1`] as const;
  return {
    async read(key, id) {
      const [even, odd] = await Promise.all(slotsOf(key).map((slot) => items.get(slot)));
      const found = [decode(even!, id), decode(odd!, id)].filter((envelope) => envelope !== null);
      return found.sort((a, b) => b.version - a.version)[0] ?? null;
    },
    write: (key, label, json) => items.set(slotsOf(key)[label.version % 2 === 0 ? 0 : 1], encode(label, json)),
    async remove(key) {
      // The older one first: a crash between the two must not bring it back.
      const [even, odd] = slotsOf(key);
      const bodies = await Promise.all([items.get(even), items.get(odd)]);
      const [evenVersion, oddVersion] = bodies.map((body) => decode(body)?.version ?? 0) as [number, number];
      for (const slot of evenVersion < oddVersion ? [even, odd] : [odd, even]) await items.remove(slot);
    },
    keyOf: (itemKey) => itemKey.replace(/\.[01]$/, ""),
  };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Eight hex digits that tell a torn value, a line feed, JSON. */
function encode({ id, version, score, terms }: Label, json: string): Uint8Array {
  const label = JSON.stringify({ id, version, score, terms });
  const body = encoder.encode(`00000000\n${label.slice(0, -1)},"doc":${json}}`);
  body.set(encoder.encode(checksum(body.subarray(9))));
  return body;
}

/** Null where nothing is there, what is there is not whole, or it is another document whose key has the same digest. */
function decode(body: Uint8Array | null, id?: string): Envelope | null {
  if (!body || body.length < 10) return null;
  if (decoder.decode(body.subarray(0, 8)) !== checksum(body.subarray(9))) return null;
  const envelope = JSON.parse(decoder.decode(body.subarray(9))) as Envelope;
  return id === undefined || envelope.id === id ? envelope : null;
}

/** FNV-1a, 32 bits: it is to notice an accident, not an attack. */
function checksum(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
