import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { createDemo, demoUser } from "../../examples/demo/demo.ts";
import { fillStore } from "../../examples/demo/filler.ts";
import { readRecordings } from "../../examples/demo/recordings.ts";
import { openStorage } from "../../src/cli/storage.ts";
import type { Sentiero } from "../../src/index.ts";
import { post } from "../support/sentiero.ts";
import { describeBrowser, launch, serveSite, withFolder, type Site } from "./support/browser.ts";

const SESSIONS = 30;
const NOW = Date.UTC(2026, 4, 20, 12);

/** Machines that test may be busy with other things. */
const poll = <T>(read: () => T) => expect.poll(read, { timeout: 10_000 });

describeBrowser("the dashboard, as a person uses it", () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let problems: string[];
  let folder: Awaited<ReturnType<typeof withFolder>>;
  let sentiero: Sentiero;
  let site: Site;
  let url: string;

  beforeAll(async () => {
    browser = await launch();
    folder = await withFolder();
    const clock = { now: NOW };
    const demo = createDemo({
      storage: await openStorage(`sqlite:${folder.path}/store.sqlite`),
      clock: () => clock.now,
    });
    sentiero = demo.sentiero;
    await fillStore({
      fetch: demo.fetch,
      clock,
      recordings: readRecordings("http://valcorda.test"),
      sessions: SESSIONS,
      origin: "http://valcorda.test",
      now: NOW,
    });
    clock.now = NOW;
    site = await serveSite(sentiero, () => new Response("not found", { status: 404 }));
    url = `${site.url}/sentiero`;
  });
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    await sentiero?.store.close();
    await folder?.remove();
  });

  beforeEach(async () => {
    context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      httpCredentials: { username: demoUser.user, password: demoUser.password },
    });
    page = await context.newPage();
    problems = [];
    // What a recording asks for is refused on purpose; anything of our own must not be.
    page.on("console", (message) => {
      if (message.type() === "error" && !message.location().url.includes("/replay-frame"))
        problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(error.message));
  });
  afterEach(async () => {
    await context.close();
    expect(problems.filter((text) => !text.includes("valcorda.test"))).toEqual([]);
  });

  const rows = () => page.locator("sentiero-session-list .body .row a");

  it("asks for the sign-in, and lets nobody in without", async () => {
    const stranger = await browser.newContext();
    const answer = await stranger.request.get(`${url}/`);
    expect(answer.status()).toBe(401);
    expect(answer.headers()["www-authenticate"]).toContain("Basic");
    await stranger.close();
  });

  it("lists the newest sessions first, page by page, and back", async () => {
    await page.goto(`${url}/`);
    await rows().first().waitFor();
    expect(await rows().count()).toBe(25);
    const first = await rows().first().getAttribute("href");
    await page.getByRole("link", { name: /older/i }).click();
    await poll(() => rows().count()).toBe(SESSIONS - 25);
    await page.goBack();
    await poll(() => rows().count()).toBe(25);
    expect(await rows().first().getAttribute("href")).toBe(first);
  });

  it("opens a session with the keyboard, plays it, and a row of the activity list seeks to its moment", async () => {
    await page.goto(`${url}/`);
    await rows().first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/sessions\//);
    const replay = page.locator("sentiero-replay");
    await replay.waitFor();
    const entries = page.locator("sentiero-activity-list .row");
    await entries.nth(2).waitFor();
    await entries.nth(2).click();
    const time = () => replay.evaluate((element) => (element as HTMLElement & { timeMs: number }).timeMs);
    await poll(time).toBeGreaterThan(0);
    const before = await time();
    await page.getByRole("button", { name: /^Play/ }).first().click();
    await poll(time).toBeGreaterThan(before);
  });

  it("really seeks to the time of a deep link, which in the original opened at the start", async () => {
    await page.goto(`${url}/`);
    await rows().first().waitFor();
    const path = await rows().first().getAttribute("href");
    await page.goto(`${site.url}${path}?t=6000`);
    const replay = page.locator("sentiero-replay");
    await replay.waitFor();
    await poll(() =>
      replay.evaluate((element) => (element as HTMLElement & { timeMs: number }).timeMs),
    ).toBeGreaterThanOrEqual(5_900);
    const text = async () => {
      const frame = page.frames().find((one) => one.url().endsWith("/replay-frame"));
      return frame?.evaluate(() => document.querySelector("iframe")?.contentDocument?.body?.innerText ?? "");
    };
    await poll(text).toContain("Valcorda");
  });

  it("deletes a session only after a yes", async () => {
    await post(sentiero, { sessionId: "to-be-deleted", windowId: "w", events: [{ type: 4, timestamp: NOW }] });
    await page.goto(`${url}/sessions/to-be-deleted`);
    const ask = page.getByRole("button", { name: "Delete" }).first();
    await ask.click();
    await page.getByRole("button", { name: "Cancel" }).click();
    expect(await sentiero.store.sessions.get("to-be-deleted")).not.toBeNull();
    await ask.click();
    await page.locator("sentiero-confirm dialog .danger.button").click();
    await poll(() => sentiero.store.sessions.get("to-be-deleted")).toBeNull();
    await rows().first().waitFor();
  });

  it("says what is wrong with a recording that has holes", async () => {
    const batch = (seq: number) => ({
      sessionId: "with-holes",
      windowId: "w",
      run: "0".repeat(24),
      seq,
      events: [{ type: 3, data: {}, timestamp: NOW + seq }],
    });
    await post(sentiero, batch(0));
    await post(sentiero, batch(3));
    await page.goto(`${url}/sessions/with-holes`);
    await poll(() => page.locator("sentiero-session-page .problems").innerText()).toMatch(/2 uploads/);
  });

  it("shows recorded text as text, whatever it holds", async () => {
    const hostile = `"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>`;
    await post(sentiero, {
      sessionId: "hostile",
      windowId: "w",
      metadata: { [hostile]: hostile, url: `javascript:window.pwned=1` },
      events: [
        { type: 4, data: { href: `javascript:window.pwned=1//${hostile}`, width: 800, height: 600 }, timestamp: NOW },
        {
          type: 2,
          timestamp: NOW + 1,
          data: {
            initialOffset: { top: 0, left: 0 },
            node: {
              type: 0,
              id: 1,
              childNodes: [
                {
                  type: 2,
                  tagName: "html",
                  attributes: {},
                  id: 2,
                  childNodes: [
                    { type: 2, tagName: "head", attributes: {}, id: 3, childNodes: [] },
                    {
                      type: 2,
                      tagName: "body",
                      attributes: { onload: "parent.parent.pwned=1" },
                      id: 4,
                      childNodes: [
                        {
                          type: 2,
                          tagName: "img",
                          attributes: { src: "x", onerror: "top.pwned=1" },
                          id: 5,
                          childNodes: [],
                        },
                        {
                          type: 2,
                          tagName: "script",
                          attributes: {},
                          id: 6,
                          childNodes: [{ type: 3, id: 7, textContent: "top.pwned=1" }],
                        },
                        {
                          type: 2,
                          tagName: "iframe",
                          attributes: { srcdoc: "<script>top.pwned=1</script>" },
                          id: 8,
                          childNodes: [],
                        },
                        {
                          type: 2,
                          tagName: "p",
                          attributes: {},
                          id: 9,
                          childNodes: [{ type: 3, id: 10, textContent: "still here" }],
                        },
                      ],
                    },
                  ],
                },
              ],
            },
          },
        },
        { type: 5, timestamp: NOW + 900, data: { tag: hostile, payload: { a: hostile } } },
      ],
    });
    await page.goto(`${url}/`);
    await rows().first().waitFor();
    await page.goto(`${url}/sessions/hostile`);
    const drawn = () =>
      page
        .frames()
        .find((one) => one.url().endsWith("/replay-frame"))
        ?.evaluate(() => document.querySelector("iframe")?.contentDocument?.body?.innerText);
    await poll(drawn).toContain("still here");
    await page
      .locator("sentiero-replay")
      .evaluate((element) => (element as HTMLElement & { seek(ms: number): void }).seek(900));
    await page.waitForTimeout(500);
    for (const frame of page.frames()) {
      if (frame.url().startsWith(site.url)) expect(await frame.evaluate(() => "pwned" in window)).toBe(false);
    }
    problems = problems.filter((text) => !/Content Security Policy|sandbox|404/.test(text));
  });
});

describeBrowser("an empty dashboard", () => {
  it("says how the first recording gets in", async () => {
    const browser = await launch();
    const folder = await withFolder();
    const { sentiero } = createDemo({ storage: await openStorage(`sqlite:${folder.path}/store.sqlite`) });
    const site = await serveSite(sentiero, () => new Response("not found", { status: 404 }));
    const context = await browser.newContext({
      httpCredentials: { username: demoUser.user, password: demoUser.password },
    });
    const page = await context.newPage();
    await page.goto(`${site.url}/sentiero`);
    await page.locator("sentiero-install-hint").getByText("recorder.js").first().waitFor();
    await browser.close();
    await site.close();
    await folder.remove();
  });
});
