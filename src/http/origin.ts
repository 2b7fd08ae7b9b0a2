import { lastValue } from "./forwarded.ts";

/** Who may call the events lane from a page, and how the server knows its own address. */
export interface OriginPolicy {
  /** Exact origins of other sites, such as `https://shop.example`. */
  readonly corsOrigins: readonly string[];
  readonly enforceOrigin: boolean;
  /** The origin under which browsers reach this server, where the request does not tell. */
  readonly publicUrl: string | undefined;
  /** Whether `X-Forwarded-Host` and `X-Forwarded-Proto` come from a proxy of ours. */
  readonly trustProxy: boolean;
}

/** CORS headers of an answer: only a listed origin is named, never a wildcard, never credentials. */
export function corsHeaders(request: Request, policy: OriginPolicy): Record<string, string> {
  const origin = request.headers.get("origin");
  if (!origin || !policy.corsOrigins.includes(origin)) return {};
  // The recorder waits as long as it is asked to, and could not read that from another origin.
  return { "access-control-allow-origin": origin, "access-control-expose-headers": "Retry-After", vary: "Origin" };
}

/** Whether a POST may be taken: no origin (not a page), our own origin, or a listed one. */
export function isOriginAllowed(request: Request, policy: OriginPolicy): boolean {
  const origin = request.headers.get("origin");
  if (origin === null || !policy.enforceOrigin) return true;
  return policy.corsOrigins.includes(origin) || isOwnOrigin(request, policy);
}

/**
 * Whether a request comes from a page of this server. `Sec-Fetch-Site` is set by the browser and cannot be set by a
 * page, so it is proof even behind a proxy that ends TLS; browsers without it are compared by address.
 */
export function isOwnOrigin(request: Request, policy: Pick<OriginPolicy, "publicUrl" | "trustProxy">): boolean {
  if (request.headers.get("sec-fetch-site") === "same-origin") return true;
  return request.headers.get("origin") === ownOrigin(request, policy);
}

function ownOrigin(
  request: Request,
  { publicUrl, trustProxy }: Pick<OriginPolicy, "publicUrl" | "trustProxy">,
): string {
  if (publicUrl) return new URL(publicUrl).origin;
  const url = new URL(request.url);
  if (!trustProxy) return url.origin;
  const host = lastValue(request, "x-forwarded-host") ?? url.host;
  const scheme = lastValue(request, "x-forwarded-proto") ?? url.protocol.slice(0, -1);
  return `${scheme}://${host}`;
}
