/** A random UUID, version 4. Made by hand, since `crypto.randomUUID` is missing outside secure contexts. */
export function createUuid(): string {
  const bytes = randomBytes(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Names one start of the recorder: 96 random bits, lower-case hex. */
export function createRunId(): string {
  return toHex(randomBytes(12));
}

/** The secret that later uploads of a session must carry: 128 random bits, lower-case hex. */
export function createSessionKey(): string {
  return toHex(randomBytes(16));
}

function randomBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  return globalThis.crypto?.getRandomValues(bytes) ?? bytes.map(() => Math.random() * 256);
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
