import { settle, type TextRedaction, TOKEN } from "./patterns.ts";

/**
 * What is kept of an address: `strip` cuts it at `?` and `#`; `keepFiltered` keeps parameters, but for those with a secret
 * name, and redacts their values; `keepAll` keeps it as it is.
 */
export type UrlMode = "strip" | "keepFiltered" | "keepAll";

/** Redacts one address. */
export interface UrlRedaction {
  /** The address of a page: parameters with a secret name are left out. */
  redact(url: string): string;
  /** The address in an attribute of the DOM: parameters with a secret name keep it and lose their value. */
  redactAttribute(url: string, mode?: UrlMode): string;
}

/** Names of parameters that are secret whatever the options say; compared without case, `-` and `_`. */
const DENIED =
  "token accesstoken refreshtoken idtoken password passwd pwd secret apikey key sig signature code auth session sessionid otp";

/** A longer address is cut: taking it apart would hold the page. */
const MAX_CHARS = 16_384;

/** Of names that were looked at, since few come again and again; a longer one would hold the text it was cut from. */
const MAX_KNOWN_NAMES = 500;
const MAX_KNOWN_CHARS = 12;

/** Addresses lie in parameters of addresses; what lies deeper is not kept. */
const MAX_DEPTH = 3;

/** The address up to `?` or `#`: what follows may hold names, mail addresses and tokens. */
export function cutUrl(url: string): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}

/**
 * Redaction of addresses. They are taken apart by hand, so that a malformed one is handled like any other.
 * `allowed` and `denied` name parameters; `redaction` redacts the values of the others.
 */
export function createUrlRedaction(
  mode: UrlMode,
  allowed: readonly string[],
  denied: readonly string[],
  { redact: redactText, mayMatchWithin }: Pick<TextRedaction, "redact" | "mayMatchWithin">,
): UrlRedaction {
  const deniedNames = new Set([...DENIED.split(" "), ...denied.map(toName)]);
  const allowedNames = new Set(allowed.map(toName));
  const known = new Map<string, "denied" | "allowed" | "open">();

  function filterUrl(url: string, denial: string | null, depth: number): string {
    const [beforeHash, fragment] = splitAt(url, "#");
    const [base, query] = splitAt(beforeHash, "?");
    // `#access_token=…` and `#/route?token=…` are parameters too.
    const hash = fragment.includes("=")
      ? filterQuery(fragment, denial, depth)
      : fragment.slice(0, 1) + filterValue(fragment.slice(1), denial, depth);
    return base + (query && filterQuery(query, denial, depth)) + hash;
  }

  /** With the `?` or `#` that leads it, which goes when no parameter is left. */
  function filterQuery(query: string, denial: string | null, depth: number): string {
    if (isPlain(query)) return query;
    let filtered = "";
    let separator = "";
    for (const part of query.split(/(?=[&;?#])/)) {
      // That of a parameter that was left out goes to the next one.
      separator ||= part[0]!;
      const [name, value] = splitAt(part.slice(1), "=");
      const rule = ruleOf(name);
      const isDenied = rule === "denied";
      if (isDenied && denial === null) continue;
      filtered += separator;
      if (isDenied) filtered += name + (value && denial);
      else if (rule === "allowed") filtered += name + value;
      else filtered += filterValue(name, denial, depth) + (value && `=${filterValue(value.slice(1), denial, depth)}`);
      separator = "";
    }
    return filtered;
  }

  /** Whether every parameter stays as it is, told the cheap way; false where that takes more. */
  function isPlain(query: string): boolean {
    if (query.includes("%") || mayMatchWithin(query.replaceAll("+", " "))) return false;
    for (const part of query.slice(1).split(/[&;?#]/)) if (ruleOf(splitAt(part, "=")[0]) === "denied") return false;
    return true;
  }

  function ruleOf(name: string): "denied" | "allowed" | "open" {
    let rule = known.get(name);
    if (!rule) {
      const words = toWords(name);
      const isIn = (names: ReadonlySet<string>): boolean => words.some((word) => names.has(word));
      rule = isIn(deniedNames) ? "denied" : isIn(allowedNames) ? "allowed" : "open";
      if (known.size < MAX_KNOWN_NAMES && name.length <= MAX_KNOWN_CHARS) known.set(name, rule);
    }
    return rule;
  }

  /** A value that is clean keeps its own encoding. */
  function filterValue(value: string, denial: string | null, depth: number): string {
    for (const spaced of value.includes("+") ? [value, value.replaceAll("+", " ")] : [value]) {
      const plain = decode(spaced);
      const clean = plain === spaced ? redactText(plain) : filterNested(plain, denial, depth + 1);
      if (clean !== plain) return encode(clean);
    }
    return value;
  }

  /** What was encoded may be an address too, or be encoded once more. */
  function filterNested(plain: string, denial: string | null, depth: number): string {
    if (depth > MAX_DEPTH) return TOKEN;
    const clean = redactText(/[?#]/.test(plain) ? filterUrl(plain, denial, depth) : plain);
    return clean === plain ? filterValue(plain, denial, depth) : clean;
  }

  function redactBy(mode: UrlMode, url: string, denial: string | null): string {
    if (mode === "keepAll") return url;
    // A name and a password before the host.
    const bare = !url.includes("@") ? url : url.replace(/^([a-z][a-z\d+.-]*:)?\/\/[^/?#]*@/i, "$1//");
    const isKept = mode === "keepFiltered" && bare.length <= MAX_CHARS;
    return (isKept ? settle(bare, (last) => filterUrl(last, denial, 0)) : null) ?? cutUrl(bare);
  }

  return {
    redact: (url) => redactBy(mode, url, null),
    redactAttribute(url, as = mode) {
      // Data is no address, and a part of the same page is needed to draw it.
      if (/^\s*(?:data|blob):/i.test(url) || (/^#[^=?]*$/.test(url) && redactText(url) === url)) return url;
      return redactBy(as, url, `=${TOKEN}`);
    },
  };
}

/** Before a character, and from it on. */
function splitAt(text: string, character: string): [string, string] {
  const at = text.indexOf(character);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at)];
}

/** The name itself and the words of `user[password]` or `user.password`. */
function toWords(name: string): string[] {
  const whole = toName(decode(name.replaceAll("+", " ")));
  return [whole, ...whole.split(/[[\].]/)];
}

/** `access_token`, `access-token` and `accessToken` are one name. */
function toName(name: string): string {
  return String(name)
    .toLowerCase()
    .replace(/[\s_-]/g, "");
}

/** Percent-decodes what can be decoded; bytes that are no UTF-8 become a character each. */
function decode(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/(?:%[\da-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
    }
  });
}

function encode(text: string): string {
  try {
    return encodeURIComponent(text).replaceAll(encodeURIComponent(TOKEN), TOKEN);
  } catch {
    // Half a surrogate pair.
    return TOKEN;
  }
}
