import * as v from "valibot";

/**
 * Options that reach the recorder in a page's configuration. What is not given is left to the recorder's defaults, which
 * are told here. A text in a list of addresses may hold `*` for anything.
 */
export interface RecorderOptions {
  /** How often the recorder sends. @default 10000 */
  flushIntervalMs?: number;
  /** It sends earlier when this many events wait. @default 50 */
  flushEventThreshold?: number;
  /** Uploads that could not be sent wait in the browser's IndexedDB for the next visit, a day at most. @default false */
  keepUnsent?: boolean;

  /** A session ends after this long without activity. @default 21600000 (6 hours) */
  sessionIdleTimeoutMs?: number;
  /** A session ends after this long in any case. @default 604800000 (7 days) */
  sessionMaxAgeMs?: number;
  /** Tabs of one browser share a session. @default true */
  crossTabSessions?: boolean;

  /** Recording pauses after this long without activity. @default 300000 (5 minutes) */
  idlePauseMs?: number;
  /** It ends after this long without activity; the next activity begins it anew. @default 900000 (15 minutes) */
  idleEndMs?: number;
  /** It ends after this long in any case; the next activity begins it anew. @default 3600000 (60 minutes) */
  maxRecordingMs?: number;
  /** What counts as activity: clicks and navigation, or everything that a person does. @default "clicks" */
  activity?: "clicks" | "all";

  /** Share of the sessions that is recorded, 0 to 1. @default 1 */
  sessionSampleRate?: number;
  /**
   * Share of the others, 0 to 1, that is held in the browser, one minute long, and sent from there on when an error, a rage
   * click, an event of the page's own or one of `triggerUrls` comes. @default 0
   */
  errorSampleRate?: number;
  /** Only these addresses are recorded, such as `https://shop.example/checkout/*`. @default []: all */
  includeUrls?: string[];
  /** These addresses are never recorded. @default [] */
  excludeUrls?: string[];
  /** A visit to one of these sends what `errorSampleRate` holds. @default [] */
  triggerUrls?: string[];
  /** A recording shorter than this is never sent. @default 0 */
  minReplayDurationMs?: number;

  /** Nothing happens in the browser before the page calls `Sentiero.optIn()`. @default false */
  requireConsent?: boolean;

  /**
   * `balanced` masks what is typed, every hint and value of forms, and tokens in addresses; it shows the page's texts.
   * `strict` masks texts, attributes, media and addresses too. @default "balanced"
   */
  privacy?: "balanced" | "strict";
  /** Mask what is typed into every field. Passwords are masked whatever this says. @default true */
  maskAllInputs?: boolean;

  /** Send address, referrer, user agent and viewport with each page. @default true */
  captureMetadata?: boolean;
  /** Record errors and unhandled rejections. @default true */
  captureErrors?: boolean;
  /** Record clicks with what they hit. @default true */
  captureClicks?: boolean;
  /** Measure LCP, CLS and INP. @default true */
  captureWebVitals?: boolean;
  /** Record which forms are sent, without their values. @default true */
  trackForms?: boolean;
  /** Record clicked links and changes of the address. @default true */
  trackNavigation?: boolean;
  /** Heed `data-sentiero-track-…` attributes. @default true */
  trackCustomEvents?: boolean;
  /** Levels of the console that are recorded. @default [] */
  captureConsole?: ("error" | "warn" | "info" | "log" | "debug")[];
  /** Record the page's requests with time and status. @default false */
  captureNetwork?: boolean;
  /**
   * Wrap fetch and XMLHttpRequest: all requests with method and status, and those to `urls` with the headers that are named,
   * and bodies where `bodies` says so. @default undefined: nothing is wrapped
   */
  captureRequests?: {
    urls?: string[];
    requestHeaders?: string[];
    responseHeaders?: string[];
    bodies?: boolean;
  };
  /** Names of the traits that `Sentiero.identify()` may send. @default [] */
  captureTraits?: string[];
  /** Record web fonts. @default false */
  captureFonts?: boolean;
  /** Record images with their contents. @default false */
  captureImages?: boolean;
  /**
   * Record pictures of the canvases that are seen, so often a second (1, at most 4), with this quality (0 to 1, 0.5) and at
   * most so wide in px (1000). Nothing in them is masked; with `strict` there are none. @default false
   */
  captureCanvas?: boolean | { fps?: number; quality?: number; maxWidth?: number };
  /** Frames of these origins are recorded, where they have a recorder with `parentOrigin`. @default [] */
  frameOrigins?: string[];
  /**
   * For pages that are shown in a frame of a page of this origin, such as `https://shop.example`: they are recorded as a part
   * of that page, with the masking of their own, and in no other place. @default undefined
   */
  parentOrigin?: string;

