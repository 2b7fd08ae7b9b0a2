import { createHash } from "node:crypto";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { createStorage } from "unstorage";
import { describe, expect, test } from "vitest";
import { manifest } from "#assets/manifest.js";
import { nodePlatform } from "../../adapters/node.ts";
import { createSentiero, type SentieroOptions } from "../../src/index.ts";

const BASE = "http://localhost/sentiero";

/** The dashboard is closed: assets are answered before auth. */
const create = (options: SentieroOptions = {}) =>
  createSentiero({ storage: createStorage(), ...options } as SentieroOptions);

const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  create().fetch(new Request(`${BASE}${path}`, { method, headers }));

describe("hashed files", () => {
  test.each(Object.entries(manifest))("%s is served, immutable, to every origin, without auth", async (_name, file) => {
    const response = await get(`/assets/${file}`);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "cache-control": "public, max-age=31536000, immutable",
      "access-control-allow-origin": "*",
      "cross-origin-resource-policy": "cross-origin",
      "x-content-type-options": "nosniff",
      "content-type": file.endsWith(".css") ? "text/css; charset=utf-8" : "text/javascript; charset=utf-8",
      etag: expect.stringContaining('"'),
    });
    expect(response.headers.get("vary")).toMatch(/accept-encoding/i);
    expect((await response.arrayBuffer()).byteLength).toBe(Number(response.headers.get("content-length")));
  });

  test("come compressed to who takes gzip, and plain to who does not: the same content", async () => {
    for (const platform of [{}, nodePlatform]) {
      const sentiero = create({ platform });
      const ask = (encoding: string) =>
        sentiero.fetch(
          new Request(`${BASE}/assets/${manifest.dashboard}`, { headers: { "accept-encoding": encoding } }),
        );
      const gzip = await ask("gzip, deflate, br");
      const plain = await ask("identity");
      expect(gzip.headers.get("content-encoding")).toBe("gzip");
      expect(plain.headers.has("content-encoding")).toBe(false);
      const inflated = gunzipSync(await gzip.arrayBuffer());
      const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
      expect(hash(inflated)).toBe(hash(new Uint8Array(await plain.arrayBuffer())));
    }
  });

  test.each([
    ["gzip", "gzip", "gzip"],
    ["GZIP", "gzip", "gzip"],
    ["gzip, deflate, br, zstd", "br", "gzip"],
    ["br, gzip;q=0.5", "br", "gzip"],
    ["*", "br", "gzip"],
    ["*;q=0.1", "br", "gzip"],
    ["gzip;q=1.0", "gzip", "gzip"],
    ["", null, null],
    ["br", "br", null],
    ["BR;q=0.3", "br", null],
    ["gzip;q=0", null, null],
    ["gzip;q=0.000", null, null],
    ["gzip; q=0", null, null],
    ["*;q=0", null, null],
    ["gzip;q=0, *", "br", null],
    ["*, gzip;q=0", "br", null],
    ["*, br;q=0", "gzip", "gzip"],
    ["br;q=0, gzip", "gzip", "gzip"],
    ["xgzip, brx", null, null],
  ])("Accept-Encoding %j gets the recorder as %j, and the dashboard as %j", async (encoding, recorder, dashboard) => {
    for (const [name, expected] of [
      ["loader", recorder],
      ["recorder", recorder],
      ["compress-worker", recorder],
      ["dashboard", dashboard],
      ["replay-frame.css", dashboard],
    ] as const) {
      const response = await get(`/assets/${manifest[name]}`, { "accept-encoding": encoding });
      expect(response.headers.get("content-encoding")).toBe(expected);
      expect(response.headers.get("vary")).toMatch(/accept-encoding/i);
    }
  });

  test("of the recorder are the same in every coding, the smallest as brotli, and each has a tag of its own", async () => {
    for (const name of ["loader", "recorder", "compress-worker"]) {
      const sizes: number[] = [];
      const texts = new Set<string>();
      const tags = new Set<string>();
      for (const encoding of ["identity", "gzip", "br"]) {
        const response = await get(`/assets/${manifest[name]}`, { "accept-encoding": encoding });
        const bytes = new Uint8Array(await response.arrayBuffer());
        expect(bytes.byteLength).toBe(Number(response.headers.get("content-length")));
        const unpack = encoding === "br" ? brotliDecompressSync : encoding === "gzip" ? gunzipSync : Buffer.from;
        texts.add(unpack(bytes).toString());
        tags.add(response.headers.get("etag")!);
        sizes.push(bytes.byteLength);
      }
      expect([texts.size, tags.size]).toEqual([1, 3]);
      expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
      // Whatever coding a cache asks in: its copy is still good.
      for (const tag of tags) {
        const headers = { "if-none-match": tag, "accept-encoding": "br" };
        expect((await get(`/assets/${manifest[name]}`, headers)).status).toBe(304);
      }
    }
  });

  test("are chunks of the recorder too, as brotli", async () => {
    const { files, brotliFiles } = await import("#assets/files.js");
    const chunks = Object.keys(brotliFiles).filter((file) => !Object.values(manifest).includes(file));
    expect(chunks.length).toBeGreaterThan(2);
    for (const file of chunks) {
      expect(Object.keys(files)).toContain(file);
      const response = await get(`/assets/${file}`, { "accept-encoding": "br, gzip" });
      expect([response.status, response.headers.get("content-encoding")]).toEqual([200, "br"]);
    }
  });

  test("are not sent again to who has them", async () => {
    const etag = (await get(`/assets/${manifest.loader}`)).headers.get("etag")!;
    for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const response = await get(`/assets/${manifest.loader}`, { "if-none-match": tag });
      expect([response.status, await response.text()]).toEqual([304, ""]);
      expect(response.headers.get("etag")).toBe(etag);
      expect(response.headers.get("cache-control")).toContain("immutable");
    }
    expect((await get(`/assets/${manifest.loader}`, { "if-none-match": '"other"' })).status).toBe(200);
  });

  test("have no body for HEAD, and the same headers", async () => {
    const head = await get(`/assets/${manifest.loader}`, {}, "HEAD");
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(Number(head.headers.get("content-length"))).toBeGreaterThan(100);
  });

  test.each(["POST", "PUT", "DELETE", "PATCH"])("refuse %s", async (method) => {
    for (const path of [`/assets/${manifest.loader}`, "/recorder.js", "/replay-frame", "/assets/manifest.json"]) {
      const response = await get(path, {}, method);
      expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
    }
  });
});

