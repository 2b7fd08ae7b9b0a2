import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RecordedEvent, SessionDetail } from "../../src/index.ts";
import { createTestSentiero } from "../support/sentiero.ts";
import { describeBrowser, launch, serveSite } from "./support/browser.ts";
import { readBatches, settledSession } from "./support/replay.ts";

/** What a form is asked, and answers with an input that is called so. */
const NAMES =
  "matches closest getAttribute getAttributeNames hasAttribute parentNode attributes childNodes tagName style".split(
    " ",
  );
const FIELDS = NAMES.map((name) => `<input name="${name}" value="secret of ${name}">`).join("");
const PAGE = `<form id="clobbered" title="first" data-sentiero-track-submit="sent" style="padding: 20px">
  ${FIELDS}<b>shown</b><p data-rr-mask>secret text</p><button>Send</button>
</form>
<script>document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());</script>`;

let browser: Browser;
let session: SessionDetail;
let events: RecordedEvent[];
const problems: string[] = [];

beforeAll(async () => {
  browser = await launch();
  const sentiero = createTestSentiero();
  const html = `<!doctype html><html lang="en"><head><title>Page</title>${sentiero.scriptTag()}</head><body>${PAGE}</body></html>`;
  const site = await serveSite(sentiero, () => new Response(html, { headers: { "content-type": "text/html" } }));
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(site.url);
    await page.waitForFunction("Sentiero.getSessionId()");
    await page.evaluate(async () => {
      const form = document.forms[0]!;
      const ask = <Name extends keyof Element>(name: Name): Element[Name] => Reflect.get(Element.prototype, name, form);
      Element.prototype.setAttribute.call(form, "title", "second");
      Element.prototype.setAttribute.call(form, "style", "padding: 30px");
      ask("append").call(form, "added", document.createElement("hr"));
      // Moved, with all that is in it; then as a new node under what is moved.
      await new Promise((resolve) => setTimeout(resolve, 0));
      document.body.prepend(form);
      const around = document.createElement("section");
      document.body.append(around);
      around.append(form.cloneNode(true), form);
    });
    // Playwright's own locators ask the form, too.
    const clickAt = async (selector: string): Promise<void> => {
      const [x, y] = await page.evaluate((selector) => {
        const { left, top } = [...document.querySelectorAll(selector)].at(-1)!.getBoundingClientRect();
        return [left + 3, top + 3] as const;
      }, selector);
      await page.mouse.click(x, y);
    };
    await clickAt("form button");
    await clickAt("form");
    await clickAt("form input");
    await page.keyboard.type("typed secret");
    await page.evaluate("Sentiero.flush()");
    await page.close({ runBeforeUnload: true });
    session = await settledSession(sentiero);
    const batches = await readBatches(sentiero, session.id, session.windows[0]!.id);
    events = batches.flatMap((batch) => batch.events);
  } finally {
    await site.close();
  }
}, 60_000);

afterAll(() => browser?.close());

describeBrowser("a form whose inputs are called like what a form is asked", () => {
  it("throws nothing into the page", () => {
    expect(problems).toEqual([]);
  });

  it("is in the snapshot, with its attributes and all that is in it", () => {
    const snapshot = JSON.stringify(events.find(({ type }) => type === 2));
    expect(snapshot).toContain('"tagName":"form"');
    expect(snapshot).toContain('"id":"clobbered"');
    expect(snapshot).toContain('"shown"');
    for (const name of NAMES) expect(snapshot).toContain(`"name":"${name}"`);
  });

  it("is masked", () => {
    expect(JSON.stringify(events)).not.toContain("secret");
  });

  it("has its changes recorded", () => {
    const changes = events.filter(({ type, data }) => type === 3 && (data as { source: number }).source === 0);
    const all = JSON.stringify(changes);
    expect(all).toContain('"title":"second"');
    expect(all).toContain("30px");
    expect(all).toContain('"added"');
    expect(all.match(/"id":"clobbered"/g)).toHaveLength(2);
    expect(all).toMatch(/"removes":\[{/);
  });

  it("has its clicks and its submission recorded", () => {
    const custom = events.filter(({ type }) => type === 5).map(({ data }) => data as { tag: string; payload: object });
    expect(custom.filter(({ tag }) => tag === "__click").map(({ payload }) => payload)).toEqual([
      expect.objectContaining({ tag: "button", selector: "form#clobbered > button", name: "Send" }),
      expect.objectContaining({ tag: "form", selector: "form#clobbered" }),
      expect.objectContaining({ tag: "input", selector: "form#clobbered > input" }),
    ]);
    expect(custom.filter(({ tag }) => tag === "__form_submit")).toHaveLength(1);
    expect(custom.filter(({ tag }) => tag === "sent")).toHaveLength(1);
  });
});
