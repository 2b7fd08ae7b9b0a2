import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { createStorage } from "unstorage";
import { afterAll, afterEach, beforeAll, expect, inject, it } from "vitest";
import { CHROMIUM_FLAGS } from "../../scripts/chromium.ts";
import { createSentiero, type Gap, type Sentiero, type SentieroOptions, type SessionDetail } from "../../src/index.ts";
import { EventType } from "../../src/rrweb/events.ts";
import { api } from "../support/sentiero.ts";
import { createProxy, type Cut, type TcpProxy } from "../support/tcp-proxy.ts";
import { describeBrowser, serveSite } from "./support/browser.ts";
import { readBatches } from "./support/replay.ts";

const IS_SOAK = process.env.SENTIERO_SOAK === "1";
const CUTS: readonly Cut[] = ["after the headers", "after the body", "before the answer"];

/** What a page has said, and when. */
type Said = readonly (readonly [id: string, at: number])[];

interface House {
  readonly url: string;
  readonly proxy: TcpProxy;
  readonly context: BrowserContext;
  readonly sentiero: Sentiero;
  /** Uploads as they came: content type and encoding. */
  readonly uploads: (readonly [type: string | null, encoding: string | null])[];
  /** What the events lane answers instead of the server, or null. */
  status: number | null;
  /** What browsers wrote on the console. */
  readonly console: string[];
  close(): Promise<void>;
}

let browser: Browser;
let house: House;

