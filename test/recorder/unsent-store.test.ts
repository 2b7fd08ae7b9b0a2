import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { createUnsentStore, KeptBatch, Unsent } from "../../recorder/unsent-store.ts";
import { describeBrowser, launch } from "../browser/support/browser.ts";

declare const unsent: { createUnsentStore: typeof createUnsentStore };

const DAY_MS = 86_400_000;

let script: string;
let server: Server;
let browser: Browser;
let context: BrowserContext;

beforeAll(async () => {
  const entry = fileURLToPath(new URL("../../recorder/unsent-store.ts", import.meta.url));
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    format: "iife",
    globalName: "unsent",
    write: false,
  });
  script = result.outputFiles[0]!.text;
  server = createServer((_, response) => response.setHeader("content-type", "text/html").end("<title>Page</title>"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  browser = await launch();
});

beforeEach(async () => {
  context = await browser.newContext();
});

afterEach(() => context?.close());

afterAll(async () => {
  await browser?.close();
  server?.close();
});

/** A page with a store, `store` to its scripts. `ageMs` is how far back its clock is. */
async function open(ageMs = 0): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.addScriptTag({ content: script });
  await page.evaluate((age) => {
    const store = unsent.createUnsentStore(
      () => indexedDB,
      () => Date.now() - age,
    );
    Object.assign(window, { store });
  }, ageMs);
  return page;
}