describe("paths that name no asset", () => {
  test.each([
    "/assets/",
    "/assets",
    "/assets/none.js",
    "/assets/loader.js",
    `/assets/${manifest.loader!.toLowerCase()}`,
    `/assets/${manifest.loader}/`,
    `/assets/x/${manifest.loader}`,
    "/assets/../../package.json",
    "/assets/..%2f..%2fpackage.json",
    "/assets/%2e%2e/%2e%2e/package.json",
    "/assets/%252e%252e%252fpackage.json",
    "/assets/..\\..\\package.json",
    "/assets//etc/passwd",
    "/assets/%2fetc%2fpasswd",
    `/assets/${manifest.loader}%00`,
    "/assets/%00",
    "/assets/files.js",
    "/assets/manifest.js",
    "/assets/__proto__",
    "/assets/constructor",
    "/assets/toString",
    "/assets/hasOwnProperty",
    "/assets/...",
    "/recorder.js/",
    "/replay-frame/",
  ])("%s is answered with 404", async (path) => {
    const sentiero = create();
    for (const handler of [sentiero.handlers.assets, sentiero.fetch]) {
      const response = await handler(new Request(`${BASE}${path}`));
      expect(response.status).toBe(404);
      expect(response.headers.get("cache-control")).toBe("no-store");
    }
  });

  test("under another base path are none of ours", async () => {
    const sentiero = create({ basePath: "/deep/er" });
    expect((await sentiero.fetch(new Request(`${BASE}/recorder.js`))).status).toBe(404);
    expect((await sentiero.fetch(new Request("http://localhost/deep/erx/recorder.js"))).status).toBe(404);
    expect((await sentiero.fetch(new Request("http://localhost/deep/er/recorder.js"))).status).toBe(200);
  });
});

