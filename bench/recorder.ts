import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { chromium, type Browser, type CDPSession, type Page } from "playwright-core";
import { CHROMIUM_FLAGS, CHROMIUM_HINT, findChromium } from "../scripts/chromium.ts";
import { median, table, toCount } from "./figures.ts";
import { HUGE, HUGE_NODES, NODES, toPage, toStylesheet, WORKLOADS, type Workload } from "./recorder-page.ts";

/** Who records: nobody; rrweb alone, its events kept in a list; the whole recorder with its uploads. */
const RECORDERS = ["none", "rrweb", "sentiero"] as const;
type Recorder = (typeof RECORDERS)[number];

/** What a piece of work took on the page's main thread. Times in ms, those of the processor. */
interface Cost {
  readonly cpu: number;
  readonly script: number;
  /** In wall time; 0 where no task took 50 ms. */
  readonly longest: number;
}

interface Visit {
  readonly costs: ReadonlyMap<string, Cost>;
  /** Bytes of request bodies; of rrweb alone, one gzip of all events. */
  readonly bytes: number;
  /** Bytes of JavaScript's heap at the end. */
  readonly heap: number;
}

type Visits = ReadonlyMap<Recorder, readonly Visit[]>;

/** By then a window of merged changes is over and uploaded. */
const SETTLE_MS = 1_500;

/**
 * Measures what recording costs a page in a real Chromium, beside rrweb alone and no recorder, one after the other.
 *
 * `--runs N` (default 7); `--only a,b` of rows, keys, moves, styles, huge, demo (default all; `start` is always there).
 */
export async function recorder(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { runs: { type: "string" }, only: { type: "string" } } });
  const runs = toCount("--runs", values.runs ?? "7", 100);
  const only = values.only?.split(",");
  const isWanted = (name: string): boolean => only?.includes(name) ?? true;
  const executablePath = await findChromium();
  if (!executablePath) throw new Error(CHROMIUM_HINT);
  const server = await serve();
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] });
  try {
    console.log(`Chromium ${browser.version()}, ${runs} runs of each, interleaved. Medians; ms of the main thread.\n`);
    const workloads = WORKLOADS.filter(({ name }) => isWanted(name));
    if (workloads.length > 0 || isWanted("start")) {
      const visits = await interleave(runs, (by) => visit(browser, server, by, "/page", workloads));
      console.log(report(`A page of ${NODES} nodes and 300 KB of styles`, workloads, visits));
    }
    if (isWanted("huge")) {
      const visits = await interleave(runs, (by) => visit(browser, server, by, "/huge", [HUGE]));
      console.log(report(`A page of ${HUGE_NODES} nodes`, [HUGE], visits));
    }
    if (isWanted("demo")) {
      const demos = new Map<Recorder, Vitals[]>(RECORDERS.map((by) => [by, []]));
      for (let run = 0; run < runs; run++) {
        for (const by of RECORDERS) demos.get(by)!.push(await visitDemo(browser, server, by));
      }
      console.log(reportDemo(demos));
    }
  } finally {
    await browser.close();
    await server.close();
  }
}

async function interleave(runs: number, one: (by: Recorder) => Promise<Visit>): Promise<Visits> {
  const visits = new Map<Recorder, Visit[]>(RECORDERS.map((by) => [by, []]));
  // The first visit of a browser pays for things that the others find ready.
  await one("none");
  for (let run = 0; run < runs; run++) for (const by of RECORDERS) visits.get(by)!.push(await one(by));
  return visits;
}

/** Loads a page, starts a recorder on it, and does the work. */
async function visit(
  browser: Browser,
  server: Server,
  by: Recorder,
  path: string,
  workloads: readonly Workload[],
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1_200, height: 800 } });
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    await page.goto(server.url + path);
    await watchTasks(page);
    await sleep(300);
    server.bytes = 0;
    const costs = new Map<string, Cost>();
    costs.set("start", await measure(page, session, () => start(page, by)));
    for (const workload of workloads) costs.set(workload.name, await measure(page, session, () => workload.run(page)));
    const heap = await heapOf(session);
    const bytes =
      by === "rrweb" ? gzipSync(await page.evaluate(() => JSON.stringify(rrwebEvents))).length : server.bytes;
    return { costs, bytes, heap };
  } finally {
    await context.close();
  }
}

