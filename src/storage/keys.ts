import type { Platform } from "../platform.ts";

/**
 * One part of a key. What is short and lower-case stays readable; anything else becomes a digest, because some disks
 * do not tell capitals from small letters and some drivers end keys at 255 bytes.
 */
export async function toKeyPart(value: string, platform: Platform): Promise<string> {
  if (/^[a-z0-9][a-z0-9_-]{0,39}$/.test(value)) return value;
  // The leading underscore keeps a digest apart from an id that looks like one.
  return `_${(await platform.sha256(value)).slice(0, 32)}`;
}
