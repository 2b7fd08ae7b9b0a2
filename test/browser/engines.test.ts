import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { findEngines, type Engine } from "../../scripts/engines.ts";
import type { RecordedEvent, Sentiero, SessionDetail } from "../../src/index.ts";
import { EventType, IncrementalSource, eventData } from "../../src/rrweb/events.ts";
import { createTestSentiero } from "../support/sentiero.ts";
import { describeBrowser, launch, serveSite, type Site } from "./support/browser.ts";
import { createCanaryPage, formsOf, type CanaryPage } from "./support/canaries.ts";
import { openCollector } from "./support/collector.ts";
import { launchEngine, type EngineBrowser, type Tab } from "./support/engines.ts";
import type { Law } from "./support/engines-page.ts";
import { readRuns, readSessions } from "./support/replay.ts";

declare const law: Law;

/** Stands in the text of the page of canaries and must arrive: else nothing was looked at. */
const CONTROL = "edelweissmeadow";
const REQUIRED = (process.env.SENTIERO_TEST_REQUIRE ?? "").split(",");

// WebKit draws without a graphics card, and takes its time.
vi.setConfig({ testTimeout: 60_000 });

let chromium: Browser;
let script: string;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("support/engines-page.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    logLevel: "silent",
  });
  script = outputFiles[0]!.text;
  chromium = await launch();
});
afterAll(() => chromium?.close());

describeBrowser("recorded in Chromium", () => recordsIn(null));

// Other engines with the long forms: `npm run soak -- engines`.
if (process.env.SENTIERO_SOAK === "1") {
  for (const engine of findEngines()) {
    const isLeftOut = engine.path === null && !REQUIRED.includes(engine.name.toLowerCase());
    const hint = engine.path === null ? ` (not found: ${engine.hint})` : "";
    describe.skipIf(isLeftOut)(`recorded in ${engine.name}${hint}`, () => recordsIn(engine));
  }
}

