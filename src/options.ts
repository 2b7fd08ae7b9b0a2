import type { Storage } from "unstorage";
import * as v from "valibot";
import { SentieroError } from "./errors.ts";
import type { Auth, Authorize } from "./http/auth.ts";
import { createWebPlatform, type Platform } from "./platform.ts";
import { recorderEntries, type RecorderOptions } from "./recorder-options.ts";
import type { RedactionRules } from "./privacy/redaction.ts";
import { RedactionSchema, type RedactEvent, type RedactionOptions } from "./privacy/rules.ts";
import type { Codec } from "./storage/codec.ts";

/** Options of `createSentiero`. Everything has a default; unknown names are errors. */
export type SentieroOptions = BaseOptions & DashboardAccess;

/** Who may open the dashboard: one of these ways, or nobody. */
export type DashboardAccess =
  | { basicAuth?: undefined; authorize?: undefined; allowInsecureDashboard?: false }
  | { basicAuth: BasicAuth; authorize?: undefined; allowInsecureDashboard?: false }
  | { basicAuth?: undefined; authorize: Authorize; allowInsecureDashboard?: false }
  | { basicAuth?: undefined; authorize?: undefined; allowInsecureDashboard: true };

/** One user for HTTP Basic. Neither may be blank; the user may not contain a colon. */
export interface BasicAuth {
  user: string;
  password: string;
}

interface BaseOptions extends RecorderOptions {
  /**
   * Where everything is kept: a storage of unstorage, whatever its driver. A mount `batches` keeps recordings elsewhere
   * than what is known of them. See docs/storage.md for what each backend promises.
   * @default memory, at most 256 MiB, gone at restart
   *
   * Not the whole type: those of two copies of unstorage exclude each other, and a project often has a copy of its own.
   */
  storage?: Pick<Storage, "getItemRaw" | "getKeys" | "getMount" | "keys" | "setItemRaw">;
  /** Full public path of the handler. @default "/sentiero" */
  basePath?: string;
  /** Exact origins of other sites whose pages may send recordings, such as `https://shop.example`. @default [] */
  corsOrigins?: string[];
  /** Refuse recordings from pages of origins that are neither ours nor listed. @default true */
  enforceOrigin?: boolean;
  /** The address under which browsers reach this server, such as `https://app.example`. @default the request's own */
  publicUrl?: string;
  /** Believe `X-Forwarded-*`. Only behind a proxy that sets them: otherwise any client can. @default false */
  trustProxy?: boolean;
  /** Store nothing of browsers that send `Sec-GPC: 1`, and do not record there. @default true */
  respectGpc?: boolean;
  /** Let visitors opt out with `Sentiero.optOut()`; the server honours the cookie too. @default false */
  userOptOut?: boolean;
  /** @default "sentiero_optout" */
  optOutCookieName?: string;
  /** What is redacted, by the recorder and again before anything is stored. See docs/privacy.md. */
  redaction?: RedactionOptions;
  /**
   * What an answered recording survives, where the backend lets us choose (SQLite): `power` waits for the disk,
   * `process` survives the end of the process only. @default "power"
   */
  durability?: "power" | "process";
  /** Sessions whose last batch is older than this are removed. @default undefined: kept for ever */
  retentionDays?: number;
  /** A session without new batches for this long is settled: its batches are joined. @default 1800000 (30 minutes) */
  settleAfterMs?: number;
  /** A batch that comes so long after a settled session's last one begins a new session. @default 604800000 (7 days) */
  lateAfterMs?: number;
  /**
   * Settle sessions and keep retention from a timer in this process. Without it, call `sentiero.maintain()` yourself, as
   * the Workers adapter does from `scheduled()`. @default true, but on Workers
   */
  maintenance?: boolean;
  /** Goes around everything that is kept: encryption at rest, or keys that are destroyed to erase. @default identity */
  codec?: Codec;
  limits?: {
    /** Bytes of a request body as received. @default 8388608 (8 MiB) */
    maxBodyBytes?: number;
    /** Bytes it may inflate to; at most 24 MiB on Workers. @default 67108864 (64 MiB) */
    maxInflatedBytes?: number;
    /** Events in one batch. @default 100000 */
    maxEventsPerBatch?: number;
    /** Bytes the memory store keeps before it drops the oldest session. @default 268435456 (256 MiB) */
    maxMemoryBytes?: number;
    /** Bytes of bodies that are worked on at once, as received and inflated; above it 503. @default 67108864 (64 MiB) */
    maxInflightBytes?: number;
    /** Sessions that are kept; the oldest go first. @default undefined: no limit */
    maxSessions?: number;
    /** Events of one session; above it, it stops growing. @default undefined: no limit */
    maxEventsPerSession?: number;
    /** Stored bytes of one session; above it, it stops growing. @default 104857600 (100 MiB) */
    maxBytesPerSession?: number;
    /** Bytes taken in on one day (UTC), about; above it, recordings get 429 until midnight. @default 5368709120 (5 GiB) */
    maxBytesPerDay?: number;
  };
  /** Only who began a session may add to it: later batches must carry its key, where the first one had one. @default true */
  bindSessions?: boolean;
  /** Gets every error that a client is told nothing about. @default console.error */
  onError?: (error: unknown) => void;
  /** The server's clock, epoch ms: a seam for tests and imports. @default Date.now */
  clock?: () => number;
  /** Native functions of the runtime. @default Web APIs */
  platform?: Partial<Platform>;
}

