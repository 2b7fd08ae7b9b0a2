import { gunzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { createTestSentiero } from "../support/sentiero.ts";
import { describeBrowser, launch, serveSite } from "./support/browser.ts";

const DOT =
  '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><rect width="4" height="4" fill="red"/></svg>';

const CLASSES = `
  <p class="rr-block">blocked word</p><p class="hush">hushed word</p>
  <p class="rr-mask" title="titled">masked word</p><p class="veil">veiled word</p>
  <input class="rr-ignore" id="ignored"><input class="deaf" id="unheard"><input id="plain">`;

describeBrowser("options of the recorder", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  it("have what images show and the fonts of scripts recorded, which is off otherwise", async () => {
    const html = '<img src="/dot.svg">';
    const addFont = (tab: Page): Promise<void> =>
      tab.evaluate(() => {
        document.fonts.add(new FontFace("Later", "url(/later.woff2)", { weight: "700" }));
        document.fonts.add(new FontFace("Bytes", new Uint8Array([9, 1, 2]).subarray(1)));
      });
    const plain = await record(browser, {}, html, addFont, '"tag":"done"');
    expect(plain).not.toContain("rr_dataURL");
    expect(plain).not.toContain("Later");
    const whole = await record(browser, { captureImages: true, captureFonts: true }, html, addFont, '"tag":"done"');
    expect(whole).toContain('"rr_dataURL":"data:image/png;base64,');
    expect(whole).toMatch(/"source":10,"family":"Later",.*"fontSource":"url\(\/later.woff2\)"/);
    expect(whole).toMatch(/"family":"Bytes","buffer":true,.*"fontSource":"\[1,2\]"/);
    const strict = await record(browser, { captureImages: true, privacy: "strict" }, html, addFont, '"tag":"done"');
    expect(strict).not.toContain("rr_dataURL");
  }, 60_000);

  it("leave every address of a picture whole", async () => {
    const html = `<img srcset=" /a.png, /b,c.png 2x,/d.png 3x , data:image/png;base64,AA== 4x, e.png (x, y) 5x">`;
    const sent = await record(browser, {}, html, async () => {}, '"tag":"done"');
    const [, srcset] = /"srcset":"([^"]*)"/.exec(sent)!;
    expect(srcset!.replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, "")).toBe(
      "/a.png, /b,c.png 2x, /d.png 3x, data:image/png;base64,AA== 4x, /e.png (x, y) 5x",
    );
  }, 60_000);

  it("name the classes that block, mask and ignore, beside the attributes", async () => {
    const type = async (tab: Page): Promise<void> => {
      for (const id of ["ignored", "unheard", "plain"]) await tab.fill(`#${id}`, "typed");
      await tab.click("body");
    };
    const usual = await record(browser, {}, CLASSES, type, '"tag":"done"');
    expect(usual).not.toContain("blocked word");
    expect(usual).toContain("hushed word");
    expect(usual).not.toContain("masked word");
    expect(usual).toContain("****** ****");
    expect(usual).not.toContain('"titled"');
    expect(usual).toContain("veiled word");
    // Those of the plain field and of the one with another class.
    expect(usual.split('"source":5').length - 1).toBe(2);
    const recorderOptions = { blockClass: "hush", maskTextClass: "veil", ignoreClass: "deaf" };
    const named = await record(browser, { recorderOptions }, CLASSES, type, '"tag":"done"');
    expect(named).toContain("blocked word");
    expect(named).not.toContain("hushed word");
    expect(named).toContain("masked word");
    expect(named).not.toContain("veiled word");
    expect(named.split('"source":5').length - 1).toBe(2);
  }, 60_000);
});

/** Records a page from the moment when all of it is loaded, until `word` was sent; everything that was sent, as text. */
async function record(
  browser: Browser,
  config: Record<string, unknown>,
  html: string,
  work: (tab: Page) => Promise<void>,
  word: string,
): Promise<string> {
  const sentiero = createTestSentiero();
  const bodies: string[] = [];
  const fetch = async (request: Request): Promise<Response> => {
    if (request.method === "POST") {
      const body = Buffer.from(await request.clone().arrayBuffer());
      bodies.push((body[0] === 0x1f ? gunzipSync(body) : body).toString());
    }
    return sentiero.fetch(request);
  };
  const tags = sentiero.scriptTag().replace(/>(\{.*\})</, (_, json: string) => {
    return `>${JSON.stringify({ ...(JSON.parse(json) as object), ...config, requireConsent: true })}<`;
  });
  const page = (request: Request): Response =>
    request.url.endsWith(".svg")
      ? new Response(DOT, { headers: { "content-type": "image/svg+xml" } })
      : new Response(`<!doctype html><html><head><title>Page</title>${tags}</head><body>${html}</body></html>`, {
          headers: { "content-type": "text/html" },
        });
  const site = await serveSite({ ...sentiero, fetch }, page);
  const context = await browser.newContext();
  try {
    const tab = await context.newPage();
    await tab.goto(site.url);
    await tab.evaluate("Sentiero.optIn()");
    // The first snapshot is sent by itself.
    await vi.waitUntil(() => bodies.length > 0, { timeout: 20_000, interval: 50 });
    await work(tab);
    // A font is told of in a task of its own.
    await tab.evaluate("new Promise((done) => setTimeout(done))");
    await tab.evaluate('Sentiero.addCustomEvent("done", {})');
    await vi.waitUntil(
      async () => {
        await tab.evaluate("Sentiero.flush()");
        return bodies.join("\n").includes(word);
      },
      { timeout: 20_000, interval: 50 },
    );
    return bodies.join("\n");
  } finally {
    await context.close();
    await site.close();
  }
}
