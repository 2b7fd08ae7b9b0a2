import type { Platform } from "../platform.ts";

/**
 * One part of a key. What is short and lower-case stays readable; anything else becomes a digest, because some disks
 * do not tell capitals from small letters and some drivers end keys at 255 bytes.
 */
export async function toKeyPart(value: string, platform: Pick<Platform, "sha256">): Promise<string> {
  if (/^[a-z0-9][a-z0-9_-]{0,39}$/.test(value) && !RESERVED.test(value)) return value;
  // UTF-8 has no lone surrogates: all of them would become one character, and two ids one key. JSON writes them out.
  const text = /\p{Surrogate}/u.test(value) ? `\u0000${JSON.stringify(value)}` : value;
  // The leading underscore keeps a digest apart from an id that looks like one.
  return `_${(await platform.sha256(text)).slice(0, 32)}`;
}

/** Names that Windows takes for devices, and the folder that unstorage's fs driver leaves out when it lists. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d|node_modules)$/;
