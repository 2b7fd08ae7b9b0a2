import { createStorage } from "unstorage";
import { Response as OtherResponse } from "undici";
import { describe, expect, test, vi } from "vitest";
import { manifest } from "#assets/manifest.js";
import { createSentiero, type SentieroOptions } from "../../src/index.ts";
import { batch, post } from "../support/sentiero.ts";

const BASE = "http://localhost/sentiero";

/** Everything that is closed: pages and the API. */
const PRIVATE = [
  "",
  "/",
  "/sessions/session-1",
  "/sessions/session-1/windows/window-1",
  "/api/sessions",
  "/api/sessions/session-1",
  "/api/sessions/session-1/windows/window-1/batches",
  "/api/sessions/session-1/windows/window-1/events",
  "/api/none",
  "/api/",
];

const PUBLIC = ["/recorder.js", "/replay-frame", "/assets/manifest.json", `/assets/${manifest.dashboard}`];

async function create(options: Record<string, unknown> = {}) {
  const errors: unknown[] = [];
  const sentiero = createSentiero({
    storage: createStorage(),
    onError: (error: unknown) => errors.push(error),
    ...options,
  } as SentieroOptions);
  await post(sentiero, batch());
  const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
    sentiero.fetch(new Request(`${BASE}${path}`, { method, headers }));
  return { sentiero, get, errors };
}

