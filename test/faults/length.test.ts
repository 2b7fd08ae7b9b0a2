import { Agent } from "undici";
import { afterEach, describe, expect, inject, it } from "vitest";
import { quantile } from "../../bench/figures.ts";
import { createSentiero, type BatchList, type SessionAnswer } from "../../src/index.ts";
import { MAX_DOCUMENT_LENGTH, MAX_SEQ } from "../../src/sessions/document.ts";
import { backends, IS_SOAK } from "./backends.ts";
import { openTestStorage } from "./storage.ts";
import { killServers, serveStore } from "./store-server.ts";
import { addBatch, createRandom, createTab, post, read } from "./tabs.ts";

/** The long form fills a session to its bound. */
const BATCHES = IS_SOAK ? MAX_SEQ + 1 : 600;

/** A batch at the end takes at most so many times what one near the beginning does (99th percentiles). */
const MAX_GROWTH = 2;

afterEach(killServers);

describe("length of a session", () => {
  it(`keeps a session of ${BATCHES} batches in a small document${IS_SOAK ? ", as fast at the end" : ""}`, async () => {
    const store = await backends.find(({ name }) => name === "SQLite")!.create();
    const storage = openTestStorage(store.storage);
    const sentiero = createSentiero({ storage, authorize: () => true, maintenance: false });
    try {
      const { documents } = sentiero.store.ports;
      await grow(store.storage, async (id) => JSON.stringify((await documents.get("main/sessions", id))?.doc).length);
    } finally {
      await killServers();
      await sentiero.store.close();
      await storage.dispose();
      await store.remove();
    }
  }, 3_600_000);
});

async function grow(storage: string, readLength: (id: string) => Promise<number>): Promise<void> {
  const random = createRandom(inject("seed"));
  const server = await serveStore(storage);
  const agent = new Agent({ connections: 1 });
  const target = { url: server.url, agent };
  const tab = createTab("visit", 0, random);
  const path = `/sessions/${tab.sessionId}`;
  const times = new Float64Array(BATCHES);
  const lengths: number[] = [];
  let events = 0;
  for (let seq = 0; seq < BATCHES; seq++) {
    const { batch, body } = addBatch(tab, random, 0);
    const begin = performance.now();
    const { status } = await post(target, body);
    times[seq] = performance.now() - begin;
    expect(status).toBe(200);
    events += batch.events.length;
    // At different places between two pages of its index.
    if (seq % 97 === 0) lengths.push(await readLength(tab.sessionId));
  }
  lengths.push(await readLength(tab.sessionId));

  expect(Math.max(...lengths)).toBeLessThan(MAX_DOCUMENT_LENGTH);
  const { session } = (await read<SessionAnswer>(target, path)).value;
  expect(session.eventCount).toBe(events);
  const { batches } = (await read<BatchList>(target, `${path}/windows/${tab.windowId}/batches`)).value;
  expect(batches.length).toBe(BATCHES);
  expect(batches.every(({ seq }, index) => seq === index)).toBe(true);
  await agent.destroy();

  if (!IS_SOAK) return;
  const tenth = (index: number) => times.subarray((index * BATCHES) / 10, ((index + 1) * BATCHES) / 10);
  const row = (share: number) =>
    Array.from({ length: 10 }, (_, index) => quantile(tenth(index), share).toFixed(2)).join(" ");
  console.log(`document at most ${Math.max(...lengths)} characters; ms by tenth: p50 ${row(0.5)}; p99 ${row(0.99)}`);
  expect(quantile(tenth(9), 0.99) / quantile(tenth(1), 0.99)).toBeLessThan(MAX_GROWTH);
}
