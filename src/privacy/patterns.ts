/** What stands where something was redacted. */
export const TOKEN = "[redacted]";

/** Name of a built-in pattern of free text. */
export type PatternName = "url" | "jwt" | "email" | "longHex" | "card";

/** A pattern of the host's own, as JSON can say it: what `new RegExp(source, flags)` takes. */
export interface CustomPattern {
  readonly source: string;
  /** `g` is added where it is missing. */
  readonly flags: string;
}

/** Redacts free text. */
export interface TextRedaction {
  /** Whether there is any pattern at all. */
  readonly isOn: boolean;
  /** False where nothing in the text can match, told in one pass; true where something may. */
  mayMatch(text: string): boolean;
  /** False where nothing can match in the text, nor in any part of it; the host's patterns may ask where a text begins. */
  mayMatchWithin(text: string): boolean;
  /** The text with {@link TOKEN} for every match; the same text where nothing matches. */
  redact(text: string): string;
}

/** Longer texts in which something may match are replaced whole: looking at them again and again would hold the page. */
const MAX_CHARS = 1_000_000;

/** Matches wherever one of the built-in patterns does, and looks at most 32 characters ahead. */
const PREFILTER = /@|:\/\/|eyJ|[\da-f]{32}|\d[\d -]{12}/i;

/**
 * The built-in patterns, in the order in which they are applied. None does more than a fixed number of steps for a
 * character, whatever the text: where one expression would begin again at every character of a run (`eyJeyJeyJ…`,
 * `a@a@a@…`), the expression takes the whole run, which can't fail, and a function looks into it once. What a match can't
 * do without is looked for first, because most texts don't have it.
 */
const BUILT_IN: Readonly<Record<PatternName, (text: string) => string>> = {
  url: (text) => (/[?#]/.test(text) ? text.replace(/https?:\/\/\S+/gi, (url) => url.split(/[?#]/, 1)[0]!) : text),
  jwt: (text) => (text.includes("eyJ") ? text.replace(/[\w.-]+/g, redactTokens) : text),
  email: (text) => (text.includes("@") ? text.replace(/[\p{L}\p{M}\p{N}._%+@-]+/gu, redactAddresses) : text),
  longHex: (text) => text.replace(/\b[\da-f]{32,}\b/gi, TOKEN),
  card: (text) => text.replace(/\b\d(?:[ -]?\d){12,18}\b/g, TOKEN),
};

/** All built-in patterns, in their order. */
export const PATTERN_NAMES: readonly PatternName[] = Object.keys(BUILT_IN) as PatternName[];

/**
 * Redaction of free text by built-in patterns, in their own order, and then by the host's. Doing it twice changes no more
 * than doing it once.
 */
export function createTextRedaction(names: readonly PatternName[], custom: readonly RegExp[]): TextRedaction {
  const builtIn = PATTERN_NAMES.filter((name) => names.includes(name)).map((name) => BUILT_IN[name]);

  const mayMatchBuiltIn = (text: string): boolean => builtIn.length > 0 && PREFILTER.test(text);

  function mayMatch(text: string): boolean {
    return mayMatchBuiltIn(text) || custom.some((pattern) => text.search(pattern) >= 0);
  }

  function redactOnce(text: string): string {
    let redacted = text;
    for (const replace of builtIn) redacted = replace(redacted);
    for (const pattern of custom) redacted = redacted.replace(pattern, (match) => match && TOKEN);
    return redacted;
  }

  return {
    isOn: builtIn.length + custom.length > 0,
    mayMatch,
    mayMatchWithin: (text) => custom.length > 0 || mayMatchBuiltIn(text),
    redact(text) {
      if (!mayMatch(text)) return text;
      return (text.length > MAX_CHARS ? null : settle(text, redactOnce)) ?? TOKEN;
    },
  };
}

/**
 * Changes a text until another round changes nothing, since a replacement can make room for the next one; null where four
 * rounds are not enough, and the text is better not kept.
 */
export function settle(text: string, change: (text: string) => string): string | null {
  let last = text;
  for (let round = 0; round < 4; round++) {
    const next = change(last);
    if (next === last) return last;
    last = next;
  }
  return null;
}

/**
 * Compiles the host's patterns. One that this runtime can't read is left out and named in a single warning: servers refuse
 * it earlier, and a browser may be older than its flags.
 */
export function compilePatterns(patterns: readonly CustomPattern[]): RegExp[] {
  const unknown: CustomPattern[] = [];
  const compiled = patterns.flatMap((pattern) => {
    try {
      const { source, flags } = pattern;
      // What is redacted already is a match of its own, so that the words in it are not redacted again.
      return [new RegExp(`(?:${source})|\\[redacted\\]`, flags.includes("g") ? flags : `${flags}g`)];
    } catch {
      unknown.push(pattern);
      return [];
    }
  });
  if (unknown.length > 0) console.warn("[sentiero] [redaction] patterns that can't be read here:", ...unknown);
  return compiled;
}

/** In a run of base64url and dots: three filled segments, the first with `eyJ` and more behind it. */
function redactTokens(run: string): string {
  const segments = run.split(".");
  const kept: string[] = [];
  for (let index = 0; index < segments.length; index++) {
    const segment = segments[index]!;
    const at = segment.indexOf("eyJ");
    const isToken = at >= 0 && segment.length > at + 3 && segments[index + 1] && segments[index + 2];
    kept.push(isToken ? segment.slice(0, at) + TOKEN : segment);
    if (isToken) index += 2;
  }
  return kept.join(".");
}

const DOMAIN = /^[\p{L}\p{M}\p{N}.-]+\.\p{L}{2,}/u;

/** In a run of what addresses are made of: letters of any script, since names and domains have them. */
function redactAddresses(run: string): string {
  let redacted = "";
  let rest = "";
  for (const [index, part] of run.split("@").entries()) {
    const domain = rest && DOMAIN.exec(part)?.[0];
    redacted += domain ? TOKEN : rest + (index > 0 ? "@" : "");
    rest = domain ? part.slice(domain.length) : part;
  }
  return redacted + rest;
}
