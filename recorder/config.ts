import { isRecord } from "../src/rrweb/events.ts";

/**
 * What the page hands to the recorder as JSON. Nothing in it is trusted; only `eventsUrl` is needed. Rates go from 0 to 1,
 * lists are of texts, a text in a list of addresses may hold `*` for anything.
 */
export interface RecorderConfig {
  /** Address of the events lane. */
  readonly eventsUrl: string;

  /** Longest time an event waits, ms. @default 10000 */
  readonly flushIntervalMs?: unknown;
  /** Events that make an upload at once. @default 50 */
  readonly flushEventThreshold?: unknown;
  /** Whether uploads that could not be sent wait in IndexedDB for the next visit, a day at most. @default false */
  readonly keepUnsent?: unknown;

  /** A session ends after this long without activity, ms. @default 21600000 (6 h) */
  readonly sessionIdleTimeoutMs?: unknown;
  /** A session ends at this age, ms. @default 604800000 (7 d) */
  readonly sessionMaxAgeMs?: unknown;
  /** Whether the tabs of a browser share one session. @default true */
  readonly crossTabSessions?: unknown;

  /** Recording pauses after this long without activity, ms. @default 300000 (5 min) */
  readonly idlePauseMs?: unknown;
  /** A stretch ends after this long without activity, ms; the next activity begins another one. @default 900000 (15 min) */
  readonly idleEndMs?: unknown;
  /** A stretch ends at this length, ms. @default 3600000 (60 min) */
  readonly maxRecordingMs?: unknown;
  /** What counts as activity: clicks and navigation, or everything that a person does. @default "clicks" */
  readonly activity?: unknown;

  /** Share of the sessions that is recorded. @default 1 */
  readonly sessionSampleRate?: unknown;
  /** Share of the others of which the last minute is sent when something goes wrong. @default 0 */
  readonly errorSampleRate?: unknown;
  /** Only these addresses are recorded, such as `https://shop.example/checkout/*`; all when empty. @default [] */
  readonly includeUrls?: unknown;
  /** These addresses are never recorded. @default [] */
  readonly excludeUrls?: unknown;
  /** A visit to one of these sends what was only held. @default [] */
  readonly triggerUrls?: unknown;
  /** A recording shorter than this is never sent, ms. @default 0 */
  readonly minReplayDurationMs?: unknown;

  /** Whether nothing at all happens before `Sentiero.optIn()`. @default false */
  readonly requireConsent?: unknown;
  /** Whether Global Privacy Control keeps the recorder off. @default true */
  readonly respectGpc?: unknown;
  /** Cookie and localStorage item that keep the recorder off; without it nobody can opt out for good. */
  readonly optOutCookieName?: unknown;

  /** `strict` masks texts, attributes, media and addresses; `balanced` masks what is typed and what is secret. @default "balanced" */
  readonly privacy?: unknown;
  /** Whether every input is masked. Passwords always are. @default true */
  readonly maskAllInputs?: unknown;
  /** What is cut out of texts and addresses; see `RedactionRules` in `src/privacy`. */
  readonly redaction?: unknown;

  /** Whether address, referrer, browser and viewport are sent along. @default true */
  readonly captureMetadata?: unknown;
  /** Whether errors and unhandled rejections are recorded. @default true */
  readonly captureErrors?: unknown;
  /** Whether clicks are recorded with what they hit. @default true */
  readonly captureClicks?: unknown;
  /** Whether LCP, CLS and INP are measured. @default true */
  readonly captureWebVitals?: unknown;
  /** Whether sent forms are recorded, without their values. @default true */
  readonly trackForms?: unknown;
  /** Whether clicked links and changes of the address are recorded. @default true */
  readonly trackNavigation?: unknown;
  /** Whether `data-sentiero-track-…` attributes are heeded. @default true */
  readonly trackCustomEvents?: unknown;
  /** Levels of the console that are recorded, such as `["error", "warn"]`. @default [] */
  readonly captureConsole?: unknown;
  /** Whether requests of the page are recorded with time and status. @default false */
  readonly captureNetwork?: unknown;
  /**
   * Wraps fetch and XMLHttpRequest, for method and status of all requests, and for headers and bodies where the lists allow
   * it: `{ urls: [], requestHeaders: [], responseHeaders: [], bodies: false }`. @default undefined: not wrapped
   */
  readonly captureRequests?: unknown;
  /** Names of `identify` traits that are sent. @default [] */
  readonly captureTraits?: unknown;
  /** Whether web fonts are recorded. @default false */
  readonly captureFonts?: unknown;
  /** Whether images are recorded with their contents. @default false */
  readonly captureImages?: unknown;
  /**
   * Takes pictures of canvases that are seen; `true`, or `{ fps: 1, quality: 0.5, maxWidth: 1000 }`, 4 pictures a second at
   * most. Not with `strict`. @default false
   */
  readonly captureCanvas?: unknown;
  /** Frames of these origins are recorded where they say so, such as `https://pay.example`. @default [] */
  readonly frameOrigins?: unknown;
  /** In a frame: its recording belongs to that of the page around it, of this origin. @default undefined */
  readonly parentOrigin?: unknown;

  /** Longest piece of work in one go, ms. @default 16 */
  readonly taskBudgetMs?: unknown;
  /** Changes of the page are merged for at most this long, ms. @default 500 */
  readonly mergeWindowMs?: unknown;
  /** Options of rrweb's `record`, as far as JSON can say them. */
  readonly recorderOptions?: unknown;
}

/** Which requests are recorded with headers and bodies. */
export interface RequestRules {
  readonly urls: readonly string[];
  /** Lower case. */
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
  readonly bodies: boolean;
}

