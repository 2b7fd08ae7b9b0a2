import type { Browser, BrowserContext, Frame, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { FIRST_FRAME_ID } from "../../recorder/streams/frame-translator.ts";
import type { RecordedEvent, Sentiero, SessionList } from "../../src/index.ts";
import { EventType, IncrementalSource, MouseInteraction, eventData } from "../../src/rrweb/events.ts";
import { api, createTestSentiero } from "../support/sentiero.ts";
import { describeBrowser, launch, serveSite, type Site } from "./support/browser.ts";
import { openReplay, readEvents, waitForEvents, type OpenReplay } from "./support/open-replay.ts";
import { bundleRecorder } from "./support/recorder-bundle.ts";

describeBrowser("frames of other origins", () => {
  let browser: Browser;
  let context: BrowserContext;
  let tab: Page;
  /** Of the page, and of what is in its frames. */
  let shop: { sentiero: Sentiero; site: Site; origin: string };
  let pay: { sentiero: Sentiero; site: Site; origin: string };
  let bundle: string;
  /** By path, on each of the two servers. */
  const shopPages = new Map<string, string>();
  const payPages = new Map<string, string>();
  const uploads: string[] = [];
  const errors: string[] = [];

  beforeAll(async () => {
    browser = await launch();
    bundle = await bundleRecorder();
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    for (const list of [shopPages, payPages]) list.clear();
    errors.length = 0;
    uploads.length = 0;
    shop = await serve(shopPages, (url) => url);
    // Another site, so that Chromium puts it into another process.
    pay = await serve(payPages, (url) => url.replace("127.0.0.1", "localhost"));
    context = await browser.newContext({ viewport: { width: 900, height: 600 } });
    tab = await context.newPage();
    await tab.addInitScript("window.heard = []; addEventListener('message', ({ data }) => heard.push(data ?? {}));");
    tab.on("pageerror", (error) => errors.push(error.message));
    // Such as a message to a page of another origin.
    tab.on("console", (message) => void (/postMessage|sentiero/.test(message.text()) && errors.push(message.text())));
    tab.on("request", (request) => void (request.method() === "POST" && uploads.push(request.url())));
  });
  afterEach(async () => {
    await context.close();
    await shop.site.close();
    await pay.site.close();
    expect(errors).toEqual([]);
    // Nothing of a frame goes anywhere but to the page around it.
    expect(uploads.filter((url) => !url.startsWith(shop.origin))).toEqual([]);
    expect((await api<SessionList>(pay.sentiero, "/sessions")).body.sessions).toEqual([]);
  });

  async function serve(
    pages: ReadonlyMap<string, string>,
    toOrigin: (url: string) => string,
  ): Promise<{ sentiero: Sentiero; site: Site; origin: string }> {
    const sentiero = createTestSentiero();
    const site = await serveSite(sentiero, ({ url }) => {
      const { pathname } = new URL(url);
      const script = pathname === "/bundle.js" ? bundle : undefined;
      const html = pages.get(pathname);
      if (script === undefined && html === undefined) return new Response("none", { status: 404 });
      return new Response(script ?? html, { headers: { "content-type": script ? "text/javascript" : "text/html" } });
    });
    return { sentiero, site, origin: toOrigin(site.url) };
  }

  /** A page with a recorder; `config` null for one without. */
  function page(body: string, config: object | null): string {
    const tags =
      config &&
      `<script type="application/json" id="sentiero-config">${JSON.stringify({ flushIntervalMs: 200, ...config })}</script>
       <script async src="/sentiero/recorder.js"></script>`;
    return `<!doctype html><meta charset="utf-8"><title>Page</title><link rel="icon" href="data:,">
      <style>body { margin: 10px; font: 16px monospace }</style><body>${body}${tags ?? ""}</body>`;
  }

  const parentConfig = (): object => ({ frameOrigins: [pay.origin] });
  const frameConfig = (): object => ({ parentOrigin: shop.origin });

  async function open(): Promise<void> {
    await tab.goto(shop.origin);
  }

  function frameAt(path: string): Frame {
    return tab.frames().find((frame) => frame.url() === `${pay.origin}${path}`)!;
  }

  async function withReplay(run: (replay: OpenReplay) => Promise<void>): Promise<void> {
    const replay = await openReplay(browser, shop.origin, shop.sentiero);
    try {
      await run(replay);
      expect(replay.problems).toEqual([]);
    } finally {
      await replay.close();
    }
  }

  it("are replayed in their place: words, masked fields, what changes, clicks, scrolling, also after going back", async () => {
    shopPages.set(
      "/",
      page(`<h1>Shop</h1><iframe id="pay" src="${pay.origin}/" width="400" height="300"></iframe>`, parentConfig()),
    );
    payPages.set(
      "/",
      page(
        `<p>Card please</p><input id="card" value="first secret"><button id="go">Pay now</button><output>typed secret</output>
        <div style="height: 2000px"></div><script>const sheet = new CSSStyleSheet(); sheet.replaceSync("p { color: rgb(1, 2, 3) }");
        document.adoptedStyleSheets = [sheet];
        document.querySelector("#go").onclick = () => { document.querySelector("p").textContent = "Paid";
          document.body.append(Object.assign(document.createElement("b"), { textContent: "Thank you" })); scrollTo(0, 60); }</script>`,
        frameConfig(),
      ),
    );
    await open();
    await waitForEvents(shop.sentiero, (events) => attachedIn(events).length > 0);
    const frame = frameAt("/");
    await frame.fill("#card", "4929 1234 5678 9012");
    await frame.click("#go");
    const events = await waitForEvents(
      shop.sentiero,
      (events) => customOf(events, "__click").length > 0 && events.some(isFrameScroll),
    );
    const paidAt = Math.max(...events.map(({ timestamp }) => timestamp as number));
    const [attached] = attachedIn(events);

    expect(JSON.stringify(events)).not.toMatch(/secret|4929/);
    const [click] = customOf(events, "__click");
    expect(click).toMatchObject({ name: "Pay now", tag: "button", frame: pay.origin, nodeId: expect.any(Number) });
    expect(click).not.toHaveProperty("x");
    const pressed = events.filter(isClick).map((event) => eventData(event)!.id);
    expect(pressed).toContain(click!.nodeId);
    expect(click!.nodeId).toBeGreaterThan(FIRST_FRAME_ID);
    expect(customOf(events, "__cost")).toEqual([]);
    expect(await context.cookies(pay.origin)).toEqual([]);

    await withReplay(async (replay) => {
      for (const [at, words] of [
        [paidAt, "Paid"],
        [attached!.at, "Card please"],
        [paidAt, "Paid"],
      ] as const) {
        await replay.seek(at + 1);
        await expect.poll(() => replay.evaluate(frameWords), { timeout: 10_000 }).toContain(words);
      }
      expect(await replay.evaluate(frameWords)).toContain("Thank you");
      expect(
        await replay.evaluate((document) => {
          const inner = document.querySelector("iframe")!.contentDocument!;
          const { value } = inner.querySelector("input")!;
          return [value, getComputedStyle(inner.querySelector("p")!).color, String(inner.defaultView!.scrollY)];
        }),
      ).toEqual(["*".repeat(19), "rgb(1, 2, 3)", "60"]);
    });
  });

  it("are there again after a full snapshot of the page, and where they come later, leave and change", async () => {
    shopPages.set("/", page(`<h1>Shop</h1>`, { ...parentConfig(), recorderOptions: { checkoutEveryNth: 60 } }));
    payPages.set("/", page("<p>Number one</p>", frameConfig()));
    payPages.set("/next", page("<p>Number two</p>", frameConfig()));
    payPages.set("/quiet", page("<p>Nobody records me</p>", null));
    await open();
    await waitForEvents(shop.sentiero, (events) => events.some(({ type }) => type === EventType.FullSnapshot));
    await tab.evaluate(
      (src) => document.body.append(Object.assign(document.createElement("iframe"), { src })),
      `${pay.origin}/`,
    );
    const first = await waitForEvents(shop.sentiero, (events) => attachedIn(events).length > 0);
    await tab.evaluate("for (let count = 0; count < 60; count++) document.body.click()");
    const second = await waitForEvents(shop.sentiero, (events) => {
      const snapshot = events.findLast(({ type }) => type === EventType.FullSnapshot)!;
      return (
        snapshot !== events.find(({ type }) => type === EventType.FullSnapshot) &&
        attachedIn(events).at(-1)!.at > (snapshot.timestamp as number)
      );
    });
    const before = attachedIn(second).length;
    await frameAt("/").evaluate(() => location.assign("/next"));
    const third = await waitForEvents(shop.sentiero, (events) =>
      wordsOf(attachedIn(events).at(-1)).includes("Number two"),
    );
    expect(attachedIn(third).length).toBeGreaterThan(before);
    await frameAt("/next").evaluate(() => location.assign("/quiet"));
    const last = await waitForEvents(shop.sentiero, (events) => attachedIn(events).length > attachedIn(third).length);
    await withReplay(async (replay) => {
      for (const [events, words] of [
        [first, "Number one"],
        [second, "Number one"],
        [third, "Number two"],
        [last, ""],
      ] as const) {
        await replay.seek(attachedIn(events).at(-1)!.at + 1);
        await expect.poll(() => replay.evaluate(frameWords), { timeout: 10_000 }).toBe(words);
      }
    });
  });

  it("are recorded in frames of frames, and in open shadow roots", async () => {
    const inner = page("<p>Innermost</p>", { parentOrigin: pay.origin });
    shopPages.set("/inner", inner);
    payPages.set(
      "/",
      page(`<p>Middle</p><iframe src="${shop.origin}/inner"></iframe>`, {
        ...frameConfig(),
        frameOrigins: [shop.origin],
      }),
    );
    shopPages.set(
      "/",
      page(
        `<x-pay></x-pay><script>document.querySelector("x-pay").attachShadow({ mode: "open" }).innerHTML = '<iframe src="${pay.origin}/"></iframe>'</script>`,
        parentConfig(),
      ),
    );
    await open();
    const events = await waitForEvents(shop.sentiero, (events) => {
      const words = attachedIn(events).map(wordsOf).join();
      return words.includes("Middle") && words.includes("Innermost");
    });
    await withReplay(async (replay) => {
      await replay.seek((events.at(-1)!.timestamp as number) + 1);
      await expect
        .poll(
          () =>
            replay.evaluate((document) => {
              const middle = document.querySelector("x-pay")?.shadowRoot?.querySelector("iframe")?.contentDocument;
              return [middle, middle?.querySelector("iframe")?.contentDocument].map((inside) =>
                inside?.body?.innerText.trim(),
              );
            }),
          { timeout: 10_000 },
        )
        .toEqual(["Middle", "Innermost"]);
    });
  });

  it("stay empty where the page blocks or masks them, and are not even asked", async () => {
    const frame = `<iframe src="${pay.origin}/"></iframe>`;
    shopPages.set(
      "/",
      page(
        `<div data-rr-block>${frame}</div><iframe data-rr-block src="${pay.origin}/"></iframe><iframe class="rr-block" src="${pay.origin}/"></iframe>
       <div data-rr-mask>${frame}</div><iframe id="open" src="${pay.origin}/open"></iframe>`,
        parentConfig(),
      ),
    );
    payPages.set("/", page("<p>Never</p><script>asked = 0; onmessage = () => asked++;</script>", frameConfig()));
    payPages.set("/open", page("<p>Shown</p>", frameConfig()));
    await open();
    await waitForEvents(shop.sentiero, (events) => attachedIn(events).length > 0);
    await tab.evaluate("Sentiero.flush()");
    const events = await readEvents(shop.sentiero);
    expect(new Set(attachedIn(events).map(({ parentId }) => parentId)).size).toBe(1);
    expect(JSON.stringify(events)).not.toContain("Never");
    const closed = tab.frames().filter((frame) => frame.url() === `${pay.origin}/`);
    expect(closed).toHaveLength(4);
    for (const frame of closed) expect(await frame.evaluate("asked")).toBe(0);

    // From where it is blocked on, one that was open is not heard either.
    await tab.evaluate(() => document.querySelector("#open")!.setAttribute("data-rr-block", ""));
    await frameAt("/open").evaluate(() => {
      document.body.append("Too late");
      window.Sentiero!.track("too late");
    });
    await tab.evaluate("Sentiero.track('afterwards')");
    const last = await waitForEvents(shop.sentiero, (events) => customOf(events, "afterwards").length === 1);
    expect(JSON.stringify(last)).not.toMatch(/too late/i);
  });

  it("are masked by rules of their own, and speak to the origin only that they name", async () => {
    shopPages.set(
      "/",
      page(`<iframe src="${pay.origin}/"></iframe><iframe src="${pay.origin}/other"></iframe>`, parentConfig()),
    );
    payPages.set("/", page("<p>Strictly mine</p>", { ...frameConfig(), privacy: "strict" }));
    payPages.set("/other", page("<p>For another page</p>", { parentOrigin: "https://elsewhere.example" }));
    await open();
    const events = await waitForEvents(shop.sentiero, (events) => attachedIn(events).length > 0);
    expect(wordsOf(attachedIn(events)[0])).toContain("******** ****");
    expect(JSON.stringify([events, await tab.evaluate(() => (window as unknown as Hearing).heard)])).not.toMatch(
      /Strictly|another page/,
    );
  });

  it("pass on errors and what a person does, and stop when the page does", async () => {
    shopPages.set(
      "/",
      page(`<iframe src="${pay.origin}/"></iframe>`, { ...parentConfig(), sessionSampleRate: 0, errorSampleRate: 1 }),
    );
    payPages.set("/", page("<p>Frame</p>", frameConfig()));
    await open();
    // Held in the page until something goes wrong, in a frame as well.
    await vi.waitUntil(() => frameAt("/")?.evaluate("typeof Sentiero?.optOut === 'function'"), { timeout: 10_000 });
    await tab.waitForFunction(() => "Sentiero" in window);
    await vi.waitUntil(
      async () => {
        await frameAt("/").evaluate(() => window.Sentiero!.captureException(new Error("declined")));
        return (await readEvents(shop.sentiero)).length > 0;
      },
      { timeout: 20_000, interval: 300 },
    );
    await frameAt("/").evaluate(() => window.Sentiero!.track("paid", { amount: 3 }));
    const events = await waitForEvents(shop.sentiero, (events) => customOf(events, "paid").length === 1);
    expect(attachedIn(events).length).toBeGreaterThan(0);
    expect(customOf(events, "error")[0]).toMatchObject({ message: "declined", handled: true, frame: pay.origin });
    expect(customOf(events, "paid")).toEqual([{ amount: 3, frame: pay.origin }]);
    expect(await frameAt("/").evaluate(() => [window.Sentiero!.getSessionId(), window.Sentiero!.headers()])).toEqual([
      null,
      {},
    ]);

    await frameAt("/").click("p");
    await tab.waitForFunction(() =>
      (window as unknown as Hearing).heard.some(({ sentiero }) => sentiero === "activity"),
    );
    await tab.evaluate("Sentiero.stop()");
    let mark = 0;
    await vi.waitUntil(async () => {
      await frameAt("/").evaluate((mark) => {
        window.Sentiero!.track("unheard");
        parent.postMessage({ mark }, "*");
      }, ++mark);
      // Messages of one window stay in order.
      await tab.waitForFunction((mark) => (window as unknown as Hearing).heard.at(-1)?.mark === mark, mark);
      return (await tab.evaluate(() => (window as unknown as Hearing).heard)).at(-2)?.mark === mark - 1;
    });
  });

  it("make nothing of what comes from other origins, from windows that are no frames, and of what is not meant so", async () => {
    shopPages.set(
      "/",
      page(
        `<h1 id="title">Shop</h1><iframe src="${pay.origin}/"></iframe><iframe src="${pay.origin}/hostile"></iframe>
       <iframe srcdoc="<script>${"parent.postMessage({ sentiero: 'hello' }, '*')"}</script>"></iframe>`,
        parentConfig(),
      ),
    );
    payPages.set("/", page("<p>Honest</p>", frameConfig()));
    payPages.set(
      "/popup",
      page(`<script>const tell = (message) => opener.postMessage(message, "*");${FORGERY}</script>`, null),
    );
    payPages.set(
      "/hostile",
      page(`<script>const tell = (message) => parent.postMessage(message, "*");${FORGERY}</script>`, null),
    );
    shopPages.set(
      "/own",
      page(`<script>const tell = (message) => parent.postMessage(message, "*");${FORGERY}</script>`, null),
    );
    await open();
    await waitForEvents(shop.sentiero, (events) => attachedIn(events).some((one) => wordsOf(one).includes("Honest")));
    const before = await readEvents(shop.sentiero);
    const ids = await countIds(before);
    await tab.evaluate(
      (src) => document.body.append(Object.assign(document.createElement("iframe"), { id: "own", src })),
      "/own",
    );
    const [popup] = await Promise.all([
      context.waitForEvent("page"),
      tab.evaluate((url) => void window.open(url), `${pay.origin}/popup`),
    ]);
    await popup.waitForLoadState();
    const own = tab.frames().find((frame) => frame.url() === `${shop.origin}/own`)!;
    for (const source of [popup, own, frameAt("/hostile")])
      await source.evaluate((ids) => (window as unknown as Forger).forge(ids), ids);
    await tab.evaluate("Sentiero.track('afterwards')");
    const events = await waitForEvents(shop.sentiero, (events) => customOf(events, "afterwards").length === 1);

    const after = events.slice(before.length);
    expect(JSON.stringify(after)).not.toContain("forged");
    // The one that may speak was given a document of its own, and in that nothing else to change.
    expect(attachedIn(after).map(wordsOf)).toEqual(["innocent"]);
    const changed = after.filter(
      (event) =>
        event.type === EventType.Incremental &&
        Number(eventData(event)!.id ?? 0) > 0 &&
        eventData(event)!.source === IncrementalSource.Input,
    );
    expect(changed).toEqual([]);
    await withReplay(async (replay) => {
      await replay.seek((events.at(-1)!.timestamp as number) + 1);
      await expect
        .poll(() => replay.evaluate((document) => document.querySelector("#title")?.textContent ?? ""), {
          timeout: 10_000,
        })
        .toBe("Shop");
      await expect.poll(() => replay.evaluate(frameWords), { timeout: 10_000 }).toBe("Honest");
    });
  });

  it("work with the module too, on both sides", async () => {
    const start = (options: object): string =>
      `<script type="module">import { sentiero } from "/bundle.js"; sentiero.start(${JSON.stringify(options)}); window.sentiero = sentiero;</script>`;
    shopPages.set(
      "/",
      page(
        `<h1>Shop</h1><iframe src="${pay.origin}/"></iframe>${start({ eventsUrl: "/sentiero/events", flushIntervalMs: 200, ...parentConfig() })}`,
        null,
      ),
    );
    // Without an address: nothing is sent from there.
    payPages.set("/", page(`<p>Bundled</p>${start(frameConfig())}`, null));
    await open();
    const events = await waitForEvents(shop.sentiero, (events) => attachedIn(events).length > 0);
    expect(wordsOf(attachedIn(events)[0])).toContain("Bundled");
  });

  it("record nothing where the person objected, on excluded addresses, and out of a frame", async () => {
    shopPages.set(
      "/",
      page(
        `<iframe src="${pay.origin}/consent"></iframe><iframe src="${pay.origin}/excluded"></iframe><iframe src="${pay.origin}/late"></iframe>`,
        parentConfig(),
      ),
    );
    payPages.set("/consent", page("<p>Unasked</p>", { ...frameConfig(), requireConsent: true }));
    payPages.set("/excluded", page("<p>Excluded</p>", { ...frameConfig(), excludeUrls: ["*/excluded"] }));
    payPages.set("/late", page("<p>Agreed</p>", { ...frameConfig(), requireConsent: true }));
    await open();
    await waitForEvents(shop.sentiero, (events) => events.some(({ type }) => type === EventType.FullSnapshot));
    await vi.waitUntil(() => frameAt("/late")?.evaluate("typeof Sentiero?.optOut === 'function'"), { timeout: 10_000 });
    await frameAt("/late").evaluate("Sentiero.optIn()");
    const events = await waitForEvents(shop.sentiero, (events) => attachedIn(events).length > 0);
    expect(attachedIn(events).map(wordsOf).join()).toContain("Agreed");
    expect(JSON.stringify(events)).not.toContain("Excluded");
    await frameAt("/late").evaluate("Sentiero.optOut()");
    await frameAt("/late").evaluate(() => document.body.append("after the objection"));
    await tab.evaluate("Sentiero.track('afterwards')");
    const last = await waitForEvents(shop.sentiero, (events) => customOf(events, "afterwards").length === 1);
    expect(JSON.stringify(last)).not.toContain("after the objection");

    await tab.goto(`${pay.origin}/excluded`);
    await tab.goto(`${pay.origin}/late`);
    await tab.waitForFunction(() => typeof window.Sentiero?.optOut === "function");
    expect(await tab.evaluate(() => window.Sentiero!.getSessionId())).toBeNull();
  });
});

interface Hearing {
  readonly heard: readonly { readonly sentiero?: unknown; readonly mark?: unknown }[];
}

interface Forger {
  forge(ids: readonly number[]): void;
}

/** Says all that a frame could, and more: with numbers of the page's own nodes, and of none, of no shape, and far too much. */
const FORGERY = `
window.forge = (ids) => {
  const event = (type, data) => tell({ sentiero: "event", event: JSON.stringify({ type, data, timestamp: Date.now() }) });
  for (const message of [null, 5, "sentiero", [], {}, { sentiero: null }, { sentiero: "event" }, { sentiero: "event", event: "{" },
    { sentiero: "event", event: "null" }, { sentiero: "event", event: { type: 2 } }, { sentiero: "event", event: "[".repeat(100000) },
    { sentiero: "event", event: JSON.stringify({ type: 2, data: { node: "forged".repeat(1000000) } }) },
    { sentiero: "trigger", trigger: "forged" }, { sentiero: "event", event: new Map() }]) tell(message);
  const forgeAll = () => {
    for (const id of [...ids, -1, 0, 1e9 + 1, 1e308]) {
      event(3, { source: 0, texts: [{ id, value: "forged" }], attributes: [{ id, attributes: { title: "forged" } }], removes: [{ id, parentId: id }],
        adds: [{ parentId: id, nextId: null, node: { type: 3, id: 90, textContent: "forged" } }] });
      event(3, { source: 5, id, text: "forged", isChecked: true });
      event(3, { source: 8, id, adds: [{ rule: "forged {}", index: 0 }] });
    }
    for (const tag of ["__start", "__end", "__cost", "__page", "navigation", "", 5]) event(5, { tag, payload: { reason: "forged" } });
    event(5, { tag: "forged".repeat(100), payload: {} });
    event(5, { tag: "huge", payload: { text: "forged".repeat(20000) } });
    event(4, { href: "https://forged.example/", width: 1, height: 1 });
  };
  forgeAll();
  event(2, { node: { type: 2, id: 1, tagName: "forged", attributes: {}, childNodes: [] } });
  tell({ sentiero: "hello" });
  event(2, { node: { type: 0, id: 1, childNodes: [{ type: 2, id: 2, tagName: "html", attributes: {}, childNodes: [
    { type: 2, id: 3, tagName: "head" }, { type: 2, id: 4, tagName: "body", childNodes: [{ type: 3, id: 5, textContent: "innocent" }] }] }] } });
  ids = ids.filter((id) => id > 5);
  forgeAll();
};`;

interface Attached {
  readonly at: number;
  readonly parentId: number;
  readonly node: unknown;
}

/** Documents of frames of other origins that came into the recording. */
function attachedIn(events: readonly RecordedEvent[]): Attached[] {
  return events.flatMap((event) => {
    const data = event.type === EventType.Incremental ? eventData(event) : null;
    if (data?.isAttachIframe !== true) return [];
    const [{ parentId, node }] = data.adds as [{ parentId: number; node: { id: number } }];
    return node.id > FIRST_FRAME_ID ? [{ at: event.timestamp as number, parentId, node }] : [];
  });
}

function wordsOf(attached: Attached | undefined): string {
  const words: string[] = [];
  const walk = (node: { textContent?: string; tagName?: string; childNodes?: never[] }): void => {
    if (node.textContent?.trim() && node.tagName !== "style") words.push(node.textContent.trim());
    if (node.tagName !== "head") node.childNodes?.forEach(walk);
  };
  if (attached) walk(attached.node as object);
  return words.join(" ");
}

/** The page's own. */
function countIds(events: readonly RecordedEvent[]): number[] {
  return [...JSON.stringify(events).matchAll(/"id":(\d+)/g)]
    .map(([, id]) => Number(id))
    .filter((id) => id < FIRST_FRAME_ID);
}

function customOf(events: readonly RecordedEvent[], tag: string): Record<string, unknown>[] {
  return events.flatMap((event) => {
    const data = event.type === EventType.Custom ? eventData(event) : null;
    return data?.tag === tag ? [data.payload as Record<string, unknown>] : [];
  });
}

function isClick(event: RecordedEvent): boolean {
  const data = event.type === EventType.Incremental ? eventData(event) : null;
  return data?.source === IncrementalSource.MouseInteraction && data.type === MouseInteraction.Click;
}

function isFrameScroll(event: RecordedEvent): boolean {
  const data = event.type === EventType.Incremental ? eventData(event) : null;
  return data?.source === IncrementalSource.Scroll && (data.id as number) > FIRST_FRAME_ID && data.y === 60;
}

function frameWords(document: Document): string {
  return document.querySelector("iframe")?.contentDocument?.body?.innerText?.trim().replace(/\s+/g, " ") ?? "";
}
