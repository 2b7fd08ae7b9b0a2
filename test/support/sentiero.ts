import { createStorage } from "unstorage";
import { createSentiero, type Sentiero, type SentieroOptions } from "../../src/index.ts";

/** Where in-process requests go. */
export const BASE = "http://localhost/sentiero";

/** A sentiero over memory whose dashboard is open. */
export function createTestSentiero(options: SentieroOptions = {}): Sentiero {
  return createSentiero({ storage: createStorage(), authorize: () => true, ...options } as SentieroOptions);
}

/** A body of the events lane. */
export function batch(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    sessionId: "session-1",
    windowId: "window-1",
    events: [{ type: 3, data: {}, timestamp: 1_700_000_000_000 }],
    ...fields,
  };
}

/** Posts a body to the events lane; objects are sent as JSON. */
export function post(sentiero: Sentiero, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const isRaw = typeof body === "string" || body instanceof Uint8Array;
  return sentiero.fetch(
    new Request(`${BASE}/events`, { method: "POST", headers, body: (isRaw ? body : JSON.stringify(body)) as BodyInit }),
  );
}

/** Reads the API as the dashboard does. */
export async function api<T>(
  sentiero: Sentiero,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; body: T }> {
  const response = await sentiero.fetch(new Request(`${BASE}/api${path}`, init));
  const text = response.headers.get("content-encoding") === "gzip" ? await inflate(response) : await response.text();
  return { status: response.status, body: (text ? JSON.parse(text) : null) as T };
}

/** Compresses as a recorder does. */
export async function gzip(text: string): Promise<Uint8Array> {
  const stream = new Response(text).body!.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function inflate(response: Response): Promise<string> {
  return new Response(response.body!.pipeThrough(new DecompressionStream("gzip"))).text();
}
