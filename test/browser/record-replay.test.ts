import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createSite } from "../../examples/demo/site-handler.ts";
import { openStorage } from "../../src/cli/storage.ts";
import { createSentiero, type Batch, type RecordedEvent, type Sentiero, type SessionDetail } from "../../src/index.ts";
import { EventType, IncrementalSource, eventData, pageOf } from "../../src/rrweb/events.ts";
import { api, post } from "../support/sentiero.ts";
import { describeBrowser, launch, serveSite, withFolder, type Site } from "./support/browser.ts";
import { blank, difference, type Box } from "./support/picture.ts";
import { VIEWPORT, compare, leave, readBatches, replayToEnd, settledSession, type View } from "./support/replay.ts";

const user = { user: "ada", password: "a long password" };
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});

afterAll(() => browser?.close());

describeBrowser("the demo site, recorded and replayed", () => {
  recordedSite({
    site: (sentiero) => createSite(sentiero.scriptTag({ eventsUrl: "/sentiero/events" })),
    visit: visitDemo,
    pages: ["/", "/join", "/planner"],
    minWords: 60,
  });
});

describeBrowser("an interface that no one here wrote (swagger-ui), recorded and replayed", () => {
  recordedSite({
    site: swaggerSite,
    visit: visitSwagger,
    pages: ["/"],
    minWords: 300,
  });
});

interface Recorded {
  readonly site: (sentiero: Sentiero) => (request: Request) => Response | Promise<Response>;
  readonly visit: (page: Page, url: string) => Promise<void>;
  /** Paths of the pages that load. */
  readonly pages: readonly string[];
  readonly minWords: number;
}

/** Records one visit in one tab, then tells the story of its replay. */
function recordedSite({ site, visit, pages, minWords }: Recorded): void {
  let sentiero: Sentiero;
  let server: Site;
  let folder: Awaited<ReturnType<typeof withFolder>>;
  let left: View & { masked: Box[] };
  let session: SessionDetail;
  let batches: Batch[];

  beforeAll(async () => {
    folder = await withFolder();
    sentiero = createSentiero({
      storage: await openStorage(`sqlite:${folder.path}/store.sqlite`),
      basicAuth: user,
      // Small batches, so that one can be taken out.
      flushIntervalMs: 400,
    });
    // The in-process reads of this test carry the sign-in of the dashboard.
    const { fetch } = sentiero;
    const authorization = `Basic ${btoa(`${user.user}:${user.password}`)}`;
    sentiero = {
      ...sentiero,
      fetch: (request) => {
        const signed = new Request(request);
        if (!signed.headers.has("authorization")) signed.headers.set("authorization", authorization);
        return fetch(signed);
      },
    };
    server = await serveSite({ ...sentiero, fetch }, site(sentiero));
    const context = await browser.newContext({ viewport: VIEWPORT, reducedMotion: "reduce" });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await visit(page, server.url);
    left = await leave(page);
    await page.close({ runBeforeUnload: true });
    await sleep(500);
    await context.close();
    expect(problems).toEqual([]);
    session = await settledSession(sentiero);
    batches = await readBatches(sentiero, session.id, session.windows[0]!.id);
  }, 120_000);

  afterAll(async () => {
    await server?.close();
    await sentiero?.store.close();
    await folder?.remove();
  });

  it("keeps the events of every page, in one window, and no run has a hole", () => {
    const seen = new Set(batches.flatMap(({ events }) => events.map((event) => pageOf(event)?.href)).filter(Boolean));
    expect([...seen].map((href) => new URL(href!).pathname)).toEqual(expect.arrayContaining([...pages]));
    expect(session.windows).toHaveLength(1);
    expect(session.windows[0]).toMatchObject({ missing: [], gaps: [], conflictCount: 0 });
    for (const { run, seq } of batches)
      expect({ run, seq }).toEqual({ run: expect.stringMatching(/^[0-9a-f]{24}$/), seq: expect.any(Number) });
    const runs = Map.groupBy(batches, ({ run }) => run);
    expect(runs.size).toBe(pages.length);
    expect(session.pageCount).toBe(pages.length);
    for (const group of runs.values()) expect(group.map(({ seq }) => seq)).toEqual(group.map((_, index) => index));
  });

  it("shows at the end of the replay what the page showed when it was left", async () => {
    expect(left.text.split(" ").length).toBeGreaterThanOrEqual(minWords);
    expect(difference(left.picture, blank(left.picture), [], 0.01)).toBeGreaterThan(0.1);
    const replayed = await replayToEnd(browser, server.url, {
      ...user,
      sessionId: session.id,
      windowId: session.windows[0]!.id,
    });
    expect(replayed.text).toBe(left.text);
    expect(compare(left, replayed).pixels).toBeLessThanOrEqual(0.01);
  }, 120_000);

  it("changes nothing when every stored batch is posted again", async () => {
    for (const batch of batches) expect((await post(sentiero, batch)).status).toBe(200);
    const { body } = await api<{ session: SessionDetail }>(sentiero, `/sessions/${session.id}`);
    expect(body.session).toEqual({ ...session, state: body.session.state });
  });

  it("shows something else when one batch of mutations is missing", async () => {
    const without = batches.filter((batch) => batch !== lastMutations(batches));
    expect(without).toHaveLength(batches.length - 1);
    for (const batch of without) {
      expect((await post(sentiero, { ...batch, sessionId: `${session.id}-cut` })).status).toBe(200);
    }
    const replayed = await replayToEnd(browser, server.url, {
      ...user,
      sessionId: `${session.id}-cut`,
      windowId: session.windows[0]!.id,
    });
    const { sameText, pixels } = compare(left, replayed);
    expect(sameText && pixels <= 0.01).toBe(false);
  }, 120_000);

  it("keeps both of two different bodies under one key", async () => {
    const [first] = batches as [Batch];
    const other = {
      ...first,
      events: [
        ...first.events,
        { type: 5, timestamp: first.events[0]!.timestamp, data: { tag: "other", payload: {} } },
      ],
    };
    expect((await post(sentiero, other)).status).toBe(200);
    const after = await readBatches(sentiero, session.id, session.windows[0]!.id);
    const same = after.filter(({ run, seq }) => run === first.run && seq === first.seq);
    expect(same.map(({ events }) => events.length).sort((a, b) => a - b)).toEqual([
      first.events.length,
      other.events.length,
    ]);
  });
}

