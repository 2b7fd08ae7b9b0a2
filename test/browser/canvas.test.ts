import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium, type Browser, type Page } from "playwright-core";
import { PNG } from "pngjs";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { CHROMIUM_FLAGS } from "../../scripts/chromium.ts";
import type { RecordedEvent, Sentiero } from "../../src/index.ts";
import { EventType, IncrementalSource, eventData, isRecord } from "../../src/rrweb/events.ts";
import { createTestSentiero } from "../support/sentiero.ts";
import { describeBrowser, serveSite, type Site } from "./support/browser.ts";
import { openReplay, readEvents, waitForEvents } from "./support/open-replay.ts";

const RED = [255, 0, 0];
const BLUE = [0, 0, 255];
/** Far above what the compression of a picture makes of a colour. */
const NEAR = 24;

/** `paint` changes what is drawn; `#gl` is drawn anew in each frame, as games and maps are. */
const SCRIPT = `
const paintOn = (canvas, colour) => {
  const context = canvas.getContext("2d");
  context.fillStyle = colour;
  context.fillRect(0, 0, canvas.width, canvas.height);
};
let isBlue = false;
const gl = document.querySelector("#gl")?.getContext("webgl");
const draw = () => {
  if (gl) { gl.clearColor(isBlue ? 0 : 1, 0, isBlue ? 1 : 0, 1); gl.clear(gl.COLOR_BUFFER_BIT); }
  requestAnimationFrame(draw);
};
draw();
window.paint = (colour) => {
  isBlue = colour === "blue";
  for (const canvas of document.querySelectorAll("canvas:not(#gl, .still)")) paintOn(canvas, colour);
};
for (const canvas of document.querySelectorAll(".still")) paintOn(canvas, "lime");
paint("red");
`;