/** Keeps uploads of so many bytes, each of one event, and waits until they are there. */
async function keep(page: Page, ids: readonly string[], { bytes = 10, isFree = true } = {}): Promise<void> {
  await page.evaluate(
    async ({ ids, bytes, isFree }) => {
      const { store } = window as unknown as { store: ReturnType<typeof createUnsentStore> };
      for (const [index, id] of ids.entries()) {
        const gap = { reason: "unload" as const, events: 1, from: index + 1, to: index + 1 };
        store.keep([{ id, body: new Uint8Array(bytes).fill(index), gaps: [gap] }], isFree);
        // Another millisecond: the order is by time.
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
    { ids, bytes, isFree },
  );
  await take(page, "nothing");
}

/** What a page takes; bodies as lists of numbers. With "nothing" it only waits for what was begun before. */
async function take(page: Page, what: "all" | "nothing" = "all"): Promise<Unsent> {
  return page.evaluate(async (what) => {
    const { store } = window as unknown as { store: ReturnType<typeof createUnsentStore> };
    if (what === "nothing") {
      const request = indexedDB.open("sentiero_unsent");
      const database = await new Promise<IDBDatabase>((resolve) => (request.onsuccess = () => resolve(request.result)));
      const transaction = database.transaction("rows", "readwrite");
      await new Promise((resolve) => (transaction.objectStore("rows").count().onsuccess = resolve));
      database.close();
      return { batches: [], gaps: [], ids: [] };
    }
    const { batches, gaps, ids } = await store.take();
    const plain = batches.map((batch) => ({ ...batch, body: [...(batch.body as Uint8Array)].slice(0, 20) }));
    return { batches: plain as unknown as KeptBatch[], gaps, ids };
  }, what);
}

const idsOf = ({ batches }: Unsent): string[] => batches.map(({ id }) => id);

describeBrowser("the store of unsent uploads", () => {
  it("gives a later page what an earlier one has left, byte for byte, oldest first", async () => {
    const first = await open();
    await keep(first, ["b/0", "a/1"], { bytes: 3 });
    await first.close();
    const second = await open();
    expect(await take(second)).toEqual({
      batches: [
        { id: "b/0", body: [0, 0, 0], gaps: [{ reason: "unload", events: 1, from: 1, to: 1 }] },
        { id: "a/1", body: [1, 1, 1], gaps: [{ reason: "unload", events: 1, from: 2, to: 2 }] },
      ],
      gaps: [],
      ids: ["b/0", "a/1"],
    });
  });

  it("gives each upload to one page, and keeps it until it is removed", async () => {
    const first = await open();
    await keep(first, ["a/0", "a/1", "a/2"]);
    const [one, other] = [await open(), await open()];
    const taken = await Promise.all([take(one), take(other)]);
    expect(taken.flatMap(idsOf).toSorted()).toEqual(["a/0", "a/1", "a/2"]);
    await one.evaluate("store.remove('a/0')");
    await other.evaluate("store.remove('a/0')");
    // Their pages are gone without a word; after five minutes the next one has them.
    const later = await open(-300_001);
    const left = taken[0].batches.length > 0 ? ["a/1", "a/2"] : ["a/0", "a/1", "a/2"].slice(1);
    expect(idsOf(await take(later))).toEqual(left);
  });

  it("leaves to a page what it still tries to send itself", async () => {
    const first = await open();
    await keep(first, ["a/0"], { isFree: false });
    const second = await open();
    const before = await take(second);
    expect(before).toEqual({ batches: [], gaps: [], ids: ["a/0"] });
    await keep(first, ["a/0"], { isFree: true });
    expect(idsOf(await take(second))).toEqual(["a/0"]);
  });

  it("holds fifty uploads, and declares the oldest that give way", async () => {
    const first = await open();
    await keep(
      first,
      Array.from({ length: 53 }, (_, n) => `a/${n}`),
    );
    const { batches, gaps, ids } = await take(await open());
    expect(ids).toEqual(expect.arrayContaining(["a/0", "a/1", "a/2", "a/3"]));
    expect(batches.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, n) => `a/${n + 3}`));
    expect(gaps).toEqual([{ reason: "overflow", events: 3, from: 1, to: 3 }]);
  });

  it("lets what gives way keep the names of its uploads, the newest sixteen", async () => {
    const first = await open();
    await first.evaluate(() => {
      const { store } = window as unknown as { store: ReturnType<typeof createUnsentStore> };
      for (let seq = 0; seq < 70; seq++) {
        const gap = { reason: "unload" as const, events: 1, from: seq + 1, to: seq + 1, run: "a", seq };
        store.keep([{ id: `a/${String(seq).padStart(2, "0")}`, body: new Uint8Array(10), gaps: [gap] }], true);
      }
    });
    await take(first, "nothing");
    const { batches, gaps } = await take(await open());
    expect(batches).toHaveLength(50);
    expect(gaps).toHaveLength(17);
    const [joined, ...named] = gaps;
    expect(joined).toEqual({ reason: "overflow", events: 4, from: 1, to: 4 });
    expect(named).toEqual(
      Array.from({ length: 16 }, (_, n) => ({
        reason: "overflow",
        events: 1,
        from: n + 5,
        to: n + 5,
        run: "a",
        seq: n + 4,
      })),
    );
  });

  it("holds four megabytes", async () => {
    const first = await open();
    await keep(first, ["a/0", "a/1", "a/2", "a/3", "a/4"], { bytes: 900_000 });
    const { batches, gaps } = await take(await open());
    expect(batches.map(({ id }) => id)).toEqual(["a/1", "a/2", "a/3", "a/4"]);
    expect(gaps).toEqual([{ reason: "overflow", events: 1, from: 1, to: 1 }]);
  });

  it("declares what is older than a day, once", async () => {
    await keep(await open(DAY_MS + 1_000), ["a/0"]);
    await keep(await open(DAY_MS - 60_000), ["a/1"]);
    const page = await open();
    const { batches, gaps } = await take(page);
    expect(batches.map(({ id }) => id)).toEqual(["a/1"]);
    expect(gaps).toEqual([{ reason: "unload", events: 1, from: 1, to: 1 }]);
    expect((await take(await open())).gaps).toEqual([]);
  });

  it("does not make an upload younger by keeping it again", async () => {
    await keep(await open(DAY_MS - 60_000), ["a/0"]);
    const page = await open();
    expect(idsOf(await take(page))).toEqual(["a/0"]);
    await keep(page, ["a/0"], { bytes: 20 });
    const later = await open(-120_000);
    expect(await take(later)).toMatchObject({ batches: [], gaps: [{ reason: "unload", events: 1 }] });
  });

  it("does not declare what another page has sent and removed meanwhile", async () => {
    const first = await open();
    await keep(first, ["a/0"]);
    const second = await open();
    expect(idsOf(await take(second))).toEqual(["a/0"]);
    await second.evaluate("store.remove('a/0')");
    await keep(first, ["a/0"]);
    expect(await take(await open())).toMatchObject({ batches: [], gaps: [], ids: ["a/0"] });
    expect(await take(await open(-DAY_MS * 2))).toEqual({ batches: [], gaps: [], ids: [] });
  });

  it("is deleted with all that other pages keep, and nothing is kept after that", async () => {
    const [one, other] = [await open(), await open()];
    await keep(one, ["a/0"]);
    await keep(other, ["b/0"]);
    await one.evaluate("store.clear(); store.keep([{ id: 'a/1', body: 'x', gaps: [] }], true)");
    await expect.poll(() => one.evaluate("indexedDB.databases().then((all) => all.length)")).toBe(0);
    // The other page's connection is closed; it goes on without.
    await other.evaluate("store.keep([{ id: 'b/1', body: 'x', gaps: [] }], true); store.remove('b/0')");
    expect(await take(await open())).toEqual({ batches: [], gaps: [], ids: [] });
  });

  it("is empty, and quiet, where the browser refuses a database or never answers", async () => {
    const page = await open();
    const problems: string[] = [];
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    const found = await page.evaluate(async () => {
      const factories = [
        () => {
          throw new DOMException("denied", "SecurityError");
        },
        () => undefined as unknown as IDBFactory,
        () => ({ open: () => new EventTarget(), deleteDatabase: () => {} }) as unknown as IDBFactory,
        // A newer version of it: the browser refuses to open an older one.
        () => ({ open: (name: string) => indexedDB.open(name, 0.5 as number) }) as unknown as IDBFactory,
      ];
      return Promise.all(
        factories.map(async (factory) => {
          const store = unsent.createUnsentStore(factory);
          store.keep([{ id: "a/0", body: "x", gaps: [] }], true);
          store.remove("a/0");
          const result = await store.take();
          store.clear();
          return result;
        }),
      );
    });
    expect(found).toEqual(Array.from({ length: 4 }, () => ({ batches: [], gaps: [], ids: [] })));
    expect(problems).toEqual([]);
  });
});
