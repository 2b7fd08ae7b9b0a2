import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { Sentiero, SessionDetail, SessionList } from "../../src/index.ts";
import { EventType } from "../../src/rrweb/events.ts";
import { api, createTestSentiero } from "../support/sentiero.ts";
import { describeBrowser, launch, serveSite } from "./support/browser.ts";
import { readBatches } from "./support/replay.ts";

/** A custom event as a stream emitted it. */
interface Seen {
  readonly tag: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What the pages of these tests offer beside the page's own. */
interface TestWindow {
  readonly seen: Seen[];
  readonly triggers: string[];
  readonly activity: { count: number };
  readonly stop: () => void;
  readonly leave: () => void;
  readonly captureException: (error: unknown, details?: unknown) => void;
}

/** Stands for the recorder: keeps what streams emit where the test can read it, also after the page was left. */
const HARNESS = `
  import { resolveConfig } from "./config.ts";
  import { startStreams } from "./streams/streams.ts";
  const end = new AbortController();
  const leaving = [];
  const ids = new Map();
  Object.assign(window, { seen: [], triggers: [], activity: { count: 0 } });
  window.stop = () => end.abort();
  window.leave = () => {
    for (const run of leaving) run();
    sessionStorage.setItem("left", JSON.stringify(window.seen));
  };
  addEventListener("pagehide", window.leave);
  const { captureException } = startStreams({
    config: resolveConfig(window.given),
    signal: end.signal,
    emit(tag, payload) {
      window.onEmit?.(tag);
      window.seen.push(JSON.parse(JSON.stringify({ tag, payload })));
    },
    idOf: (node) => ids.get(node) ?? ids.set(node, ids.size + 1).size,
    textOf(element, maxChars, attribute) {
      const text = (attribute ? element.getAttribute(attribute) : element.textContent) ?? "";
      return (element.closest("[data-rr-mask]") ? text.replace(/\\S/g, "*") : text).slice(0, maxChars);
    },
    cutUrl: (url) => url.split(/[?#]/)[0],
    onActivity: () => void window.activity.count++,
    onTrigger: (trigger) => void window.triggers.push(trigger),
    onLeave: (run) => void leaving.push(run),
  });
  window.captureException = captureException;
`;

let browser: Browser;
let server: Server;
let origin: string;
let context: BrowserContext;
let tab: Page;
let pageErrors: string[];
let warnings: string[];
const pages = new Map<string, string>();
const files = new Map<string, string>();
const posted: { url: string; body: string; type: string }[] = [];

beforeAll(async () => {
  const result = await build({
    stdin: { contents: HARNESS, resolveDir: fileURLToPath(new URL("../../recorder", import.meta.url)), loader: "ts" },
    bundle: true,
    splitting: true,
    format: "esm",
    write: false,
    outdir: "/assets",
    entryNames: "harness",
  });
  for (const { path, text } of result.outputFiles) files.set(path, text);
  browser = await launch();
  server = createServer((request, response) => {
    const path = request.url!.split("?")[0]!;
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const file = files.get(path);
      const page = pages.get(path);
      if (request.method === "POST") {
        posted.push({
          url: request.url!,
          body: Buffer.concat(chunks).toString(),
          type: request.headers["content-type"] ?? "",
        });
      }
      if (page !== undefined) response.setHeader("content-type", "text/html").end(page);
      else if (file !== undefined) response.setHeader("content-type", "text/javascript").end(file);
      else if (path === "/api/json") {
        response.setHeader("x-answer", "42").setHeader("set-cookie", "sid=secret");
        response.setHeader("content-type", "application/json").end('{"answer":42}');
      } else if (path === "/api/stream") {
        response.setHeader("content-type", "text/plain").write("first");
      } else if (path === "/throw.js") {
        response.setHeader("content-type", "text/javascript").end('throw new Error("secret of another origin")');
      } else response.writeHead(path === "/events" || path === "/api/form" ? 200 : 404).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 800, height: 600 } });
  tab = await context.newPage();
  pageErrors = [];
  posted.length = 0;
  warnings = [];
  tab.on("console", (message) => void (message.text().startsWith("[sentiero]") && warnings.push(message.text())));
  tab.on("pageerror", (error) => pageErrors.push(error.message));
});

afterEach(async () => {
  await context?.close();
  expect(warnings).toEqual([]);
});

