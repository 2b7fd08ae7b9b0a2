import { HTTPError, toErrorResponse } from "../errors.ts";
import { checkAuth } from "../http/auth.ts";
import { checkSameOrigin } from "../http/csrf.ts";
import { escapeHtml } from "../http/responses.ts";
import type { ResolvedOptions } from "../options.ts";
import type { Sessions } from "../sessions/sessions.ts";
import { createMaintenanceApi, type MaintenanceParts } from "./api/maintenance.ts";
import { createSessionsApi } from "./api/sessions.ts";
import { assetFile } from "./assets.ts";

/**
 * The dashboard lane: the HTML shell for every client route, and the JSON API. Closed unless the options open it;
 * who may not enter learns nothing, not even which paths exist. Assets are answered before auth, also where this
 * handler is mounted alone, and so is a path that does not exist.
 */
export function createDashboardHandler(
  options: ResolvedOptions,
  sessions: Sessions,
  maintenance: MaintenanceParts,
  assets: (request: Request) => Promise<Response | null>,
): (request: Request) => Promise<Response> {
  const { basePath, auth, onError } = options;
  const apis: Readonly<Record<string, ReturnType<typeof createSessionsApi>>> = {
    sessions: createSessionsApi(sessions, options),
    maintenance: createMaintenanceApi(maintenance),
  };
  const shell = createShell(basePath);

  async function answer(request: Request): Promise<Response> {
    const asset = await assets(request);
    if (asset) return asset;
    const { pathname, searchParams } = new URL(request.url);
    const path =
      pathname === basePath ? "/" : pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : "";
    const isApi = path.startsWith("/api/");
    // Which paths there are is no secret, and a recorder sent to a wrong one should be told so.
    if (!isApi && !isPage(path)) throw new HTTPError(404, "not found");
    const instead = await checkAuth(request, auth, options);
    if (instead) return instead;
    checkSameOrigin(request, options);
    if (isApi) {
      const [, , resource = ""] = path.split("/");
      const api = Object.hasOwn(apis, resource) ? apis[resource] : undefined;
      if (!api) throw new HTTPError(404, "route not found");
      return api(request, path.slice(`/api/${resource}`.length), searchParams);
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      throw new HTTPError(405, "method not allowed", { headers: { allow: "GET, HEAD" } });
    }
    return shell();
  }

  return async (request) => {
    try {
      const response = await answer(request);
      return request.method === "HEAD" ? new Response(null, response) : response;
    } catch (error) {
      const response = toErrorResponse(error, onError);
      return isNavigation(request) ? toErrorPage(response, basePath) : response;
    }
  };
}

/** Whether a person's browser asks for a page, rather than a program for data. */
function isNavigation(request: Request): boolean {
  return request.headers.get("accept")?.includes("text/html") ?? false;
}

/** The same answer in words for a person. */
async function toErrorPage(response: Response, basePath: string): Promise<Response> {
  const { error } = (await response.json()) as { error: string };
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  headers.set("content-type", "text/html; charset=utf-8");
  headers.set("content-security-policy", "default-src 'none'; style-src 'self'; frame-ancestors 'none'");
  return new Response(
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${response.status} · Sentiero</title>
<link rel="stylesheet" href="${escapeHtml(`${basePath}/assets/${assetFile("dashboard.css")}`)}">
</head>
<body class="message">
<main>
<h1>${response.status}</h1>
<p>${escapeHtml(error)}</p>
${response.status === 404 ? `<p><a href="${escapeHtml(basePath)}/">All sessions</a></p>\n` : ""}</main>
</body>
</html>
`,
    { status: response.status, headers },
  );
}

/** The client routes there are. What they show is decided in the browser. */
function isPage(path: string): boolean {
  return (
    path === "/" ||
    path === "/maintenance" ||
    /^\/sessions\/[A-Za-z0-9_-]{1,128}(\/windows\/[A-Za-z0-9_-]{1,128})?$/.test(path)
  );
}

function createShell(basePath: string): () => Response {
  let html: string | undefined;
  return () => {
    html ??= toHtml(basePath);
    return new Response(html, {
      headers: {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy":
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
          "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
      },
    });
  };
}

function toHtml(basePath: string): string {
  const asset = (name: string) => escapeHtml(`${basePath}/assets/${assetFile(name)}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Sentiero</title>
<link rel="stylesheet" href="${asset("dashboard.css")}">
<script type="module" src="${asset("dashboard")}"></script>
</head>
<body>
<sentiero-dashboard></sentiero-dashboard>
<noscript>The dashboard needs JavaScript.</noscript>
</body>
</html>
`;
}
