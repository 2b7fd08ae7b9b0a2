// Makes the demo's recordings anew: `node scripts/record-demo.ts [NAME …]`. Chromium visits the real site with the real
// recorder; what it uploads is kept in examples/demo/recordings/. Run it after the site or the recorder has changed.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { gunzipSync } from "node:zlib";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { toNodeHandler } from "../dist/adapters/node.js";
import { openStorage } from "../dist/src/cli/storage.js";
import { createDemo } from "../examples/demo/demo.ts";
import {
  anyOrigin,
  packRecording,
  type PageVisit,
  type Recording,
  recordingsFolder,
} from "../examples/demo/recordings.ts";
import { type Hand, type Visit, visits } from "../examples/demo/visits.ts";
import { CHROMIUM_FLAGS, CHROMIUM_HINT, findChromium } from "./chromium.ts";
import type { Batch, RecordedEvent } from "sentiero";

/** Moves, clicks, types and scrolls with short pauses, as a person in a hurry would. */
function createHand(page: Page, isTouch: boolean): Hand {
  let at = { x: 200, y: 200 };
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  async function target(selector: string): Promise<{ x: number; y: number }> {
    const element = page.locator(selector).first();
    await element.waitFor({ state: "visible" });
    await element.scrollIntoViewIfNeeded();
    const box = (await element.boundingBox())!;
    return { x: box.x + Math.min(box.width / 2, 60), y: box.y + box.height / 2 };
  }

  /** Along a slight arc, quick in the middle. */
  async function moveTo(x: number, y: number): Promise<void> {
    const steps = 12;
    const from = at;
    const bend = Math.min(60, Math.hypot(x - from.x, y - from.y) / 6);
    for (let step = 1; step <= steps; step++) {
      const t = (1 - Math.cos((Math.PI * step) / steps)) / 2;
      at = { x: from.x + (x - from.x) * t, y: from.y + (y - from.y) * t - bend * Math.sin(Math.PI * t) };
      await page.mouse.move(at.x, at.y);
      await pause(14);
    }
  }

  async function click(selector: string, pauseMs = 260): Promise<void> {
    const { x, y } = await target(selector);
    if (isTouch) await page.touchscreen.tap(x, y);
    else {
      await moveTo(x, y);
      await pause(40);
      await page.mouse.down();
      await pause(40);
      await page.mouse.up();
    }
    await pause(pauseMs);
  }

  /** Does what leads to another document and waits until that one is being recorded. */
  async function leave(act: () => Promise<unknown>): Promise<void> {
    const before = countRuns();
    await act();
    for (let waited = 0; countRuns() === before; waited += 20) {
      if (waited > 10_000) throw new Error(`${page.url()} sends no recording`);
      await pause(20);
    }
    await page.waitForLoadState("load");
    await pause(200);
  }

  return {
    pause,
    click,
    open: (path: string) => leave(() => page.goto(path)),
    /** A click that leads to another document. */
    follow: (selector: string) => leave(() => click(selector, 0)),
    async type(selector: string, text: string) {
      await click(selector, 60);
      await page.keyboard.press("End");
      await page.keyboard.type(text, { delay: 18 });
      await pause(150);
    },
    async select(selector: string, value: string) {
      await page.locator(selector).first().selectOption(value);
      await pause(250);
    },
    async scroll(pixels: number) {
      for (let step = 0; step < 6; step++) {
        await page.mouse.wheel(0, pixels / 6);
        await pause(35);
      }
      await pause(220);
    },
    front: () => page.bringToFront(),
  };
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !visits.some((visit) => visit.name === name));
if (unknown.length > 0)
  fail(`No such recording: ${unknown.join(", ")}. There are ${visits.map(({ name }) => name).join(", ")}.`);

/** Batches of the visit in work, as accepted. */
let batches: Batch[] = [];
const demo = createDemo({ storage: await openStorage("memory") });
const server = createServer(toNodeHandler({ ...demo.sentiero, fetch: keepBatches }));
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const executablePath = (await findChromium()) ?? fail(CHROMIUM_HINT);
const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] });

try {
  mkdirSync(recordingsFolder, { recursive: true });
  let total = 0;
  for (const visit of visits.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const recording = await record(browser, visit);
    const bytes = packRecording(recording);
    const file = new URL(`${visit.name}.json.gz`, recordingsFolder);
    rmSync(file, { force: true });
    writeFileSync(file, bytes);
    total += bytes.length;
    const events = recording.pages.reduce((sum, page) => sum + page.events.length, 0);
    console.log(
      `${visit.name}: ${recording.pages.length} pages, ${events} events, ${(bytes.length / 1000).toFixed(1)} kB`,
    );
  }
  console.log(`${(total / 1000).toFixed(1)} kB in all.`);
} finally {
  await browser.close();
  server.closeAllConnections();
  server.close();
}

