import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterEach, beforeAll, afterAll, beforeEach, describe, expect, it } from "vitest";
import { openStorage } from "../../src/cli/storage.ts";
import { createSentiero, type Sentiero, type SentieroOptions } from "../../src/index.ts";
import type { DoctorAnswer, MaintenanceAnswer, SessionList } from "../../src/types.ts";
import { api, post } from "../support/sentiero.ts";
import { describeBrowser, launch, serveSite, withFolder, type Site } from "./support/browser.ts";

const DAY_MS = 86_400_000;
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0";
/** Two days that the purge is about, and one that it is not. */
const [OLD, OLDER, RECENT] = [Date.UTC(2026, 1, 2, 12), Date.UTC(2026, 0, 20, 12), Date.UTC(2026, 4, 19, 12)];
const NOW = Date.UTC(2026, 4, 20, 12);

describeBrowser("the maintenance page", () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let problems: string[];
  let elsewhere: string[];
  let cleanUp: (() => unknown)[];

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    cleanUp = [];
    problems = [];
    elsewhere = [];
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    page = await context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("request", (request) => {
      const { protocol, hostname } = new URL(request.url());
      if (protocol !== "data:" && hostname !== "127.0.0.1") elsewhere.push(request.url());
    });
  });
  afterEach(async () => {
    await context.close();
    for (const undo of cleanUp.reverse()) await undo();
    expect(problems).toEqual([]);
    expect(elsewhere).toEqual([]);
  });

  /** A sentiero over SQLite whose jobs wait until `maintain` is called, unless the options say otherwise. */
  async function open(options: Partial<SentieroOptions> = {}): Promise<{
    sentiero: Sentiero;
    site: Site;
    url: string;
    /** Stores a session of one batch that arrives at a time. */
    visit(sessionId: string, at: number, metadata?: Record<string, string>): Promise<number>;
  }> {
    const folder = await withFolder();
    const clock = { now: NOW };
    const sentiero = createSentiero({
      storage: await openStorage(`sqlite:${folder.path}/store.sqlite`),
      authorize: () => true,
      maintenance: false,
      clock: () => clock.now,
      ...options,
    } as SentieroOptions);
    const site = await serveSite(sentiero, () => new Response("not found", { status: 404 }));
    cleanUp.push(
      () => folder.remove(),
      () => sentiero.store.close(),
      () => site.close(),
    );
    return {
      sentiero,
      site,
      url: `${site.url}/sentiero`,
      async visit(sessionId, at, metadata = {}) {
        clock.now = at;
        const event = { type: 4, data: { href: "https://shop.test/", width: 800, height: 600 }, timestamp: at };
        const { status } = await post(sentiero, { sessionId, windowId: "w", metadata, events: [event] });
        clock.now = NOW;
        return status;
      },
    };
  }

  async function sessionIds(sentiero: Sentiero): Promise<string[]> {
    const { body } = await api<SessionList>(sentiero, "/sessions");
    return body.sessions.map(({ id }) => id).sort();
  }

  const purge = () => page.locator("sentiero-purge");
  const erase = () => page.locator("sentiero-erase");
  const progress = () => page.locator("sentiero-job-progress section");
  const dialog = () => page.locator("dialog[open]");
  const preview = (part: ReturnType<typeof purge>) => part.locator(".preview");

  /** Name of what has the focus, through every shadow root. */
  const focused = () =>
    page.evaluate(() => {
      let element = document.activeElement;
      while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
      return (element?.getAttribute("aria-label") ?? element?.textContent ?? "").trim();
    });

  async function tabTo(name: string): Promise<void> {
    for (let presses = 0; presses < 60; presses++) {
      await page.keyboard.press("Tab");
      if ((await focused()) === name) return;
    }
    throw new Error(`nothing called ${name} can be reached with the keyboard`);
  }

  it("stands in the navigation, and in an address of its own", async () => {
    const { url } = await open();
    await page.goto(`${url}/`);
    await page.getByRole("link", { name: "Maintenance" }).click();
    await page.getByRole("heading", { name: "Maintenance", level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/sentiero/maintenance");
    expect(await page.title()).toContain("Maintenance");
    await page.reload();
    await page.getByText("Nothing is recorded yet.").waitFor();
    expect(await page.locator("sentiero-storage section").innerText()).toMatch(/Storage: SQLite[\s\S]*loss of power/);
    expect(await page.locator("sentiero-retention section").innerText()).toMatch(
      /kept for ever[\s\S]*retentionDays: 90/,
    );
    expect(await page.locator("sentiero-job-list .none, sentiero-job-list [role=table]").innerText()).toContain(
      "Nothing was purged",
    );
  });

  it("tells what is stored by day, to the pointer, the keyboard and as a table", async () => {
    const { sentiero, url, visit } = await open();
    await visit("a", OLD);
    await visit("b", OLD + 1000);
    await visit("c", OLD + 3 * DAY_MS);
    await sentiero.maintain();
    const { body } = await api<MaintenanceAnswer>(sentiero, "/maintenance");
    expect(body.usage.total.sessions).toBe(3);
    await page.goto(`${url}/maintenance`);
    const slider = page.getByRole("slider", { name: "Stored bytes by day" });
    await slider.focus();
    await page.keyboard.press("End");
    for (let day = 0; day < 100 && !(await slider.getAttribute("aria-valuetext"))?.startsWith("2 Feb 2026"); day++)
      await page.keyboard.press("ArrowLeft");
    expect(await slider.getAttribute("aria-valuetext")).toMatch(/^2 Feb 2026: 2 sessions, [\d.]+ k?B in/);
    expect(await page.locator("sentiero-usage-chart .value").innerText()).toMatch(/^2 Feb 2026: 2 sessions/);
    await page.getByText("Show as a table").click();
    const rows = await page.locator("sentiero-usage-chart tbody tr").allInnerTexts();
    expect(rows.map((row) => row.split("\t").slice(0, 2))).toEqual([
      ["5 Feb 2026", "1"],
      ["2 Feb 2026", "2"],
    ]);
  });

  it("purges what is older than a day, by keyboard alone, and only after the number was typed", async () => {
    const { sentiero, url, visit } = await open();
    await visit("old", OLD);
    await visit("older", OLDER);
    await visit("recent", RECENT);
    await page.goto(`${url}/maintenance`);
    const date = purge().locator("input[type=date]");
    await date.waitFor();
    expect(await purge().getByRole("button", { name: "Purge…" }).isDisabled()).toBe(true);
    await date.focus();
    await page.keyboard.type("03012026");
    await expect.poll(() => preview(purge()).innerText()).toContain("2 sessions with 2 events");
    await tabTo("Purge…");
    await page.keyboard.press("Enter");
    await dialog().getByText("Delete 2 sessions from before 1 Mar 2026?").waitFor();
    await page.keyboard.type("3");
    await page.keyboard.press("Enter");
    expect(await dialog().getByRole("button", { name: "Purge" }).isDisabled()).toBe(true);
    await page.keyboard.press("Backspace");
    await page.keyboard.type("2");
    await page.keyboard.press("Enter");
    await progress().getByText("Purging: 0 of 2 sessions removed.").waitFor();
    expect(await sessionIds(sentiero)).toEqual(["old", "older", "recent"]);
    await expect.poll(focused).toContain("Job");

    // Another one has to wait, and who leaves the page finds it again.
    expect(await purge().getByRole("button", { name: "Purge…" }).isDisabled()).toBe(true);
    await page.reload();
    await progress().getByText("Purging: 0 of 2 sessions removed.").waitFor();
    expect(await progress().innerText()).toContain("before 1 Mar 2026");

    await sentiero.maintain(10_000);
    await progress().getByText("Purge done: 2 sessions removed").waitFor();
    expect(await page.locator("sentiero-job-progress [role=status]").innerText()).toContain("Purge done");
    await expect.poll(() => page.locator("sentiero-job-list [role=row]").allInnerTexts()).toHaveLength(2);
    expect(await page.locator("sentiero-job-list .none, sentiero-job-list [role=table]").innerText()).toMatch(
      /Purge\s+A person\s+Done\s+2\s+2/,
    );
    await tabTo("Dismiss");
    await page.keyboard.press("Enter");
    await expect.poll(() => progress().count()).toBe(0);

    await page.getByRole("link", { name: "Sessions", exact: true }).click();
    await expect.poll(() => page.locator("sentiero-session-list .body .row a").count()).toBe(1);
    expect(await sessionIds(sentiero)).toEqual(["recent"]);
  });

  it("does nothing when the question is not answered, and says so of an empty selection", async () => {
    const { sentiero, url, visit } = await open();
    await visit("old", OLD);
    await page.goto(`${url}/maintenance`);
    await purge().locator("input[type=date]").fill("2020-01-01");
    await expect.poll(() => preview(purge()).innerText()).toBe("No session is that old.");
    expect(await purge().getByRole("button", { name: "Purge…" }).isDisabled()).toBe(true);
    await purge().locator("input[type=date]").fill("2026-03-01");
    await purge().getByRole("button", { name: "Purge…" }).click();
    await dialog().getByRole("textbox").fill("1");
    await page.keyboard.press("Escape");
    await sentiero.maintain();
    expect(await sessionIds(sentiero)).toEqual(["old"]);
    const { body } = await api<MaintenanceAnswer>(sentiero, "/maintenance");
    expect(body.jobs).toEqual([]);
  });

  it("cancels a running job, which leaves what it has not come to", async () => {
    const { sentiero, url, visit } = await open();
    await visit("old", OLD);
    await page.goto(`${url}/maintenance`);
    await purge().locator("input[type=date]").fill("2026-03-01");
    await purge().getByRole("button", { name: "Purge…" }).click();
    await dialog().getByRole("textbox").fill("1");
    await page.keyboard.press("Enter");
    await progress().getByRole("button", { name: "Cancel" }).click();
    await progress().getByText("Purge cancelled: 0 sessions").waitFor();
    await sentiero.maintain();
    expect(await sessionIds(sentiero)).toEqual(["old"]);
  });

  it("says in the dialog when another job came first", async () => {
    const { sentiero, url, visit } = await open();
    await visit("old", OLD);
    await page.goto(`${url}/maintenance`);
    await purge().locator("input[type=date]").fill("2026-03-01");
    await purge().getByRole("button", { name: "Purge…" }).click();
    const body = JSON.stringify({ kind: "reindex", selection: {}, confirm: "reindex" });
    const headers = { "content-type": "application/json" };
    expect((await api(sentiero, "/maintenance/jobs", { method: "POST", headers, body })).status).toBe(202);
    await dialog().getByRole("textbox").fill("1");
    await page.keyboard.press("Enter");
    await dialog().getByText("another job is running").waitFor();
    // The browser logs every answer that is an error.
    problems = problems.filter((text) => !text.includes("409"));
  });

  it("gives out and erases everything of one person, and of nobody else", async () => {
    const { sentiero, url, visit } = await open();
    await visit("ada-1", OLD, { userId: "ada" });
    await visit("ada-2", RECENT, { userId: "ada" });
    await visit("bob-1", RECENT, { userId: "bob" });
    await page.goto(`${url}/maintenance`);
    await erase()
      .getByRole("textbox", { name: /User id/ })
      .fill("nobody");
    await expect.poll(() => preview(erase()).innerText()).toBe("There is no such session.");
    expect(await erase().getByRole("link", { name: "Export first" }).count()).toBe(0);
    await erase()
      .getByRole("textbox", { name: /User id/ })
      .fill("ada");
    await expect.poll(() => preview(erase()).innerText()).toContain("2 sessions");

    const [download] = await Promise.all([
      page.waitForEvent("download"),
      erase().getByRole("link", { name: "Export first" }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.ndjson$/);
    const chunks: Uint8Array[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Uint8Array);
    const text = Buffer.concat(chunks).toString();
    expect(text).toContain("ada-1");
    expect(text).toContain("ada-2");
    expect(text).not.toContain("bob");

    await erase().getByRole("button", { name: "Erase…" }).click();
    await dialog().getByText("Erase 2 sessions of user ada?").waitFor();
    await dialog().getByRole("textbox").fill("2");
    await dialog().getByRole("button", { name: "Erase" }).click();
    await progress()
      .getByText(/^Erasing: 0 of 2 sessions/)
      .waitFor();
    await sentiero.maintain(10_000);
    await progress().getByText("Erase done: 2 sessions removed").waitFor();
    expect(await sessionIds(sentiero)).toEqual(["bob-1"]);
    await expect.poll(() => preview(erase()).innerText()).toBe("There is no such session.");
    expect(await visit("ada-1", NOW, { userId: "ada" })).toBe(410);
    expect(await page.locator("sentiero-job-list .none, sentiero-job-list [role=table]").innerText()).not.toContain(
      "ada",
    );
  });

  it.each([
    ["Session ids", async () => erase().getByRole("textbox").fill("a-1,\n b-1")],
    [
      "Metadata",
      async () => {
        await erase().getByRole("textbox", { name: "Key" }).fill("plan");
        await erase().getByRole("textbox", { name: "Value" }).fill("pro");
      },
    ],
  ])("finds a person by %s", async (way, fill) => {
    const { sentiero, url, visit } = await open();
    await visit("a-1", RECENT, { plan: "pro" });
    await visit("b-1", RECENT, { plan: "pro" });
    await visit("c-1", RECENT, { plan: "free" });
    await page.goto(`${url}/maintenance`);
    await erase().getByRole("radio", { name: way }).check();
    await fill();
    await expect.poll(() => preview(erase()).innerText()).toContain("2 sessions");
    await erase().getByRole("button", { name: "Erase…" }).click();
    await dialog().getByRole("textbox").fill("2");
    await page.keyboard.press("Enter");
    await progress().waitFor();
    await sentiero.maintain(10_000);
    await progress().getByText("Erase done: 2 sessions removed").waitFor();
    expect(await sessionIds(sentiero)).toEqual(["c-1"]);
  });

  it("names a session id that is none before anything is asked", async () => {
    const { url } = await open();
    await page.goto(`${url}/maintenance`);
    await erase().getByRole("radio", { name: "Session ids" }).check();
    await erase().getByRole("textbox").fill("good\n<script>alert(1)</script>");
    await erase().getByText("This is no session id: <script>alert(1)</script>").waitFor();
    expect(await erase().getByRole("button", { name: "Erase…" }).isDisabled()).toBe(true);
  });

  it("runs retention at once", async () => {
    const { sentiero, url, visit } = await open({ retentionDays: 90 });
    await visit("old", OLD);
    await visit("recent", RECENT);
    await page.goto(`${url}/maintenance`);
    const retention = page.locator("sentiero-retention section");
    await expect.poll(() => retention.innerText()).toMatch(/90 days[\s\S]*It has not run yet\. No run is planned/);
    await retention.getByRole("button", { name: "Run now" }).click();
    await progress().waitFor();
    await sentiero.maintain(10_000);
    await progress().getByText("Purge done: 1 session removed").waitFor();
    await expect.poll(() => retention.innerText()).toContain("removed 1 session.");
    expect(await page.locator("sentiero-job-list .none, sentiero-job-list [role=table]").innerText()).toMatch(
      /Purge\s+Retention\s+Done/,
    );
    expect(await sessionIds(sentiero)).toEqual(["recent"]);
  });

  it("checks the store when asked, with a button or a key, and shows all that was found", async () => {
    const { sentiero, url, visit } = await open();
    await visit("a", RECENT);
    const { body } = await api<DoctorAnswer>(sentiero, "/maintenance/doctor");
    await page.goto(`${url}/maintenance`);
    const doctor = page.locator("sentiero-doctor section");
    await doctor.getByRole("button", { name: "Check now" }).waitFor();
    await page.keyboard.press("c");
    await doctor.getByRole("button", { name: "Check again" }).click();
    await doctor.getByText(/^Checked at/).waitFor();
    expect(await doctor.locator("li").count()).toBe(body.notices.length);
    if (body.notices.length === 0) expect(await doctor.innerText()).toContain("Nothing is wrong.");
  });

  it("reindexes, after which everything is as it was", async () => {
    const { sentiero, url, visit } = await open();
    await visit("a", OLD);
    await visit("b", RECENT);
    await page.goto(`${url}/maintenance`);
    await page.getByRole("button", { name: "Reindex" }).click();
    await progress()
      .getByText(/^Reindexing: /)
      .waitFor();
    await sentiero.maintain(10_000);
    await progress()
      .getByText(/^Reindex done: /)
      .waitFor();
    expect(await sessionIds(sentiero)).toEqual(["a", "b"]);
  });

  it("works on by itself where the server has its timer", async () => {
    const { sentiero, url, visit } = await open({ maintenance: true });
    await visit("old", OLD);
    await visit("recent", RECENT);
    await page.goto(`${url}/maintenance`);
    await purge().locator("input[type=date]").fill("2026-03-01");
    await purge().getByRole("button", { name: "Purge…" }).click();
    await dialog().getByRole("textbox").fill("1");
    await page.keyboard.press("Enter");
    await progress().getByText("Purge done: 1 session removed").waitFor();
    expect(await sessionIds(sentiero)).toEqual(["recent"]);
  });

  it("says that recording stopped for today", async () => {
    const { url, visit } = await open({ limits: { maxBytesPerDay: 1 } });
    await visit("a", NOW);
    await page.goto(`${url}/maintenance`);
    const storage = page.locator("sentiero-storage section");
    await storage.getByText("Recording stopped for today:").waitFor();
    expect(await storage.innerText()).toContain("limits.maxBytesPerDay");
  });

  it("fits on a phone, and reads in the dark", async () => {
    const { url, visit } = await open();
    await visit("a", RECENT);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    await page.goto(`${url}/maintenance`);
    await page.getByText("Show as a table").click();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await purge().locator("input[type=date]").fill("2026-06-01");
    await purge().getByRole("button", { name: "Purge…" }).click();
    const box = await dialog().boundingBox();
    expect(box!.x).toBeGreaterThanOrEqual(0);
    expect(box!.x + box!.width).toBeLessThanOrEqual(390);
  });

  describe("what is known of a session", () => {
    it("names browser and system in the list and on its page, and that it reached its limit", async () => {
      const { sentiero, url } = await open({ limits: { maxEventsPerSession: 2 } });
      const batch = (seq: number, events: unknown[]) => ({
        sessionId: "full",
        windowId: "w",
        run: "0".repeat(24),
        seq,
        sentAt: NOW - 3 * 3_600_000,
        metadata: { userAgent: FIREFOX },
        events,
      });
      const event = (at: number) => ({ type: 3, data: {}, timestamp: at });
      // Without a first picture of the page a session may go on.
      const document = {
        type: 0,
        id: 1,
        childNodes: [{ type: 2, id: 2, tagName: "html", attributes: {}, childNodes: [] }],
      };
      const snapshot = { type: 2, data: { node: document, initialOffset: { top: 0, left: 0 } }, timestamp: NOW - 2 };
      expect((await post(sentiero, batch(0, [snapshot, event(NOW - 1)]))).status).toBe(200);
      expect((await post(sentiero, batch(1, [event(NOW)]))).status).toBe(429);
      await page.goto(`${url}/`);
      await expect
        .poll(() => page.locator("sentiero-session-list .body .device").innerText())
        .toContain("Firefox on Windows");
      await page.goto(`${url}/sessions/full`);
      await page.getByText(/This session reached its limit at/).waitFor();
      const details = await page.locator("sentiero-session-details section").allInnerTexts();
      expect(details[0]).toMatch(/Browser\s+Firefox\s+System\s+Windows\s+Device\s+Desktop/);
      expect(details[1]).toContain("The visitor's clock was 3 h behind.");
    });

    it("does not call a settled session live", async () => {
      const { sentiero, url, visit } = await open();
      await visit("a", OLD);
      await sentiero.maintain(10_000);
      const { body } = await api<SessionList>(sentiero, "/sessions");
      expect(body.sessions[0]!.state).toBe("settled");
      await page.goto(`${url}/`);
      await page.locator("sentiero-session-list .body .row a").waitFor();
      expect(await page.locator("sentiero-session-list .dot").count()).toBe(0);
      await page.goto(`${url}/sessions/a`);
      await page.locator("sentiero-session-details").waitFor();
      expect(await page.locator("sentiero-session-page .badge.live").count()).toBe(0);
    });
  });
});
