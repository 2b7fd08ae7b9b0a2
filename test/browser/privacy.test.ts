import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, BrowserContext } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { openStorage } from "../../src/cli/storage.ts";
import { createSentiero, type Sentiero, type SessionList } from "../../src/index.ts";
import { inflateStored } from "../support/inflate.ts";
import { api } from "../support/sentiero.ts";
import { describeBrowser, launch, serveSite, withFolder, type Site } from "./support/browser.ts";
import { formsOf } from "./support/canaries.ts";
import { settledSession } from "./support/replay.ts";

const PASSWORD = "correct-horse/battery staple";
const CARD = "4929 1234 5678 9012";
const CONTROL = "edelweiss/meadow word";

describeBrowser("what a visitor types", () => {
  let browser: Browser;
  let context: BrowserContext;
  let folder: Awaited<ReturnType<typeof withFolder>>;
  let sentiero: Sentiero;
  let site: Site;

  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  beforeEach(async () => {
    folder = await withFolder();
    sentiero = createSentiero({
      storage: await openStorage(`sqlite:${folder.path}/store.sqlite`),
      authorize: () => true,
      userOptOut: true,
      flushIntervalMs: 300,
    });
    site = await serveSite(
      sentiero,
      () => new Response(page(sentiero.scriptTag()), { headers: { "content-type": "text/html" } }),
    );
    context = await browser.newContext();
  });
  afterEach(async () => {
    await context.close();
    await site.close();
    await sentiero.store.close();
    await folder.remove();
  });

  it("is found in the database only where the page unmasks it, and never a password or a card number", async () => {
    const tab = await context.newPage();
    await tab.goto(site.url);
    await sleep(800);
    for (const [name, text] of [
      ["password", PASSWORD],
      ["card", CARD],
      ["note", CARD],
      ["word", CONTROL],
    ] as const) {
      await tab.type(`[name=${name}]`, text);
      await tab.press(`[name=${name}]`, "Tab");
    }
    // A button that shows the password turns its field into text.
    await tab.click("#show");
    await tab.type("[name=password]", "!");
    await tab.press("[name=password]", "Tab");
    await sleep(500);
    await tab.close({ runBeforeUnload: true });
    await settledSession(sentiero);

    const haystack = readEverything(folder.path);
    expect(formsOf(CONTROL).some((form) => haystack.includes(form))).toBe(true);
    for (const secret of [PASSWORD, CARD, CARD.replaceAll(" ", "")]) {
      expect(formsOf(secret).filter((form) => haystack.includes(form))).toEqual([]);
    }
  });

  it("is not recorded at all after opting out, and again after opting in, without a reload", async () => {
    const tab = await context.newPage();
    await tab.goto(site.url);
    await sleep(800);
    await tab.evaluate(() => window.Sentiero!.optOut());
    const before = (await settledSession(sentiero)).eventCount;
    await tab.type("[name=word]", "after opting out");
    await tab.press("[name=word]", "Tab");
    await sleep(800);
    const first = (await api<SessionList>(sentiero, "/sessions")).body.sessions;
    expect(first).toHaveLength(1);
    expect(first[0]!.eventCount).toBe(before);

    await tab.evaluate(() => window.Sentiero!.optIn());
    await sleep(1500);
    const second = (await api<SessionList>(sentiero, "/sessions")).body.sessions;
    // The identity was given up with the opt-out.
    expect(second).toHaveLength(2);
  });

  it("is not recorded in a browser that sends Global Privacy Control", async () => {
    const tab = await context.newPage();
    const posts: string[] = [];
    tab.on("request", (request) => request.method() === "POST" && posts.push(request.url()));
    await tab.addInitScript(() => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
    await tab.goto(site.url);
    await tab.type("[name=word]", CONTROL);
    await sleep(1000);
    await tab.close({ runBeforeUnload: true });
    await sleep(500);
    expect(posts).toEqual([]);
    expect((await api<SessionList>(sentiero, "/sessions")).body.sessions).toEqual([]);
  });
});

function page(tags: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Form</title>${tags}</head><body>
<form data-sentiero-unmask onsubmit="return false">
  <label>Password <input type="password" name="password"></label><button type="button" id="show">Show</button>
  <label>Card <input name="card" autocomplete="cc-number"></label>
  <label>Note <input name="note"></label>
  <label>Word <input name="word"></label>
</form>
<script>document.querySelector("#show").onclick = () => { document.querySelector("[name=password]").type = "text"; };</script>
</body></html>`;
}

/** The bytes of the database, of its WAL, and of every value in it, gzip inflated. */
function readEverything(folder: string): string {
  const raw = readdirSync(folder).map((name) => readFileSync(join(folder, name)).toString("latin1"));
  const database = new DatabaseSync(join(folder, "store.sqlite"), { readOnly: true });
  const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
  const values = tables.flatMap(({ name }) =>
    database
      .prepare(`SELECT * FROM "${String(name)}"`)
      .all()
      .flatMap((row) => Object.values(row)),
  );
  database.close();
  const blobs = values.filter((value) => value instanceof Uint8Array);
  expect(blobs.length).toBeGreaterThan(0);
  return [...raw, ...values.map(String), ...blobs.map((bytes) => inflateStored(bytes).toString("utf8"))].join("\n");
}
