import { setTimeout as sleep } from "node:timers/promises";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { CHROMIUM_FLAGS } from "../../scripts/chromium.ts";
import type { RecordedEvent, Sentiero } from "../../src/index.ts";
import { EventType, eventData, pageOf } from "../../src/rrweb/events.ts";
import { createTestSentiero } from "../support/sentiero.ts";
import { describeBrowser, serveSite, type Site } from "./support/browser.ts";
import { readRuns, readSessions } from "./support/replay.ts";
import { bundleRecorder } from "./support/recorder-bundle.ts";

/** Put before a page, it makes calls wait for a script that is not there yet. */
const STUB = `<script>
window.Sentiero = window.Sentiero || { q: [] };
Sentiero.q.push(["track", "early", { step: 1 }], ["identify", "ada", { plan: "pro", mail: "a@b.example" }]);
</script>`;

describeBrowser("control of the recorder", () => {
  let browser: Browser;
  let context: BrowserContext;
  let sentiero: Sentiero;
  let site: Site;
  let config: Record<string, unknown>;
  let before: string;
  let headers: Record<string, string>;
  let bundle: string;
  const requests: string[] = [];
  const errors: string[] = [];

  beforeAll(async () => {
    // With the back/forward cache, which is off by default where a browser is driven.
    browser = await chromium.launch({
      executablePath: inject("chromium")!,
      args: [...CHROMIUM_FLAGS],
      ignoreDefaultArgs: ["--disable-back-forward-cache"],
    });
    bundle = await bundleRecorder();
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    sentiero = createTestSentiero();
    config = {};
    before = "";
    headers = {};
    site = await serveSite(sentiero, (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/bundle.js")
        return new Response(bundle, { headers: { "content-type": "text/javascript", ...headers } });
      const tags =
        pathname === "/bundled"
          ? `<script type="module">import { sentiero } from "/bundle.js"; window.entry = sentiero;</script>`
          : `<script nonce="n" type="application/json" id="sentiero-config">${JSON.stringify({ flushIntervalMs: 200, ...config })}</script>
             <script nonce="n" async src="/sentiero/recorder.js"></script>`;
      return new Response(
        `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page</title>${before}${tags}</head>
         <body><h1>Page</h1><button>Press</button><p></p></body></html>`,
        { headers: { "content-type": "text/html", ...headers } },
      );
    });
    context = await browser.newContext();
    requests.length = errors.length = 0;
    context.on("request", (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
    context.on("weberror", (error) => errors.push(error.error().message));
  });
  afterEach(async () => {
    await context.close();
    await site.close();
    await sentiero.store.close();
  });

  async function open(path = "/"): Promise<Page> {
    const page = await context.newPage();
    await page.goto(site.url + path);
    return page;
  }

  /** Calls a method of the page's API. */
  function call(page: Page, name: string, ...args: unknown[]): Promise<unknown> {
    return page.evaluate(
      ([name, args]) => (window.Sentiero as unknown as Record<string, (...args: unknown[]) => unknown>)[name]!(...args),
      [name, args] as const,
    );
  }

  const sessions = () => readSessions(sentiero);
  const runs = () => readRuns(sentiero);

  const tagOf = (event: RecordedEvent): string | null =>
    event.type === EventType.Custom ? String(eventData(event)?.tag) : null;
  const tagsOf = (events: readonly RecordedEvent[]): string[] => events.map(tagOf).filter((tag) => tag !== null);
  const marks = (events: readonly RecordedEvent[]): unknown[] =>
    events
      .filter((event) => /^__(?:start|pause|end)$/.test(tagOf(event) ?? ""))
      .map((event) => `${tagOf(event)} ${(eventData(event)!.payload as { reason: string }).reason}`);
  const hasSnapshot = (events: readonly RecordedEvent[]): boolean =>
    events.some(({ type }) => type === EventType.FullSnapshot);
  const tags = async (): Promise<string[]> => tagsOf((await runs()).flat());
  const posts = (): number => requests.filter((request) => request === "POST /sentiero/events").length;
  const poll = <T>(read: () => Promise<T> | T) => expect.poll(read, { timeout: 10_000, interval: 100 });
  const recorded = (page: Page): Promise<void> =>
    poll(() => call(page, "getSessionId")).not.toBeNull() as unknown as Promise<void>;

  /** Changes the page from a script, as often as a clock does. */
  const tick = (page: Page): Promise<void> =>
    page.evaluate(() => void setInterval(() => (document.querySelector("p")!.textContent = String(Date.now())), 50));

  it("hears what a page says before the script is there, and right after", async () => {
    before = STUB;
    config = { captureTraits: ["plan"] };
    const page = await open("/?utm_source=letter&gclid=secret&q=private");
    await call(page, "track", "late");
    await poll(tags).toEqual(expect.arrayContaining(["__start", "early", "late"]));
    const [session] = await sessions();
    expect(session!.metadata).toMatchObject({ userId: "ada", plan: "pro", utm_source: "letter", gclid: true });
    expect(JSON.stringify(session)).not.toMatch(/a@b\.example|secret|private/);
    const [events] = await runs();
    expect(marks(events!)).toEqual(["__start load"]);
    expect(errors).toEqual([]);
  });

  it("is nowhere before consent: no recorder, no storage, no cookie; and remembers consent and its withdrawal", async () => {
    config = { requireConsent: true };
    const page = await open();
    const kept = () =>
      page.evaluate(() => [
        Object.keys(localStorage),
        Object.keys(sessionStorage),
        document.cookie.replace(/=[^;]*/g, ""),
      ]);
    await page.click("button");
    await call(page, "track", "unheard");
    await sleep(800);
    expect(await kept()).toEqual([[], [], ""]);
    expect(requests.filter((request) => /recorder-|events/.test(request))).toEqual([]);
    expect([await call(page, "getSessionId"), await call(page, "headers")]).toEqual([null, {}]);

    await call(page, "optIn");
    await poll(async () => (await sessions()).length).toBe(1);
    await page.reload();
    await poll(async () => (await runs()).length).toBe(2);
    expect(await tags()).not.toContain("unheard");

    await call(page, "optOut");
    expect(await kept()).toEqual([[], [], ""]);
    // What was under way may still arrive.
    await sleep(300);
    const arrived = (await runs()).flat().length;
    await page.click("button");
    await sleep(600);
    expect((await runs()).flat()).toHaveLength(arrived);
    // Not one word more: also not that it ended.
    expect((await runs()).flatMap(marks).filter((mark) => mark === "__end opt-out")).toEqual([]);

    await call(page, "optIn");
    await poll(async () => (await sessions()).length).toBe(2);
    expect(errors).toEqual([]);
  });

  it("answers sensibly and stays silent in a browser that says no", async () => {
    const page = await context.newPage();
    await page.addInitScript(() => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
    await page.goto(site.url);
    await poll(() => page.evaluate(() => typeof window.Sentiero?.optOut)).toBe("function");
    for (const name of [
      "start",
      "stop",
      "flush",
      "pause",
      "resume",
      "startBuffering",
      "identify",
      "setMetadata",
      "track",
    ])
      await call(page, name);
    expect([await call(page, "getSessionId"), await call(page, "getSessionUrl"), await call(page, "headers")]).toEqual([
      null,
      null,
      {},
    ]);
    await sleep(500);
    expect(posts()).toBe(0);
    expect(await context.cookies()).toEqual([]);
    expect(errors).toEqual([]);
  });

  it("tells the server who asks: cookies of the tab in front, and headers", async () => {
    config = { optOutCookieName: "out" };
    const ids = async () =>
      Object.fromEntries((await context.cookies()).map(({ name, value }) => [name.replace("sentiero_", ""), value]));
    const first = await open();
    await recorded(first);
    const one = (await call(first, "headers")) as Record<string, string>;
    expect(await ids()).toEqual({ sid: one["x-sentiero-session"], wid: one["x-sentiero-window"] });
    const second = await open("/second");
    await recorded(second);
    const two = (await call(second, "headers")) as Record<string, string>;
    expect(two["x-sentiero-session"]).toBe(one["x-sentiero-session"]);
    expect(two["x-sentiero-window"]).not.toBe(one["x-sentiero-window"]);
    expect((await ids()).wid).toBe(two["x-sentiero-window"]);
    await first.bringToFront();
    await first.evaluate(() => window.dispatchEvent(new Event("focus")));
    await poll(async () => (await ids()).wid).toBe(one["x-sentiero-window"]);
    const [cookie] = await context.cookies();
    expect(cookie).toMatchObject({ path: "/", sameSite: "Lax", secure: false });
    expect(cookie!.expires).toBeGreaterThan(Date.now() / 1_000 + 600_000);
    await call(first, "optOut");
    await sleep(300);
    expect(await ids()).toEqual({ out: "1" });
  });

  it("gives the address under which the dashboard shows this moment", async () => {
    const page = await open();
    await recorded(page);
    await poll(posts).toBeGreaterThan(0);
    const url = new URL((await call(page, "getSessionUrl")) as string);
    const [session] = await sessions();
    expect(url.pathname).toBe(`/sentiero/sessions/${session!.id}/windows/${session!.windows[0]!.id}`);
    const at = Number(url.searchParams.get("t"));
    expect(at).toBeGreaterThan(0);
    expect(at).toBeLessThan(60_000);
    const dashboard = await browser.newPage();
    await dashboard.goto(url.href);
    await dashboard.locator("sentiero-replay").waitFor();
    await dashboard.close();
  });

  it("pauses without activity, ends later, and begins anew in the same session", async () => {
    config = { idlePauseMs: 700, idleEndMs: 1_600 };
    const page = await open();
    await recorded(page);
    await tick(page);
    await poll(async () => (await runs()).flatMap(marks)).toEqual(["__start load", "__pause idle", "__end idle"]);
    const [first] = await runs();
    // What is in it ends with the pause, and says so at its end.
    expect(Number(first!.at(-1)!.timestamp) - Number(first![0]!.timestamp)).toBeLessThan(1_400);
    expect(tagOf(first!.at(-1)!)).toBe("__end");
    expect(tagsOf(first!)).toContain("__cost");
    const arrived = (await runs()).flat().length;
    await sleep(600);
    expect((await runs()).flat()).toHaveLength(arrived);

    await page.click("button");
    await poll(async () => (await runs()).length).toBe(2);
    await poll(async () => marks((await runs())[1]!)).toEqual(["__start activity", "__pause idle", "__end idle"]);
    expect(hasSnapshot((await runs())[1]!)).toBe(true);
    expect(await sessions()).toHaveLength(1);
  });

  it("goes on after a pause with a snapshot in the same stretch, and ends at its greatest length", async () => {
    config = { idlePauseMs: 500, idleEndMs: 60_000, maxRecordingMs: 3_000 };
    const page = await open();
    await recorded(page);
    await tick(page);
    await sleep(1_000);
    await page.click("button");
    for (let n = 0; n < 12; n++) {
      await sleep(250);
      await page.mouse.click(5, 5);
    }
    await poll(async () => (await runs()).flatMap(marks)).toEqual(
      expect.arrayContaining(["__start load", "__pause idle", "__end max", "__start activity"]),
    );
    const [first, second] = await runs();
    expect(first!.filter(({ type }) => type === EventType.FullSnapshot).length).toBeGreaterThan(1);
    expect(Number(first!.at(-1)!.timestamp) - Number(first![0]!.timestamp)).toBeLessThan(3_200);
    expect(marks(second!)[0]).toBe("__start activity");
  });

  it("stops, starts, pauses and goes on when it is told to, and sends at once with flush", async () => {
    config = { flushIntervalMs: 60_000 };
    const page = await open();
    await recorded(page);
    await call(page, "track", "one");
    await call(page, "flush");
    expect(await tags()).toContain("one");
    await call(page, "pause");
    await page.click("button");
    await call(page, "track", "unheard");
    await call(page, "resume");
    await call(page, "track", "two");
    await call(page, "stop");
    await call(page, "track", "unheard");
    expect(await call(page, "getSessionId")).toBeNull();
    await poll(async () => marks((await runs())[0]!)).toEqual(["__start load", "__pause manual", "__end manual"]);
    await page.click("button");
    await sleep(300);
    await call(page, "start");
    await call(page, "track", "three");
    await call(page, "flush");
    await poll(async () => (await runs()).length).toBe(2);
    const [first, second] = await runs();
    expect(tagsOf(first!)).toEqual(expect.arrayContaining(["one", "two"]));
    expect(marks(second!)).toEqual(["__start manual"]);
    expect(tagsOf(second!)).toContain("three");
    expect(await tags()).not.toContain("unheard");
  });

  it("keeps its own metadata from what the page says under these names, and warns of it once", async () => {
    config = { captureTraits: ["plan", "url", "userId", "sentiero_privacy"], maskAllInputs: false };
    const page = await open();
    const warnings: string[] = [];
    page.on("console", (message) => void (message.type() === "warning" && warnings.push(message.text())));
    await recorded(page);
    await call(page, "identify", "ada", { plan: "pro", url: "/trait", userId: "eve", sentiero_privacy: "strict" });
    await call(page, "setMetadata", { userId: "eve", viewport: "1x1", ref: "x", step: 2 });
    await call(page, "setMetadata", { sentiero_mask_inputs: true }, "eve");
    await call(page, "track", "said");
    await call(page, "flush");
    await poll(async () => (await sessions())[0]!.metadata).toMatchObject({ step: 2 });
    const { metadata } = (await sessions())[0]!;
    expect(metadata).toEqual({
      url: `${site.url}/`,
      referrer: "",
      userAgent: expect.any(String) as string,
      viewport: "1280x720",
      entry_url: `${site.url}/`,
      entry_referrer: "",
      userId: "ada",
      plan: "pro",
      step: 2,
      sentiero_privacy: "balanced",
      sentiero_mask_inputs: false,
    });
    expect(warnings).toEqual([
      "[sentiero] metadata under names of the recorder's is left out: url,userId,sentiero_privacy",
    ]);
  });

  it("says what is masked also where no metadata is wanted", async () => {
    config = { captureMetadata: false, privacy: "strict", maskAllInputs: false };
    const page = await open();
    await recorded(page);
    await call(page, "flush");
    await poll(async () => (await sessions())[0]?.metadata).toEqual({ sentiero_privacy: "strict" });
  });

  it("counts a click on a label and a page that was paused once in the session's list", async () => {
    const page = await open();
    await recorded(page);
    const label = `<label><input type="checkbox">check</label>`;
    await page.evaluate((html) => document.body.insertAdjacentHTML("beforeend", html), label);
    await page.locator("label").click({ position: { x: 40, y: 8 } });
    expect(await page.locator("input").isChecked()).toBe(true);
    await call(page, "pause");
    await call(page, "resume");
    await call(page, "track", "done");
    await call(page, "flush");
    await poll(tags).toContain("done");
    const events = (await runs()).flat();
    const clicks = events.filter((event) => {
      const data = eventData(event);
      return event.type === EventType.Incremental && data?.source === 2 && data.type === 2;
    });
    expect(clicks).toHaveLength(2);
    expect(events.filter(({ type }) => type === EventType.Meta)).toHaveLength(2);
    expect(await sessions()).toMatchObject([{ clickCount: 1, pageCount: 1 }]);
  });

  it("holds a session that only errors let go, sends the minute before, and other tabs join in", async () => {
    config = { sessionSampleRate: 0, errorSampleRate: 1 };
    const page = await open();
    await recorded(page);
    const other = await open("/other");
    await recorded(other);
    await page.click("button");
    await sleep(600);
    expect(posts()).toBe(0);
    await page.evaluate(
      () =>
        void setTimeout(() => {
          throw new Error("broken");
        }),
    );
    await poll(async () => (await runs()).map(marks)).toEqual(
      expect.arrayContaining([["__start error"], ["__start tab"]]),
    );
    const first = (await runs()).find((events) => marks(events)[0] === "__start error")!;
    expect(hasSnapshot(first)).toBe(true);
    // What was before the error is there too.
    expect(tagsOf(first).indexOf("__click")).toBeGreaterThanOrEqual(0);
    expect(tagsOf(first).indexOf("__click")).toBeLessThan(tagsOf(first).indexOf("error"));
    expect(await sessions()).toHaveLength(1);
    await page.reload();
    await poll(async () => (await runs()).flatMap(marks)).toContain("__start load");
    expect(errors).toEqual(["broken"]);
  });

  it("asks the page before it lets go of a held session", async () => {
    config = { sessionSampleRate: 0, errorSampleRate: 1 };
    const page = await open();
    await page.evaluate(() => {
      const asked: string[] = [];
      Object.assign(window, { asked });
      window.Sentiero!.start({
        sessionSampleRate: 0,
        beforeErrorSampling(trigger) {
          asked.push(trigger);
          if (asked.length === 1) throw new Error("of the page");
          return asked.length > 2;
        },
      });
    });
    await recorded(page);
    await call(page, "track", "one");
    await call(page, "track", "two");
    await sleep(600);
    expect(posts()).toBe(0);
    await call(page, "track", "three");
    await poll(tags).toEqual(expect.arrayContaining(["one", "two", "three"]));
    expect(await page.evaluate(() => (window as unknown as { asked: string[] }).asked)).toEqual([
      "custom",
      "custom",
      "custom",
    ]);
    expect((await runs()).flatMap(marks)).toEqual(["__start custom"]);
  });

  it("leaves no trace of a session that sampling left out, and records it when told to by hand", async () => {
    config = { sessionSampleRate: 0 };
    const page = await open();
    await poll(() => page.evaluate(() => localStorage.getItem("sentiero_session"))).not.toBeNull();
    await page.click("button");
    await sleep(500);
    expect([posts(), await context.cookies(), await call(page, "getSessionId")]).toEqual([0, [], null]);
    // Nor was anything loaded for it, or given a name.
    expect(requests.filter((request) => request.includes("/recorder-"))).toEqual([]);
    expect(
      await page.evaluate(() => Object.keys(JSON.parse(localStorage.getItem("sentiero_session")!)).sort()),
    ).toEqual(["createdAt", "lastSeenAt", "sampling"]);
    await call(page, "startBuffering");
    await page.click("button");
    await sleep(500);
    expect(posts()).toBe(0);
    await call(page, "track", "now");
    await poll(tags).toContain("now");
    await page.reload();
    await poll(async () => (await runs()).flatMap(marks)).toEqual(["__start custom", "__start load"]);
  });

  it("records nothing of an excluded page, whichever way it is entered", async () => {
    config = { excludeUrls: ["*/private*"] };
    const page = await open("/private/load");
    await poll(() => page.evaluate(() => localStorage.getItem("sentiero_session"))).not.toBeNull();
    await sleep(500);
    expect(posts()).toBe(0);
    await page.evaluate(() => history.pushState(null, "", "/open"));
    await poll(async () => (await runs()).map(marks)).toEqual([["__start navigation"]]);
    await page.evaluate(() => {
      history.pushState(null, "", "/private/route");
      document.querySelector("h1")!.textContent = "Not for others";
    });
    await poll(async () => (await runs()).map(marks)).toEqual([["__start navigation", "__end navigation"]]);
    await page.click("button");
    await call(page, "start");
    await sleep(500);
    await page.evaluate(() => {
      document.querySelector("h1")!.textContent = "For all";
      history.pushState(null, "", "/open/again");
    });
    await poll(async () => (await runs()).map(marks)).toEqual([
      ["__start navigation", "__end navigation"],
      ["__start navigation"],
    ]);
    const all = (await runs()).flat();
    expect(JSON.stringify(all)).not.toMatch(/Not for others|private/);
    expect(all.map((event) => pageOf(event)?.href).filter(Boolean)).toEqual([
      `${site.url}/open`,
      `${site.url}/open/again`,
    ]);
  });

  it("sends nothing of a visit shorter than asked for, and all of a longer one", async () => {
    config = { minReplayDurationMs: 50_000 };
    const page = await open();
    await recorded(page);
    await page.click("button");
    await sleep(600);
    await page.goto("about:blank");
    await sleep(300);
    expect(posts()).toBe(0);

    config = { minReplayDurationMs: 1_500 };
    await context.close();
    context = await browser.newContext();
    const longer = await open();
    await recorded(longer);
    await call(longer, "track", "first");
    await poll(tags).toContain("first");
    expect((await runs()).map((events) => [hasSnapshot(events), ...marks(events)])).toEqual([[true, "__start load"]]);
  });

  it("goes on after the back/forward cache", async () => {
    // The page tells by itself: one that comes out of the cache can't be asked from outside.
    before = `<script>addEventListener("pageshow", (event) => {
      if (event.persisted) setTimeout(() => Sentiero.track("returned", Sentiero.headers()), 500);
      else if (location.pathname === "/next") setTimeout(() => history.back(), 1000);
    });</script>`;
    const page = await open();
    await recorded(page);
    const id = await call(page, "headers");
    await page.evaluate(() => void setTimeout(() => (location.href = "/next")));
    await poll(tags).toContain("returned");
    const all = await sessions();
    expect(all).toHaveLength(1);
    expect(all[0]!.windows).toHaveLength(1);
    const returned = (await runs()).flat().find((event) => tagOf(event) === "returned")!;
    expect(eventData(returned)!.payload).toEqual(id);
    expect(errors).toEqual([]);
  });

  it("has nothing twice and nothing missing after the back/forward cache, and each change of the page once", async () => {
    config = { flushIntervalMs: 600_000 };
    before = `<script>let frozen = 0;
    document.addEventListener("freeze", () => frozen++);
    addEventListener("pageshow", (event) => {
      if (event.persisted) setTimeout(() => {
        document.querySelector("p").textContent = "after the return";
        Sentiero.track("returned", { frozen });
        void Sentiero.flush();
      }, 300);
      else if (location.pathname === "/next") setTimeout(() => history.back(), 1000);
    });</script>`;
    const page = await open();
    await recorded(page);
    await page.evaluate(() => (document.querySelector("p")!.textContent = "before the leave"));
    await call(page, "track", "left");
    await page.evaluate(() => void setTimeout(() => (location.href = "/next")));
    await poll(tags).toContain("returned");
    const all = await runs();
    expect(all.map(marks)).toEqual([["__start load"], ["__start load"]]);
    const own = tagsOf(all[0]!).filter((tag) => !tag.startsWith("__"));
    expect(own).toEqual(["left", "returned"]);
    const returned = all[0]!.find((event) => tagOf(event) === "returned")!;
    expect(eventData(returned)!.payload).toEqual({ frozen: 1 });
    const changes = all[0]!.filter(({ type }) => type === EventType.Incremental).map((event) => JSON.stringify(event));
    for (const text of ["before the leave", "after the return"])
      expect(changes.filter((change) => change.includes(text))).toHaveLength(1);
    const [session, ...others] = await sessions();
    expect(others).toEqual([]);
    expect(session!.windows).toMatchObject([{ missing: [], gaps: [], conflictCount: 0 }]);
    expect(errors).toEqual([]);
  });

  it("sends what there is when the page is frozen, and goes on in the same run when it is not any more", async () => {
    config = { flushIntervalMs: 600_000 };
    const page = await open();
    await recorded(page);
    await poll(tags).toContain("__start");
    await call(page, "track", "before");
    // A driven browser freezes nothing but what goes to the back/forward cache.
    await page.evaluate(() => void document.dispatchEvent(new Event("freeze")));
    await poll(tags).toContain("before");
    await page.evaluate(() => void document.dispatchEvent(new Event("resume")));
    await page.evaluate(() => (document.querySelector("p")!.textContent = "thawed"));
    await call(page, "track", "after");
    await call(page, "flush");
    const [events, ...others] = await runs();
    expect(others).toEqual([]);
    expect(tagsOf(events!).filter((tag) => !tag.startsWith("__"))).toEqual(["before", "after"]);
    expect(JSON.stringify(events)).toContain("thawed");
    expect((await sessions())[0]!.windows).toMatchObject([{ missing: [], gaps: [], conflictCount: 0 }]);
    expect(errors).toEqual([]);
  });

  it("says what it cost when the page is left", async () => {
    const page = await open();
    await recorded(page);
    await page.click("button");
    await page.close({ runBeforeUnload: true });
    await poll(tags).toContain("__cost");
  });

  it("a second copy stays out", async () => {
    before = `<script async src="/sentiero/recorder.js?copy"></script>`;
    const page = await open();
    await recorded(page);
    await sleep(500);
    expect(await runs()).toHaveLength(1);
    expect(requests.filter((request) => request.includes("/recorder-"))).toHaveLength(1);
  });

  it("records as a module of the page's own bundle", async () => {
    const page = await open("/bundled");
    await poll(() => page.evaluate(() => "entry" in window)).toBe(true);
    await page.evaluate(() => {
      const { entry } = window as unknown as { entry: NonNullable<typeof window.Sentiero> };
      if (entry !== window.Sentiero) throw new Error("two of them");
      entry.track("before");
      entry.start({ eventsUrl: "/sentiero/events", flushIntervalMs: 200 });
    });
    await poll(tags).toContain("before");
    expect(errors).toEqual([]);
  });

  it("throws nothing into a page without storage, ids, freedom, blob: or network, and records what it can", async () => {
    headers = {
      "content-security-policy":
        "default-src 'none'; script-src 'nonce-n' 'strict-dynamic' 'self'; connect-src 'self'; worker-src 'self'",
    };
    const page = await context.newPage();
    await page.addInitScript(() => {
      for (const name of ["localStorage", "sessionStorage", "indexedDB"]) {
        Object.defineProperty(window, name, {
          get() {
            throw new DOMException("denied", "SecurityError");
          },
        });
      }
      Object.defineProperty(document, "cookie", {
        get() {
          throw new DOMException("denied", "SecurityError");
        },
        set() {
          throw new DOMException("denied", "SecurityError");
        },
      });
      Object.defineProperty(crypto, "randomUUID", { value: undefined });
      for (const frozen of [Object, Array, Promise, Function, History, EventTarget]) {
        Object.freeze(frozen);
        Object.freeze(frozen.prototype);
      }
      for (const frozen of [history, console, JSON, Math]) Object.freeze(frozen);
    });
    await page.goto(site.url);
    await recorded(page);
    await call(page, "track", "seen");
    await poll(tags).toContain("seen");
    await context.setOffline(true);
    await page.evaluate(() => {
      const api = window.Sentiero as unknown as Record<string, (...args: unknown[]) => unknown>;
      const loop: Record<string, unknown> = {};
      loop.self = loop;
      const hostile = new Proxy(
        {},
        {
          get: () => {
            throw new Error("of the page");
          },
        },
      );
      for (const bad of [undefined, null, 1, "x", loop, () => {}, Symbol("s"), hostile, [], new Error("x")]) {
        for (const name of Object.keys(api)) if (name !== "q") void api[name]!(bad, bad);
        window.Sentiero!.q.push(bad as never, ["track", bad] as never);
      }
      document.querySelector("button")!.click();
      document.body.append("more");
    });
    await sleep(1_000);
    expect(errors).toEqual([]);
  });

  it("runs beside code that patches timers, listeners and promises as zone.js does", async () => {
    const page = await context.newPage();
    await page.addInitScript(() => {
      Object.assign(window, { Zone: { __symbol__: (name: string) => `__zone_symbol__${name}` } });
      const patch = (owner: object, name: string) => {
        const methods = owner as Record<string, (...args: unknown[]) => unknown>;
        const original = methods[name]!;
        methods[`__zone_symbol__${name}`] = original;
        methods[name] = function (this: unknown, ...args: unknown[]) {
          return original.apply(this, args);
        };
      };
      for (const name of ["setTimeout", "clearTimeout", "setInterval", "requestAnimationFrame"]) patch(window, name);
      for (const name of ["addEventListener", "removeEventListener"]) patch(EventTarget.prototype, name);
      patch(Promise.prototype, "then");
    });
    await page.goto(site.url);
    await recorded(page);
    await page.click("button");
    await call(page, "track", "seen");
    await poll(tags).toEqual(expect.arrayContaining(["seen", "__click"]));
    expect(errors).toEqual([]);
  });
});