describeBrowser("pictures of canvases", () => {
  let browser: Browser;
  let other: Server;
  let sentiero: Sentiero;
  let site: Site;
  let tab: Page;
  let html: string;
  const errors: string[] = [];

  beforeAll(async () => {
    // A WebGL without a graphics card.
    const args = [...CHROMIUM_FLAGS, "--enable-unsafe-swiftshader", "--use-angle=swiftshader"];
    browser = await chromium.launch({ executablePath: inject("chromium")!, args });
    const png = PNG.sync.write(new PNG({ width: 8, height: 8, fill: true }));
    other = createServer((_, response) => response.setHeader("content-type", "image/png").end(png));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    await browser?.close();
    other?.close();
  });

  beforeEach(async () => {
    sentiero = createTestSentiero();
    site = await serveSite(sentiero, ({ url }) => {
      const isFrame = new URL(url).pathname === "/frame";
      return new Response(isFrame ? FRAME : html, { headers: { "content-type": "text/html" } });
    });
    tab = await browser.newPage({ viewport: { width: 900, height: 600 } });
    tab.on("pageerror", (error) => errors.push(error.message));
    errors.length = 0;
  });
  afterEach(async () => {
    await tab.close();
    await site.close();
    expect(errors).toEqual([]);
  });

  async function open(body: string, config: object = { captureCanvas: { fps: 4 } }): Promise<void> {
    const given = JSON.stringify({ eventsUrl: "/sentiero/events", flushIntervalMs: 200, ...config });
    html = `<!doctype html><meta charset="utf-8"><title>Drawing</title><link rel="icon" href="data:,">
<style>body { margin: 20px } canvas { background: white }</style><body>${body}
<script type="application/json" id="sentiero-config">${given}</script><script>${SCRIPT}</script>
<script async src="/sentiero/recorder.js"></script></body>`;
    await tab.goto(site.url);
  }

  const paint = (colour: string): Promise<void> => tab.evaluate(`paint(${JSON.stringify(colour)})`);

  it("show in the replay what was drawn in 2D and with WebGL, at each time, and also after going back", async () => {
    await open(`<canvas id="flat" width="200" height="100"></canvas>
      <canvas id="gl" width="200" height="100" style="width: 300px; height: 150px"></canvas>
      <canvas id="block" width="50" height="50" style="display: block"></canvas>`);
    const names = ["flat", "gl", "block"];
    await waitForEvents(sentiero, (events) => names.every((name) => picturesOf(events, name).length === 1));
    await paint("blue");
    const events = await waitForEvents(sentiero, (events) =>
      names.every((name) => picturesOf(events, name).length === 2),
    );
    const times = [0, 1].map((at) => Math.max(...names.map((name) => picturesOf(events, name)[at]!.at)));
    const boxes = await tab.evaluate(BOXES);

    const replay = await openReplay(browser, site.url, sentiero);
    try {
      for (const [at, colour] of [
        [times[1]!, BLUE],
        [times[0]!, RED],
        [times[1]!, BLUE],
      ] as const) {
        await replay.seek(at + 1);
        for (const name of names) {
          await expect
            .poll(() => replay.colourOf(`#${name}`), { timeout: 10_000 })
            .toSatisfy((seen: readonly number[]) => isNear(seen, colour));
        }
      }
      expect(
        await replay.evaluate((document) => {
          return [...document.querySelectorAll("canvas")].map((canvas) => {
            const { x, y, width, height } = canvas.getBoundingClientRect();
            return [canvas.id, x, y, width, height].join(" ");
          });
        }),
      ).toEqual(boxes);
      expect(replay.problems).toEqual([]);
    } finally {
      await replay.close();
    }
  });

  it("are sent once while nothing changes, and again with each full snapshot", async () => {
    await open(`<canvas id="flat" width="200" height="100"></canvas><canvas id="still" class="still"></canvas>`, {
      captureCanvas: { fps: 4 },
      recorderOptions: { checkoutEveryNth: 40 },
    });
    await waitForEvents(sentiero, (events) => picturesOf(events, "still").length === 1);
    // Each of these is looked at after the one that stays as it was.
    for (const [count, colour] of ["blue", "green", "black", "yellow"].entries()) {
      await paint(colour);
      await waitForEvents(sentiero, (events) => picturesOf(events, "flat").length === count + 2);
    }
    expect(picturesOf(await readEvents(sentiero), "still")).toHaveLength(1);
    await tab.evaluate("for (let count = 0; count < 40; count++) document.body.click()");
    const events = await waitForEvents(sentiero, (events) => picturesOf(events, "still").length === 2);
    const snapshots = events.filter(({ type }) => type === EventType.FullSnapshot);
    expect(snapshots).toHaveLength(2);
    expect(picturesOf(events, "still")[1]!.at).toBeGreaterThanOrEqual(snapshots[1]!.timestamp as number);
  });

  it("are sent of canvases that come later, in shadow roots and frames of the same origin, and of those cleared", async () => {
    await open(`<canvas id="flat" width="80" height="60"></canvas><x-chart></x-chart>
      <iframe src="/frame" width="100" height="80"></iframe>
      <script>document.querySelector("x-chart").attachShadow({ mode: "open" }).innerHTML = '<canvas id="deep" width="40" height="40"></canvas>';
      const deep = document.querySelector("x-chart").shadowRoot.firstChild.getContext("2d"); deep.fillRect(0, 0, 40, 40);</script>`);
    await waitForEvents(sentiero, (events) =>
      ["flat", "deep", "framed"].every((name) => picturesOf(events, name).length > 0),
    );
    await tab.evaluate(() => {
      const late = Object.assign(document.createElement("canvas"), { id: "late", width: 30, height: 30 });
      late.getContext("2d")!.fillRect(0, 0, 30, 30);
      document.body.prepend(late);
      const flat = document.querySelector<HTMLCanvasElement>("#flat")!;
      flat.getContext("2d")!.clearRect(0, 0, 80, 60);
    });
    const events = await waitForEvents(
      sentiero,
      (events) => picturesOf(events, "late").length > 0 && picturesOf(events, "flat").length > 1,
    );
    const [painted, cleared] = picturesOf(events, "flat");
    expect(cleared!.picture).not.toBe(painted!.picture);
  });

  it("follow a canvas that is laid out or styled anew, or hidden", async () => {
    await open(`<style>.gone { display: none }</style><canvas id="flat" width="200" height="100"></canvas>`);
    await waitForEvents(sentiero, (events) => picturesOf(events, "flat").length === 1);
    await tab.evaluate(() => document.querySelector("canvas")!.setAttribute("style", "width: 60px; border: 3px solid"));
    // Longer than what changed in it, so that rrweb tells the whole style: what was in it is gone.
    const styled = await waitForEvents(sentiero, (events) => picturesOf(events, "flat").length === 2);
    await tab.evaluate(() => document.querySelector("canvas")!.classList.add("gone"));
    const events = await waitForEvents(sentiero, (events) =>
      stylesOf(events, "flat").some(({ display }) => display === false),
    );
    const replay = await openReplay(browser, site.url, sentiero);
    const widthAt = async (at: number) => {
      await replay.seek(at + 1);
      return replay.evaluate((document) => document.querySelector("canvas")!.getBoundingClientRect().width);
    };
    try {
      await expect.poll(() => widthAt(picturesOf(styled, "flat")[1]!.at), { timeout: 10_000 }).toBe(66);
      await expect.poll(() => widthAt(events.at(-1)!.timestamp as number), { timeout: 10_000 }).toBe(0);
    } finally {
      await replay.close();
    }
  });

  it("are never sent of canvases that are blocked, masked, or hold pictures of another origin", async () => {
    const foreign = `http://127.0.0.1:${(other.address() as AddressInfo).port}/p.png`;
    await open(
      `<div data-rr-block><canvas></canvas></div><canvas data-rr-block></canvas><div class="rr-block"><canvas></canvas></div>
      <canvas class="rr-block"></canvas><div data-rr-mask><canvas></canvas></div><canvas data-rr-mask></canvas>
      <div class="rr-mask"><canvas></canvas></div><div contenteditable><canvas></canvas></div><div class="mine"><canvas></canvas></div>
      <canvas id="late"></canvas><canvas id="foreign" class="still"></canvas><canvas id="last" class="still"></canvas>
      <style>canvas { width: 40px; height: 20px }</style>`,
      { captureCanvas: { fps: 4 }, recorderOptions: { blockSelector: "[data-rr-block], .mine" } },
    );
    await tab.evaluate(async (foreign) => {
      document.querySelector("#late")!.setAttribute("data-rr-block", "");
      const image = new Image();
      image.src = foreign;
      await image.decode();
      document.querySelector<HTMLCanvasElement>("#foreign")!.getContext("2d")!.drawImage(image, 0, 0);
    }, foreign);
    await waitForEvents(sentiero, (events) => picturesOf(events, "last").length === 1);
    const before = await readEvents(sentiero);
    await paint("blue");
    await tab.evaluate(() => {
      const context = document.querySelector<HTMLCanvasElement>("#last")!.getContext("2d")!;
      context.fillStyle = "blue";
      context.fillRect(0, 0, 300, 150);
    });
    const events = await waitForEvents(sentiero, (events) => picturesOf(events, "last").length === 2);
    const late = allPictures(before).filter(({ id }) => id === idOf(before, "late")).length;
    const foreignBefore = allPictures(before).filter(({ id }) => id === idOf(before, "foreign")).length;
    // These two may have been seen before they were marked.
    expect(allPictures(events)).toHaveLength(2 + late + foreignBefore);
    expect(late + foreignBefore).toBeLessThanOrEqual(2);
  });

  it.each([
    ["with the strict rules", { captureCanvas: true, privacy: "strict" }],
    ["by default", {}],
    ["where the option is of another kind", { captureCanvas: "yes" }],
  ])("are not taken %s, and their code is not loaded", async (_, config) => {
    const loaded: string[] = [];
    tab.on("request", (request) => loaded.push(request.url()));
    await open(`<canvas id="flat" width="200" height="100"></canvas>`, config);
    await waitForEvents(sentiero, (events) => events.some(({ type }) => type === EventType.FullSnapshot));
    await tab.evaluate("Sentiero.flush()");
    expect(loaded.filter((url) => /\/canvas-/.test(url))).toEqual([]);
    expect(allPictures(await readEvents(sentiero))).toEqual([]);
  });

  it("get smaller until they are small enough", async () => {
    await open(
      `<canvas id="noise" class="still" width="1000" height="800"></canvas>
      <script>const noise = document.querySelector("#noise").getContext("2d"); const image = noise.createImageData(1000, 800);
      for (let at = 0; at < image.data.length; at++) image.data[at] = at % 4 === 3 ? 255 : (at * 2654435761 >>> 13) % 256;
      addEventListener("load", () => noise.putImageData(image, 0, 0));</script>`,
      { captureCanvas: { fps: 4, quality: 1 } },
    );
    const events = await waitForEvents(sentiero, (events) => picturesOf(events, "noise").length > 0);
    expect(picturesOf(events, "noise")[0]!.picture.length).toBeLessThanOrEqual(200_000);
  });

  it("stop when recording does, and leave nothing behind in the page", async () => {
    await open(`<canvas id="flat" width="200" height="100"></canvas>`);
    const before = await waitForEvents(sentiero, (events) => picturesOf(events, "flat").length === 1);
    await tab.evaluate("Sentiero.stop()");
    await paint("blue");
    const frames = await tab.evaluate(async () => {
      // Of the page's own loop; a tick of the recorder would ask for one more.
      let asked = 0;
      const { requestAnimationFrame } = window;
      window.requestAnimationFrame = (run) => (asked++, requestAnimationFrame.call(window, run));
      for (let count = 0; count < 30; count++)
        await new Promise((resolve) => requestAnimationFrame.call(window, resolve));
      return asked;
    });
    expect(frames).toBeLessThanOrEqual(31);
    const events = await waitForEvents(sentiero, (events) => events.some((event) => eventData(event)?.tag === "__end"));
    expect(allPictures(events)).toHaveLength(allPictures(before).length);
    expect(await tab.locator("canvas").count()).toBe(1);
  });
});