async function record(browser: Browser, visit: Visit): Promise<Recording> {
  batches = [];
  const { width, height, isTouch = false, isDark = false } = visit;
  const major = browser.version().split(".")[0];
  const mobile = isTouch && width < 600 ? " Mobile" : "";
  const context: BrowserContext = await browser.newContext({
    baseURL: origin,
    viewport: { width, height },
    userAgent: `Mozilla/5.0 (${visit.system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${major}.0.0.0${mobile} Safari/537.36`,
    hasTouch: isTouch,
    isMobile: isTouch,
    colorScheme: isDark ? "dark" : "light",
    locale: "en-GB",
  });
  const openTab = async (): Promise<Hand> => createHand(await context.newPage(), isTouch);
  await visit.run(await openTab(), openTab);
  // What is left goes out when the pages go.
  for (const page of context.pages()) await page.goto("about:blank");
  await new Promise((resolve) => setTimeout(resolve, 600));
  await context.close();
  return toRecording(visit.name, batches);
}

function countRuns(): number {
  return new Set(batches.map((batch) => batch.run)).size;
}

/** Lets sentiero answer, and keeps a copy of every upload that it took. */
async function keepBatches(request: Request): Promise<Response> {
  if (request.method !== "POST" || new URL(request.url).pathname !== "/sentiero/events") return demo.fetch(request);
  const body = new Uint8Array(await request.arrayBuffer());
  const response = await demo.fetch(new Request(request.url, { method: "POST", headers: request.headers, body }));
  const isGzip = body[0] === 0x1f && body[1] === 0x8b;
  if (response.status === 200)
    batches.push(JSON.parse(new TextDecoder().decode(isGzip ? gunzipSync(body) : body)) as Batch);
  else console.warn(`An upload was answered ${response.status}.`);
  return response;
}

function toRecording(name: string, batches: readonly Batch[]): Recording {
  const text = JSON.stringify(batches).replaceAll(origin, anyOrigin);
  const received = JSON.parse(text) as Batch[];
  const startAt = Math.min(...received.flatMap(({ events }) => events.map((event) => event.timestamp ?? Infinity)));
  const tabs = [...new Set(received.map((batch) => batch.windowId))];
  const runs = new Set(received.map((batch) => batch.run));
  const pages = [...runs].map((run): PageVisit => {
    const batches = received.filter((batch) => batch.run === run).sort((a, b) => a.seq! - b.seq!);
    if (batches.some((batch, index) => batch.seq !== index)) fail(`${name}: a run has a hole`);
    const events = batches.flatMap((batch) => batch.events);
    if (events[0]?.type !== 4 || events[1]?.type !== 2) fail(`${name}: a page doesn't begin with a full snapshot`);
    const strays = countStrays(events);
    if (strays > 0) fail(`${name}: ${strays} changes are about nodes that no event brought; a mutation is missing`);
    return {
      tab: tabs.indexOf(batches[0]!.windowId),
      metadata: (batches[0]!.metadata ?? {}) as PageVisit["metadata"],
      events: events.map((event) => ({ ...event, timestamp: event.timestamp! - startAt })),
    };
  });
  if (pages.length === 0) fail(`${name}: nothing was recorded`);
  const gaps = received.flatMap((batch) => batch.gaps ?? []);
  if (gaps.length > 0) fail(`${name}: the recorder gave up events: ${JSON.stringify(gaps)}`);
  pages.sort((a, b) => a.events[0]!.timestamp! - b.events[0]!.timestamp!);
  return { name, recorder: received[0]!.recorder ?? "", pages };
}

/** Counts removals of, and additions to, nodes that a player wouldn't know. */
function countStrays(events: readonly RecordedEvent[]): number {
  const known = new Set<number>();
  let strays = 0;
  const learn = (node: RecordedNode): void => {
    known.add(node.id);
    for (const child of node.childNodes ?? []) learn(child);
  };
  for (const { type, data } of events as readonly { type: number; data: RecordedChange }[]) {
    if (type === 2) learn(data.node!);
    if (type !== 3 || data.source !== 0) continue;
    strays += data.removes!.filter(({ id }) => !known.has(id)).length;
    for (const { node } of data.adds!) learn(node);
    strays += data.adds!.filter(({ parentId }) => !known.has(parentId)).length;
  }
  return strays;
}

/** What `countStrays` reads of rrweb's events. */
interface RecordedNode {
  readonly id: number;
  readonly childNodes?: readonly RecordedNode[];
}

interface RecordedChange {
  readonly source?: number;
  readonly node?: RecordedNode;
  readonly removes?: readonly { readonly id: number }[];
  readonly adds?: readonly { readonly parentId: number; readonly node: RecordedNode }[];
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
