import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { RecordedEvent, Sentiero, SessionList } from "../../src/index.ts";
import { api, createTestSentiero, post } from "../support/sentiero.ts";
import { HOSTILE, activityPage, visit } from "./support/activity-page.ts";
import { describeBrowser, launch, serveSite, type Site } from "./support/browser.ts";

const MANY = 5_000;
const NOW = Date.UTC(2026, 4, 20, 12);

/** Machines that test may be busy with other things. */
const poll = <T>(read: () => T) => expect.poll(read, { timeout: 10_000 });

describeBrowser("the activity of a session", () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let problems: string[];
  let sentiero: Sentiero;
  let site: Site;
  let recorded: string;

  beforeAll(async () => {
    browser = await launch();
    sentiero = createTestSentiero();
    site = await serveSite(sentiero, (request) => activityPage(new URL(request.url).pathname));
    const visitor = await browser.newContext();
    await visit(await visitor.newPage(), site.url);
    await visitor.close();
    const { body } = await api<SessionList>(sentiero, "/sessions");
    recorded = body.sessions[0]!.id;
    const events = manyEvents();
    for (let from = 0; from < events.length; from += 1_000) {
      const batch = { run: "ab".repeat(12), seq: from / 1_000, events: events.slice(from, from + 1_000) };
      expect((await post(sentiero, { sessionId: "many", windowId: "w", ...batch })).status).toBe(200);
    }
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
  });

  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    page = await context.newPage();
    problems = [];
    page.on("console", (message) => {
      // What the recorded page asks for is refused, or not there, on purpose.
      if (message.type() === "error" && !/\/replay-frame|\/missing\.png/.test(message.location().url))
        problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(error.message));
  });
  afterEach(async () => {
    await context.close();
    expect(problems).toEqual([]);
  });

  const rows = () => page.locator("sentiero-activity-list .row");
  const chip = (name: string) => page.locator("sentiero-activity-list .chip", { hasText: name });
  const open = async (sessionId: string) => {
    await page.goto(`${site.url}/sentiero/sessions/${sessionId}`);
    await rows().first().waitFor();
  };
  const texts = async () =>
    (await page.locator("sentiero-activity-list .row .text").allInnerTexts()).map((text) => text.replace(/\s+/g, " "));

  it("tells in words what the real recorder recorded, each click once", async () => {
    await open(recorded);
    const wanted = [
      "Visited /",
      "Recording began: the page was loaded",
      "Clicked “Pay now”",
      "Clicked div#bare",
      "Clicked “I agree”",
      "Clicked “Overview”",
      "Went to /overview",
      "Clicked “Break it”",
      "Clicked “Order”",
      "Clicked “Tell”",
      "Console warn stock is low {left: 2}",
      "Clicked by keyboard “Subscribe”",
      "Submitted form “newsletter”",
      "Visited /plans",
    ];
    await poll(texts).toEqual(expect.arrayContaining([...wanted, "Clicked “All plans” → /plans"]));
    const told = await texts();
    const clicks = told.filter((text) => text.startsWith("Clicked"));
    // The press that ends the pause is not recorded; the click that it becomes is, where the snapshot was done before it.
    if (clicks.at(-2) === "Clicked “Pay now”") clicks.splice(-2, 1);
    expect(clicks).toEqual(wanted.filter((text) => text.startsWith("Clicked")).concat("Clicked “All plans” → /plans"));
    const matching = (pattern: RegExp) => told.filter((text) => pattern.test(text));
    expect(matching(/^Error .*the total is not a number$/)).toHaveLength(1);
    expect(matching(/^Unhandled rejection nobody caught this$/)).toHaveLength(1);
    expect(matching(/^Not loaded img \/missing\.png$/)).toHaveLength(1);
    expect(matching(/^POST 201 · \d+ ms \/api\/order$/)).toHaveLength(1);
    expect(matching(/^GET 404 · \d+ ms \/api\/nothing$/)).toHaveLength(1);
    expect(matching(/^LCP \S+ m?s (good|needs improvement|poor)$/).length).toBeGreaterThan(0);
    expect(matching(/^Recording paused: nobody clicked for \d+ s$/).length).toBeGreaterThan(0);
    expect(matching(/__/)).toEqual([]);
  });

  it("opens a payload and a stack as text, by keyboard too", async () => {
    await open(recorded);
    const event = page.locator("sentiero-activity-list li.custom");
    await event.locator(".open").focus();
    await page.keyboard.press("Enter");
    await poll(() => event.locator(".open").getAttribute("aria-expanded")).toBe("true");
    const text = await event.locator("pre").innerText();
    expect((JSON.parse(text) as { note: string }).note).toBe(HOSTILE);
    expect(await event.locator("pre *").count()).toBe(0);
    const error = page.locator("sentiero-activity-list li.error").first();
    await error.locator(".open").click();
    expect(await error.locator("pre").innerText()).toMatch(/TypeError: the total is not a number\s+at /);
    await error.locator(".open").click();
    expect(await error.locator("pre").count()).toBe(0);
    expect(await page.evaluate(() => "pwned" in window)).toBe(false);
  });

  it("shows the chosen kinds, and what is looked for, and all of it again", async () => {
    await open(recorded);
    await chip("Errors").waitFor();
    await chip("Errors").focus();
    await page.keyboard.press("Space");
    expect(await chip("Errors").getAttribute("aria-pressed")).toBe("true");
    expect(await chip("Clicks").getAttribute("aria-pressed")).toBe("false");
    await poll(() => chip("Errors").innerText()).toMatch(/3$/);
    await poll(() => rows().count()).toBe(3);
    await chip("Requests").click();
    await poll(() => rows().count()).toBe(5);
    await page.getByLabel("Find in the activity").fill("ORDER");
    await poll(texts).toEqual([expect.stringMatching(/^POST .*\/api\/order$/)]);
    await page.getByLabel("Find in the activity").fill("no such thing");
    await page.getByRole("button", { name: "Show all" }).click();
    await poll(() => page.locator("sentiero-activity-list .count").innerText()).toMatch(/^\d+$/);
    await poll(() => rows().count()).toBeGreaterThan(20);
    expect(await chip("Errors").getAttribute("aria-pressed")).toBe("false");
  });

  it("marks pages, errors and the pause on the timeline, names the marks, and a chosen row seeks", async () => {
    await open(recorded);
    const timeline = page.locator("sentiero-timeline");
    await poll(() => timeline.locator(".legend li").allInnerTexts()).toEqual(
      expect.arrayContaining(["Errors", "Pages", "Events", "Clicks", "Not recorded"]),
    );
    expect(await timeline.locator(".slider .mark.error").count()).toBeGreaterThan(0);
    expect(await timeline.locator(".slider .mark.page").count()).toBeGreaterThan(1);
    const pause = (await timeline.locator(".slider .broken").boundingBox())!;
    expect(pause.width).toBeGreaterThan(10);
    await rows().filter({ hasText: "newsletter" }).click();
    const time = () =>
      page.locator("sentiero-replay").evaluate((element) => (element as HTMLElement & { timeMs: number }).timeMs);
    await poll(time).toBeGreaterThan(1_500);
  });

  it("says in the details what recording cost, and what is masked", async () => {
    await open(recorded);
    const cost = page.locator("sentiero-session-details .pair", { hasText: "Recorder's own cost" });
    await poll(() => cost.innerText()).toMatch(/\d+\sms in [\d,]+ pieces?, longest \d+\sms/);
    const note = page.locator("sentiero-session-details .privacy");
    expect(await note.innerText()).toBe("Page text is recorded; what is typed is masked");
  });

  it.each([
    [{ sentiero_privacy: "balanced" }, "Page text is recorded; what is typed is masked", false],
    [{ sentiero_privacy: "strict" }, "Text, media and addresses are masked", false],
    [
      { sentiero_privacy: "balanced", sentiero_mask_inputs: false },
      "What is typed is recorded, but for passwords and other secrets",
      true,
    ],
  ])("says by which rules a session was recorded: %j", async (metadata, words, isWarning) => {
    const events = manyEvents().slice(0, 10);
    const sessionId = `rules-${JSON.stringify(metadata).length}`;
    expect((await post(sentiero, { sessionId, windowId: "w", events, metadata })).status).toBe(200);
    await open(sessionId);
    const note = page.locator("sentiero-session-details .privacy");
    await poll(() => note.innerText()).toBe(words);
    expect(await note.evaluate((element) => element.classList.contains("open"))).toBe(isWarning);
  });

  it("says nothing of rules where the recorder did not, or what nobody knows", async () => {
    const events = manyEvents().slice(0, 10);
    const metadata = { sentiero_privacy: HOSTILE, sentiero_mask_inputs: "false" };
    expect((await post(sentiero, { sessionId: "no-rules", windowId: "w", events, metadata })).status).toBe(200);
    for (const sessionId of ["many", "no-rules"]) {
      await open(sessionId);
      await page.locator("sentiero-session-details section").first().waitFor();
      expect(await page.locator("sentiero-session-details .privacy").count()).toBe(0);
    }
  });

  it("draws only what is in sight of 5,000 rows, and reaches all of them", async () => {
    await open("many");
    await poll(() => page.locator("sentiero-activity-list .count").innerText()).toBe((MANY + 1).toLocaleString("en"));
    expect(await rows().count()).toBeLessThan(400);
    const box = page.locator("sentiero-activity-list .rows");
    await poll(async () => {
      await box.hover();
      await page.mouse.wheel(0, 1e7);
      return (await texts()).at(-1);
    }).toBe(`Clicked “Button ${MANY - 1}”`);
    expect(await rows().count()).toBeLessThan(400);
    // The replay, where it is put, brings its row along, once the viewer has let go.
    const half = MANY / 2;
    await page.waitForTimeout(4_100);
    await page
      .locator("sentiero-replay")
      .evaluate((element, ms) => (element as HTMLElement & { seek(ms: number): void }).seek(ms), 1_000 + half * 100);
    const current = page.locator("sentiero-activity-list .row[aria-current]");
    await poll(() => current.innerText()).toContain(`Button ${half}`);
    const [row, list] = [(await current.boundingBox())!, (await box.boundingBox())!];
    expect(row.y).toBeGreaterThanOrEqual(list.y - 1);
    expect(row.y + row.height).toBeLessThanOrEqual(list.y + list.height + 1);
    await current.focus();
    for (let step = 0; step < 60; step++) await page.keyboard.press("ArrowDown");
    await poll(() => page.locator("sentiero-activity-list .row:focus").innerText()).toContain(`Button ${half + 60}`);
  });
});

function manyEvents(): RecordedEvent[] {
  const body = { type: 2, tagName: "body", attributes: {}, id: 3, childNodes: [] };
  const html = { type: 2, tagName: "html", attributes: {}, id: 2, childNodes: [body] };
  return [
    { type: 4, data: { href: "https://shop.example/", width: 1200, height: 800 }, timestamp: NOW },
    {
      type: 2,
      data: { node: { type: 0, id: 1, childNodes: [html] }, initialOffset: { top: 0, left: 0 } },
      timestamp: NOW,
    },
    ...Array.from({ length: MANY }, (_, index) => ({
      type: 5,
      data: { tag: "__click", payload: { selector: "#b", name: `Button ${index}`, x: 1, y: 1 } },
      timestamp: NOW + 1_000 + index * 100,
    })),
  ];
}
