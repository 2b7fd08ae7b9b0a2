import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { recordPatch } from "../../scripts/record-patch.ts";
import { describeBrowser, launch } from "./support/browser.ts";
import type { Harness } from "./support/mutations-page.ts";

declare const harness: Harness;

let browser: Browser;
let script: string;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("support/mutations-page.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    plugins: [recordPatch],
    logLevel: "silent",
  });
  script = outputFiles[0]!.text;
  browser = await launch();
});

afterAll(() => browser?.close());

/** What a page holds after the garbage is gone. */
interface Held {
  readonly documents: number;
  readonly nodes: number;
  readonly heap: number;
}

describeBrowser("memory of a recorded page", () => {
  it("holds nothing of 400 frames that came and went", async () => {
    const { before, after } = await grow(mountFrames, 400);
    expect(after.documents - before.documents).toBeLessThan(10);
    expect(after.nodes - before.nodes).toBeLessThan(200);
    expect(after.heap - before.heap).toBeLessThan(500_000);
  }, 120_000);

  it("holds nothing of 1,000 shadow roots that came and went", async () => {
    const { before, after } = await grow(mountShadows, 1_000);
    expect(after.nodes - before.nodes).toBeLessThan(200);
    expect(after.heap - before.heap).toBeLessThan(500_000);
  }, 120_000);
});

/** What is held after a warm-up, and after `count` mounts more. */
async function grow(mount: (count: number) => Promise<void>, count: number): Promise<{ before: Held; after: Held }> {
  const page = await browser.newPage();
  try {
    const session = await page.context().newCDPSession(page);
    await page.setContent(`<!doctype html><body><div id="stage"></div></body>`);
    await page.addScriptTag({ content: script });
    await page.evaluate(() => harness.start());
    await page.evaluate(mount, 60);
    const before = await held(page, session);
    await page.evaluate(mount, count);
    const after = await held(page, session);
    return { before, after };
  } finally {
    await page.close();
  }
}

async function held(page: Page, session: CDPSession): Promise<Held> {
  // What was sent is not held, nor is what rrweb waits for.
  await page.evaluate(async () => {
    harness.flush();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    harness.events.splice(0);
  });
  await session.send("HeapProfiler.enable");
  for (let time = 0; time < 4; time++) await session.send("HeapProfiler.collectGarbage");
  const { documents, nodes } = await session.send("Memory.getDOMCounters");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  return { documents, nodes, heap: usedSize };
}

async function mountFrames(count: number): Promise<void> {
  const stage = document.querySelector("#stage")!;
  for (let at = 0; at < count; at++) {
    const frame = document.createElement("iframe");
    frame.srcdoc = "<p>in a <b>frame</b></p>";
    const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
    stage.append(frame);
    if (at % 2) harness.flush();
    await loaded;
    frame.contentDocument!.body.append("more");
    if (at % 3) harness.flush();
    await new Promise((resolve) => setTimeout(resolve, 1));
    frame.remove();
    if (at % 5 === 0) harness.flush();
  }
}

async function mountShadows(count: number): Promise<void> {
  const stage = document.querySelector("#stage")!;
  for (let at = 0; at < count; at++) {
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    root.innerHTML = "<p>in the <b>shadow</b></p>";
    stage.append(host);
    if (at % 3) harness.flush();
    root.append("more");
    if (at % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    host.remove();
    if (at % 5 === 0) harness.flush();
  }
}
