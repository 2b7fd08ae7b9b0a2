import { manifest } from "#assets/manifest.js";
import { HTTPError, SentieroError } from "../errors.ts";
import { acceptsEncoding } from "../http/accept-encoding.ts";
import { AS_ENCODED, escapeHtml } from "../http/responses.ts";
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
  if (platform.readAsset) return serveForeign(request, file, cacheControl, platform.readAsset);
  const packed = await readPacked(file);
  if (!packed) throw new HTTPError(404, "not found");
  const coding = packed.br && acceptsEncoding(request, "br") ? "br" : acceptsEncoding(request, "gzip") ? "gzip" : null;
  // Each representation is an entity of its own to a cache; who has one of them has this content.
  const etags = { plain: `"${file}"`, gzip: `"${file}.gz"`, br: `"${file}.br"` };
  const etag = etags[coding ?? "plain"];
  const headers: Record<string, string> = {
    ...PUBLIC_HEADERS,
    "content-type": contentType(file),
    "cache-control": cacheControl,
    etag,
    vary: "Accept-Encoding",
  };
  if (isUnchanged(request, Object.values(etags))) return new Response(null, { status: 304, headers });
  if (coding) return answer(request, packed[coding]!, { ...headers, "content-encoding": coding });
  const plain = await platform.gunzip(packed.gzip, Infinity);
  if (typeof plain === "string") throw new Error(`asset ${file} is ${plain}`);
  return answer(request, plain, headers);
}

/** A file that lies elsewhere; whoever serves that way packs answers too. */
async function serveForeign(
  request: Request,
  file: string,
  cacheControl: string,
  readAsset: NonNullable<Platform["readAsset"]>,
): Promise<Response> {
  // Only files of a build, whatever else lies there.
  if (!/-[A-Z0-9]{8}\.(?:js|css)$/.test(file)) throw new HTTPError(404, "not found");
  const etag = `"${file}"`;
  const headers = { ...PUBLIC_HEADERS, "content-type": contentType(file), "cache-control": cacheControl, etag };
  if (isUnchanged(request, [etag])) return new Response(null, { status: 304, headers });
  const bytes = await readAsset(file);
  if (!bytes) throw new HTTPError(404, "not found");
  return answer(request, bytes, headers);
}

function contentType(file: string): string {
  return CONTENT_TYPES[file.split(".").at(-1)!] ?? "application/octet-stream";
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
    ...AS_ENCODED,
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

/** A file as it is sent. */
interface Packed {
  readonly gzip: Uint8Array;
  /** Of the recorder's files, which pages of other people load. */
  readonly br?: Uint8Array;
}

const decoded = new Map<string, Packed>();

/** The packed bytes of a file, decoded once. The files' module is loaded when the first file is asked for. */
async function readPacked(file: string): Promise<Packed | null> {
  const known = decoded.get(file);
  if (known) return known;
  const { files, brotliFiles } = await import("#assets/files.js");
  if (Object.keys(files).length === 0) {
    throw new SentieroError(
      "ASSETS_MISSING",
      "a bundle for Workers holds no browser files: bind the folder node_modules/sentiero/dist/assets as static assets, " +
        "and hand the binding to `toWorker` or as `platform: { readAsset }` (docs/workers.md)",
    );
  }
  if (!Object.hasOwn(files, file)) return null;
  const br = brotliFiles[file];
  const packed = { gzip: fromBase64(files[file]!), ...(br && { br: fromBase64(br) }) };
  decoded.set(file, packed);
  return packed;
}

function fromBase64(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
