import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { describeBrowser, launch, serveSite } from "../browser/support/browser.ts";
import { createTestSentiero } from "../support/sentiero.ts";

/** Bytes on the wire, gzip. */
const MAX_LOADER_BYTES = 3_000;
/**
 * By coding: over HTTPS browsers take brotli, over plain HTTP gzip. The aim is 30 kB. This is what there is, so that it does
 * not grow unnoticed: make it smaller with the files.
 */
const MAX_BYTES = { gzip: 37_500, br: 33_700 };
type Coding = keyof typeof MAX_BYTES;

describeBrowser("what a page loads to be recorded, with nothing configured", () => {
  /** By path, in the order in which a browser asked for them. */
  const sizes = new Map<string, Readonly<Record<Coding, number>>>();

  beforeAll(async () => {
    const sentiero = createTestSentiero();
    const uploads: string[] = [];
    const fetch = (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url);
      if (pathname.endsWith(".js")) sizes.set(pathname, { gzip: 0, br: 0 });
      if (request.method === "POST") uploads.push(pathname);
      return sentiero.fetch(request);
    };
    const html = `<!doctype html><html lang="en"><head><title>Page</title>${sentiero.scriptTag()}</head><body><button>Pay</button></body></html>`;
    const page = () => new Response(html, { headers: { "content-type": "text/html" } });
    const site = await serveSite({ ...sentiero, fetch }, page);
    const browser = await launch();
    try {
      const tab = await browser.newPage();
      await tab.goto(site.url);
      // The snapshot is packed in the worker before it is sent.
      await vi.waitUntil(() => uploads.length > 0, { timeout: 20_000, interval: 50 });
      await tab.click("button");
      await tab.evaluate("Sentiero.flush()");
      await tab.goto("about:blank");
    } finally {
      await browser.close();
      await site.close();
    }
    for (const path of sizes.keys()) {
      const sizeAs = async (coding: Coding): Promise<number> => {
        const headers = { "accept-encoding": coding };
        const answer = await sentiero.fetch(new Request(new URL(path, site.url), { headers }));
        expect(answer.headers.get("content-encoding")).toBe(coding);
        return (await answer.arrayBuffer()).byteLength;
      };
      sizes.set(path, { gzip: await sizeAs("gzip"), br: await sizeAs("br") });
    }
  });

  afterAll(() => {
    const kB = (bytes: number): string => `${(bytes / 1_000).toFixed(2)} kB`;
    const rows = [...sizes].map(([path, { gzip, br }]) => `${path.split("/").at(-1)} ${kB(gzip)}, brotli ${kB(br)}`);
    console.log(`Loaded by default: ${rows.join("; ")}; ${kB(total("gzip"))}, brotli ${kB(total("br"))} in all`);
  });

  const total = (coding: Coding): number => [...sizes.values()].reduce((sum, bytes) => sum + bytes[coding], 0);

  it("is a loader of at most 3 kB", () => {
    const [path, bytes] = [...sizes][0]!;
    expect(path).toContain("loader");
    expect(bytes.gzip).toBeLessThanOrEqual(MAX_LOADER_BYTES);
  });

  it("is the loader, the recorder and its worker: no other file at a start", () => {
    const names = [...sizes.keys()].map((path) => /\/([a-z-]+)-[A-Z0-9]+\.js$/.exec(path)?.[1]);
    expect(names).toEqual(["loader", "recorder", "compress-worker"]);
  });

  it("has no more bytes than it had", () => {
    expect(total("gzip")).toBeLessThanOrEqual(MAX_BYTES.gzip);
    expect(total("br")).toBeLessThanOrEqual(MAX_BYTES.br);
  });
});
