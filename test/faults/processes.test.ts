import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "undici";
import { afterEach, describe, expect, inject, it } from "vitest";
import type { BatchList, RecordedEvent, SessionAnswer } from "../../src/index.ts";
import type { MaintenanceAnswer } from "../../src/types.ts";
import { backends, IS_SOAK } from "./backends.ts";
import { killServers, serveStore, type StoreServer } from "./store-server.ts";
import { addBatch, createRandom, createTab, createTabs, post, read, type Sent, type Tab, type Target } from "./tabs.ts";

const PROCESSES = 4;
const TABS = 4;

/**
 * Tabs of each session that have sent one batch before: they make its document so long that rows move to index pages
 * many times in a short run, not once or twice.
 */
const EARLIER_TABS = 56;

/** Batches that are chosen from at random: they overtake each other by about so many places. */
const DISORDER = 12;

/** Clients that send at once, whichever batch is next: several a process and session, so that their writes are joined. */
const CLIENTS = 24;

/**
 * How many batches are sent a second time, mostly while the first is still under way, and half of those to the process
 * that has the first: what two processes do is decided by the database, what one joins only by us.
 */
const DUPLICATES = 0.5;

/** How many batches are large; more would only measure how fast they are inflated. */
const LARGE = 0.01;

const LOAD_MS = IS_SOAK ? 30_000 : 2_500;

afterEach(killServers);

for (const { name, isThere, missing, create } of backends) {
  describe.skipIf(!isThere)(`${PROCESSES} processes on one store, on ${name}${missing}`, () => {
    it("keep every batch once and count exactly, whichever process gets it, twice or out of order", async () => {
      const store = await create();
      try {
        const starting = Array.from({ length: PROCESSES }, () => serveStore(store.storage));
        await writeTogether(await Promise.all(starting), () => serveStore(store.storage));
      } finally {
        await killServers();
        await store.remove();
      }
    }, 300_000);
  });
}

async function writeTogether(servers: readonly StoreServer[], start: () => Promise<StoreServer>): Promise<void> {
  const random = createRandom(inject("seed"));
  const agent = new Agent({ connections: CLIENTS });
  const targets = servers.map(({ url }): Target => ({ url, agent }));
  // Two tabs share a session, and every tab is spread over all processes.
  const active = createTabs("visit", TABS, random);
  const earlier = active.flatMap(({ sessionId }, index) =>
    Array.from({ length: EARLIER_TABS / 2 }, (_, tab) =>
      createTab(sessionId, TABS + index * EARLIER_TABS + tab, random),
    ),
  );
  const tabs = [...active, ...earlier];
  for (const tab of earlier) {
    const first = addBatch(tab, random, 0);
    first.isAnswered = (await post(targets[0]!, first.body)).status === 200;
  }
  await Promise.all(servers.map((server) => server.ask("count")));
  await sendAll(targets, active, random);
  const counted = await Promise.all(servers.map((server) => server.ask("stop")));

  expect(counted.every((times) => times > 0)).toBe(true);
  const total = counted.reduce((sum, times) => sum + times, 0);
  for (const server of servers) expect(await server.ask("total")).toBe(total);
  for (const [index, tab] of tabs.entries()) await checkExactly(targets[index % PROCESSES]!, tab, tabs);

  // What a process has counted of the day's usage it writes down at its end.
  for (const server of servers) server.signal("SIGTERM");
  const [last, ...ends] = await Promise.all([start(), ...servers.map(({ ended }) => ended)]);
  expect(ends).toEqual(servers.map(() => ({ signal: null, stderr: "" })));
  const { value } = await read<MaintenanceAnswer>({ url: last.url, agent }, "/maintenance");
  expect(value.usage.total).toMatchObject({ sessions: TABS / 2, events: eventsOf(tabs.flatMap(({ sent }) => sent)) });
  await agent.destroy();
}

/** Sends batches of all tabs for a while, each to any process, some to two. Ends when all are answered. */
async function sendAll(targets: readonly Target[], tabs: readonly Tab[], random: () => number): Promise<void> {
  const until = performance.now() + LOAD_MS;
  const any = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
  const waiting: Sent[] = [];

  async function send(one: Sent, first = any(targets)): Promise<void> {
    for (let target = first; ; target = any(targets)) {
      const { status, retryAfter } = await post(target, one.body);
      if (status === 200) break;
      // Who has lost too many races is asked to come again, and does so sooner than asked.
      expect({ status, isAsked: retryAfter !== null }).toEqual({ status: 503, isAsked: true });
      await sleep(random() * 100);
    }
    one.isAnswered = true;
  }

  async function work(): Promise<void> {
    for (;;) {
      while (waiting.length < DISORDER && performance.now() < until) waiting.push(addBatch(any(tabs), random, LARGE));
      const [next] = waiting.splice(Math.floor(random() * waiting.length), 1);
      if (!next) break;
      const target = any(targets);
      const again = random() < DUPLICATES ? [send(next, random() < 0.5 ? target : any(targets))] : [];
      await Promise.all([send(next, target), ...again]);
      if (random() < DUPLICATES / 10) await send(any(any(tabs.filter(({ sent }) => sent.length > 0)).sent));
    }
  }

  await Promise.all(Array.from({ length: CLIENTS }, work));
}

/** All that was sent is there, once and in order; every count of it is right. */
async function checkExactly(target: Target, { sessionId, windowId, run, sent }: Tab, tabs: readonly Tab[]) {
  expect(sent.every(({ isAnswered }) => isAnswered)).toBe(true);
  const window = `/sessions/${sessionId}/windows/${windowId}`;
  const { batches } = (await read<BatchList>(target, `${window}/batches`)).value;
  const expected = sent.map(({ batch }, seq) => ({ run, seq, eventCount: batch.events.length, isConflict: false }));
  expect(batches.map(({ run, seq, eventCount, isConflict }) => ({ run, seq, eventCount, isConflict }))).toEqual(
    expected,
  );
  // As one text: the difference of two lists of this size takes a test runner minutes to print.
  const events = (await read<RecordedEvent[]>(target, `${window}/events`)).value;
  expect(JSON.stringify(events) === JSON.stringify(sent.flatMap(({ batch }) => batch.events))).toBe(true);

  const { session } = (await read<SessionAnswer>(target, `/sessions/${sessionId}`)).value;
  expect(session.windows.find(({ id }) => id === windowId)).toMatchObject({
    batchCount: sent.length,
    eventCount: eventsOf(sent),
    missing: [],
    conflictCount: 0,
  });
  const ofSession = tabs.filter((tab) => tab.sessionId === sessionId);
  expect(session.eventCount).toBe(eventsOf(ofSession.flatMap((tab) => tab.sent)));
}

function eventsOf(sent: readonly Sent[]): number {
  return sent.reduce((sum, { batch }) => sum + batch.events.length, 0);
}