/** A complete configuration; each field means what it means in {@link RecorderConfig}. */
export interface ResolvedConfig {
  readonly eventsUrl: string;
  readonly flushIntervalMs: number;
  readonly flushEventThreshold: number;
  readonly keepUnsent: boolean;
  readonly sessionIdleTimeoutMs: number;
  readonly sessionMaxAgeMs: number;
  readonly crossTabSessions: boolean;
  readonly idlePauseMs: number;
  readonly idleEndMs: number;
  readonly maxRecordingMs: number;
  readonly activity: "clicks" | "all";
  readonly sessionSampleRate: number;
  readonly errorSampleRate: number;
  readonly includeUrls: readonly string[];
  readonly excludeUrls: readonly string[];
  readonly triggerUrls: readonly string[];
  readonly minReplayDurationMs: number;
  readonly privacy: "strict" | "balanced";
  readonly maskAllInputs: boolean;
  readonly redaction: Readonly<Record<string, unknown>>;
  readonly captureMetadata: boolean;
  readonly captureErrors: boolean;
  readonly captureClicks: boolean;
  readonly captureWebVitals: boolean;
  readonly trackForms: boolean;
  readonly trackNavigation: boolean;
  readonly trackCustomEvents: boolean;
  readonly captureConsole: readonly string[];
  readonly captureNetwork: boolean;
  /** Null: nothing is wrapped. */
  readonly captureRequests: RequestRules | null;
  readonly captureTraits: readonly string[];
  readonly captureFonts: boolean;
  readonly captureImages: boolean;
  /** Null: no pictures. */
  readonly captureCanvas: Readonly<Record<string, unknown>> | null;
  readonly frameOrigins: readonly string[];
  readonly taskBudgetMs: number;
  readonly mergeWindowMs: number;
  readonly recorderOptions: Readonly<Record<string, unknown>>;
}

/** What decides whether a session is recorded at all; asked before anything else is loaded. */
export function resolveSampling(
  config: Partial<RecorderConfig>,
): Pick<ResolvedConfig, "sessionIdleTimeoutMs" | "sessionMaxAgeMs" | "sessionSampleRate" | "errorSampleRate"> {
  return {
    sessionIdleTimeoutMs: toPositive(config.sessionIdleTimeoutMs, 21_600_000),
    sessionMaxAgeMs: toPositive(config.sessionMaxAgeMs, 604_800_000),
    sessionSampleRate: toRate(config.sessionSampleRate, 1),
    errorSampleRate: toRate(config.errorSampleRate, 0),
  };
}

/** Fields of which a value has to be like the default: a number above 0, a switch, a list of texts, an object. */
const DEFAULTS = {
  flushIntervalMs: 10_000,
  flushEventThreshold: 50,
  keepUnsent: false,
  crossTabSessions: true,
  idlePauseMs: 300_000,
  idleEndMs: 900_000,
  maxRecordingMs: 3_600_000,
  includeUrls: [],
  excludeUrls: [],
  triggerUrls: [],
  minReplayDurationMs: 0,
  redaction: {},
  captureMetadata: true,
  captureErrors: true,
  captureClicks: true,
  captureWebVitals: true,
  trackForms: true,
  trackNavigation: true,
  trackCustomEvents: true,
  captureConsole: [],
  captureNetwork: false,
  captureTraits: [],
  captureFonts: false,
  captureImages: false,
  frameOrigins: [],
  taskBudgetMs: 16,
  mergeWindowMs: 500,
  recorderOptions: {},
} satisfies Partial<ResolvedConfig>;

/** Fills in defaults; a value of the wrong kind counts as not given. */
export function resolveConfig(config: RecorderConfig): ResolvedConfig {
  const { activity, captureCanvas, captureRequests, eventsUrl, maskAllInputs, privacy } = config;
  const entries = Object.entries(DEFAULTS).map(([name, fallback]) => {
    return [name, orDefault(config[name as keyof RecorderConfig], fallback)];
  });
  const plain = Object.fromEntries(entries) as Pick<ResolvedConfig, keyof typeof DEFAULTS>;
  return {
    ...plain,
    ...resolveSampling(config),
    eventsUrl,
    activity: activity === "all" ? activity : "clicks",
    privacy: privacy === "strict" ? privacy : "balanced",
    maskAllInputs: (maskAllInputs ?? plain.recorderOptions.maskAllInputs) !== false,
    captureRequests: toRequestRules(captureRequests),
    captureCanvas: captureCanvas === true ? {} : isRecord(captureCanvas) ? captureCanvas : null,
    mergeWindowMs: Math.min(plain.mergeWindowMs, DEFAULTS.mergeWindowMs),
  };
}

function orDefault(value: unknown, fallback: (typeof DEFAULTS)[keyof typeof DEFAULTS]): unknown {
  if (typeof fallback === "number") return toPositive(value, fallback);
  if (typeof fallback === "boolean") return typeof value === "boolean" ? value : fallback;
  return Array.isArray(fallback) ? toTexts(value) : isRecord(value) ? value : fallback;
}

function toPositive(value: unknown, fallback: number): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : fallback;
}

function toRate(value: unknown, fallback: number): number {
  return typeof value === "number" && value >= 0 && value <= 1 ? value : fallback;
}

function toTexts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((text): text is string => typeof text === "string" && text !== "") : [];
}

function toRequestRules(value: unknown): RequestRules | null {
  if (!isRecord(value)) return null;
  const lower = (texts: unknown) => toTexts(texts).map((text) => text.toLowerCase());
  return {
    urls: toTexts(value.urls),
    requestHeaders: lower(value.requestHeaders),
    responseHeaders: lower(value.responseHeaders),
    bodies: value.bodies === true,
  };
}
