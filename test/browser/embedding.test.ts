import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import type { SentieroOptions, SessionDetail } from "../../src/index.ts";
import { api, createTestSentiero } from "../support/sentiero.ts";
import { describeBrowser, launch, serveSite, type Site } from "./support/browser.ts";
import { readBatches } from "./support/replay.ts";

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

  it("keeps no error of the browser's from the page: rules that it can't read throw as ever", async () => {
    const { site, sessions } = await serve((tags) => `${tags}<style>@media all { p { color: red } }</style>`);
    const { page } = await open(site.url);
    await expect.poll(sessions, { timeout: 8_000 }).toBe(1);
    const thrown = await page.evaluate(() => {
      const sheet = document.styleSheets[0]!;
      const group = sheet.cssRules[0] as CSSGroupingRule;
      const calls = [
        () => sheet.insertRule("}"),
        () => sheet.deleteRule(9),
        () => group.insertRule("}"),
        () => group.deleteRule(9),
        () => new CSSStyleSheet().insertRule("}"),
      ];
      return calls.map((call) => {
        try {
          call();
          return null;
        } catch (error) {
          return (error as Error).name;
        }
      });
    });
    expect(thrown).toEqual(["SyntaxError", "IndexSizeError", "SyntaxError", "IndexSizeError", "SyntaxError"]);
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

  it.each([
    ["started by itself", {}],
    ["started from inside of it", { requireConsent: true }],
  ])("leaves the zone of an Angular page alone, %s: no task, no turn more than without it", async (_how, config) => {
    const [plain] = await visitZone("");
    const tag = `<script type="application/json" id="sentiero-config">${JSON.stringify({ flushIntervalMs: 200, captureConsole: ["warn"], captureNetwork: true, ...config })}</script><script async src="/sentiero/recorder.js"></script>`;
    const [recorded, sent] = await visitZone(tag);
    expect(plain).toMatchObject({ isStable: true, thrown: [] });
    expect(plain.tasks).toContain("macroTask setTimeout");
    expect(recorded).toEqual(plain);
    expect(sent).toContain("__console");
    expect(sent).toContain("in the zone");
  });

  /** What happened in the zone of a page, visited in the same way whether it is recorded or not, and what was recorded. */
  async function visitZone(tag: string): Promise<[ZoneReport, string]> {
    const script = readFileSync(createRequire(import.meta.url).resolve("zone.js"), "utf8");
    const sentiero = createTestSentiero();
    const site = await serveSite(sentiero, (request) => {
      const isScript = request.url.endsWith("/zone.js");
      const html = `<!doctype html><title>Zone</title><link rel="icon" href="data:,"><script src="/zone.js"></script><script>${ZONE}</script>${tag}<style></style><input><button>Press</button><p>text</p>`;
      return new Response(isScript ? script : html, {
        headers: { "content-type": isScript ? "text/javascript" : "text/html" },
      });
    });
    closing.push(site.close);
    const page = await context.newPage();
    await page.goto(site.url);
    if (tag) await page.waitForFunction("window.Sentiero");
    await page.evaluate("zone.run(() => void window.Sentiero?.optIn())");
    if (tag) {
      await page.waitForFunction("Sentiero.getSessionId()");
      // What else it loads at its start is there.
      await page.waitForLoadState("networkidle");
    }
    await page.evaluate("zone.run(visit)");
    await page.click("button");
    await page.waitForFunction("report.isDone && report.isStable");
    const events = async (): Promise<string> => {
      const { sessions } = await sentiero.store.sessions.list({ limit: 1 });
      const texts: string[] = [];
      for (const { id } of sessions) {
        const { session } = (await api<{ session: SessionDetail }>(sentiero, `/sessions/${id}`)).body;
        for (const window of session.windows) texts.push(JSON.stringify(await readBatches(sentiero, id, window.id)));
      }
      return texts.join();
    };
    if (tag) await expect.poll(events, { timeout: 20_000 }).toContain("in the zone");
    await page.waitForFunction("report.isStable");
    return [await page.evaluate<ZoneReport>("report"), await events()];
  }
});

/** What happened in the zone of a page. */
interface ZoneReport {
  readonly tasks: readonly string[];
  readonly turns: number;
  readonly isStable: boolean;
  readonly isDone: boolean;
  readonly thrown: readonly string[];
}

/** A zone that counts what makes Angular look for changes, as its NgZone does, and what a page does in it. */
const ZONE = `
  const report = { tasks: [], turns: 0, isStable: true, isDone: false, thrown: [] };
  const zone = Zone.current.fork({
    name: "page",
    onScheduleTask(parent, current, target, task) {
      report.tasks.push(task.type + " " + task.source);
      return parent.scheduleTask(target, task);
    },
    onInvoke(parent, current, target, ...call) {
      report.turns++;
      return parent.invoke(target, ...call);
    },
    onInvokeTask(parent, current, target, ...call) {
      report.turns++;
      return parent.invokeTask(target, ...call);
    },
    onHasTask(parent, current, target, state) {
      parent.hasTask(target, state);
      report.isStable = !state.microTask && !state.macroTask;
    },
    onHandleError(parent, current, target, error) {
      report.thrown.push(String(error));
      return false;
    },
  });
  addEventListener("error", ({ message }) => report.thrown.push(message));
  addEventListener("unhandledrejection", ({ reason }) => report.thrown.push(String(reason)));
  function visit() {
    document.querySelector("button").addEventListener("click", () => {
      document.querySelector("p").append("pressed");
      console.warn("low");
      if (window.Sentiero) Sentiero.track("in the zone", {});
      setTimeout(() => (report.isDone = true), 30);
    });
    if (window.Sentiero) {
      Sentiero.track("before", {});
      Sentiero.setMetadata({ plan: "pro" });
      Sentiero.identify("ada");
      void Sentiero.flush();
    }
    if (window.Sentiero) {
      Sentiero.pause();
      Sentiero.resume();
    }
    document.querySelector("style").sheet.insertRule("p { color: red }");
    document.querySelector("style").sheet.cssRules[0].style.setProperty("color", "blue");
    document.querySelector("input").value = "by a script";
    const host = document.createElement("div");
    document.body.append(host);
    const root = host.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    root.adoptedStyleSheets = [sheet];
    root.innerHTML = "<p>in the shadow</p>";
    sheet.replaceSync("p { color: green }");
    history.pushState(null, "", "/route");
    setTimeout(() => document.body.append("later"), 20);
    void fetch("/data").then((response) => response.text());
  }
`;
