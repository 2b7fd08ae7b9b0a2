import { inspect } from "node:util";

const secrets = new Set<string>();

const MIN_SECRET_LENGTH = 4;

/** Fields of an address's query that nobody else should read. */
const SECRET_FIELDS = /^(accessKeyId|secretAccessKey|authToken|password|token)$/i;

/** Remembers what must never be printed. */
export function keepSecret(text: string | undefined): void {
  // A shorter one is found in every other word, and does not protect anything.
  if (!text || text.length < MIN_SECRET_LENGTH) return;
  for (const form of [text, encodeURIComponent(text), inspect(text).slice(1, -1)]) secrets.add(form);
}

/** Remembers the password and the keys in an address, in plain and as they stand there. */
export function keepSecretsOf(address: string): void {
  const [, credentials] = /^[a-z0-9+]+:\/\/([^/?#]*)@/i.exec(address) ?? [];
  const password = credentials?.slice(credentials.indexOf(":") + 1);
  if (credentials?.includes(":")) keepBoth(password!);
  for (const [name, value] of new URLSearchParams(address.split("?")[1] ?? "")) {
    if (SECRET_FIELDS.test(name)) keepSecret(value);
  }
  for (const [, name = "", value = ""] of address.matchAll(/[?&]([^=&]+)=([^&#]*)/g)) {
    if (SECRET_FIELDS.test(name)) keepBoth(value);
  }
}

/** A text without the secrets that were kept. */
export function redact(text: string): string {
  let redacted = text;
  // The longest first: one may hold another.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) redacted = redacted.replaceAll(secret, "***");
  return redacted;
}

function keepBoth(text: string): void {
  keepSecret(text);
  try {
    keepSecret(decodeURIComponent(text));
  } catch {
    // Not encoded.
  }
}