/** Opens a page with the streams running; `before` is script that runs ahead of them. */
async function open(body: string, config: object = {}, { path = "/page", before = "" } = {}): Promise<void> {
  const given = JSON.stringify({ eventsUrl: "/events", ...config });
  pages.set(
    path.split(/[?#]/)[0]!,
    `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script>window.given=${given};${before}</script>
     <body>${body}<script type="module" src="/assets/harness.js"></script>`,
  );
  pages.set("/other", `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body>other`);
  await tab.goto(origin + path);
  await tab.waitForFunction(() => "captureException" in window);
  // What is loaded apart.
  await tab.waitForLoadState("networkidle");
}

/** What was emitted under a tag so far. */
async function seen(tag: string): Promise<Seen["payload"][]> {
  const all = await tab.evaluate(() => (window as unknown as TestWindow).seen);
  return all.filter((event) => event.tag === tag).map(({ payload }) => payload);
}

/** Waits for so many under a tag. */
async function waitFor(tag: string, count = 1): Promise<Seen["payload"][]> {
  await tab.waitForFunction(
    ([tag, count]) =>
      (window as unknown as TestWindow).seen.filter((event) => event.tag === tag).length >= (count as number),
    [tag, count] as const,
  );
  return seen(tag);
}

const triggers = () => tab.evaluate(() => (window as unknown as TestWindow).triggers);
const activity = () => tab.evaluate(() => (window as unknown as TestWindow).activity.count);
const stop = () => tab.evaluate(() => (window as unknown as TestWindow).stop());
const leave = () => tab.evaluate(() => (window as unknown as TestWindow).leave());

describeBrowser("errors", () => {
  it("are told with message, place and stack, and are a trigger", async () => {
    await open(`<button onclick="nowhere.at.all()">go</button>`, {}, { path: "/page?token=1" });
    await tab.click("button");
    const [error] = await waitFor("error");
    expect(error).toMatchObject({
      message: "Uncaught ReferenceError: nowhere is not defined",
      name: "ReferenceError",
      source: `${origin}/page`,
      lineno: 2,
      type: "error",
    });
    expect(error!.colno).toBeGreaterThan(0);
    expect(error!.stack).toContain("HTMLButtonElement.onclick");
    expect(await triggers()).toEqual(["error"]);
  });

  it("are told of rejections with an Error, a text, anything, and something that can't be read", async () => {
    await open("");
    await tab.evaluate(() => {
      void Promise.reject(new TypeError("first"));
      void Promise.reject("second");
      void Promise.reject({ code: 3 });
      const hostile = {
        get message(): string {
          throw new Error("hostile");
        },
      };
      void Promise.reject(hostile);
      void Promise.reject(undefined);
    });
    const errors = await waitFor("error", 3);
    expect(errors.map(({ message, type, name }) => [message, type, name])).toEqual([
      ["first", "unhandledrejection", "TypeError"],
      ["second", "unhandledrejection", undefined],
      ["Unhandled rejection", "unhandledrejection", undefined],
    ]);
    expect(errors[0]!.stack).toContain("TypeError: first");
    await leave();
    expect((await seen("error")).at(-1)).toMatchObject({ message: "Unhandled rejection", count: 2 });
  });

  it("of React's hydration are marked, minified and in development", async () => {
    await open("");
    await tab.evaluate(() => {
      for (const text of [
        "Minified React error #418; visit https://react.dev/errors/418",
        "Minified React error #425; visit https://react.dev/errors/425",
        "Hydration failed because the server rendered HTML didn't match the client.",
        "Text content does not match server-rendered HTML.",
        "Minified React error #31; visit https://react.dev/errors/31",
      ]) {
        reportError(new Error(text));
      }
    });
    expect((await waitFor("error", 5)).map(({ hydration }) => hydration)).toEqual([true, true, true, true, undefined]);
  });

  it("are told of files that can't be loaded, without their query, and are no trigger then", async () => {
    await open(`<img src="/missing.png?user=ada"><script src="/missing.js?user=ada"></script>`);
    await tab.evaluate(() => {
      const image = new Image();
      image.src = "/late.png?user=ada";
      document.body.append(image);
    });
    const errors = await waitFor("error");
    expect(errors).toContainEqual({
      message: "<img> could not be loaded",
      source: `${origin}/late.png`,
      kind: "resource",
      tag: "img",
      nodeId: expect.any(Number) as number,
    });
    expect(JSON.stringify(errors)).not.toContain("ada");
    expect(await triggers()).toEqual([]);
  });

  it("that come again are counted, and not more than 50 different ones are told", async () => {
    await open("");
    await tab.evaluate(() => {
      for (let n = 0; n < 5; n++) reportError("again");
      for (let n = 0; n < 100; n++) reportError(`error ${n}`);
    });
    expect(await seen("error")).toHaveLength(50);
    await leave();
    await leave();
    const counted = (await seen("error")).filter(({ count }) => count !== undefined);
    expect(counted).toMatchObject([{ message: "Uncaught again", count: 4 }]);
  });

  it("that come from recording one are not recorded", async () => {
    await open("", {}, { before: `window.onEmit = () => { reportError("from within"); throw new Error("emit"); };` });
    await tab.evaluate(() => reportError("outer"));
    await tab.evaluate(() => ((window as unknown as { onEmit: unknown }).onEmit = undefined));
    await tab.evaluate(() => reportError("next"));
    expect((await seen("error")).map(({ message }) => message)).toEqual(["Uncaught next"]);
    expect(pageErrors.toSorted()).toEqual(["from within", "next", "outer"]);
  });

  it("of another origin's script stay what the browser makes of them", async () => {
    await open(`<script src="${origin.replace("127.0.0.1", "localhost")}/throw.js" defer></script>`);
    await tab.evaluate(
      (url) => {
        const script = document.createElement("script");
        script.src = url;
        document.body.append(script);
      },
      `${origin.replace("127.0.0.1", "localhost")}/throw.js`,
    );
    expect(await waitFor("error")).toMatchObject([{ message: "Script error.", source: "", lineno: 0 }]);
  });

  it("that the page caught are handed in, with details as far as they are JSON", async () => {
    await open("", { captureErrors: false });
    await tab.evaluate(() => {
      const { captureException } = window as unknown as TestWindow;
      captureException(new RangeError("caught"), { order: 7 });
      const cyclic: Record<string, unknown> = {};
      cyclic.self = cyclic;
      captureException("text", cyclic);
      captureException({
        get message(): string {
          throw new Error("hostile");
        },
      });
      reportError("not recorded");
    });
    expect(await seen("error")).toMatchObject([
      { message: "caught", name: "RangeError", type: "error", handled: true, context: { order: 7 } },
      { message: "text", handled: true },
      { message: "Unknown error", handled: true },
    ]);
    expect(await triggers()).toEqual(["error", "error", "error", "error"]);
  });
});

describeBrowser("clicks", () => {
  it("name what was hit by what stays the same between builds", async () => {
    await open(`
      <p><button data-testid="pay now"><b>Pay</b></button></p>
      <p><button id="save">Save</button></p>
      <section class="card css-1q2w3e"><div class="row sc-bdVaJa md:w-4"><a id="radix-4" class="link _a1b2c" href="#x">More</a></div></section>
      <div id="user-84213" class="user"><i>plain</i></div>
      <host-box class="box"></host-box>
      <script>
        document.querySelector("host-box").attachShadow({ mode: "open" }).innerHTML = "<button class=inner>In</button>";
      </script>`);
    for (const target of ["b", "#save", "section a", "i", "host-box button"]) await tab.click(target);
    const clicks = await seen("__click");
    expect(clicks.map(({ selector, name, tag }) => [selector, name, tag])).toEqual([
      ['[data-testid="pay now"]', "Pay", "button"],
      ["button#save", "Save", "button"],
      ["section.card > div.row > a.link", "More", "a"],
      ["body > div.user > i", "plain", "i"],
      ["body > host-box.box >>> button.inner", "In", "button"],
    ]);
  });

  it("carry the accessible name, masked where the page masks it, and never what stands in a field", async () => {
    await open(`
      <span id="label">By reference</span><button aria-labelledby="label">text</button>
      <button aria-label="By label">text</button>
      <label for="field">Field</label><input id="field" value="typed">
      <textarea>typed</textarea><div contenteditable>typed</div><select><option>chosen</option></select>
      <input type="submit" value="Send">
      <a href="#x"><img alt="Picture" src="data:,"></a>
      <button title="By title"></button>
      <button data-rr-mask>Secret</button>
      <div class="wide"><p>A whole</p><p>part of the page</p></div>`);
    for (const target of [
      "button[aria-labelledby]",
      "button[aria-label]",
      "#field",
      "textarea",
      "[contenteditable]",
      "select",
      "[type=submit]",
      "button[title]",
      "[data-rr-mask]",
    ]) {
      await tab.click(target);
    }
    await tab.evaluate(() => document.querySelector<HTMLElement>(".wide")!.click());
    const clicks = await seen("__click");
    expect(clicks.map(({ name }) => name)).toEqual([
      "By reference",
      "By label",
      "Field",
      undefined,
      undefined,
      undefined,
      "Send",
      "By title",
      "******",
      undefined,
    ]);
    expect(clicks.at(-1)).toMatchObject({ synthetic: true });
  });

  it("say where in the page and in the element, and nothing of it for the keyboard", async () => {
    await open(`<div style="height:1000px"></div>
      <button style="position:absolute;left:100px;top:900px;width:200px;height:40px;border:0" role="tab">go</button>`);
    await tab.click("button", { position: { x: 50, y: 10 } });
    await tab.keyboard.press("Enter");
    const [mouse, keyboard] = await waitFor("__click", 2);
    expect(mouse).toEqual({
      selector: "body > button",
      name: "go",
      tag: "button",
      role: "tab",
      x: 150,
      y: 910,
      fractionX: 0.25,
      fractionY: 0.25,
      nodeId: expect.any(Number) as number,
    });
    expect(keyboard).not.toHaveProperty("x");
  });

  it("are rage when three come at once, and are activity even where they are not recorded", async () => {
    await open(`<button>go</button>`, { captureClicks: false });
    await tab.click("button", { clickCount: 4 });
    expect(await triggers()).toEqual(["rage"]);
    expect(await activity()).toBe(4);
    expect(await seen("__click")).toEqual([]);
  });

  it("on a label are one each, though the browser clicks its field too", async () => {
    await open(`<label><input type="checkbox">check</label>`);
    await tab.click("label", { position: { x: 40, y: 8 }, clickCount: 2 });
    expect((await seen("__click")).map(({ tag }) => tag)).toEqual(["label", "label"]);
    expect(await triggers()).toEqual([]);
  });

  it("go past zone.js", async () => {
    const before = `
      window.Zone = { __symbol__: (name) => "__zone_symbol__" + name };
      EventTarget.prototype.__zone_symbol__addEventListener = EventTarget.prototype.addEventListener;
      window.patched = [];
      EventTarget.prototype.addEventListener = function (type, run, options) {
        if (this === window && options?.capture && options.passive) patched.push(type);
        return this.__zone_symbol__addEventListener(type, run, options);
      };`;
    await open(`<button>go</button>`, {}, { before });
    await tab.click("button");
    expect(await seen("__click")).toHaveLength(1);
    expect(await tab.evaluate("patched")).toEqual([]);
  });
});

/** Ways a browser can tell of a changed address: by the Navigation API, or not at all. */
describeBrowser.each([
  ["with the Navigation API", ""],
  ["without it", "Object.defineProperty(window, 'navigation', { value: undefined });"],
])("pages that change without a load (the original took them for one page), %s", (_, before) => {
  it("are told with the page before and the kind", async () => {
    await open("", {}, { path: "/shop?session=1", before });
    await tab.evaluate(async () => {
      history.pushState({}, "", "/shop/cart?coupon=1");
      history.pushState({}, "", "/shop/cart?coupon=2");
      history.replaceState({}, "", "/shop/pay#top");
      history.pushState({}, "", "/shop/done");
      await new Promise((resolve) => {
        addEventListener("popstate", resolve, { once: true });
        history.back();
      });
      history.replaceState({ same: true }, "");
    });
    expect(await seen("__page")).toEqual([
      { url: `${origin}/shop/cart`, referrer: `${origin}/shop`, kind: "push" },
      { url: `${origin}/shop/pay`, referrer: `${origin}/shop/cart`, kind: "replace" },
      { url: `${origin}/shop/done`, referrer: `${origin}/shop/pay`, kind: "push" },
      { url: `${origin}/shop/pay`, referrer: `${origin}/shop/done`, kind: "traverse" },
    ]);
    expect(await activity()).toBe(4);
  });

  it("are those of a hash router too, and no other hash", async () => {
    await open(`<a href="#/planner?day=2">Planner</a>`, {}, { path: "/app", before });
    await tab.click("a");
    await tab.evaluate(() => {
      location.hash = "#section";
      location.hash = "#!/settings";
    });
    await waitFor("__page", 3);
    expect(await seen("__page")).toEqual([
      { url: `${origin}/app`, referrer: `${origin}/app`, kind: "hash", route: "#/planner" },
      { url: `${origin}/app`, referrer: `${origin}/app`, kind: "hash" },
      { url: `${origin}/app`, referrer: `${origin}/app`, kind: "hash", route: "#/settings" },
    ]);
  });

  it("pull the trigger that waits for an address, the first page included", async () => {
    await open("", { triggerUrls: ["*/checkout/*", "*/start"] }, { path: "/start?a=1", before });
    await tab.evaluate(() => {
      history.pushState({}, "", "/cart");
      history.pushState({}, "", "/checkout/pay?step=1");
    });
    expect(await triggers()).toEqual(["url", "url"]);
  });

  it("leave history as it was when recording ends", async () => {
    await open("", {}, { before });
    await stop();
    expect(await tab.evaluate(() => Object.hasOwn(history, "pushState"))).toBe(false);
    await tab.evaluate(() => history.pushState({}, "", "/elsewhere"));
    expect(await seen("__page")).toEqual([]);
  });

  it("do no harm to a page that has frozen its history", async () => {
    await open("", {}, { before: `${before} Object.freeze(history);` });
    await tab.evaluate(() => history.pushState({}, "", "/elsewhere"));
    expect(pageErrors).toEqual([]);
  });

  it("do no harm to the page's own call when telling of them fails", async () => {
    await open("", {}, { before: `${before} window.onEmit = () => { throw new Error("emit"); };` });
    await tab.evaluate(() => history.pushState({}, "", "/elsewhere"));
    expect(pageErrors).toEqual([]);
  });

  it("are not told when navigation is not tracked, but count as activity", async () => {
    await open("", { trackNavigation: false }, { before });
    await tab.evaluate(() => history.pushState({}, "", "/elsewhere"));
    expect(await seen("__page")).toEqual([]);
    expect(await activity()).toBe(1);
  });
});

describeBrowser("links", () => {
  it("wrap nothing where the Navigation API tells of the address", async () => {
    await open("");
    expect(await tab.evaluate(() => Object.hasOwn(history, "pushState"))).toBe(false);
  });

  it("that are clicked are told with address, text and whether they lead elsewhere", async () => {
    await open(`<base href="/base/">
      <script>addEventListener("click", (event) => event.preventDefault())</script>
      <a href="next?token=1"><b> Next </b></a>
      <a href="https://example.com/a?b#c" class="external">Out</a>
      <a href="mailto:ada@example.com" class="mail">Write to her</a>
      <a href="/page#" class="skipped">top</a><a href="/page#part" class="skipped">part</a>
      <a href="javascript:void 0" class="skipped">script</a>
      <a href="secret" data-rr-mask>Secret</a>`);
    for (const target of ["b", ".external", ".mail", "[data-rr-mask]"]) await tab.click(target);
    await tab.evaluate(() => document.querySelectorAll<HTMLElement>(".skipped").forEach((link) => link.click()));
    expect(await seen("navigation")).toEqual([
      { url: `${origin}/base/next`, text: "Next" },
      { url: "https://example.com/a", text: "Out", external: true },
      { url: "mailto:", text: "Write to her", external: true },
      { url: `${origin}/base/secret`, text: "******" },
    ]);
  });
});

describeBrowser("forms", () => {
  it("that are sent are told by name and address, never with a value", async () => {
    await open(
      `<script>addEventListener("submit", (event) => event.preventDefault())</script>
       <form name="join" id="form" action="/api/form?user=ada">
         <input name="action" value="secret"><input name="name" value="secret"><input name="id" value="secret">
         <button>Join</button><button formaction="https://example.com/pay?x=1" class="pay">Pay</button>
       </form>`,
      {},
      { path: "/page?token=1" },
    );
    await tab.click("button");
    await tab.click(".pay");
    const form = { name: "join", id: "form", url: `${origin}/page`, nodeId: expect.any(Number) as number };
    expect(await seen("__form_submit")).toEqual([
      { ...form, action: "/api/form" },
      { ...form, action: "https://example.com/pay" },
    ]);
  });
});

describeBrowser("attributes for tracking", () => {
  it("make events of the page's own, by the nearest element", async () => {
    await open(`
      <script>addEventListener("submit", (event) => event.preventDefault())</script>
      <div data-sentiero-track-click="outer">
        <button class="near" data-sentiero-track-click="add.to-cart" data-sentiero-data='{"sku":"a1"}'><b>Add</b></button>
        <button class="far">Far</button>
        <button class="bad" data-sentiero-track-click="not a name">Bad</button>
        <button class="broken" data-sentiero-track-click="broken" data-sentiero-data="{">Broken</button>
        <button class="long" data-sentiero-track-click="long" data-sentiero-data='"${"x".repeat(4_100)}"'>Long</button>
      </div>
      <form data-sentiero-track-submit="sent"><input data-sentiero-track-focus="in" data-sentiero-track-blur="out" data-sentiero-track-change="changed"></form>`);
    for (const target of ["b", ".far", ".bad", ".broken", ".long"]) await tab.click(target);
    await tab.click("input");
    await tab.keyboard.type("a");
    await tab.keyboard.press("Enter");
    await tab.click(".far");
    const all = await tab.evaluate(() => (window as unknown as TestWindow).seen);
    expect(all.filter(({ tag }) => !tag.startsWith("__"))).toEqual([
      { tag: "add.to-cart", payload: { sku: "a1" } },
      { tag: "outer", payload: {} },
      { tag: "in", payload: {} },
      { tag: "changed", payload: {} },
      { tag: "sent", payload: {} },
      { tag: "out", payload: {} },
      { tag: "outer", payload: {} },
    ]);
    expect(pageErrors).toEqual([]);
  });
});

describeBrowser("web vitals", () => {
  const BODY = `<h1>A heading</h1><button>go</button><p>text</p>
    <script>
      document.querySelector("button").onclick = () => {
        const end = performance.now() + 120;
        while (performance.now() < end);
      };
      window.shift = () => {
        const box = document.createElement("div");
        box.style.height = "200px";
        document.body.prepend(box);
      };
    </script>`;

  it("are told before the page is left, CLS and INP included (the original sent them after its last upload)", async () => {
    await open(BODY, {}, { path: "/page?token=1" });
    await tab.evaluate("shift()");
    await tab.waitForTimeout(200);
    await tab.click("button");
    await tab.waitForTimeout(200);
    expect((await seen("__perf")).map(({ metric }) => metric)).toEqual(["LCP", "FCP", "TTFB"]);
    await tab.goto(`${origin}/other`);
    const left = JSON.parse((await tab.evaluate(() => sessionStorage.getItem("left")))!) as Seen[];
    const vitals = left.filter(({ tag }) => tag === "__perf").map(({ payload }) => payload);
    expect(vitals.map(({ metric }) => metric)).toEqual(["LCP", "FCP", "TTFB", "CLS", "INP"]);
    for (const { value, rating, url } of vitals) {
      expect(value).toBeGreaterThan(0);
      expect(rating).toMatch(/^(good|needs-improvement|poor)$/);
      expect(url).toBe(`${origin}/page`);
    }
    const { CLS, INP } = Object.fromEntries(vitals.map(({ metric, value }) => [metric, value]));
    expect(CLS).toBeLessThan(1);
    expect(INP).toBeGreaterThan(100);
  });

  it("are told once, and again only where they have grown", async () => {
    await open(BODY);
    await tab.click("h1");
    await leave();
    await leave();
    const told = (await seen("__perf")).map(({ metric }) => metric);
    // The click is an interaction where the machine is slow.
    expect(told.filter((metric) => metric !== "INP")).toEqual(["LCP", "FCP", "TTFB", "CLS"]);
    // Input just before excuses a shift.
    await tab.waitForTimeout(700);
    await tab.evaluate("shift()");
    await tab.waitForTimeout(200);
    await leave();
    const cls = (await seen("__perf")).filter(({ metric }) => metric === "CLS");
    expect(cls).toMatchObject([{ value: 0, rating: "good" }, {}]);
    expect(cls[1]!.value).toBeGreaterThan(0);
  });

  it("begin anew when the page comes back from the back/forward cache", async () => {
    await open(BODY);
    await tab.click("h1");
    await leave();
    const before = (await seen("__perf")).length;
    await tab.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
    await tab.waitForTimeout(200);
    await leave();
    const after = (await seen("__perf")).slice(before);
    expect(after.map(({ metric }) => metric)).toEqual(["LCP", "CLS", "FCP", "TTFB"]);
    expect(after.at(-1)).toMatchObject({ value: 0, rating: "good" });
  });

  it("are left out where the browser can't measure, and nothing else is", async () => {
    await open(BODY, { captureNetwork: true }, { before: "delete window.PerformanceObserver;" });
    await tab.click("button");
    await leave();
    expect((await seen("__perf")).map(({ metric }) => metric)).toEqual(["TTFB"]);
    expect(await seen("__click")).toHaveLength(1);
    expect(pageErrors).toEqual([]);
  });
});

describeBrowser("the console", () => {
  it("is recorded at the levels asked for, as short texts, running no getter", async () => {
    const lines: string[] = [];
    tab.on("console", (message) => lines.push(message.text()));
    await open(`<p id="p" class="a b">text</p>`, { captureConsole: ["error", "warn"] });
    await tab.evaluate(() => {
      const cyclic: Record<string, unknown> = { list: [1, "two", null] };
      cyclic.self = cyclic;
      Object.defineProperty(cyclic, "trap", {
        enumerable: true,
        get() {
          document.title = "was run";
          throw new Error("getter");
        },
      });
      const hostile = new Proxy(
        {},
        {
          ownKeys() {
            throw new Error("trap");
          },
        },
      );
      console.log("not asked for");
      console.warn("text", cyclic, document.querySelector("p"), new Map([["key", { a: { b: { c: { d: 1 } } } }]]));
      console.warn("x".repeat(5_000), 10n, Symbol("s"), undefined, hostile);
      console.warn(...Array.from({ length: 20 }, (_, n) => n));
      console.error(new TypeError("wrong"));
    });
    const [first, second, third, error] = await waitFor("__console", 4);
    expect(first).toEqual({
      level: "warn",
      args: [
        "text",
        '{list: [1, "two", null], self: (circular), trap: (getter)}',
        "<p#p.a.b>",
        'Map {"key" => {a: {b: {c: {…}}}}}',
      ],
    });
    const args = second!.args as string[];
    expect(args[0]).toHaveLength(1_024);
    expect(args.slice(1, 4)).toEqual(["10n", "Symbol(s)", "undefined"]);
    expect(args[4]).toContain("(unreadable)");
    expect(third!.args).toHaveLength(10);
    expect((error!.args as string[])[0]).toContain("TypeError: wrong");
    expect(error!.stack).toBeTypeOf("string");
    expect(error!.stack).not.toContain("/assets/");
    expect(await tab.title()).toBe("");
    // The page's own console is none the worse.
    expect(lines).toHaveLength(5);
  });

  it("is recorded 100 times a minute at most, and given back at the end", async () => {
    await open("", { captureConsole: ["log"] }, { before: "window.original = console.log;" });
    await tab.evaluate(() => {
      for (let n = 0; n < 250; n++) console.log(n);
    });
    const { length } = await seen("__console");
    // The clock may step into the next minute meanwhile.
    expect(length % 100 === 0 || length < 250).toBe(true);
    expect(length).toBeLessThanOrEqual(200);
    await stop();
    expect(await tab.evaluate("console.log === original")).toBe(true);
  });

  it("is left alone where it is frozen", async () => {
    await open("", { captureConsole: ["log"] }, { before: "Object.freeze(console);" });
    await tab.evaluate(() => console.log("fine"));
    expect(pageErrors).toEqual([]);
  });
});

describeBrowser("network", () => {
  it("is told by the browser, in batches, without queries and without our own uploads", async () => {
    await open("", { captureNetwork: true });
    await tab.evaluate(async () => {
      await fetch("/api/json?token=1");
      await fetch("/missing?token=1");
      await fetch("/events", { method: "POST", body: "ours" });
      navigator.sendBeacon("/events", "ours");
      const xhr = new XMLHttpRequest();
      xhr.open("GET", "/api/json?token=2");
      await new Promise((resolve) => {
        xhr.onloadend = resolve;
        xhr.send();
      });
    });
    await tab.waitForTimeout(1_200);
    const events = await seen("__network");
    const requests = events.flatMap((event) => event.requests as Record<string, unknown>[]);
    // In the order in which they ended.
    expect(requests.map(({ url, type, status }) => [url, type, status].join(" ")).toSorted()).toEqual([
      `${origin}/api/json fetch 200`,
      `${origin}/api/json xhr 200`,
      `${origin}/missing fetch 404`,
    ]);
    expect(requests[0]!.bytes).toBeGreaterThan(0);
    expect(Math.abs(Date.now() - (requests[0]!.at as number))).toBeLessThan(60_000);
    expect(JSON.stringify(events)).toContain('"script"');
    expect(JSON.stringify(events)).not.toMatch(/token|\/events|beacon/);
    expect(await tab.evaluate(() => Function.prototype.toString.call(fetch))).toContain("native");
  });

  it("is told of the rest when the page is left", async () => {
    await open("", { captureNetwork: true });
    await tab.evaluate(async () => {
      for (let n = 0; n < 45; n++) await fetch(`/api/json?n=${n}`);
    });
    await tab.goto(`${origin}/other`);
    const left = JSON.parse((await tab.evaluate(() => sessionStorage.getItem("left")))!) as Seen[];
    const counts = left
      .filter(({ tag }) => tag === "__network")
      .map(({ payload }) => (payload.requests as unknown[]).length);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(45);
    expect(Math.max(...counts)).toBeLessThanOrEqual(20);
  });
});

describeBrowser("network and requests together", () => {
  const load = async () => {
    // The browser tells of a request when all of it is read.
    await (await fetch("/api/json?n=1")).text();
    await new Promise((resolve) => {
      const xhr = new XMLHttpRequest();
      xhr.onloadend = resolve;
      xhr.open("GET", "/api/json?n=2");
      xhr.send();
    });
    await new Promise((resolve) => {
      const image = new Image();
      image.addEventListener("error", resolve);
      image.src = "/missing.png";
    });
  };
  const requestsOf = (payloads: readonly Seen["payload"][]) =>
    payloads.flatMap(({ requests }) => requests as { url: string; type: string }[]);

  it("tell of each request once, and of what is no request as before", async () => {
    await open("", { captureNetwork: true, captureRequests: { urls: [] } });
    await tab.evaluate(load);
    expect((await waitFor("__request", 2)).map(({ type }) => type)).toEqual(["fetch", "xhr"]);
    await leave();
    const told = await seen("__network");
    expect(requestsOf(told)).toEqual([]);
    expect(JSON.stringify(told)).toContain('"img"');
  });

  it("leave none out that was made before requests were watched", async () => {
    const before = `window.early = fetch("/api/json?early").then((response) => response.text());`;
    await open("", { captureNetwork: true, captureRequests: { urls: [] } }, { before });
    await tab.evaluate("early");
    await tab.evaluate(load);
    await waitFor("__request", 2);
    await leave();
    expect(requestsOf(await seen("__network")).map(({ url, type }) => [url, type])).toEqual([
      [`${origin}/api/json`, "fetch"],
    ]);
  });

  it("leave none out where the page has frozen what would be watched", async () => {
    const before = `Object.defineProperty(window, "fetch", { value: fetch, writable: false, configurable: false });`;
    await open("", { captureNetwork: true, captureRequests: { urls: [] } }, { before });
    await tab.evaluate(load);
    expect((await waitFor("__request")).map(({ type }) => type)).toEqual(["xhr"]);
    await leave();
    expect(requestsOf(await seen("__network")).map(({ type }) => type)).toEqual(["fetch"]);
  });
});

describeBrowser("requests", () => {
  const rules = {
    urls: ["*/api/*"],
    requestHeaders: ["x-asked", "authorization"],
    responseHeaders: ["x-answer", "set-cookie"],
    bodies: true,
  };

  it("are told with method, status, and what the lists allow, and the page gets all of its own", async () => {
    await open("", { captureRequests: rules });
    const got = await tab.evaluate(async () => {
      const texts: string[] = [];
      const headers = { "X-Asked": "1", authorization: "Bearer secret", "x-other": "2" };
      texts.push(await (await fetch("/api/json?token=1", { headers })).text());
      texts.push(await (await fetch("/missing", { method: "delete" })).text());
      const request = new Request("/api/form", {
        method: "POST",
        body: '{"from":"request"}',
        headers: { "content-type": "application/json" },
      });
      texts.push(String((await fetch(request)).status));
      const form = new FormData();
      form.set("field", "of a form");
      texts.push(String((await fetch("/api/form", { method: "POST", body: form })).status));
      texts.push(String((await fetch(new Request("/api/form", { method: "POST", body: form }))).status));
      await fetch("/events", { method: "POST", body: "ours" });
      return texts;
    });
    expect(got).toEqual(['{"answer":42}', "", "200", "200", "200"]);
    // Every body came whole, forms as forms.
    expect(posted.map(({ body }) => body)).toEqual([
      '{"from":"request"}',
      expect.stringContaining("of a form"),
      expect.stringContaining("of a form"),
      "ours",
    ]);
    expect(posted[1]!.type).toMatch(/^multipart\/form-data; boundary=/);
    const requests = await waitFor("__request", 5);
    const times = { startedAt: expect.any(Number) as number, durationMs: expect.any(Number) as number };
    expect(requests).toHaveLength(5);
    expect(requests).toContainEqual({
      type: "fetch",
      method: "GET",
      url: `${origin}/api/json`,
      status: 200,
      requestHeaders: { "x-asked": "1" },
      responseHeaders: { "x-answer": "42" },
      responseBody: '{"answer":42}',
      ...times,
    });
    expect(requests).toContainEqual({
      type: "fetch",
      method: "DELETE",
      url: `${origin}/missing`,
      status: 404,
      ...times,
    });
    expect(requests).toContainEqual({
      type: "fetch",
      method: "POST",
      url: `${origin}/api/form`,
      status: 200,
      requestBody: '{"from":"request"}',
      ...times,
    });
    expect(JSON.stringify(requests)).not.toMatch(/secret|of a form|ours/);
  });

  it("by XMLHttpRequest are told alike", async () => {
    await open("", { captureRequests: rules });
    await tab.evaluate(async () => {
      const send = (method: string, url: string, set: (xhr: XMLHttpRequest) => void, body?: string) =>
        new Promise((resolve) => {
          const xhr = new XMLHttpRequest();
          xhr.open(method, url);
          xhr.onloadend = resolve;
          set(xhr);
          xhr.send(body);
        });
      await send(
        "post",
        "/api/json?token=1",
        (xhr) => {
          xhr.responseType = "json";
          xhr.setRequestHeader("X-Asked", "1");
          xhr.setRequestHeader("Authorization", "Bearer secret");
        },
        "sent",
      );
      await send("GET", "/api/stream", (xhr) => void (xhr.timeout = 50));
      await send("GET", "http://127.0.0.1:1/", () => {});
      await send("POST", "/events", () => {}, "ours");
    });
    const requests = await waitFor("__request", 3);
    expect(requests).toMatchObject([
      {
        type: "xhr",
        method: "POST",
        url: `${origin}/api/json`,
        status: 200,
        requestHeaders: { "x-asked": "1" },
        responseHeaders: { "x-answer": "42" },
        requestBody: "sent",
        responseBody: '{"answer":42}',
      },
      { method: "GET", error: "TimeoutError" },
      { method: "GET", url: "http://127.0.0.1:1/", error: "NetworkError" },
    ]);
    expect(JSON.stringify(requests)).not.toContain("secret");
  });

  it("that fail reject for the page as before, unhandled ones as unhandled", async () => {
    await open("", { captureRequests: rules });
    const caught = await tab.evaluate(async () => {
      const controller = new AbortController();
      const aborted = fetch("/api/stream", { signal: controller.signal }).then((response) => response.text());
      setTimeout(() => controller.abort(), 100);
      return aborted.catch((error: Error) => error.name);
    });
    expect(caught).toBe("AbortError");
    await tab.evaluate(() => void fetch("http://127.0.0.1:1/"));
    const [stream, refused] = await waitFor("__request", 2);
    // A stream that was broken off still tells what came.
    expect(stream).toMatchObject({ status: 200, responseBody: "first" });
    expect(refused).toMatchObject({ url: "http://127.0.0.1:1/", error: "TypeError" });
    expect(await waitFor("error")).toMatchObject([{ type: "unhandledrejection", message: "Failed to fetch" }]);
  });

  it("whose body can't be copied are told without it", async () => {
    const before = `const original = fetch; window.fetch = async (...args) => {
      const response = await original(...args);
      response.body?.getReader();
      return response;
    };`;
    await open("", { captureRequests: rules }, { before });
    expect(await tab.evaluate(async () => (await fetch("/api/json")).status)).toBe(200);
    const [request] = await waitFor("__request");
    expect(request).toMatchObject({ status: 200, responseHeaders: { "x-answer": "42" } });
    expect(request).not.toHaveProperty("responseBody");
    expect(await seen("error")).toEqual([]);
  });

  it("of wrong use throw for the page as before", async () => {
    await open("", { captureRequests: rules });
    const errors = await tab.evaluate(async () => {
      const nameOf = async (run: () => unknown) => {
        try {
          await run();
          return "none";
        } catch (error) {
          return (error as Error).name;
        }
      };
      return [
        await nameOf(() => fetch("http://[")),
        await nameOf(() => fetch("/api/json", { method: "a b" })),
        await nameOf(() => new XMLHttpRequest().send()),
        await nameOf(() => new XMLHttpRequest().open("GET", "http://[")),
      ];
    });
    expect(errors).toEqual(["TypeError", "TypeError", "InvalidStateError", "SyntaxError"]);
  });

  it("are given back at the end, unless someone wrapped them again", async () => {
    const before = "window.originals = [fetch, XMLHttpRequest.prototype.open, XMLHttpRequest.prototype.send];";
    await open("", { captureRequests: rules }, { before });
    const current = "[fetch, XMLHttpRequest.prototype.open, XMLHttpRequest.prototype.send]";
    expect(await tab.evaluate(`${current}.some((now, n) => now === originals[n])`)).toBe(false);
    await tab.evaluate("{ const ours = fetch; window.theirs = window.fetch = (...args) => ours(...args); }");
    await stop();
    expect(await tab.evaluate(`fetch === theirs`)).toBe(true);
    expect(await tab.evaluate(`${current}.slice(1).every((now, n) => now === originals[n + 1])`)).toBe(true);
    expect(await tab.evaluate(async () => (await fetch("/api/json")).status)).toBe(200);
    expect(await seen("__request")).toEqual([]);
  });
});

describeBrowser("the recorder as it is built, with short names inside", () => {
  it("calls what it tells of the console, of requests and of the network by its whole name", async () => {
    const sentiero = createTestSentiero();
    const config = {
      flushIntervalMs: 100,
      captureConsole: ["warn", "error"],
      captureNetwork: true,
      captureRequests: {
        urls: ["*/api/*"],
        requestHeaders: ["x-asked"],
        responseHeaders: ["x-answer"],
        bodies: true,
      },
    };
    const html = `<!doctype html><title>Page</title><link rel="icon" href="data:,">
      <script>window.early = fetch("/api/early").then((response) => response.text());</script>
      <script type="application/json" id="sentiero-config">${JSON.stringify(config)}</script>
      <script async src="/sentiero/recorder.js"></script><body>`;
    const site = await serveSite(sentiero, ({ url }) =>
      url.includes("/api/")
        ? Response.json({ answer: 42 }, { headers: { "x-answer": "42" } })
        : new Response(html, { headers: { "content-type": "text/html" } }),
    );
    try {
      await tab.goto(`${site.url}/page`);
      await tab.evaluate("early");
      await tab.waitForFunction("window.Sentiero?.getSessionId()");
      await tab.waitForLoadState("networkidle");
      await tab.evaluate(async () => {
        console.warn("low", { left: 2 });
        console.error(new TypeError("wrong"));
        await (await fetch("/api/json", { method: "POST", body: "sent", headers: { "x-asked": "1" } })).text();
        await fetch("http://127.0.0.1:1/").catch(() => {});
        const xhr = new XMLHttpRequest();
        xhr.open("GET", "/api/xhr");
        xhr.setRequestHeader("X-Asked", "2");
        await new Promise((resolve) => {
          xhr.onloadend = resolve;
          xhr.send();
        });
      });
      const number = expect.any(Number) as number;
      const times = { startedAt: number, durationMs: number };
      const answered = { status: 200, responseHeaders: { "x-answer": "42" }, responseBody: '{"answer":42}', ...times };
      const early = { url: `${site.url}/api/early`, type: "fetch", at: number, durationMs: number, bytes: number };
      await expect
        .poll(() => customEvents(sentiero), { timeout: 20_000 })
        .toEqual({
          __console: [
            { level: "warn", args: ["low", "{left: 2}"] },
            {
              level: "error",
              args: [expect.stringContaining("TypeError: wrong") as string],
              stack: expect.any(String) as string,
            },
          ],
          __request: expect.arrayContaining([
            {
              type: "fetch",
              method: "POST",
              url: `${site.url}/api/json`,
              requestHeaders: { "x-asked": "1" },
              requestBody: "sent",
              ...answered,
            },
            { type: "fetch", method: "GET", url: "http://127.0.0.1:1/", error: "TypeError", ...times },
            {
              type: "xhr",
              method: "GET",
              url: `${site.url}/api/xhr`,
              requestHeaders: { "x-asked": "2" },
              ...answered,
            },
          ]) as unknown,
          // More of it may follow.
          __network: expect.arrayContaining([
            expect.objectContaining({ requests: [{ ...early, status: 200 }] }),
          ]) as unknown,
        });
      const { __network } = await customEvents(sentiero);
      const others = __network!.map((batch) => (batch as { others?: object }).others);
      expect(others).toContainEqual(expect.objectContaining({ script: { count: number, bytes: number } }));
    } finally {
      await site.close();
    }
  });
});

/** Payloads of the streams that are off by default, by tag, in the order in which they are replayed. */
async function customEvents(sentiero: Sentiero): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  const { body } = await api<SessionList>(sentiero, "/sessions");
  for (const { id } of body.sessions) {
    const { session } = (await api<{ session: SessionDetail }>(sentiero, `/sessions/${id}`)).body;
    for (const window of session.windows) {
      for (const { events } of await readBatches(sentiero, id, window.id)) {
        for (const { type, data } of events) {
          const { tag = "", payload } = data as { tag?: string; payload?: unknown };
          if (type === EventType.Custom && /^__(?:console|request|network)$/.test(tag))
            (found[tag] ??= []).push(payload);
        }
      }
    }
  }
  return found;
}
