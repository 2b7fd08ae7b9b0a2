import { lastValue } from "./forwarded.ts";

/** What an adapter knows of a request beside the request itself, and puts on it. */
export interface Connection {
  /** Address of the other end of the connection. */
  readonly ip?: string;
  /** What the host's framework calls the request or its context, with the session that it found: Express's request, Koa's context. */
  readonly context?: unknown;
  /** The body as received, where the adapter has read it: taken as it is, it need not become a stream and come out of it again. */
  readonly bodyBytes?: Uint8Array;
  /** Lets work go on after the answer, where a runtime would end it: Workers. */
  waitUntil?(work: Promise<unknown>): void;
}

/**
 * The client's address: of the connection, or with `trustProxy` what the nearest proxy put into `X-Forwarded-For`. Null
 * where neither tells, as without an adapter.
 */
export function clientIp(request: Request, { trustProxy }: { readonly trustProxy: boolean }): string | null {
  const forwarded = trustProxy ? lastValue(request, "x-forwarded-for") : undefined;
  return toIp(forwarded ?? (request as Connection).ip ?? "");
}

/** Without what stands around an address: brackets and ports (RFC 7239), and the prefix of IPv4 in IPv6. */
function toIp(text: string): string | null {
  const bare = /^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  const ip = bare.replace(/^::ffff:(?=[\d.]+$)/i, "");
  return /^[\da-f.:]{2,45}$/i.test(ip) ? ip : null;
}
