import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestSentiero } from "../support/sentiero.ts";
import { describeBrowser, launch } from "./support/browser.ts";
import { createCanaryPage, formsOf, type CanaryPage } from "./support/canaries.ts";
import { openCollector, type Collector } from "./support/collector.ts";

/** Stands in the text of the page and in an event of its own, and must arrive: else nothing was looked at. */
const CONTROL = "edelweissmeadow";

/** What rrweb never reads, and what other parts of the recorder might. */
const UNSEEN_BY_RRWEB = [
  "comment in CSS",
  "frame src",
  "cookie",
  "localStorage",
  "sessionStorage",
  "pushed address",
  "pushed fragment",
  "console",
  "mail address in an error",
  "address in a rejection",
];

describeBrowser("a page with a secret in every place", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  it("lets out no field, hint, token or secret with the balanced rules", async () => {
    const { received, canaries } = await record(browser, { privacy: "balanced" });
    expect(received).toContain(`<${CONTROL}>`);
    expect(
      leaks(
        received,
        canaries.filter(({ isPageText }) => !isPageText),
      ),
    ).toEqual([]);
    // What is the page's own is what makes a replay worth watching. rrweb leaves out later titles of a page.
    const texts = canaries.filter(({ isPageText, place }) => isPageText && place !== "changed page title");
    expect(leaks(received, texts)).toEqual(texts.map(({ place }) => place));
  }, 60_000);

  it("lets out nothing at all with the strict rules", async () => {
    const { received, canaries } = await record(browser, { privacy: "strict" });
    expect(received).toContain(`"${CONTROL}"`);
    expect(received).not.toContain(`<${CONTROL}>`);
    expect(leaks(received, canaries)).toEqual([]);
  }, 60_000);

  it("masks passwords and hidden fields whatever the options of the recorder say", async () => {
    const recorderOptions = {
      maskAllInputs: false,
      maskInputOptions: { password: false, hidden: false, input: false, text: false },
      maskInputFn: "x",
      maskTextSelector: "",
      maskTextClass: {},
      slimDOMOptions: {},
      inlineImages: true,
      plugins: [],
      hooks: {},
    };
    const { received, canaries } = await record(browser, { maskAllInputs: false, recorderOptions });
    const found = leaks(
      received,
      canaries.filter(({ isPageText }) => !isPageText),
    );
    expect(found).toContain("text value");
    expect(
      found.filter((place) => /password|hidden|code|comment|script in|onclick|token|csrf|key/.test(place)),
    ).toEqual([]);
  }, 60_000);

  it("is one in which every secret of the DOM can be found: rrweb without masks lets them all out", async () => {
    const { received, canaries } = await record(browser, null);
    const found = leaks(received, canaries);
    expect(canaries.map(({ place }) => place).filter((place) => !found.includes(place))).toEqual(UNSEEN_BY_RRWEB);
  }, 60_000);
});

/** Records the page as a visitor uses it. `config` is added to the recorder's; null for rrweb with its own defaults. */
async function record(
  browser: Browser,
  config: Record<string, unknown> | null,
): Promise<{ received: string; canaries: CanaryPage["canaries"] }> {
  let page: CanaryPage | undefined;
  const site = createServer((request, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    if (request.url === "/" || request.url!.startsWith("/?")) response.end(page!.html);
    else response.end(request.url!.startsWith("/frame") ? page!.frame : "");
  });
  await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
  // Another host than the collector's: a browser sends cookies to every port of a host.
  const origin = `http://localhost:${(site.address() as AddressInfo).port}`;
  let tags = "";
  const collector: Collector = await openCollector((url) => {
    const sentiero = createTestSentiero({ corsOrigins: [origin], flushIntervalMs: 300 });
    tags = sentiero.scriptTag({ eventsUrl: `${url}/sentiero/events` });
    return sentiero;
  });
  tags = config ? addConfig(tags, config) : rawRecorder(collector.url);
  page = createCanaryPage(tags);
  const context = await browser.newContext();
  try {
    const tab = await context.newPage();
    await tab.goto(`${origin}/${page.suffix}`);
    await sleep(1_500);
    await use(tab, page);
    await tab.close({ runBeforeUnload: true });
    await sleep(700);
    return { received: collector.received(), canaries: page.canaries };
  } finally {
    await context.close();
    await collector.close();
    site.closeAllConnections();
    site.close();
  }
}

async function use(tab: Page, page: CanaryPage): Promise<void> {
  await tab.evaluate(
    (word) => document.body.append(Object.assign(document.createElement("p"), { textContent: `<${word}>` })),
    CONTROL,
  );
  await tab.evaluate((word) => window.Sentiero?.addCustomEvent("control", { word }), CONTROL);
  for (const [selector, text] of Object.entries(page.typed)) {
    await tab.locator(selector).fill("");
    await tab.locator(selector).pressSequentially(text);
    await tab.keyboard.press("Tab");
  }
  await tab.locator("#radio").check();
  await tab.locator("#select").selectOption({ index: 0 });
  await tab.locator("#file").setInputFiles({ name: page.fileName, mimeType: "text/plain", buffer: Buffer.from("x") });
  await tab.evaluate(() => (window as unknown as { later(): Promise<void> }).later());
  await tab.evaluate(() => document.querySelector<HTMLFormElement>("#form")!.requestSubmit());
  await tab.mouse.click(5, 5);
  await sleep(1_500);
}

function leaks(received: string, canaries: CanaryPage["canaries"]): string[] {
  return canaries.filter(({ word }) => formsOf(word).some((form) => received.includes(form))).map(({ place }) => place);
}

function addConfig(tags: string, config: Record<string, unknown>): string {
  return tags.replace(/>(\{.*\})</, (_, json: string) => {
    const all: unknown = { ...(JSON.parse(json) as object), ...config };
    return `>${JSON.stringify(all)}<`;
  });
}

/** rrweb as its manual shows it, sending to the collector. */
function rawRecorder(url: string): string {
  const main = createRequire(import.meta.url).resolve("@rrweb/record");
  const script = readFileSync(join(dirname(main), "record.umd.min.cjs"), "utf8").replaceAll("</script", "<\\/script");
  return `<script>${script};addEventListener("load", () => rrwebRecord.record({ maskInputOptions: {},
    emit: (event) => fetch("${url}/raw", { method: "POST", mode: "no-cors", body: JSON.stringify(event) }) }));</script>`;
}
