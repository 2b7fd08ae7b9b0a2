import * as v from "valibot";
import type { RecordedEvent } from "../types.ts";
import { PATTERN_NAMES, type CustomPattern, type PatternName } from "./patterns.ts";
import type { RedactionRules } from "./redaction.ts";
import type { UrlMode } from "./url.ts";

/** What is redacted, as a host says it. The recorder and the server redact by the same rules. */
export interface RedactionOptions {
  /**
   * What is kept of addresses: `strip` cuts them at `?` and `#`; `keepFiltered` keeps parameters, but for those with a
   * secret name such as `token`, and redacts their values; `keepAll` keeps them as they are. @default "strip"
   */
  urlMode?: UrlMode;
  /** Parameters that `keepFiltered` keeps as they are. A denied name stays denied. @default [] */
  urlParamAllowlist?: string[];
  /** Parameters that `keepFiltered` leaves out, besides the built-in names. @default [] */
  urlParamDenylist?: string[];
  /** Built-in patterns that are not applied: `url`, `jwt`, `email`, `longHex`, `card`. @default [] */
  disabledPatterns?: PatternName[];
  /**
   * Patterns of your own, applied after the built-in ones, and to recorded pages too: at most 50, of at most 1,000
   * characters. They run on what strangers send, so one that backtracks can hold the server. @default []
   */
  customPatterns?: (RegExp | { source: string; flags?: string })[];
  /** Built-in patterns that are applied to recorded pages too, whose every text is then looked at. @default [] */
  domPatterns?: PatternName[];
  /**
   * Sees each event before it is stored, after everything above; returns the event to keep, changed or not, or null to
   * drop it. An event is dropped when this throws. With it every body is written again, so ingest costs about twice as
   * much.
   */
  redactEvent?: RedactEvent;
}

/** The host's own rule, on the server. */
export type RedactEvent = (event: RecordedEvent) => RecordedEvent | null | undefined;

/** Rules that can be sent to the recorder, and what stays on the server. */
export interface ResolvedRedaction {
  readonly rules: RedactionRules;
  readonly redactEvent: RedactEvent | undefined;
}

const MAX_CUSTOM_PATTERNS = 50;
const MAX_PATTERN_CHARS = 1_000;

const A_PATTERN = "must be a RegExp, or { source, flags }";

const PatternNames = v.optional(
  v.array(v.picklist(PATTERN_NAMES, `must be one of ${PATTERN_NAMES.join(", ")}`), "must be a list"),
  [],
);

const ParamNames = v.optional(v.array(v.pipe(v.string("must be a name"), v.nonEmpty("must be a name"))), []);

const Pattern = v.pipe(
  v.custom<RegExp | { source: string; flags?: string }>(isPattern, A_PATTERN),
  v.check(({ source }) => source.length <= MAX_PATTERN_CHARS, `must have at most ${MAX_PATTERN_CHARS} characters`),
  v.check((pattern) => compile(pattern) !== null, "must be a pattern that this runtime can read"),
  v.check((pattern) => !compile(pattern)?.test(""), "must not match the empty text"),
  v.transform(({ source, flags = "" }): CustomPattern =>
    Object.freeze({
      source,
      flags: flags.includes("g") ? flags : `${flags}g`,
    }),
  ),
);

/**
 * Checks {@link RedactionOptions} and fills in defaults. A `RegExp` becomes its source and flags, `g` among them, so that
 * the rules are JSON.
 */
export const RedactionSchema: v.GenericSchema<RedactionOptions, ResolvedRedaction> = v.pipe(
  v.strictObject({
    urlMode: v.optional(
      v.picklist(["strip", "keepFiltered", "keepAll"], 'must be "strip", "keepFiltered" or "keepAll"'),
      "strip",
    ),
    urlParamAllowlist: ParamNames,
    urlParamDenylist: ParamNames,
    disabledPatterns: PatternNames,
    customPatterns: v.optional(
      v.pipe(
        v.array(Pattern, "must be a list"),
        v.maxLength(MAX_CUSTOM_PATTERNS, `must hold at most ${MAX_CUSTOM_PATTERNS} patterns`),
      ),
      [],
    ),
    domPatterns: PatternNames,
    redactEvent: v.optional(v.custom<RedactEvent>((value) => typeof value === "function", "must be a function")),
  }),
  v.transform(({ redactEvent, ...rules }) => ({ rules: freeze(rules), redactEvent })),
);

function isPattern(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("source" in value) || typeof value.source !== "string")
    return false;
  return !("flags" in value) || value.flags === undefined || typeof value.flags === "string";
}

function compile({ source, flags }: { source: string; flags?: string }): RegExp | null {
  try {
    return new RegExp(source, flags);
  } catch {
    return null;
  }
}

function freeze(rules: RedactionRules): RedactionRules {
  for (const list of Object.values(rules)) Object.freeze(list);
  return Object.freeze(rules);
}
