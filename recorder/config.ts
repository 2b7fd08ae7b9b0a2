import { isRecord } from "../src/rrweb/events.ts";
/** What the page hands to the recorder as JSON. Nothing in it is trusted; only `eventsUrl` is needed. */
export interface RecorderConfig {
  /** Address of the events lane. */
  readonly eventsUrl: string;
  /** Longest time an event waits, ms. @default 10000 */
  readonly flushIntervalMs?: unknown;
  /** Events that make an upload at once. @default 50 */
  readonly flushEventThreshold?: unknown;
  /** A session ends after this long without activity, ms. @default 21600000 (6 h) */
  readonly sessionIdleTimeoutMs?: unknown;
  /** A session ends at this age, ms. @default 604800000 (7 d) */
  readonly sessionMaxAgeMs?: unknown;
  /** Whether the tabs of a browser share one session. @default true */
  readonly crossTabSessions?: unknown;
  /** Whether address, referrer, browser and viewport are sent along. @default true */
  readonly captureMetadata?: unknown;
  /** Whether Global Privacy Control keeps the recorder off. @default true */
  readonly respectGpc?: unknown;
  /** Cookie and localStorage item that keep the recorder off; without it nobody can opt out for good. */
  readonly optOutCookieName?: unknown;
  /** Whether every input is masked. Passwords always are. @default true */
  readonly maskAllInputs?: unknown;
  /** Options of rrweb's `record`, as far as JSON can say them. */
  readonly recorderOptions?: unknown;
}

/** A complete configuration. */
export interface ResolvedConfig {
  readonly eventsUrl: string;
  readonly flushIntervalMs: number;
  readonly flushEventThreshold: number;
  readonly sessionIdleTimeoutMs: number;
  readonly sessionMaxAgeMs: number;
  readonly crossTabSessions: boolean;
  readonly captureMetadata: boolean;
  readonly maskAllInputs: boolean;
  readonly recorderOptions: Readonly<Record<string, unknown>>;
}

/** Fills in defaults; a value of the wrong kind counts as not given. */
export function resolveConfig(config: RecorderConfig): ResolvedConfig {
  const recorderOptions = isRecord(config.recorderOptions) ? config.recorderOptions : {};
  return {
    eventsUrl: config.eventsUrl,
    flushIntervalMs: toPositive(config.flushIntervalMs, 10_000),
    flushEventThreshold: toPositive(config.flushEventThreshold, 50),
    sessionIdleTimeoutMs: toPositive(config.sessionIdleTimeoutMs, 21_600_000),
    sessionMaxAgeMs: toPositive(config.sessionMaxAgeMs, 604_800_000),
    crossTabSessions: config.crossTabSessions !== false,
    captureMetadata: config.captureMetadata !== false,
    maskAllInputs: (config.maskAllInputs ?? recorderOptions.maskAllInputs) !== false,
    recorderOptions,
  };
}

function toPositive(value: unknown, fallback: number): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : fallback;
}