/** The last batch that added something to the page; what it brought is still there when the page is left. */
function lastMutations(batches: readonly Batch[]): Batch {
  const isFull = ({ events }: Batch) => events.some(({ type }) => type === EventType.FullSnapshot);
  return batches.findLast((batch) => !isFull(batch) && batch.events.some((event) => countAdds(event) > 4))!;
}

function countAdds(event: RecordedEvent): number {
  const data = event.type === EventType.Incremental ? eventData(event) : null;
  return data?.source === IncrementalSource.Mutation && Array.isArray(data.adds) ? data.adds.length : 0;
}

async function visitDemo(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/`);
  await page.mouse.wheel(0, 500);
  await sleep(600);
  await page.goto(`${url}/join`);
  await page.fill("[name=name]", "Ada Lovelace");
  await page.fill("[name=group]", "The Slow Goats");
  await page.check("[name=rules]");
  await sleep(600);
  await page.goto(`${url}/planner`);
  await sleep(600);
  await page.click("#tabs a[href='/planner/packing']");
  await page.fill("[name=item]", "Harmonica");
  await page.click("#add-item button");
  await sleep(700);
  await page.mouse.wheel(0, 120);
  await sleep(700);
}

async function visitSwagger(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.waitForSelector(".opblock-summary");
  await sleep(600);
  await page.click("#operations-huts-listHuts .opblock-summary");
  await sleep(700);
  await page.click("#operations-nights-bookNight .opblock-summary");
  await sleep(1200);
  await page.mouse.move(450, 300);
  await page.mouse.wheel(0, 350);
  await sleep(700);
}

/** swagger-ui as its package has it, over a small API. */
function swaggerSite(sentiero: Sentiero): (request: Request) => Promise<Response> {
  const root = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  const types: Record<string, string> = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".png": "image/png",
  };
  const index = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>API</title>
<link rel="stylesheet" href="/swagger-ui.css">${sentiero.scriptTag()}</head>
<body><div id="swagger-ui"></div><script src="/swagger-ui-bundle.js"></script><script src="/start.js"></script></body></html>`;
  const start = `SwaggerUIBundle({ spec: ${JSON.stringify(toSpec())}, dom_id: "#swagger-ui", docExpansion: "list", defaultModelsExpandDepth: 3 });`;
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/") return new Response(index, { headers: { "content-type": "text/html" } });
    if (pathname === "/start.js") return new Response(start, { headers: { "content-type": "text/javascript" } });
    try {
      const bytes = await readFile(join(root, pathname.slice(1)));
      return new Response(bytes, {
        headers: { "content-type": types[extname(pathname)] ?? "application/octet-stream" },
      });
    } catch {
      return new Response("not found", { status: 404 });
    }
  };
}

function toSpec(): unknown {
  const operation = (id: string, tag: string, summary: string) => ({
    operationId: id,
    tags: [tag],
    summary,
    description: `${summary}. The answer holds every field that the keeper wrote down, in the order in which it was written, and leaves out what nobody asked for.`,
    parameters: [
      {
        name: "valley",
        in: "query",
        description: "Name of a valley, as the people who live there call it",
        schema: { type: "string" },
      },
      {
        name: "beds",
        in: "query",
        description: "How many beds are wanted at least",
        schema: { type: "integer", default: 2 },
      },
    ],
    responses: {
      200: { description: "What was asked for" },
      404: { description: "There is no such thing in these mountains" },
    },
  });
  const tags = ["huts", "nights", "keepers", "weather"];
  const names = ["list", "find", "change", "close"];
  return {
    openapi: "3.0.3",
    info: {
      title: "Huts",
      version: "1.0.0",
      description:
        "An API about mountain huts, their keepers, the nights one can spend there, and the weather that decides.",
    },
    tags: tags.map((name) => ({
      name,
      description: `Everything about ${name}, from the valley floor to the last ridge`,
    })),
    paths: Object.fromEntries(
      tags.flatMap((tag) =>
        names.map((name) => {
          const id =
            tag === "nights" && name === "change"
              ? "bookNight"
              : tag === "huts" && name === "list"
                ? "listHuts"
                : `${name}-${tag}`;
          return [
            `/${tag}/${name}`,
            { get: operation(id, tag, `${name} ${tag} by valley, altitude, beds, price and the mood of the keeper`) },
          ];
        }),
      ),
    ),
  };
}