declare const rrwebEvents: unknown[];

async function start(page: Page, by: Recorder): Promise<void> {
  if (by === "none") return;
  await page.evaluate(
    ({ src, data }) => {
      const script = document.createElement("script");
      Object.assign(script, { src });
      Object.assign(script.dataset, data);
      document.head.append(script);
    },
    by === "rrweb"
      ? { src: "/rrweb.js", data: {} }
      : { src: "/sentiero/recorder.js", data: { eventsUrl: "/sentiero/events" } },
  );
}

async function watchTasks(page: Page): Promise<void> {
  await page.evaluate(() => {
    const tasks: number[] = [];
    Object.assign(window, { benchTasks: tasks });
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) tasks.push(duration);
    }).observe({ entryTypes: ["longtask"] });
  });
}

declare const benchTasks: number[];

async function measure(page: Page, session: CDPSession, work: () => Promise<void>): Promise<Cost> {
  await page.evaluate(() => void benchTasks.splice(0));
  const before = await metrics(session);
  await work();
  await sleep(SETTLE_MS);
  const after = await metrics(session);
  const longest = await page.evaluate(() => Math.max(0, ...benchTasks));
  return {
    cpu: after.TaskDuration! - before.TaskDuration!,
    script: after.ScriptDuration! - before.ScriptDuration!,
    longest,
  };
}

async function metrics(session: CDPSession): Promise<Record<string, number>> {
  const { metrics } = await session.send("Performance.getMetrics");
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value * 1_000]));
}

async function heapOf(session: CDPSession): Promise<number> {
  await session.send("HeapProfiler.enable");
  for (let time = 0; time < 3; time++) await session.send("HeapProfiler.collectGarbage");
  return (await session.send("Runtime.getHeapUsage")).usedSize;
}

function report(title: string, workloads: readonly Workload[], visits: Visits): string {
  const names = ["start", ...workloads.map(({ name }) => name)];
  const of = (by: Recorder, pick: (visit: Visit) => number): number => median(visits.get(by)!.map(pick));
  const added = (by: Recorder, name: string, pick: keyof Cost): number =>
    of(by, ({ costs }) => costs.get(name)![pick]) - of("none", ({ costs }) => costs.get(name)![pick]);
  const rows = names.flatMap((name) =>
    RECORDERS.map((by) => {
      const cost = (pick: keyof Cost): string => of(by, ({ costs }) => costs.get(name)![pick]).toFixed(0);
      const more = (pick: keyof Cost): string => (by === "none" ? "" : added(by, name, pick).toFixed(0));
      const ratio = by === "sentiero" ? (added(by, name, "cpu") / added("rrweb", name, "cpu")).toFixed(2) : "";
      return [`${by === "none" ? name : ""}`, by, cost("cpu"), more("cpu"), ratio, more("script"), cost("longest")];
    }),
  );
  const totals = RECORDERS.map((by) => {
    const heap = of(by, ({ heap }) => heap) - of("none", ({ heap }) => heap);
    const bytes = of(by, ({ bytes }) => bytes);
    return `  ${by.padEnd(9)} ${(bytes / 1e6).toFixed(2)} MB of bodies, ${(heap / 1e6).toFixed(1)} MB of heap more than none`;
  });
  const about = workloads.map(({ name, about }) => `${name}: ${about}.`).join("\n");
  return `${title}\n\n${table(
    ["", "", "CPU", "+", "/rrweb", "script +", "longest task"],
    rows,
    `${about}\nIn all:\n${totals.join("\n")}\n`,
  )}`;
}

/** What a person feels of the demo's page, on a machine four times slower. In ms. */
interface Vitals {
  readonly lcp: number;
  readonly inp: number;
  readonly tbt: number;
}

