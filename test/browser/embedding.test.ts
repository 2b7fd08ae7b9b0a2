import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import type { SentieroOptions } from "../../src/index.ts";
import { createTestSentiero } from "../support/sentiero.ts";
import { describeBrowser, launch, serveSite, type Site } from "./support/browser.ts";

describeBrowser("the recorder in a page", () => {
  let browser: Browser;
  let context: BrowserContext;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    context = await browser.newContext();
  });
  afterEach(async () => {
    await context.close();
    for (const close of closing.splice(0)) await close();
  });

  /** A sentiero, and a site whose page has `head`; headers are the page's. */
  async function serve(
    head: (tags: string) => string,
    options: SentieroOptions = {},
    headers: Record<string, string> = {},
  ): Promise<{ site: Site; sessions: () => Promise<number> }> {
    const sentiero = createTestSentiero({ flushIntervalMs: 300, ...options } as SentieroOptions);
    const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page</title>${head(sentiero.scriptTag({ nonce: "n0nce" }))}</head><body><h1>Hello</h1></body></html>`;
    const site = await serveSite(
      sentiero,
      () => new Response(html, { headers: { "content-type": "text/html", ...headers } }),
    );
    closing.push(site.close);
    return { site, sessions: async () => (await sentiero.store.sessions.list({ limit: 10 })).sessions.length };
  }

  async function open(url: string): Promise<{ page: Page; errors: string[] }> {
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(url);
    return { page, errors };
  }

  it("works with recorder.js alone: its own address tells where to send", async () => {
    const { site, sessions } = await serve(() => `<script async src="/sentiero/recorder.js"></script>`);
    const { errors } = await open(site.url);
    await expect.poll(sessions, { timeout: 8_000 }).toBe(1);
    expect(errors).toEqual([]);
  });

  it("works under a policy of nonces, without inline scripts, blob: or eval", async () => {
    const { site, sessions } = await serve(
      (tags) => tags,
      {},
      {
        "content-security-policy": "default-src 'none'; script-src 'nonce-n0nce' 'strict-dynamic'; connect-src 'self'",
      },
    );
    const { errors } = await open(site.url);
    await expect.poll(sessions, { timeout: 8_000 }).toBe(1);
    expect(errors).toEqual([]);
  });

  it("records a page of a listed origin, and nothing from one that is not listed", async () => {
    vi.spyOn(console, "warn").mockImplementation(() => {});
    let recorder = "";
    const guest = async () => {
      const site = await serveSite(createTestSentiero(), () => {
        const html = `<!doctype html><title>Guest</title><script async src="${recorder}"></script><p>Guest`;
        return new Response(html, { headers: { "content-type": "text/html" } });
      });
      closing.push(site.close);
      return site.url;
    };
    const [listed, unlisted] = [await guest(), await guest()];
    const collector = createTestSentiero({ flushIntervalMs: 300, corsOrigins: [listed] });
    const home = await serveSite(collector, () => new Response("", { status: 404 }));
    closing.push(home.close);
    recorder = `${home.url}/sentiero/recorder.js`;
    const sessions = async () => (await collector.store.sessions.list({ limit: 10 })).sessions;

    await open(unlisted);
    await sleep(1_500);
    expect(await sessions()).toEqual([]);
    await open(listed);
    await expect
      .poll(async () => (await sessions()).map(({ entryUrl }) => entryUrl), { timeout: 8_000 })
      .toEqual([`${listed}/`]);
  });

  it("never throws into the page: no storage, no crypto.randomUUID, frozen globals, offline, bad calls", async () => {
    const { site } = await serve((tags) => tags + tags);
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await page.addInitScript(() => {
      for (const name of ["localStorage", "sessionStorage"]) {
        Object.defineProperty(window, name, {
          get() {
            throw new DOMException("denied", "SecurityError");
          },
        });
      }
      Object.defineProperty(crypto, "randomUUID", { value: undefined });
      Object.freeze(Object.prototype);
      Object.freeze(Array.prototype);
    });
    await page.goto(site.url);
    await sleep(1_000);
    await context.setOffline(true);
    await page.evaluate(() => {
      const api = window.Sentiero as unknown as Record<string, (...args: unknown[]) => unknown>;
      const loop: Record<string, unknown> = {};
      loop.self = loop;
      for (const bad of [undefined, null, 1, "x", loop, () => {}, Symbol("s")]) {
        for (const name of ["addCustomEvent", "setMetadata", "optOut", "optIn"]) api[name]!(bad, bad);
      }
    });
    await sleep(1_000);
    expect(errors).toEqual([]);
  });

  it("gives a duplicated tab a window of its own, in the same session", async () => {
    const { site } = await serve((tags) => tags);
    const { page } = await open(site.url);
    await sleep(1_000);
    const [copy] = await Promise.all([
      context.waitForEvent("page"),
      page.evaluate(() => void window.open(location.href)),
    ]);
    await copy.waitForLoadState();
    await sleep(1_500);
    const ids = await Promise.all(
      [page, copy].map((tab) =>
        tab.evaluate(() => [
          (JSON.parse(localStorage.getItem("sentiero_session") ?? "{}") as { sessionId?: string }).sessionId,
          sessionStorage.getItem("sentiero_window_id"),
        ]),
      ),
    );
    expect(ids[0]![0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[0]![0]).toBe(ids[1]![0]);
    expect(ids[0]![1]).not.toBe(ids[1]![1]);
  });
});
