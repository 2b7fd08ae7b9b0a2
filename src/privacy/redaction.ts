import { EventType, isRecord } from "../rrweb/events.ts";
import type { RecordedEvent } from "../types.ts";
import {
  compilePatterns,
  createTextRedaction,
  PATTERN_NAMES,
  TOKEN,
  type CustomPattern,
  type PatternName,
} from "./patterns.ts";
import { createUrlRedaction, type UrlMode } from "./url.ts";

/** What is redacted, as JSON: the server's rules reach the recorder in its configuration. */
export interface RedactionRules {
  /** What is kept of addresses. @default "strip" */
  readonly urlMode: UrlMode;
  /** Parameters kept as they are with `keepFiltered`, unless their name is denied. @default [] */
  readonly urlParamAllowlist: readonly string[];
  /** Parameters left out with `keepFiltered`, besides the built-in names. @default [] */
  readonly urlParamDenylist: readonly string[];
  /** Built-in patterns that are not applied. @default [] */
  readonly disabledPatterns: readonly PatternName[];
  /** Patterns of the host's own, applied after the built-in ones, and to the DOM too. @default [] */
  readonly customPatterns: readonly CustomPattern[];
  /** Built-in patterns that are applied to the DOM too. @default [] */
  readonly domPatterns: readonly PatternName[];
}

/**
 * Redacts what is recorded, the same in browsers and on servers. Everything given is JSON as `JSON.parse` makes it and is
 * never changed; what needs no change is given back itself. Redacting twice changes no more than redacting once.
 */
export interface Redaction {
  /** Whether events of the DOM are looked at: with `domPatterns` or `customPatterns`. */
  readonly readsDom: boolean;
  /** False where no pattern can match in a text; cheaper than {@link Redaction.text}. Addresses have rules besides. */
  mayMatch(text: string): boolean;
  /** Free text. */
  text(text: string): string;
  /** The address of a page. */
  url(url: string): string;
  /**
   * The address in an attribute of the DOM (`href`, `src`, `action`; one address, so a `srcset` is split before). With
   * `strip` it is cut at `?` and `#`; with `keepFiltered` parameters with a secret name keep it and lose their value, and
   * the rest stays, so that pictures and styles load. `data:` and `blob:` addresses and plain fragments (`#icon`) stay.
   * @param mode other than that of the rules
   */
  urlAttribute(url: string, mode?: UrlMode): string;
  /** Custom events and addresses of Meta events; with {@link Redaction.readsDom} all others too. */
  event(event: RecordedEvent): RecordedEvent;
  /** Metadata of a session, before it is cut to its limits. */
  metadata(metadata: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}

/**
 * A value is an address, free text, or kept where it is plain; an object says so of its fields. Names of fields that it
 * says are kept; fields it doesn't say are free text, however deep.
 */
type Shape = "url" | "text" | "keep" | { readonly [field: string]: Shape };

const EVENT = { type: "text", timestamp: "text" } as const;

const META: Shape = { ...EVENT, data: { href: "url", width: "text", height: "text" } };

/** Payloads of custom events that hold addresses, by tag. */
const PAYLOADS: Readonly<Record<string, Shape>> = {
  navigation: { url: "url" },
  __form_submit: { url: "url" },
  error: { source: "url" },
};

const METADATA: Shape = {
  url: "url",
  referrer: "url",
  entry_url: "url",
  entry_referrer: "url",
  // Who it is, as the page says on purpose. Ids look like anything, and what is asked for by them has to be found.
  userId: "keep",
  user_id: "keep",
};

/** Lists and objects within each other; what lies deeper is replaced. */
const MAX_DEPTH = 64;

/** Two for each element; browsers nest at most 512 when they read a page. */
const MAX_DOM_DEPTH = 1_200;

/**
 * Makes the redaction of some rules. What they don't say has its default, and so has what is of another kind: the recorder
 * reads them from the page.
 */
export function createRedaction(rules: Partial<RedactionRules> = {}): Redaction {
  const disabled = toList(rules.disabledPatterns);
  const custom = compilePatterns(toList(rules.customPatterns));
  const free = createTextRedaction(
    PATTERN_NAMES.filter((name) => !disabled.includes(name)),
    custom,
  );
  const dom = createTextRedaction(toList(rules.domPatterns), custom);
  const { redact: url, redactAttribute: urlAttribute } = createUrlRedaction(
    rules.urlMode ?? "strip",
    toList(rules.urlParamAllowlist),
    toList(rules.urlParamDenylist),
    free,
  );

  /** Inside something that ought to be an address any text may be one. */
  const urlOrText = (text: string) => free.redact(url(text));

  function redactShape<T>(value: T, shape: Shape): T {
    if (shape === "url") return typeof value === "string" ? (url(value) as T) : redactDeep(value, urlOrText, MAX_DEPTH);
    if (shape === "keep" && typeof value !== "object") return value;
    if (typeof shape !== "object" || !isRecord(value)) return redactDeep(value, free.redact, MAX_DEPTH);
    return redactFields(value, (name, field) => {
      const known = own(shape, name);
      return known ? [name, redactShape(field, known)] : [free.redact(name), redactShape(field, "text")];
    });
  }

  return {
    readsDom: dom.isOn,
    mayMatch: free.mayMatch,
    text: free.redact,
    url,
    urlAttribute,
    event(event) {
      const { type, data } = event;
      if (type === EventType.Meta) return redactShape(event, META);
      if (type === EventType.Custom) {
        const tag = isRecord(data) ? data.tag : null;
        const payload = (typeof tag === "string" && own(PAYLOADS, tag)) || "text";
        return redactShape(event, { ...EVENT, data: { tag: "text", payload } });
      }
      if (!dom.isOn) return event;
      const redacted = redactDeep(data, dom.redact, MAX_DOM_DEPTH);
      return redacted === data ? event : { ...event, data: redacted };
    },
    metadata: (metadata) => redactShape(metadata, METADATA),
  };
}

function toList<T>(given: readonly T[] | undefined): readonly T[] {
  return Array.isArray(given) ? given : [];
}

/** All texts in a value, names of fields among them. */
function redactDeep<T>(value: T, redact: (text: string) => string, depth: number): T;
function redactDeep(value: unknown, redact: (text: string) => string, depth: number): unknown {
  if (typeof value === "string") return redact(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return TOKEN;
  if (!Array.isArray(value)) {
    return redactFields(value, (name, field) => [redact(name), redactDeep(field, redact, depth - 1)]);
  }
  const items = value.map((item: unknown) => redactDeep(item, redact, depth - 1));
  return items.some((item, index) => item !== value[index]) ? items : value;
}

function redactFields<T extends object>(fields: T, redact: (name: string, field: unknown) => [string, unknown]): T {
  let isSame = true;
  const entries = Object.entries(fields).map(([name, field]) => {
    const entry = redact(name, field);
    isSame &&= entry[0] === name && entry[1] === field;
    return entry;
  });
  // `fromEntries` defines own properties, so `__proto__` is only a name; of two that became one the last stays.
  return isSame ? fields : (Object.fromEntries(entries) as T);
}

function own(shapes: Readonly<Record<string, Shape>>, name: string): Shape | undefined {
  return Object.hasOwn(shapes, name) ? shapes[name] : undefined;
}
