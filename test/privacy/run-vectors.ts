import type { createRedaction, Redaction, RedactionRules } from "../../src/privacy/redaction.ts";
import type { UrlMode } from "../../src/privacy/url.ts";
import type { RecordedEvent } from "../../src/types.ts";

/** One case of `vectors.json`: what goes into a function of the engine, and what comes out. */
export interface Vector {
  readonly name: string;
  readonly call: "text" | "url" | "urlAttribute" | "event" | "metadata";
  readonly rules?: Partial<RedactionRules>;
  /** Of `urlAttribute`. */
  readonly mode?: UrlMode;
  readonly input: unknown;
  readonly expected: unknown;
}

/** Runs one case; anywhere, so that a page can run the same file: it takes the engine it is given, and JSON. */
export function runVector(create: typeof createRedaction, vector: Vector): unknown {
  return call(create(vector.rules), vector, vector.input);
}

/** The same, given its own answer. */
export function runVectorTwice(create: typeof createRedaction, vector: Vector): unknown {
  const redaction = create(vector.rules);
  return call(redaction, vector, call(redaction, vector, vector.input));
}

function call(redaction: Redaction, { call, mode }: Vector, input: unknown): unknown {
  switch (call) {
    case "event":
      return redaction.event(input as RecordedEvent);
    case "metadata":
      return redaction.metadata(input as Record<string, unknown>);
    case "urlAttribute":
      return redaction.urlAttribute(input as string, mode);
    default:
      return redaction[call](input as string);
  }
}
