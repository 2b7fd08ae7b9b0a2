import { describe, expect, test } from "vitest";
import { HTTPError } from "../../src/errors.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import { createUpdater, type Change } from "../../src/storage/update.ts";
import { intercept } from "../support/stores.ts";

interface Counter {
  readonly n: number;
}

const increment: Change<Counter> = { apply: (doc) => ({ n: (doc?.n ?? 0) + 1 }) };
const score = () => 1;

/** Documents in memory that count their puts and may lose them. */
function createCountedDocuments(isLost: (put: number) => boolean = () => false) {
  const counts = { puts: 0, gets: 0 };
  const memory = createMemoryDocuments();
  const documents = intercept(memory, (name, args, call) => {
    if (name === "get") counts.gets++;
    if (name === "put" && isLost(++counts.puts)) return Promise.resolve(false);
    return call();
  });
  return { documents, memory, counts };
}

describe("the updater", () => {
  test("joins sixteen changes at once into at most three puts, and loses none", async () => {
    const { documents, counts } = createCountedDocuments();
    const { update } = createUpdater(documents);
    const docs = await Promise.all(Array.from({ length: 16 }, () => update("c", "a", increment, score)));
    expect((await documents.get<Counter>("c", "a"))?.doc).toEqual({ n: 16 });
    expect(counts.puts).toBeLessThanOrEqual(3);
    // Each caller gets the document of the put that holds its change.
    expect(docs.every((doc, index) => doc!.n > index - 1 && doc!.n <= 16)).toBe(true);
  });

  test("puts each change by itself where no request may wait for another's work, and loses none", async () => {
    const { documents, counts } = createCountedDocuments();
    const { update } = createUpdater(documents, undefined, { isolatesRequests: true });
    await Promise.all(Array.from({ length: 4 }, () => update("c", "a", increment, score)));
    expect((await documents.get<Counter>("c", "a"))?.doc).toEqual({ n: 4 });
    expect(counts.puts).toBeGreaterThanOrEqual(4);
  });

  test("has, where requests are isolated, no one wait for a put that never ends", async () => {
    let puts = 0;
    const documents = intercept(createMemoryDocuments(), (name, _args, call) =>
      name === "put" && ++puts === 1 ? new Promise(() => {}) : call(),
    );
    const { update } = createUpdater(documents, undefined, { isolatesRequests: true });
    void update("c", "a", increment, score);
    expect(await update("c", "a", increment, score)).toEqual({ n: 1 });
  });

  test("joins what arrives while a put is in flight", async () => {
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    let puts = 0;
    const documents = intercept(createMemoryDocuments(), async (name, _args, call) => {
      if (name === "put" && ++puts === 1) await gate;
      return call();
    });
    const { update } = createUpdater(documents);
    const first = update("c", "a", increment, score);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const rest = Promise.all(Array.from({ length: 10 }, () => update("c", "a", increment, score)));
    release();
    expect(await first).toEqual({ n: 1 });
    expect((await rest).map((doc) => doc?.n)).toEqual(Array(10).fill(11));
    expect(puts).toBe(2);
  });

  test("goes on after a lost race with the newer document", async () => {
    const memory = createMemoryDocuments();
    let lost = 0;
    const documents = intercept(memory, async (name, _args, call) => {
      if (name === "put" && lost < 3) {
        lost++;
        const stored = await memory.get<Counter>("c", "a");
        const doc = { n: (stored?.doc.n ?? 0) + 100 };
        await memory.put("c", "a", doc, { score: 1, expectedVersion: stored?.version ?? 0 });
      }
      return call();
    });
    expect(await createUpdater(documents).update("c", "a", increment, score)).toEqual({ n: 301 });
  });

  test("two processes lose no change of one document", async () => {
    const memory = createMemoryDocuments();
    // Each process has an updater of its own; reads and writes take a turn, so that they meet.
    const slow = () =>
      intercept(memory, async (_name, _args, call) => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return call();
      });
    const updaters = [createUpdater(slow()), createUpdater(slow())];
    await Promise.all(
      Array.from({ length: 40 }, (_, index) => updaters[index % 2]!.update("c", "a", increment, score)),
    );
    expect((await memory.get<Counter>("c", "a"))?.doc).toEqual({ n: 40 });
  });

  test("tells a throwing change alone, and keeps the others", async () => {
    const { documents } = createCountedDocuments();
    const { update } = createUpdater(documents);
    const settled = await Promise.allSettled([
      update("c", "a", increment, score),
      update("c", "a", increment, score),
      update<Counter>("c", "a", { apply: () => Promise.reject(new HTTPError(409, "rotate")) }, score),
      update<Counter>(
        "c",
        "a",
        {
          apply: () => {
            throw new HTTPError(410, "gone");
          },
        },
        score,
      ),
      update("c", "a", increment, score),
    ]);
    expect(settled.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    expect((await documents.get<Counter>("c", "a"))?.doc).toEqual({ n: 3 });
    expect(await update("c", "a", increment, score)).toEqual({ n: 4 });
  });

  test("writes nothing when nothing is to change", async () => {
    const { documents, counts } = createCountedDocuments();
    const { update } = createUpdater(documents);
    expect(await update<Counter>("c", "a", { apply: () => undefined }, score)).toBeNull();
    await update("c", "a", increment, score);
    expect(await update<Counter>("c", "a", { apply: () => undefined }, score)).toEqual({ n: 1 });
    expect(counts.puts).toBe(1);
  });

  test("gives up after eight lost races with 503 and Retry-After, and takes the next change", async () => {
    const { documents, counts } = createCountedDocuments((put) => put <= 8);
    const { update } = createUpdater(documents);
    await expect(update("c", "a", increment, score)).rejects.toMatchObject({
      status: 503,
      headers: { "retry-after": "1" },
    });
    expect(counts.puts).toBe(8);
    expect(await update("c", "a", increment, score)).toEqual({ n: 1 });
  });

  test("passes a failing store on to every waiting caller, and works again afterwards", async () => {
    let isDown = true;
    const documents = intercept(createMemoryDocuments(), (name, _args, call) =>
      name === "get" && isDown ? Promise.reject(new Error("storage is down")) : call(),
    );
    const { update } = createUpdater(documents);
    const settled = await Promise.allSettled([1, 2, 3].map(() => update("c", "a", increment, score)));
    expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    isDown = false;
    expect(await update("c", "a", increment, score)).toEqual({ n: 1 });
  });

  test("does not let one document wait for another", async () => {
    const documents = intercept(createMemoryDocuments(), (name, args, call) =>
      name === "put" && args[1] === "stuck" ? new Promise(() => {}) : call(),
    );
    const { update } = createUpdater(documents);
    void update("c", "stuck", increment, score);
    expect(await update("c", "a", increment, score)).toEqual({ n: 1 });
    expect(await update("d", "stuck-not", increment, score)).toEqual({ n: 1 });
  });

  test("keeps the score that was there where the change keeps it", async () => {
    const { documents } = createCountedDocuments();
    const { update } = createUpdater(documents);
    const keep = (_doc: Counter, previous: number | null) => previous ?? 5;
    await update("c", "a", increment, keep);
    await update("c", "a", increment, keep);
    expect((await documents.get("c", "a"))?.score).toBe(5);
  });
});