beforeAll(async () => {
  browser = await chromium.launch({
    executablePath: inject("chromium")!,
    args: [...CHROMIUM_FLAGS],
    // Pages go to the back/forward cache, as they do for people.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
});

afterEach(() => house?.close());
afterAll(() => browser?.close());

const LATENESS_MS = 1_000;

describeBrowser("uploads through a bad network", () => {
  it.each(CUTS)("every event arrives once when requests are cut off %s", async (cut) => {
    house = await open();
    const page = await visit();
    await arrived(1);
    house.proxy.cut = cut;
    await until(() => house.proxy.cutCount > 0);
    house.proxy.cut = null;
    const said = await fallSilent(page);
    const { missing, gaps } = await settled(said);
    expect({ missing, gaps }).toEqual({ missing: [], gaps: [] });
  });

  it("every event arrives once, also from a tab that was closed in the middle, when uploads are kept", async () => {
    house = await open({ keepUnsent: true });
    const said = await visitInOutage();
    await visit(`${house.url}/?again`);
    const { missing, gaps } = await settled(said);
    expect({ missing, gaps }).toEqual({ missing: [], gaps: [] });
  }, 180_000);

  it("what a page could not send before it was left is declared by the tab's next page", async () => {
    house = await open();
    const page = await visit();
    await arrived(1);
    house.status = 500;
    const before = house.uploads.length;
    await until(() => house.uploads.length > before);
    const said = await fallSilent(page);
    await page.goto(`${house.url}/?second`);
    // What the browser still sends of the first page is refused by now.
    await sleep(500);
    house.status = null;
    await arrived(1, "second");
    const { missing, gaps } = await settled(said);
    expect(missing.length).toBeGreaterThan(0);
    for (const [, at] of missing) expect(isIn(gaps, at)).toBe(true);
  });

  it("a page that is left while all is well declares nothing, and its last events arrive", async () => {
    house = await open({ flushIntervalMs: 60_000 });
    const page = await visit();
    await arrived(1);
    const said = await fallSilent(page);
    await page.goto(`${house.url}/?second`);
    const more = await fallSilent(page);
    await page.close({ runBeforeUnload: true });
    const { missing, gaps } = await settled([...said, ...more]);
    expect({ missing, gaps }).toEqual({ missing: [], gaps: [] });
  });

  it("a page that comes back from the back/forward cache goes on where it was", async () => {
    house = await open();
    const page = await visit();
    await arrived(1);
    const first = await fallSilent(page);
    await page.goto(`${house.url}/?second`);
    const second = await fallSilent(page);
    await page.evaluate("void setTimeout(() => history.back())");
    await page.waitForFunction("name === 'first'");
    expect(await page.evaluate("wasKept")).toBe(true);
    await page.evaluate("say()");
    const said = [...first, ...second, ...(await fallSilent(page))];
    const { missing, gaps } = await settled([...new Map(said)]);
    expect({ missing, gaps }).toEqual({ missing: [], gaps: [] });
  });
});

describeBrowser("compressing", () => {
  it("happens in a worker from the server's own files, made by the first upload", async () => {
    house = await open();
    const page = await visit();
    await arrived(1);
    expect(page.workers().map((worker) => new URL(worker.url()).pathname)).toEqual([
      expect.stringMatching(/^\/sentiero\/assets\/compress-worker-\w+\.js$/),
    ]);
    expect(house.uploads[0]).toEqual(["application/json", "gzip"]);
    expect(house.console).toEqual([]);
  });

  it("needs no worker: where the page's policy forbids it, uploads are gzip all the same", async () => {
    house = await open({}, { "content-security-policy": "default-src 'self' 'unsafe-inline'; worker-src 'none'" });
    const page = await visit();
    await arrived(1);
    expect(page.workers()).toEqual([]);
    expect(house.uploads[0]).toEqual(["application/json", "gzip"]);
    // The browser's own word on the policy; the recorder adds none.
    expect(house.console.filter((text) => !text.includes("worker-src"))).toEqual([]);
  });

  it("is not even tried in a worker on a page of another origin", async () => {
    const site = createServer((_, response) =>
      response.setHeader("content-type", "text/html").end(toPage(house.sentiero, house.url)),
    );
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    house = await open({ corsOrigins: [origin] });
    const page = await visit(`${origin}/`);
    await arrived(1);
    expect(page.workers()).toEqual([]);
    expect(house.uploads[0]).toEqual(["application/json", "gzip"]);
    expect(house.console).toEqual([]);
    site.close();
  });
});

/** A page that says something every 20 ms, under names that begin with its query. */
function toPage(sentiero: Sentiero, base = ""): string {
  return `<!doctype html><title>Page</title>
<script>
  const name = location.search.slice(1) || "first";
  const said = [];
  function say() {
    if (!window.Sentiero) return;
    said.push([name + said.length, Date.now()]);
    Sentiero.addCustomEvent("said", { id: said.at(-1)[0] });
  }
  const timer = setInterval(say, 20);
  addEventListener("pageshow", (event) => (window.wasKept = event.persisted));
</script>
${sentiero.scriptTag({ eventsUrl: `${base}/sentiero/events` })}`;
}

/** A real server, a way to it that can be broken, and a browser without a past. */
async function open(options: Partial<SentieroOptions> = {}, headers: Record<string, string> = {}): Promise<House> {
  const given = { storage: createStorage(), authorize: () => true, flushIntervalMs: 100, ...options };
  const sentiero = createSentiero(given as SentieroOptions);
  const front: Sentiero = {
    ...sentiero,
    async fetch(request) {
      if (request.method !== "POST") return sentiero.fetch(request);
      const { headers } = request;
      opened.uploads.push([headers.get("content-type"), headers.get("content-encoding")]);
      return opened.status === null ? sentiero.fetch(request) : new Response("", { status: opened.status });
    },
  };
  const page = toPage(sentiero);
  const site = await serveSite(
    front,
    () => new Response(page, { headers: { "content-type": "text/html", ...headers } }),
  );
  const proxy = await createProxy("127.0.0.1", Number(new URL(site.url).port));
  await proxy.open();
  const context = await browser.newContext();
  const opened: House = {
    url: `http://127.0.0.1:${proxy.port}`,
    proxy,
    context,
    sentiero,
    uploads: [],
    status: null,
    console: [],
    async close() {
      await context.close();
      await proxy.close();
      await site.close();
      await sentiero.store.close();
    },
  };
  return opened;
}

async function visit(url = `${house.url}/`): Promise<Page> {
  const page = await house.context.newPage();
  page.on("console", (message) => house.console.push(message.text()));
  page.on("pageerror", (error) => house.console.push(error.message));
  await page.goto(url);
  return page;
}

/** A visit during which the way breaks in every manner, ending while the server is still in trouble. */
async function visitInOutage(): Promise<Said> {
  const stageMs = IS_SOAK ? 12_000 : 300;
  const page = await visit();
  await arrived(1);
  for (const cut of CUTS) {
    house.proxy.cut = cut;
    await sleep(stageMs);
  }
  await until(() => house.proxy.cutCount > 0);
  house.proxy.cut = null;
  await house.proxy.close();
  await sleep(stageMs);
  await house.proxy.open();
  house.status = 500;
  await sleep(stageMs);
  const said = await fallSilent(page);
  await page.close({ runBeforeUnload: true });
  await until(() => house.context.pages().length === 0);
  house.status = null;
  return said;
}

/** Stops a page's talking; what it has said. */
function fallSilent(page: Page): Promise<Said> {
  return page.evaluate("clearInterval(timer), said");
}

/** What the server has: what was said, and what is declared lost. Nothing is there twice. */
async function read(): Promise<{ ids: Set<string>; gaps: Gap[] }> {
  const ids: string[] = [];
  const gaps: Gap[] = [];
  const { body } = await api<{ sessions: { id: string }[] }>(house.sentiero, "/sessions");
  for (const { id } of body.sessions) {
    const { windows } = (await api<{ session: SessionDetail }>(house.sentiero, `/sessions/${id}`)).body.session;
    for (const window of windows) {
      expect(window.conflictCount).toBe(0);
      gaps.push(...window.gaps);
      for (const { events } of await readBatches(house.sentiero, id, window.id)) {
        for (const { type, data } of events) {
          const { tag, payload } = data as { tag?: string; payload?: { id: string } };
          if (type === EventType.Custom && tag === "said") ids.push(payload!.id);
        }
      }
    }
  }
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  return { ids: new Set(ids), gaps };
}

/** Waits until this much of what was said is there. */
async function arrived(count: number, prefix = ""): Promise<void> {
  await until(async () => [...(await read()).ids].filter((id) => id.startsWith(prefix)).length >= count);
}

/** What is still missing when all of it has arrived, or the rest is declared. */
async function settled(said: Said): Promise<{ missing: Said; gaps: readonly Gap[] }> {
  let missing = said;
  let gaps: readonly Gap[] = [];
  const look = async (): Promise<boolean> => {
    const found = await read();
    missing = said.filter(([id]) => !found.ids.has(id));
    ({ gaps } = found);
    return missing.every(([, at]) => isIn(gaps, at));
  };
  // Whatever way: the assertions tell what it was.
  await until(look).catch(() => {});
  await sleep(500);
  await look();
  return { missing, gaps };
}

/** Whether something said at a time is declared as lost. It is an event some ms after it was said, more on a busy machine. */
function isIn(gaps: readonly Gap[], at: number): boolean {
  return gaps.some(({ from, to }) => from - LATENESS_MS <= at && at <= to);
}

async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + (IS_SOAK ? 60_000 : 15_000);
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error("it did not happen in time");
    await sleep(50);
  }
}