describe("recorder.js", () => {
  test("is the loader under a stable address, kept for five minutes and then asked for again", async () => {
    const response = await get("/recorder.js");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "cache-control": "public, max-age=300",
      "content-type": "text/javascript; charset=utf-8",
      "access-control-allow-origin": "*",
    });
    expect(await response.text()).toBe(await (await get(`/assets/${manifest.loader}`)).text());
    const again = await get("/recorder.js", { "if-none-match": response.headers.get("etag")! });
    expect(again.status).toBe(304);
  });
});

describe("manifest.json", () => {
  test("names the files of this build, is never older than the server, and is JSON, where the original kept it for a day", async () => {
    const response = await get("/assets/manifest.json");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-cache",
      "access-control-allow-origin": "*",
    });
    const names = (await response.json()) as Record<string, string>;
    expect(names).toEqual(manifest);
    expect(names.recorder).toMatch(/^recorder-[A-Za-z0-9]+\.js$/);
  });
});

describe("the replay frame", () => {
  test("is an empty document with its own policy, of scripts and styles of ours only", async () => {
    const response = await get("/replay-frame");
    const html = await response.text();
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const policy = response.headers.get("content-security-policy")!;
    for (const directive of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data: blob:",
      "font-src 'self' data:",
      "connect-src 'self'",
      "frame-ancestors 'self'",
    ]) {
      expect(policy.split("; ")).toContain(directive);
    }
    expect(policy).not.toContain("unsafe-eval");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(html).toContain(`<script type="module" src="/sentiero/assets/${manifest["replay-frame"]}"></script>`);
    expect(html).toContain(`href="/sentiero/assets/${manifest["replay-frame.css"]}"`);
    expect(html).toMatch(/<body>\s*<\/body>/);
  });

  test("has no body for HEAD", async () => {
    expect(await (await get("/replay-frame", {}, "HEAD")).text()).toBe("");
  });

  test("is not opened to other origins", async () => {
    expect((await get("/replay-frame")).headers.has("access-control-allow-origin")).toBe(false);
  });
});

describe("files that lie elsewhere", () => {
  const open = () => {
    const asked: string[] = [];
    const readAsset = (file: string) => {
      asked.push(file);
      return Promise.resolve(file === manifest.loader ? new TextEncoder().encode("// the loader") : null);
    };
    return { sentiero: create({ platform: { readAsset } }), asked };
  };

  test("are served plain, to be kept for ever", async () => {
    const { sentiero } = open();
    const url = `http://localhost/sentiero/assets/${manifest.loader}`;
    const answer = await sentiero.fetch(new Request(url, { headers: { "accept-encoding": "gzip, br" } }));
    expect(await answer.text()).toBe("// the loader");
    expect(answer.headers.get("content-encoding")).toBeNull();
    expect(answer.headers.get("cache-control")).toContain("immutable");
    const headers = { "if-none-match": answer.headers.get("etag")! };
    expect((await sentiero.fetch(new Request(url, { headers }))).status).toBe(304);
  });

  test("are asked for only by names that this build gives", async () => {
    const { sentiero, asked } = open();
    for (const path of ["files.js", "manifest.js", "secret.txt", "..%2fworker.js", "dashboard.js"]) {
      expect((await sentiero.fetch(new Request(`http://localhost/sentiero/assets/${path}`))).status).toBe(404);
    }
    expect(asked).toEqual([]);
  });
});
