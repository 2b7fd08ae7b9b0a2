import { HTTPError, toErrorResponse } from "../errors.ts";
import { createAdmission, type Visit } from "../http/admission.ts";
import { readBody } from "../http/body.ts";
import type { Connection } from "../http/connection.ts";
import { readCookie } from "../http/cookies.ts";
import { corsHeaders, isOriginAllowed } from "../http/origin.ts";
import { empty, json as answer } from "../http/responses.ts";
import type { ResolvedOptions } from "../options.ts";
import { redactBatch } from "../privacy/redact.ts";
import { createRedaction } from "../privacy/redaction.ts";
import { parseBatch } from "../rrweb/batch.ts";
import { digestBatch } from "../sessions/digest.ts";
import type { Sessions } from "../sessions/sessions.ts";
import type { Usage } from "../sessions/usage.ts";
import { toUserTerm, userOf } from "../sessions/user.ts";
import type { Batch } from "../types.ts";

/**
 * The events lane: takes recordings from browsers. Public, so everything in a request is hostile.
 *
 * | answer | when |
 * |---|---|
 * | 200 `{"status":"ok"}` | stored, or stored before |
 * | 204 | dropped: the visitor opted out or sends GPC |
 * | 400, 413 | the body cannot be read; nothing is stored |
 * | 403 | the page's origin is not allowed |
 * | 405 | not a POST |
 * | 409, 410 | the recorder has to begin a new session |
 * | 429 | the session, or the day, has reached its limit |
 * | 503 | too much to do, or the database is away; `Retry-After` says when to come back |
 */
export function createEventsHandler(
  options: ResolvedOptions,
  sessions: Sessions,
  usage: Usage,
): (request: Request) => Promise<Response> {
  const { platform, limits, clock, onError, redactEvent } = options;
  const redaction = createRedaction(options.redaction);
  const namedOrigins = new Set<string>();
  const maxInflightBytes = Math.min(limits.maxInflightBytes, platform.maxInflatedBytes);
  const admission = createAdmission({ maxInflightBytes });

  async function take(request: Request): Promise<Response> {
    if (request.method === "OPTIONS") return empty(204, PREFLIGHT);
    if (request.method !== "POST")
      throw new HTTPError(405, "method not allowed", { headers: { allow: "POST, OPTIONS" } });
    if (!isOriginAllowed(request, options)) {
      nameOnce(request.headers.get("origin")!);
      throw new HTTPError(403, "origin not allowed");
    }
    if (isOptedOut(request)) return empty(204);

    if (usage.receivedOn(clock()) >= limits.maxBytesPerDay) throw tooMuchToday();
    const visit = admission.enter(request);
    try {
      await keep(request, visit);
    } finally {
      visit.leave();
    }
    return answer({ status: "ok" });
  }

  async function keep(request: Request, visit: Visit): Promise<void> {
    const body = await readBody(request, platform, limits);
    visit.grow(body.bytes.byteLength);
    const { batch: received, eventsJson } = parseBatch(body.bytes, limits);
    const batch = redactBatch(received, { redaction, redactEvent, onError });
    const isAsReceived = batch === received && eventsJson !== null && standsForAll(received, eventsJson);
    const json = isAsReceived ? { events: eventsJson, body: body.bytes } : toJson(batch);
    const hash = (await platform.sha256(json.events)).slice(0, 24);
    const stored = isAsReceived && body.gzip ? body.gzip : await platform.gzip(json.body);
    const keyHash = batch.key ? (await platform.sha256(batch.key)).slice(0, 32) : null;
    const user = userOf(batch.metadata ?? {});
    const userTerm = user === null ? null : await toUserTerm(user, platform);
    const digest = digestBatch(batch, { hash, keyHash, userTerm, receivedAt: clock(), bytes: stored.byteLength });
    await sessions.append(digest, stored);
    if (usage.isDue()) await fold(request as Connection);
  }

  /**
   * Whether redaction saw all that the text holds. Without rules for the DOM it looks at events that were found in the
   * text; with them, a value behind another of the same name would be stored unseen.
   */
  function standsForAll({ events }: Batch, eventsJson: string): boolean {
    return !redaction.readsDom || write(events) === eventsJson;
  }

  /** Nobody waits for it, unless the request's end would end it. */
  async function fold(connection: Connection): Promise<void> {
    const folding = usage.fold().catch(onError);
    if (connection.waitUntil) connection.waitUntil(folding);
    else if (platform.isolatesRequests) await folding;
  }

  /** Nothing more today: clients need not ask before the day (UTC) ends, or an hour has passed. */
  function tooMuchToday(): HTTPError {
    const restMs = 86_400_000 - (clock() % 86_400_000);
    const seconds = Math.ceil(Math.min(restMs, 3_600_000) / 1000);
    return new HTTPError(429, "too much today", { headers: { "retry-after": String(seconds) } });
  }

  function isOptedOut(request: Request): boolean {
    if (options.respectGpc && request.headers.get("sec-gpc") === "1") return true;
    if (!options.userOptOut) return false;
    const cookie = readCookie(request, options.optOutCookieName);
    return cookie !== null && cookie !== "" && cookie !== "0" && cookie !== "false";
  }

  /** A forgotten origin is the usual mistake, so the log says once what to set. */
  function nameOnce(origin: string): void {
    if (namedOrigins.has(origin) || namedOrigins.size >= 100) return;
    namedOrigins.add(origin);
    console.warn(
      `[sentiero] [events] refused a recording from ${JSON.stringify(origin.slice(0, 200))}: if that site is yours, add it to ` +
        "`corsOrigins`, or set `publicUrl` to your own address",
    );
  }

  return async (request) => {
    let response: Response;
    try {
      response = await take(request);
    } catch (error) {
      response = toErrorResponse(error, onError);
    }
    for (const [name, value] of Object.entries(corsHeaders(request, options))) response.headers.set(name, value);
    return response;
  };
}

const PREFLIGHT = {
  "access-control-allow-methods": "POST",
  "access-control-allow-headers": "Content-Type, Content-Encoding",
  "access-control-max-age": "86400",
  "content-type": "text/plain",
};

/** The batch as JSON, and its events alone, each written once. */
function toJson(batch: Batch): { body: Uint8Array; events: string } {
  const events = write(batch.events);
  const fields = Object.entries(batch).map(
    ([name, value]) => `${JSON.stringify(name)}:${name === "events" ? events : write(value)}`,
  );
  return { body: new TextEncoder().encode(`{${fields.join(",")}}`), events };
}

function write(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    // JSON.parse takes deeper nesting than JSON.stringify.
    throw new HTTPError(400, "events are nested too deep", { cause });
  }
}