/** Options with every default filled in. Frozen. */
export type ResolvedOptions = Readonly<
  Omit<
    Required<Omit<BaseOptions, keyof RecorderOptions>>,
    "storage" | "publicUrl" | "redaction" | "limits" | "platform" | "retentionDays" | "codec"
  > &
    RecorderOptions & {
      sessionMaxAgeMs: number;
      storage: Storage | undefined;
      publicUrl: string | undefined;
      auth: Auth;
      /** What is redacted, as JSON, so that the recorder can have it too. */
      redaction: RedactionRules;
      redactEvent: RedactEvent | undefined;
      retentionDays: number | undefined;
      codec: Codec | undefined;
      limits: Readonly<
        Required<Omit<NonNullable<BaseOptions["limits"]>, "maxSessions" | "maxEventsPerSession">> & {
          maxSessions: number | undefined;
          maxEventsPerSession: number | undefined;
        }
      >;
      platform: Platform;
    }
>;

/**
 * Checks options and fills in defaults.
 * @throws SentieroError INVALID_OPTIONS naming the path, what was expected and what was given.
 */
export function resolveOptions(options: SentieroOptions = {}): ResolvedOptions {
  const result = v.safeParse(Schema, options);
  if (!result.success) throw new SentieroError("INVALID_OPTIONS", describe(result.issues[0]));
  const { basicAuth, authorize, allowInsecureDashboard, redaction, limits, platform, ...rest } = result.output;
  if ([basicAuth, authorize, allowInsecureDashboard || undefined].filter((way) => way !== undefined).length > 1) {
    throw new SentieroError(
      "INVALID_OPTIONS",
      "options.basicAuth, options.authorize and options.allowInsecureDashboard exclude each other: give one",
    );
  }
  return Object.freeze({
    ...rest,
    corsOrigins: Object.freeze(rest.corsOrigins) as string[],
    onError: toSafe(rest.onError),
    storage: rest.storage,
    publicUrl: rest.publicUrl,
    retentionDays: rest.retentionDays,
    codec: rest.codec,
    auth: toAuth(basicAuth, authorize, allowInsecureDashboard),
    redaction: redaction.rules,
    redactEvent: redaction.redactEvent,
    limits: Object.freeze({
      ...limits,
      maxSessions: limits.maxSessions,
      maxEventsPerSession: limits.maxEventsPerSession,
    }),
    platform: Object.assign(createWebPlatform(), platform),
  });
}

/** A host's own handler may fail too; what it was told must not be lost, and no request with it. */
function toSafe(onError: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      onError(error);
    } catch (failure) {
      console.error("[sentiero] onError failed:", failure, "while told:", error);
    }
  };
}

function toAuth(
  basicAuth: BasicAuth | undefined,
  authorize: Authorize | undefined,
  allowInsecureDashboard: boolean,
): Auth {
  if (basicAuth) return { kind: "basic", ...basicAuth };
  if (authorize) return { kind: "callback", authorize };
  return { kind: allowInsecureDashboard ? "open" : "closed" };
}

const flag = (fallback: boolean) => v.optional(v.boolean("must be true or false"), fallback);

const positive = v.pipe(
  v.number("must be a positive integer"),
  v.safeInteger("must be a positive integer"),
  v.minValue(1, "must be a positive integer"),
);

const whole = (fallback: number) => v.optional(positive, fallback);

const text = (message: string) =>
  v.pipe(
    v.string(message),
    v.check((value) => value.trim() !== "", message),
  );

const callback = <T>(message: string) => v.custom<T>((value) => typeof value === "function", message);

/** `https://shop.example`, exactly: no path, no wildcard, no trailing slash. */
const origin = v.pipe(
  v.string("must be an origin such as https://shop.example"),
  v.check(
    (value) => isWebUrl(value) && new URL(value).origin === value,
    "must be an origin such as https://shop.example",
  ),
);

/** Only what a browser can be at: no `javascript:`, no wildcard. */
function isWebUrl(text: string): boolean {
  return /^https?:\/\/[^*]+$/.test(text) && URL.canParse(text);
}

