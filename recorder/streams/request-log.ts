import type { HeaderFilter } from "./request-headers.ts";

/** What is told of a request; headers and bodies only where the configuration allows it. */
export interface RequestOutcome {
  readonly type: "fetch" | "xhr";
  readonly method: string;
  readonly url: string;
  /** Left out: no answer, or one that the page may not look at. */
  readonly status?: number;
  /** Epoch ms. */
  readonly startedAt: number;
  readonly durationMs: number;
  /** "AbortError", "NetworkError", "TimeoutError", or the name of what fetch threw. */
  readonly error?: string;
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly responseHeaders?: Readonly<Record<string, string>>;
  /** At most 10 KB of text, like `responseBody`. */
  readonly requestBody?: string;
  readonly responseBody?: string;
}

/** What the watchers of fetch and XMLHttpRequest share. */
export interface RequestLog {
  /** What may be told of a request to this address beside its outcome; null where it is one of our own. */
  detailsFor(url: string): RequestDetails | null;
  record(outcome: RequestOutcome): void;
}

/** What the lists of the configuration allow for one address. */
export interface RequestDetails {
  readonly hasBodies: boolean;
  readonly requestHeaders: HeaderFilter;
  readonly responseHeaders: HeaderFilter;
}
