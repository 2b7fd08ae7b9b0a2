import { Agent } from "undici";
import { afterEach, describe, expect, inject, it } from "vitest";
import type { MaintenanceAnswer, SessionList } from "../../src/types.ts";
import { median } from "../../bench/figures.ts";
import { backends, IS_SOAK } from "./backends.ts";
import { killServers, serveStore } from "./store-server.ts";
import { addBatch, createRandom, createTab, post, read, type Target } from "./tabs.ts";

const BATCHES = IS_SOAK ? 100_000 : 5_000;
const BATCHES_PER_SESSION = 20;
const CLIENTS = 8;

/** How far the median of the last tenth may lie from that of the second, in which everything has been used once. */
const MAX_DRIFT = 0.2;

/**
 * V8 makes its young generation larger once, by 66 MB, after some ten thousand batches, and keeps it so. What is looked for
 * is what grows with what passes, so the young generation stays as it begins.
 */
const NODE_OPTIONS = ["--max-semi-space-size=16"];

afterEach(killServers);

describe("memory of a server", () => {
  const title = IS_SOAK ? ", in memory that does not grow" : "";
  it(`takes ${BATCHES} batches into SQLite and counts them exactly${title}`, async () => {
    const store = await backends.find(({ name }) => name === "SQLite")!.create();
    try {
      await fill(store.storage);
    } finally {
      await killServers();
      await store.remove();
    }
  }, 3_600_000);
});

async function fill(storage: string): Promise<void> {
  const random = createRandom(inject("seed"));
  const server = await serveStore(storage, NODE_OPTIONS);
  const agent = new Agent({ connections: CLIENTS });
  const target: Target = { url: server.url, agent };
  const samples: number[] = [];
  let begun = 0;
  let answered = 0;
  let events = 0;

  async function work(): Promise<void> {
    while (begun < BATCHES) {
      begun += BATCHES_PER_SESSION;
      const tab = createTab(`visit-${begun}`, 0, random);
      for (let count = 0; count < BATCHES_PER_SESSION; count++) {
        const { batch, body } = addBatch(tab, random, 0);
        expect((await post(target, body)).status).toBe(200);
        events += batch.events.length;
        // Asked for in turn: answers of a process carry no name.
        if (++answered % (BATCHES / 500) === 0)
          asked = asked.then(async () => void samples.push(await server.ask("memory")));
      }
    }
  }

  let asked = Promise.resolve();
  await Promise.all(Array.from({ length: CLIENTS }, work));
  await asked;

  expect(await countListed(target)).toEqual({ sessions: BATCHES / BATCHES_PER_SESSION, events });
  // What a process has counted of the day's usage it writes down at its end.
  server.signal("SIGTERM");
  expect(await server.ended).toEqual({ signal: null, stderr: "" });
  const { url } = await serveStore(storage);
  const { value } = await read<MaintenanceAnswer>({ url, agent }, "/maintenance");
  expect(value.usage.total).toMatchObject({ sessions: BATCHES / BATCHES_PER_SESSION, events });
  await agent.destroy();

  const tenths = Array.from({ length: 10 }, (_, tenth) => median(samples.slice(tenth * 50, (tenth + 1) * 50)));
  if (!IS_SOAK) return;
  console.log(`resident memory by tenth, MB: ${tenths.map((bytes) => (bytes / 1e6).toFixed(0)).join(" ")}`);
  expect(Math.abs(tenths[9]! / tenths[1]! - 1)).toBeLessThan(MAX_DRIFT);
}

/** What the pages of the list say, all together. */
async function countListed(target: Target): Promise<{ sessions: number; events: number }> {
  const ids = new Set<string>();
  let events = 0;
  let after = "";
  for (;;) {
    const { value } = await read<SessionList>(target, `/sessions?limit=100${after}`);
    for (const { id, eventCount } of value.sessions) {
      ids.add(id);
      events += eventCount;
    }
    if (value.cursor === null) return { sessions: ids.size, events };
    after = `&cursor=${encodeURIComponent(value.cursor)}`;
  }
}