async function visitDemo(browser: Browser, server: Server, by: Recorder): Promise<Vitals> {
  const context = await browser.newContext({ viewport: { width: 1_200, height: 800 } });
  try {
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await page.addInitScript(() => {
      const vitals = { lcp: 0, inp: 0, tbt: 0 };
      Object.assign(window, { benchVitals: vitals });
      const watch = (type: string, take: (entry: PerformanceEntry) => void): void =>
        new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({
          type,
          buffered: true,
          durationThreshold: 16,
        } as PerformanceObserverInit);
      watch("largest-contentful-paint", ({ startTime }) => (vitals.lcp = startTime));
      watch("longtask", ({ duration }) => (vitals.tbt += duration - 50));
      watch("event", (entry) => {
        if ((entry as PerformanceEntry & { interactionId: number }).interactionId > 0) {
          vitals.inp = Math.max(vitals.inp, entry.duration);
        }
      });
    });
    server.demoBy = by;
    await page.goto(`${server.url}/planner`, { waitUntil: "load" });
    await sleep(2_000);
    for (const item of ["Harmonica", "Rope", "Soup"]) {
      await page.click("#tabs a[href$='/packing']");
      await page.fill("[name=item]", item);
      await page.click("#add-item button");
      await sleep(400);
    }
    await sleep(800);
    return await page.evaluate(() => benchVitals);
  } finally {
    await context.close();
  }
}

declare const benchVitals: Vitals;

function reportDemo(demos: ReadonlyMap<Recorder, readonly Vitals[]>): string {
  const rows = RECORDERS.map((by) => [
    by,
    ...(["lcp", "inp", "tbt"] as const).map((name) => median(demos.get(by)!.map((vitals) => vitals[name])).toFixed(0)),
  ]);
  return `The demo's planner, at a quarter of the machine's speed\n\n${table(["", "LCP", "INP", "TBT"], rows, "")}`;
}

interface Server {
  readonly url: string;
  /** Of bodies that came. */
  bytes: number;
  /** Who records the demo. */
  demoBy: Recorder;
  close(): Promise<void>;
}

/** Serves the pages, rrweb alone, the demo, and what users get: the built dist/. */
async function serve(): Promise<Server> {
  const [{ createSentiero }, { toNodeHandler }, { openStorage }, { createSite }, rrweb] = await Promise.all([
    import("../dist/src/index.js"),
    import("../dist/adapters/node.js"),
    import("../dist/src/cli/storage.js"),
    import("../examples/demo/site-handler.ts"),
    bundleRrweb(),
  ]);
  const sentiero = createSentiero({ storage: await openStorage("memory"), maintenance: false });
  const handle = toNodeHandler(sentiero);
  const files: Readonly<Record<string, readonly [type: string, text: string]>> = {
    "/page": ["text/html", toPage(NODES)],
    "/huge": ["text/html", toPage(HUGE_NODES)],
    "/style.css": ["text/css", toStylesheet()],
    "/rrweb.js": ["text/javascript", rrweb],
  };
  const tags: Readonly<Record<Recorder, string>> = {
    none: "",
    rrweb: '<script src="/rrweb.js" async></script>',
    sentiero: sentiero.scriptTag({ eventsUrl: "/sentiero/events" }),
  };
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    const file = files[path];
    if (file) return void response.writeHead(200, { "content-type": file[0] }).end(file[1]);
    if (path.startsWith("/sentiero/")) {
      if (request.method === "POST") request.on("data", (chunk: Buffer) => void (state.bytes += chunk.length));
      return handle(request, response);
    }
    void (async () => {
      const answer = await createSite(tags[state.demoBy])(new Request(`http://${request.headers.host}${path}`));
      response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const state: Server = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bytes: 0,
    demoBy: "none",
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await sentiero.store.close();
    },
  };
  return state;
}

async function bundleRrweb(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { record } from "@rrweb/record";
        window.rrwebEvents = [];
        record({ emit: (event) => window.rrwebEvents.push(event), slimDOMOptions: "all" });`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2022",
  });
  return outputFiles[0]!.text;
}
