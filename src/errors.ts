/** What a developer can do wrong with sentiero; thrown where it is done, never while serving a request. */
export type SentieroErrorCode =
  | "INVALID_OPTIONS"
  | "STORAGE_UNSUPPORTED"
  | "STORAGE_NEWER"
  | "RECORDER_URL_MISSING"
  | "ASSET_UNKNOWN"
  | "ASSETS_MISSING";

/** A misuse of the library. `message` says what to do. */
export class SentieroError extends Error {
  readonly code: SentieroErrorCode;

  constructor(code: SentieroErrorCode, message: string, options?: ErrorOptions) {
    super(`[sentiero] ${message}`, options);
    this.name = "SentieroError";
    this.code = code;
  }
}

/** An answer other than success, thrown inside a handler. `message` is sent to the client as `{"error": message}`. */
export class HTTPError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent beside `error`, for clients that act on it. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    message: string,
    options: ErrorOptions & { headers?: Record<string, string>; details?: Record<string, unknown> } = {},
  ) {
    super(message, options);
    this.name = "HTTPError";
    this.status = status;
    this.headers = options.headers ?? {};
    this.details = options.details ?? {};
  }
}

/** Another process has upgraded the store: ours may not write to it, and the host has to be told. */
function toHTTPError(error: unknown): HTTPError {
  const isNewer = error instanceof SentieroError && error.code === "STORAGE_NEWER";
  return isNewer
    ? new HTTPError(503, "upgrade under way", { headers: { "retry-after": "60" } })
    : new HTTPError(500, "internal error");
}

/**
 * The one place where an error becomes an answer. An {@link HTTPError} is told to the client as it is; anything else is
 * a bare 500 whose text never leaves the server: it goes to `onError`.
 */
export function toErrorResponse(error: unknown, onError: (error: unknown) => void): Response {
  const known = error instanceof HTTPError ? error : toHTTPError(error);
  if (known.status >= 500) onError(error);
  return Response.json(
    { error: known.message, ...known.details },
    {
      status: known.status,
      headers: { "cache-control": "no-store", "x-content-type-options": "nosniff", ...known.headers },
    },
  );
}