const FRAME = `<!doctype html><body><canvas id="framed" width="40" height="40"></canvas>
<script>document.querySelector("canvas").getContext("2d").fillRect(0, 0, 40, 40);</script>`;

const BOXES = `[...document.querySelectorAll("canvas")].map((canvas) => {
  const { x, y, width, height } = canvas.getBoundingClientRect();
  return [canvas.id, x, y, width, height].join(" ");
})`;

interface Picture {
  readonly id: number;
  readonly at: number;
  readonly picture: string;
}

function allPictures(events: readonly RecordedEvent[]): Picture[] {
  return events.flatMap((event) => {
    return changesOf(event).flatMap(({ id, style }) => {
      const [picture] = (style["background-image"] ?? []) as unknown[];
      return typeof picture === "string" ? [{ id, at: event.timestamp as number, picture }] : [];
    });
  });
}

function picturesOf(events: readonly RecordedEvent[], name: string): Picture[] {
  const id = idOf(events, name);
  return allPictures(events).filter((picture) => picture.id === id);
}

function stylesOf(events: readonly RecordedEvent[], name: string): Record<string, unknown>[] {
  const id = idOf(events, name);
  return events.flatMap((event) => changesOf(event).flatMap((change) => (change.id === id ? [change.style] : [])));
}

function changesOf(event: RecordedEvent): { id: number; style: Record<string, unknown> }[] {
  const data = event.type === EventType.Incremental ? eventData(event) : null;
  if (data?.source !== IncrementalSource.Mutation) return [];
  return (data.attributes as { id: number; attributes: Record<string, unknown> }[]).flatMap(({ id, attributes }) =>
    isRecord(attributes.style) ? [{ id, style: attributes.style }] : [],
  );
}

/** The recorded number of the element with an id; 0 where it was not recorded. */
function idOf(events: readonly RecordedEvent[], name: string): number {
  let found = 0;
  const walk = (node: unknown): void => {
    if (!isRecord(node)) return;
    if (isRecord(node.attributes) && node.attributes.id === name) found = node.id as number;
    if (Array.isArray(node.childNodes)) node.childNodes.forEach(walk);
  };
  for (const event of events) {
    const data = eventData(event);
    walk(data?.node);
    if (Array.isArray(data?.adds)) for (const added of data.adds as { node: unknown }[]) walk(added.node);
  }
  return found;
}

function isNear(seen: readonly number[], colour: readonly number[]): boolean {
  return seen.every((part, at) => Math.abs(part - colour[at]!) <= NEAR);
}
