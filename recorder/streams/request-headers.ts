/** Never told, whatever a list says: who has them is the visitor. */
const SECRET = /^(?:authorization|proxy-authorization|cookie|set-cookie2?)$/;
const MAX_VALUE_CHARS = 1_024;

/** The allowed of some headers; undefined where there is none. */
export type HeaderFilter = (
  headers: Iterable<readonly [string, string]>,
) => Readonly<Record<string, string>> | undefined;

/** Names are compared in lower case; those of credentials never pass. */
export function createHeaderFilter(allowed: readonly string[]): HeaderFilter {
  const names = new Set(allowed.map((name) => name.toLowerCase()).filter((name) => !SECRET.test(name)));
  return (headers) => {
    if (names.size === 0) return undefined;
    const kept = [...headers]
      .map(([name, value]) => [name.toLowerCase(), value.slice(0, MAX_VALUE_CHARS)] as const)
      .filter(([name]) => names.has(name));
    return kept.length > 0 ? Object.fromEntries(kept) : undefined;
  };
}