  /** The recorder's longest piece of work in one go. @default 16 */
  taskBudgetMs?: number;
  /** Changes of the page are merged for so long, 500 at most. @default 500 */
  mergeWindowMs?: number;
  /** Further options for rrweb's `record`, such as `{ sampling: { mousemove: 100 } }`. Privacy options above win. @default {} */
  recorderOptions?: Record<string, unknown>;
}

const flag = v.optional(v.boolean("must be true or false"));

const whole = v.optional(
  v.pipe(
    v.number("must be a positive integer"),
    v.safeInteger("must be a positive integer"),
    v.minValue(1, "must be a positive integer"),
  ),
);

const rate = v.optional(
  v.pipe(
    v.number("must be a number from 0 to 1"),
    v.minValue(0, "must be a number from 0 to 1"),
    v.maxValue(1, "must be a number from 0 to 1"),
  ),
);

const texts = v.optional(
  v.array(v.pipe(v.string("must be a list of texts"), v.minLength(1, "must not be empty")), "must be a list of texts"),
);

const origin = v.pipe(
  v.string("must be an origin such as https://shop.example"),
  v.check(
    (text) => URL.canParse(text) && /^https?:/.test(text) && new URL(text).origin === text,
    "must be an origin such as https://shop.example",
  ),
);

/** `min` and `max` are allowed themselves. */
function within(min: number, max: number) {
  const message = `must be a number from ${min} to ${max}`;
  return v.optional(v.pipe(v.number(message), v.minValue(min, message), v.maxValue(max, message)));
}

type Entries = {
  readonly [Name in keyof RecorderOptions]-?: v.GenericSchema<RecorderOptions[Name], RecorderOptions[Name]>;
};

/** The entries of these options in the schema of all options. */
export const recorderEntries: Entries = {
  flushIntervalMs: whole,
  flushEventThreshold: whole,
  keepUnsent: flag,
  sessionIdleTimeoutMs: whole,
  sessionMaxAgeMs: whole,
  crossTabSessions: flag,
  idlePauseMs: whole,
  idleEndMs: whole,
  maxRecordingMs: whole,
  activity: v.optional(v.picklist(["clicks", "all"], 'must be "clicks" or "all"')),
  sessionSampleRate: rate,
  errorSampleRate: rate,
  includeUrls: texts,
  excludeUrls: texts,
  triggerUrls: texts,
  minReplayDurationMs: whole,
  requireConsent: flag,
  privacy: v.optional(v.picklist(["balanced", "strict"], 'must be "balanced" or "strict"')),
  maskAllInputs: flag,
  captureMetadata: flag,
  captureErrors: flag,
  captureClicks: flag,
  captureWebVitals: flag,
  trackForms: flag,
  trackNavigation: flag,
  trackCustomEvents: flag,
  captureConsole: v.optional(
    v.array(
      v.picklist(["error", "warn", "info", "log", "debug"], "must be a list of levels such as error and warn"),
      "must be a list of levels such as error and warn",
    ),
  ),
  captureNetwork: flag,
  captureRequests: v.optional(
    v.strictObject({ urls: texts, requestHeaders: texts, responseHeaders: texts, bodies: flag }),
  ),
  captureTraits: texts,
  captureFonts: flag,
  captureImages: flag,
  captureCanvas: v.optional(
    v.union(
      [v.boolean(), v.strictObject({ fps: within(0.01, 4), quality: rate, maxWidth: whole })],
      "must be true, false, or an object of fps (0.01 to 4), quality (0 to 1) and maxWidth (px)",
    ),
  ),
  frameOrigins: v.optional(v.array(origin, "must be a list of origins")),
  parentOrigin: v.optional(origin),
  taskBudgetMs: whole,
  mergeWindowMs: v.optional(v.pipe(whole.wrapped, v.maxValue(500, "must be at most 500"))),
  recorderOptions: v.optional(v.record(v.string(), v.unknown(), "must be an object")),
};

const NAMES = Object.keys(recorderEntries) as (keyof RecorderOptions)[];

/** What of the options a page's configuration says. */
export function toRecorderConfig(options: RecorderOptions): Record<string, unknown> {
  return Object.fromEntries(NAMES.map((name) => [name, options[name]]).filter(([, value]) => value !== undefined));
}