const basic = (credentials: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(credentials, "utf8").toString("base64")}`,
});

describe("without auth", () => {
  test("the dashboard is closed, says what to set, and events and assets are not", async () => {
    const { sentiero, get } = await create();
    for (const path of PRIVATE) {
      const response = await get(path);
      expect([path, response.status]).toEqual([path, 403]);
      expect(await response.text()).toContain("basicAuth");
    }
    expect((await get("/api/sessions/session-1", {}, "DELETE")).status).toBe(403);
    for (const path of PUBLIC) expect((await get(path)).status).toBe(200);
    expect((await post(sentiero, batch({ windowId: "w-2" }))).status).toBe(200);
  });

  test("it is open where the option says so", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { get } = await create({ allowInsecureDashboard: true });
    warn.mockRestore();
    expect((await get("/")).status).toBe(200);
    expect((await get("/api/sessions/session-1")).status).toBe(200);
  });
});

describe("basicAuth", () => {
  const options = { basicAuth: { user: "ada", password: "pass:wörd 😀" } };

  test("opens every page and the API to the one user", async () => {
    const { get } = await create(options);
    const headers = basic("ada:pass:wörd 😀");
    for (const path of PRIVATE) {
      const { status } = await get(path, headers);
      expect([path, status]).toEqual([path, /none|api\/$/.test(path) ? 404 : 200]);
    }
  });

  test.each([
    ["nothing", {}],
    ["another password", basic("ada:other")],
    ["a longer password", basic("ada:pass:wörd 😀 ")],
    ["a shorter password", basic("ada:pass:wörd ")],
    ["no password", basic("ada:")],
    ["no colon", basic("ada")],
    ["another user", basic("Ada:pass:wörd 😀")],
    ["no user", basic(":pass:wörd 😀")],
    ["nothing in it", basic("")],
    ["no base64", { authorization: "Basic !!!" }],
    ["plain text", { authorization: "Basic ada:secret" }],
    ["no value", { authorization: "Basic" }],
    ["another scheme", { authorization: basic("ada:pass:wörd 😀").authorization!.replace("Basic", "Bearer") }],
    ["latin-1", { authorization: `Basic ${Buffer.from("ada:pass:wörd", "latin1").toString("base64")}` }],
    ["a very long value", { authorization: `Basic ${"QUJD".repeat(100_000)}` }],
  ])("asks again for %s, on every path", async (_what, headers) => {
    const { get, errors } = await create(options);
    for (const path of PRIVATE) {
      const response = await get(path, headers);
      expect([path, response.status]).toEqual([path, 401]);
      expect(response.headers.get("www-authenticate")).toMatch(/^Basic realm="Sentiero"/);
      expect(response.headers.get("cache-control")).toBe("no-store");
      expect(await response.text()).not.toMatch(/session-1|wörd/);
    }
    expect(errors).toEqual([]);
    for (const path of PUBLIC) expect((await get(path, headers)).status).toBe(200);
  });

  test("takes the scheme in any case, and does not ask authorize", async () => {
    const { get } = await create(options);
    const { authorization } = basic("ada:pass:wörd 😀");
    expect((await get("/", { authorization: authorization!.replace("Basic", "bAsIc") })).status).toBe(200);
  });
});

describe("authorize", () => {
  test.each([true, 1, "yes", {}, Promise.resolve(true)])("lets in what it answers with %j", async (answer) => {
    const { get } = await create({ authorize: () => answer });
    expect((await get("/")).status).toBe(200);
  });

  test.each([false, null, undefined, 0, "", Number.NaN, Promise.resolve(false), Promise.resolve(undefined)])(
    "keeps out what it answers with %j, from every path",
    async (answer) => {
      const { get } = await create({ authorize: () => answer });
      for (const path of PRIVATE) expect([path, (await get(path)).status]).toEqual([path, 403]);
    },
  );

  test.each([
    [
      "throws",
      () => {
        throw new Error("session store down");
      },
    ],
    ["rejects", () => Promise.reject(new Error("session store down"))],
  ])("fails closed when it %s, and tells onError but not the visitor", async (_how, authorize) => {
    const { get, errors } = await create({ authorize });
    for (const path of PRIVATE) {
      const response = await get(path);
      expect([path, response.status]).toEqual([path, 403]);
      expect(await response.text()).not.toContain("session store");
    }
    expect(errors).toHaveLength(PRIVATE.length);
  });

  test("may answer itself, as with a way to sign in", async () => {
    const authorize = () => new Response(null, { status: 302, headers: { location: "/login" } });
    const { get } = await create({ authorize });
    for (const path of PRIVATE) {
      const response = await get(path);
      expect([response.status, response.headers.get("location")]).toEqual([302, "/login"]);
    }
  });

  test("that answers with another library's Response lets nobody in", async () => {
    const authorize = () => new OtherResponse("sign in", { status: 401 });
    const { get } = await create({ authorize });
    for (const path of PRIVATE) expect((await get(path)).status).toBeGreaterThanOrEqual(300);
  });

  test("sees the request as it came, and is not asked for assets or events", async () => {
    const seen: string[] = [];
    const authorize = (request: Request) => {
      seen.push(`${request.method} ${new URL(request.url).pathname} ${request.headers.get("cookie")}`);
      return true;
    };
    const { get } = await create({ authorize });
    for (const path of PUBLIC) await get(path);
    expect(seen).toEqual([]);
    await get("/api/sessions", { cookie: "sid=1" });
    expect(seen).toEqual(["GET /sentiero/api/sessions sid=1"]);
  });
});

describe("changes asked for by another site's page", () => {
  const remove = async (headers: Record<string, string>, options: Record<string, unknown> = {}) => {
    const { get } = await create({ authorize: () => true, ...options });
    const { status } = await get("/api/sessions/session-1", headers, "DELETE");
    expect((await get("/api/sessions/session-1")).status).toBe(status === 204 ? 404 : 200);
    return status;
  };

  test.each<[Record<string, string>, number]>([
    [{}, 204],
    [{ origin: "http://localhost" }, 204],
    [{ origin: "http://localhost", "sec-fetch-site": "same-origin" }, 204],
    [{ origin: "https://localhost", "sec-fetch-site": "same-origin" }, 204],
    [{ "sec-fetch-site": "none" }, 204],
    [{ origin: "https://evil.example" }, 403],
    [{ origin: "null" }, 403],
    [{ origin: "http://localhost.evil.example" }, 403],
    [{ origin: "http://localhost:81" }, 403],
    [{ origin: "https://evil.example", "sec-fetch-site": "cross-site" }, 403],
    [{ origin: "http://sub.localhost", "sec-fetch-site": "same-site" }, 403],
    [{ origin: "http://localhost", "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "whatever" }, 403],
    [{ "sec-fetch-site": "same-origin, cross-site" }, 403],
  ])("%j is answered with %i", async (headers, status) => {
    expect(await remove(headers)).toBe(status);
  });

  test("are refused also where that site may send recordings", async () => {
    expect(await remove({ origin: "https://shop.example" }, { corsOrigins: ["https://shop.example"] })).toBe(403);
  });

  test("are known behind a proxy by publicUrl", async () => {
    const headers = { origin: "https://app.example" };
    expect(await remove(headers)).toBe(403);
    expect(await remove(headers, { publicUrl: "https://app.example" })).toBe(204);
  });

  test("are refused whatever the method, and reading is not", async () => {
    const { get } = await create({ authorize: () => true });
    const headers = { origin: "https://evil.example" };
    for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
      for (const path of ["/api/sessions", "/api/sessions/session-1", "/"]) {
        expect((await get(path, headers, method)).status).toBe(403);
      }
    }
    expect((await get("/api/sessions", headers)).status).toBe(200);
    expect((await get("/api/sessions", headers)).headers.has("access-control-allow-origin")).toBe(false);
  });
});

describe("the shell", () => {
  test("stands on every client route, with the strict policy and no inline script", async () => {
    const { get } = await create({ authorize: () => true });
    for (const path of [
      "",
      "/",
      "/sessions/session-1",
      "/sessions/session-1/windows/window-1",
      `/sessions/${"x".repeat(128)}`,
    ]) {
      const response = await get(path);
      const html = await response.text();
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "content-type": "text/html; charset=utf-8",
        "content-security-policy":
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
          "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "cache-control": "no-store",
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
      });
      expect(html).toContain(`<script type="module" src="/sentiero/assets/${manifest.dashboard}"></script>`);
      expect(html).toContain(`<link rel="stylesheet" href="/sentiero/assets/${manifest["dashboard.css"]}">`);
      expect(html).toContain("<sentiero-dashboard></sentiero-dashboard>");
      expect(html.match(/<script/g)).toHaveLength(1);
      expect(html).not.toMatch(/<style|\son\w+=|style=/);
      expect(html).not.toContain("session-1");
    }
  });

  test.each([
    "/none",
    "/sessions",
    "/sessions/",
    "/sessions/a.b",
    "/sessions/a/b",
    "/sessions/a/windows",
    "//",
    "/sessions/%3Cb%3E",
    `/sessions/${"x".repeat(129)}`,
    "/index.html",
  ])("does not stand on %s", async (path) => {
    const { get } = await create({ authorize: () => true });
    expect((await get(path)).status).toBe(404);
  });

  test("has no body for HEAD and refuses other methods", async () => {
    const { get } = await create({ authorize: () => true });
    const head = await get("/", {}, "HEAD");
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const put = await get("/", {}, "PUT");
    expect([put.status, put.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  test("links to another base path", async () => {
    const { sentiero } = await create({ authorize: () => true, basePath: "/deep/er" });
    const response = await sentiero.fetch(new Request("http://localhost/deep/er/"));
    expect(await response.text()).toContain(`src="/deep/er/assets/${manifest.dashboard}"`);
  });
});

describe("an error, to a person", () => {
  const html = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

  test("is a page with a policy and the same status, to a program it is JSON", async () => {
    const { get } = await create({ basicAuth: { user: "ada", password: "secret" } });
    const page = await get("/", html);
    expect(page.status).toBe(401);
    expect(page.headers.get("www-authenticate")).toContain("Basic");
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(await page.text()).not.toContain("<script");
    const data = await get("/");
    expect(data.headers.get("content-type")).toBe("application/json");
    expect(await data.json()).toEqual({ error: "sign in" });
  });
});

describe("handlers.dashboard alone", () => {
  test("answers its assets, its pages and the API, and is closed by itself", async () => {
    const open = await create({ authorize: () => true });
    const closed = await create();
    for (const path of PUBLIC) {
      expect((await closed.sentiero.handlers.dashboard(new Request(`${BASE}${path}`))).status).toBe(200);
    }
    for (const path of ["", "/", "/sessions/session-1", "/api/sessions"]) {
      expect((await closed.sentiero.handlers.dashboard(new Request(`${BASE}${path}`))).status).toBe(403);
      expect((await open.sentiero.handlers.dashboard(new Request(`${BASE}${path}`))).status).toBe(200);
    }
  });

  test("takes no events, and answers nothing outside of its base path", async () => {
    const { sentiero } = await create({ authorize: () => true });
    const ask = (path: string, init: RequestInit = {}) =>
      sentiero.handlers.dashboard(new Request(`http://localhost${path}`, init)).then(({ status }) => status);
    expect(await ask("/sentiero/events", { method: "POST", body: "{}" })).toBe(404);
    // As long as the base path, so that cutting by length would find a route.
    expect(await ask("/abcdefgh/api/sessions")).toBe(404);
    expect(await ask("/abcdefgh/")).toBe(404);
    expect(await ask("/api/sessions")).toBe(404);
    expect(await ask("/")).toBe(404);
  });
});

test("fetch answers nothing outside of the base path, before auth and without a trace", async () => {
  const { sentiero } = await create({ authorize: () => true });
  for (const path of [
    "/",
    "/sentier",
    "/sentierox",
    "/sentierox/api/sessions",
    "/x/sentiero/",
    "/SENTIERO/",
    "//sentiero/",
  ]) {
    expect((await sentiero.fetch(new Request(`http://localhost${path}`))).status).toBe(404);
  }
});