const Schema = v.strictObject({
  storage: v.optional(
    v.custom<Storage>(
      (value) => typeof value === "object" && value !== null && "getItemRaw" in value && "getMount" in value,
      "must be a storage made by unstorage's createStorage()",
    ),
  ),
  basePath: v.optional(
    v.pipe(
      v.string('must be a path such as "/sentiero"'),
      v.regex(/^(\/(?!\.\.?(\/|$))[A-Za-z0-9._~-]+)+$/, 'must be a path such as "/sentiero", without a trailing slash'),
    ),
    "/sentiero",
  ),
  basicAuth: v.optional(
    v.strictObject({
      user: v.pipe(
        text("must not be blank"),
        v.check((user) => !user.includes(":"), "must not contain a colon"),
      ),
      password: text("must not be blank"),
    }),
  ),
  authorize: v.optional(callback<Authorize>("must be a function")),
  allowInsecureDashboard: flag(false),
  corsOrigins: v.optional(v.array(origin, "must be a list of origins"), []),
  enforceOrigin: flag(true),
  publicUrl: v.optional(
    v.pipe(v.string("must be a URL"), v.check(isWebUrl, "must be a URL such as https://app.example")),
  ),
  trustProxy: flag(false),
  respectGpc: flag(true),
  userOptOut: flag(false),
  optOutCookieName: v.optional(
    v.pipe(
      v.string("must be a cookie name"),
      v.regex(/^[A-Za-z0-9_-]{1,64}$/, "must be a cookie name of letters, digits, _ and -"),
    ),
    "sentiero_optout",
  ),
  ...recorderEntries,
  // The server refuses an erased session's batches for this long too.
  sessionMaxAgeMs: whole(604_800_000),
  redaction: v.optional(RedactionSchema, {}),
  durability: v.optional(v.picklist(["power", "process"], 'must be "power" or "process"'), "power"),
  retentionDays: v.optional(v.pipe(positive, v.maxValue(36_500, "must be at most 36500"))),
  settleAfterMs: v.optional(v.pipe(positive, v.minValue(60_000, "must be at least 60000")), 1_800_000),
  lateAfterMs: whole(604_800_000),
  maintenance: v.optional(
    v.boolean("must be true or false"),
    () => globalThis.navigator?.userAgent !== "Cloudflare-Workers",
  ),
  codec: v.optional(
    v.custom<Codec>(
      (value) =>
        typeof value === "object" &&
        value !== null &&
        "encode" in value &&
        typeof value.encode === "function" &&
        "decode" in value &&
        typeof value.decode === "function",
      "must have the functions encode and decode",
    ),
  ),
  limits: v.optional(
    v.strictObject({
      maxBodyBytes: whole(8 * 1024 * 1024),
      maxInflatedBytes: whole(64 * 1024 * 1024),
      maxEventsPerBatch: whole(100_000),
      maxMemoryBytes: whole(256 * 1024 * 1024),
      maxInflightBytes: whole(64 * 1024 * 1024),
      maxSessions: v.optional(positive),
      maxEventsPerSession: v.optional(positive),
      maxBytesPerSession: whole(100 * 1024 * 1024),
      maxBytesPerDay: whole(5 * 1024 * 1024 * 1024),
    }),
    {},
  ),
  bindSessions: flag(true),
  onError: v.optional(
    callback<(error: unknown) => void>("must be a function"),
    () => (error: unknown) => console.error("[sentiero]", error),
  ),
  clock: v.optional(callback<() => number>("must be a function"), () => Date.now),
  platform: v.optional(
    v.custom<Partial<Platform>>((value) => typeof value === "object" && value !== null, "must be an object"),
    {},
  ),
});

/** The original's names that became another word; the rest only changed from snake_case. */
const RENAMED: Readonly<Record<string, string>> = {
  auth_callback: "authorize",
  authCallback: "authorize",
  store: "storage",
  server_proc: "redaction.redactEvent",
  serverProc: "redaction.redactEvent",
  url_mode: "redaction.urlMode",
  url_param_allowlist: "redaction.urlParamAllowlist",
  url_param_denylist: "redaction.urlParamDenylist",
  disabled_patterns: "redaction.disabledPatterns",
  custom_patterns: "redaction.customPatterns",
  dom_patterns: "redaction.domPatterns",
  flush_interval: "flushIntervalMs",
  session_idle_timeout: "sessionIdleTimeoutMs",
  session_max_age: "sessionMaxAgeMs",
  max_sessions: "limits.maxSessions",
  max_events_per_session: "limits.maxEventsPerSession",
  retention_period: "retentionDays",
  max_events_per_request: "limits.maxEventsPerBatch",
};

function describe(issue: v.BaseIssue<unknown>): string {
  const keys = issue.path?.map((item) => String(item.key)) ?? [];
  const path = ["options", ...keys].join(".");
  if (issue.type === "strict_object" && issue.expected === "never") {
    const name = keys.at(-1) ?? "";
    const camel = name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const known = Object.hasOwn(RENAMED, name)
      ? RENAMED[name]
      : camel !== name && Object.hasOwn(Schema.entries, camel)
        ? camel
        : undefined;
    return `${path} is not an option${known ? `: it is called ${known} here` : ""}`;
  }
  if (issue.type === "strict_object") return `${path} must be an object, got ${typeof issue.input}`;
  // A password must not end in a log.
  return keys[0] === "basicAuth" ? `${path} ${issue.message}` : `${path} ${issue.message}, got ${quote(issue.input)}`;
}

function quote(value: unknown): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return typeof value === "string" && value.trim() === "" ? '""' : JSON.stringify(value).slice(0, 80);
  }
  return value === null ? "null" : typeof value;
}
