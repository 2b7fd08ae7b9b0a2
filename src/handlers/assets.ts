import { manifest } from "#assets/manifest.js";
import { HTTPError, SentieroError } from "../errors.ts";
import { acceptsEncoding } from "../http/accept-encoding.ts";
import { escapeHtml } from "../http/responses.ts";
import type { Platform } from "../platform.ts";

/** File name of a logical asset such as `loader` or `dashboard.css`. */
export function assetFile(name: string): string {
  const file = manifest[name];
  if (!file) throw new SentieroError("ASSET_UNKNOWN", `there is no asset "${name}": run the build`);
  return file;
}

/**
 * The assets lane: the recorder, the dashboard's files and the replay frame. Public and answered before auth; nothing
 * in it belongs to a user.
 * @returns the answer, or null when the path is not an asset's.
 */
export function createAssetsHandler(
  basePath: string,
  platform: Platform,
): (request: Request) => Promise<Response | null> {
  return async (request) => {
    const { pathname } = new URL(request.url);
    const path = pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : "";
    const file = toAsset(path);
    if (!file) return null;
    if (request.method !== "GET" && request.method !== "HEAD") {
      throw new HTTPError(405, "method not allowed", { headers: { allow: "GET, HEAD" } });
    }
    if (path === "/replay-frame") return serveFrame(request, basePath);
    if (path === "/assets/manifest.json") return serveManifest(request);
    return serveFile(request, file, path === "/recorder.js" ? "public, max-age=300" : IMMUTABLE, platform);
  };
}

const IMMUTABLE = "public, max-age=31536000, immutable";

/** Any page may load the recorder, and a module needs CORS for that. */
const PUBLIC_HEADERS = {
  "access-control-allow-origin": "*",
  "cross-origin-resource-policy": "cross-origin",
  "x-content-type-options": "nosniff",
};

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
};

function toAsset(path: string): string | null {
  if (path === "/recorder.js") return assetFile("loader");
  if (path === "/replay-frame" || path === "/assets/manifest.json") return path;
  // Names are looked up in the build's table, so a path can name nothing else.
  return /^\/assets\/([A-Za-z0-9._-]+)$/.exec(path)?.[1] ?? null;
}

async function serveFile(request: Request, file: string, cacheControl: string, platform: Platform): Promise<Response> {
  const gzip = await readGzip(file);
  if (!gzip) throw new HTTPError(404, "not found");
  const isGzip = acceptsEncoding(request, "gzip");
  // Two representations are two entities to a cache; who has either has this content.
  const etags = [`"${file}"`, `"${file}.gz"`];
  const etag = etags[isGzip ? 1 : 0]!;
  const headers: Record<string, string> = {
    ...PUBLIC_HEADERS,
    "content-type": CONTENT_TYPES[file.split(".").at(-1)!] ?? "application/octet-stream",
    "cache-control": cacheControl,
    etag,
    vary: "Accept-Encoding",
  };
  if (isUnchanged(request, etags)) return new Response(null, { status: 304, headers });
  if (isGzip) return answer(request, gzip, { ...headers, "content-encoding": "gzip" });
  const plain = await platform.gunzip(gzip, Infinity);
  if (typeof plain === "string") throw new Error(`asset ${file} is ${plain}`);
  return answer(request, plain, headers);
}

function serveManifest(request: Request): Response {
  const text = JSON.stringify(manifest, null, 2);
  // It names the files of this build, so it may not be older than the server.
  return answer(request, new TextEncoder().encode(text), {
    ...PUBLIC_HEADERS,
    "content-type": "application/json",
    "cache-control": "no-cache",
  });
}

/** The document in which recordings are rebuilt. It may load our scripts, and nothing from anywhere else. */
function serveFrame(request: Request, basePath: string): Response {
  const script = escapeHtml(`${basePath}/assets/${assetFile("replay-frame")}`);
  const style = escapeHtml(`${basePath}/assets/${assetFile("replay-frame.css")}`);
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Replay</title>
<link rel="stylesheet" href="${style}">
<script type="module" src="${script}"></script>
</head>
<body></body>
</html>
`;
  return new Response(request.method === "HEAD" ? null : html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; " +
        "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
      "cache-control": "no-cache",
      "referrer-policy": "no-referrer",
      // Links of a recording are nobody's business to look up.
      "x-dns-prefetch-control": "off",
      "x-content-type-options": "nosniff",
    },
  });
}

function answer(request: Request, bytes: Uint8Array, headers: Record<string, string>): Response {
  const length = String(bytes.byteLength);
  return new Response(request.method === "HEAD" ? null : (bytes as BodyInit), {
    headers: { ...headers, "content-length": length },
  });
}

function isUnchanged(request: Request, etags: readonly string[]): boolean {
  const tags = request.headers
    .get("if-none-match")
    ?.split(",")
    .map((tag) => tag.trim().replace(/^W\//, ""));
  return tags?.some((tag) => etags.includes(tag) || tag === "*") ?? false;
}

const decoded = new Map<string, Uint8Array>();

/** The gzip bytes of a file, decoded once. The files' module is loaded when the first file is asked for. */
async function readGzip(file: string): Promise<Uint8Array | null> {
  const known = decoded.get(file);
  if (known) return known;
  const { files } = await import("#assets/files.js");
  const base64 = Object.hasOwn(files, file) ? files[file] : undefined;
  if (base64 === undefined) return null;
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  decoded.set(file, bytes);
  return bytes;
}