function recordsIn(engine: Engine | null): void {
  let browser: EngineBrowser;
  let sentiero: Sentiero;
  let site: Site;
  let tab: Tab;
  let config: Record<string, unknown>;
  let headers: Record<string, string>;
  /** What was thrown into pages, or written on their console. */
  let problems: string[];
  /** Content encodings of the uploads, and the scripts that were asked for. */
  let uploads: (string | null)[];
  let scripts: string[];

  beforeAll(async () => {
    if (engine?.path === null) throw new Error(`${engine.name} is required, and not there: ${engine.hint}`);
    browser = await launchEngine(engine);
    console.log(`[sentiero] engine: ${engine?.name ?? "Chromium"} ${browser.version}`);
  }, 120_000);
  afterAll(() => browser?.close());

  beforeEach(async () => {
    sentiero = createTestSentiero();
    config = { flushIntervalMs: 200 };
    headers = {};
    problems = [];
    uploads = [];
    scripts = [];
    const front: Sentiero = {
      ...sentiero,
      fetch(request) {
        const name = new URL(request.url).pathname.split("/").at(-1)!;
        if (request.method === "POST") uploads.push(request.headers.get("content-encoding"));
        else if (name.endsWith(".js")) scripts.push(name.replace(/-\w+\.js$/, ""));
        return sentiero.fetch(request);
      },
    };
    site = await serveSite(front, (request) => {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/problem") problems.push(searchParams.get("text")!);
      if (pathname === "/law.js") return new Response(script, { headers: { "content-type": "text/javascript" } });
      return new Response(pathname === "/problem" ? "" : toPage(pathname, config), {
        headers: { "content-type": "text/html", ...headers },
      });
    });
    tab = await browser.newTab();
  });
  afterEach(async () => {
    await tab.close().catch(() => {});
    await site.close();
    await sentiero.store.close();
    expect(problems).toEqual([]);
  });

  const poll = <T>(read: () => Promise<T> | T) => expect.poll(read, { timeout: 20_000, interval: 100 });
  /** A page that is just being loaded can't be asked. */
  const ask = <T>(expression: string): Promise<T | null> => tab.evaluate<T>(expression).catch(() => null);

  async function open(path = "/"): Promise<void> {
    await tab.goto(site.url + path);
    await poll(() => ask("Sentiero.getSessionId()")).not.toBeNull();
  }

  const sessions = () => readSessions(sentiero);
  const runs = () => readRuns(sentiero);

  const tags = async (): Promise<string[]> => (await runs()).flat().map(tagOf).filter(Boolean);

  it("is what the page was in the end, with what was typed masked and nothing of it sent", async () => {
    await open();
    await tab.type("#name", "kestrelnest");
    await tab.type("#secret", "hunterskestrel");
    await tab.type("#inner", "shadowkestrel");
    await tab.type("#framed", "framedkestrel");
    await tab.click("#change");
    await tab.evaluate("changed");
    await tab.click("#in-shadow");
    await tab.click("#in-frame");
    await tab.evaluate(`Sentiero.track("done", { step: 1 })`);
    const wanted = await tab.evaluate<string>("law.describe()");
    expect(wanted).toContain("added 4");
    expect(wanted).toContain("changed in the shadow");
    expect(wanted).toContain("changed in the frame");
    await tab.evaluate("Sentiero.flush()");

    const [events, ...others] = await runs();
    expect(others).toEqual([]);
    expect(await replayed(events!)).toBe(wanted);
    const [{ windows }] = (await sessions()) as [SessionDetail];
    expect(windows).toMatchObject([{ missing: [], gaps: [], conflictCount: 0 }]);
    expect(JSON.stringify(events)).not.toContain("kestrel");
    const typed = events!
      .map((event) => (event.type === EventType.Incremental ? eventData(event) : null))
      .filter((data) => data?.source === IncrementalSource.Input)
      .map((data) => data!.text);
    expect(typed).toEqual(expect.arrayContaining(["*".repeat(11), "*".repeat(13)]));
    expect(typed.filter((text) => /[^*]/.test(String(text)))).toEqual([]);
    expect(events!.map(tagOf)).toEqual(expect.arrayContaining(["__start", "__click", "done"]));
  });

  it("is one session in one window through a history of pages, and loses nothing where a page is left", async () => {
    // Whatever is left is sent by leaving.
    config = { flushIntervalMs: 600_000 };
    await open();
    await tab.evaluate(`history.pushState(null, "", "/route"), Sentiero.track("first")`);
    // Firefox keeps no page that is left while it is sending.
    await poll(async () => (await runs()).length).toBe(1);
    await tab.click("#second");
    await poll(() => ask("location.pathname")).toBe("/second");
    await poll(() => ask("Sentiero.getSessionId()")).not.toBeNull();
    await tab.click("#change");
    await tab.evaluate("changed");
    await tab.evaluate(`Sentiero.track("second")`);
    await tab.evaluate("void setTimeout(() => history.back())");
    await poll(() => ask("location.pathname")).toBe("/route");
    await poll(() => ask("Sentiero.getSessionId()")).not.toBeNull();
    // From the back/forward cache. Firefox keeps no page that holds a lock, as ours does for the id of its tab, until it is left.
    await poll(() => ask("isKept")).toBe(true);
    await tab.click("#change");
    await tab.evaluate("changed");
    await tab.evaluate(`Sentiero.track("third")`);
    const wanted = await tab.evaluate<string>("law.describe()");
    await tab.goto(`${site.url}/empty`);

    await poll(async () =>
      (await tags()).filter((tag) => tag !== "navigation" && !tag.startsWith("__")).toSorted(),
    ).toEqual(["first", "second", "third"]);
    const all = await runs();
    expect(all).toHaveLength(2);
    const last = all.find((events) => events.some((event) => tagOf(event) === "third"))!;
    expect(last.some((event) => tagOf(event) === "first")).toBe(true);
    await poll(async () => replayed((await runs()).find((events) => events.some((e) => tagOf(e) === "third"))!)).toBe(
      wanted,
    );
    const found = await sessions();
    expect(found.map(({ windows }) => windows)).toMatchObject([[{ missing: [], gaps: [], conflictCount: 0 }]]);
    expect(await tags()).toContain("__page");
  });

  // Firefox ends the process of a closed tab without waiting: of beacons of any kind, also a page's own, some three in ten
  // are lost.
  if (engine?.name !== "Firefox") {
    it("holds what was still waiting when the tab was closed", async () => {
      config = { flushIntervalMs: 600_000 };
      // A browser without a tab ends.
      const other = await browser.newTab();
      try {
        await open();
        await tab.evaluate(`Sentiero.track("last")`);
        await tab.close();
        await poll(tags).toEqual(expect.arrayContaining(["last", "__cost"]));
      } finally {
        await other.close();
      }
    });
  }

  it("is packed in a worker, and on the page's own thread where its policy forbids workers", async () => {
    await open();
    await poll(() => uploads).toContain("gzip");
    expect(scripts).toContain("compress-worker");
    expect(uploads).not.toContain(null);
    uploads.length = scripts.length = 0;
    headers = { "content-security-policy": "default-src 'self' 'unsafe-inline'; worker-src 'none'" };
    await open("/second");
    await tab.evaluate(`Sentiero.track("packed")`);
    await poll(tags).toContain("packed");
    expect(scripts).not.toContain("compress-worker");
    // The page before was left, which has no time to pack.
    await poll(() => uploads).toContain("gzip");
  });

  it.each(["balanced", "strict"])("lets out no secret of a page full of them with the %s rules", async (privacy) => {
    let page: CanaryPage | undefined;
    // Another host than the collector's: a browser sends cookies to every port of a host.
    const pages = await serveSite(sentiero, (request) => {
      const { pathname } = new URL(request.url);
      const body = pathname === "/" ? page!.html : pathname === "/frame" ? page!.frame : "";
      return new Response(body, { headers: { "content-type": "text/html" } });
    });
    const origin = pages.url.replace("127.0.0.1", "localhost");
    let tags = "";
    const collector = await openCollector((url) => {
      const guest = createTestSentiero({ corsOrigins: [origin], flushIntervalMs: 300 });
      tags = guest.scriptTag({ eventsUrl: `${url}/sentiero/events` });
      return guest;
    });
    page = createCanaryPage(tags.replace(/>\{/, `>{"privacy":"${privacy}",`));
    try {
      await tab.goto(`${origin}/${page.suffix}`);
      await poll(() => ask("Sentiero.getSessionId()")).not.toBeNull();
      await tab.evaluate(`Sentiero.track("control", { word: "${CONTROL}" })`);
      for (const [selector, text] of Object.entries(page.typed)) await tab.type(selector, text);
      await tab.click("#radio");
      await tab.evaluate("later()");
      await tab.click("#typed");
      await tab.evaluate("Sentiero.flush()");
      await tab.goto("about:blank");
      await poll(() => collector.received()).toContain("__cost");
    } finally {
      await collector.close();
      await pages.close();
    }
    const { canaries } = page;
    const leaks = canaries.filter(({ word }) => formsOf(word).some((form) => collector.received().includes(form)));
    const hidden = leaks.filter(({ isPageText }) => privacy === "strict" || !isPageText);
    expect(collector.received()).toContain(CONTROL);
    expect(hidden.map(({ place }) => place)).toEqual([]);
    // What is the page's own is what makes a replay worth watching. rrweb leaves out later titles of a page.
    const texts = canaries.filter(({ isPageText, place }) => isPageText && place !== "changed page title");
    expect(leaks).toHaveLength(privacy === "strict" ? 0 : texts.length);
  });
}

function tagOf(event: RecordedEvent): string {
  return event.type === EventType.Custom ? String(eventData(event)?.tag) : "";
}

/** What the stage of a page is after all events of a run. */
async function replayed(events: readonly RecordedEvent[]): Promise<string> {
  const page = await chromium.newPage();
  try {
    await page.addScriptTag({ content: script });
    return await page.evaluate((events) => law.replay(events as unknown as object[]), events);
  } finally {
    await page.close();
  }
}

/** A page that tells what is thrown into it, with fields, a shadow root, a frame, and buttons that change all of it. */
function toPage(pathname: string, config: object): string {
  if (pathname === "/empty") return `<!doctype html><title>Empty</title><p>Nothing is recorded here`;
  if (pathname === "/frame") {
    return `<!doctype html><title>Frame</title><p>in the frame</p>
      <button id="in-frame">Frame</button><script>document.querySelector("button").onclick = () =>
      (document.querySelector("p").textContent = "changed in the frame");</script>`;
  }
  if (pathname === "/fields") return `<!doctype html><title>Fields</title><input id="framed" type="password">`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Page</title><link rel="icon" href="data:,">
<script>
  const tell = (text) => void fetch("/problem?text=" + encodeURIComponent(text), { keepalive: true });
  addEventListener("error", ({ message }) => tell(message));
  addEventListener("unhandledrejection", ({ reason }) => tell("rejected: " + reason));
  for (const level of ["warn", "error"]) console[level] = (...args) => tell(level + ": " + args.join(" "));
  var isKept = false;
  addEventListener("pageshow", (event) => (isKept = event.persisted));
</script>
<script src="/law.js"></script>
<script type="application/json" id="sentiero-config">${JSON.stringify(config)}</script>
<script async src="/sentiero/recorder.js"></script></head><body>
<h1>${pathname}</h1><input id="name"><input id="secret" type="password"><iframe src="/fields" height="50"></iframe>
<div id="field-host"></div>
<div id="stage"><ul class="list"><li>first</li></ul><p style="color: red">styled</p><div id="host"></div>
<iframe src="/frame" height="100"></iframe></div><button id="change">Change</button>
<a id="second" href="/second">second</a>
<script>
  var changed;
  document.querySelector("#field-host").attachShadow({ mode: "open" }).innerHTML = '<input id="inner">';
  const root = document.querySelector("#host").attachShadow({ mode: "open" });
  root.innerHTML = '<style>p { color: green }</style><p>in the shadow</p><button id="in-shadow">Shadow</button>';
  root.querySelector("button").onclick = () => (root.querySelector("p").textContent = "changed in the shadow");
  document.querySelector("#change").onclick = () => {
    const list = document.querySelector(".list");
    changed = (async () => {
      for (let n = 0; n < 5; n++) {
        const item = document.createElement("li");
        item.append("added " + n);
        list.prepend(item);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      list.lastElementChild.remove();
      list.className = "long list";
      document.querySelector("#stage > p").style.color = "blue";
      list.firstElementChild.firstChild.data += ", then changed";
      const late = document.createElement("div");
      late.attachShadow({ mode: "open" }).innerHTML = "<b>late shadow</b>";
      list.after(late);
    })();
  };
</script></body></html>`;
}
