import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { afterEach, describe, expect, inject, it } from "vitest";
import { killAll, serve } from "../cli/cli.ts";
import { backends, IS_SOAK } from "./backends.ts";
import { killServers, serveStore } from "./store-server.ts";
import { check, createRandom, createTabs, sendAgain, sendNext, type Tab } from "./tabs.ts";

const TABS = 6;

/** How long batches stream in before the server is killed. */
const STREAM_MS = { least: 60, most: 500 };

/** What is killed: the command, or a process over a store. */
interface Server {
  readonly url: string;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<{ readonly signal: NodeJS.Signals | null }>;
}

afterEach(async () => {
  await killAll();
  await killServers();
});

for (const { name, isThere, missing, create } of backends) {
  // A kill in the middle of a write is the most dangerous where the database is in the process that is killed.
  const rounds = IS_SOAK ? 50 : name === "SQLite" ? 10 : 4;
  const start = (storage: string): Promise<Server> =>
    name === "SQLite" ? serve(["--storage", storage, "--insecure-dashboard"]) : serveStore(storage);

  describe.skipIf(!isThere)(`kills of the server, on ${name}${missing}`, () => {
    it(`keeps every batch that was answered 200 through ${rounds} kills, and keeps none twice`, async () => {
      const store = await create();
      try {
        await killRepeatedly(() => start(store.storage), rounds);
      } finally {
        await killAll();
        await killServers();
        await store.remove();
      }
    }, 1_200_000);
  });
}

async function killRepeatedly(start: () => Promise<Server>, rounds: number): Promise<void> {
  const random = createRandom(inject("seed"));
  const all: Tab[] = [];
  let current: Tab[] = [];

  let server = await start();
  for (let round = 0; round < rounds; round++) {
    // In every other round visits go on where the kill cut them off; else new ones begin, so that first batches are hit too.
    if (round % 2 === 0) all.push(...(current = createTabs(`visit-${round}`, TABS, random)));
    const { url } = server;
    const clients = current.map((tab) => stream(url, tab, random));
    await sleep(STREAM_MS.least + random() * (STREAM_MS.most - STREAM_MS.least));
    server.signal("SIGKILL");
    expect((await server.ended).signal).toBe("SIGKILL");
    await Promise.all(clients);

    server = await start();
    const agent = new Agent({ connections: TABS });
    const target = { url: server.url, agent };
    for (const tab of all) await check(target, tab);
    if (round === rounds - 1) {
      await sendAgain(target, all);
      for (const tab of all) await check(target, tab);
    }
    await agent.destroy();
  }
  const answered = all.flatMap(({ sent }) => sent.filter(({ isAnswered }) => isAnswered)).length;
  // Fewer would prove little: the kills would have come before the batches.
  expect(answered).toBeGreaterThan(rounds * TABS);
}

/** Sends one batch after the other, as a recorder does, until the server is gone. */
async function stream(url: string, tab: Tab, random: () => number): Promise<void> {
  const agent = new Agent({ connections: 1 });
  for (;;) {
    // The kill comes before an answer or in the middle of one.
    const answer = await sendNext({ url, agent }, tab, random).catch(() => null);
    if (!answer) break;
    expect(answer.status).toBe(200);
  }
  await agent.destroy();
}
