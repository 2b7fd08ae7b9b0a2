// Run as a process of its own: serves a sentiero over the storage that is named first, on a free port of which it tells
// the parent. The parent may also have it count one document up or settle sessions, as fast as it can, beside what it
// serves.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { toNodeHandler } from "../../adapters/node.ts";
import { HTTPError } from "../../src/errors.ts";
import { createSentiero } from "../../src/index.ts";
import { createUpdater } from "../../src/storage/update.ts";
import { openTestStorage } from "../faults/storage.ts";

/** What the parent may ask; each is answered once. */
export type Question =
  /** Begins to count; answered with 0. */
  | "count"
  /** Begins to settle every session, again and again, whether it has ended or not; answered with 0. */
  | "settle"
  /** Ends counting or settling; answered with how often this process has counted or settled. */
  | "stop"
  /** Answered with what the counter is at, whoever counted. */
  | "total"
  /** Answered with the resident memory of this process, in bytes. */
  | "memory";

/** What the parent is told: first where the server is, then the answers in turn. */
export type Message = { readonly port: number } | { readonly answer: number };

const COUNTER = ["main/items", "counter"] as const;
const COUNTERS_AT_ONCE = 3;

const storage = openTestStorage(process.argv[2]!);
const sentiero = createSentiero({
  storage,
  authorize: () => true,
  // A database that is away or busy is told to the client; anything else is a fault.
  onError: (error) => {
    if (!(error instanceof HTTPError && error.status === 503)) console.error(error);
  },
});
const server = createServer(toNodeHandler(sentiero));
const { documents } = sentiero.store.ports;
const { update } = createUpdater(documents);
let over = new AbortController();
let counting: Promise<number[]> = Promise.resolve([]);

process.on("message", (question: Question) => {
  void answer(question).then((value) => tell({ answer: value }));
});
process.once("SIGTERM", () => void end());
// Without a parent nobody would end this process.
process.once("disconnect", () => process.exit());
server.listen(0, "127.0.0.1", () => tell({ port: (server.address() as AddressInfo).port }));

function tell(message: Message): void {
  process.send!(message);
}

async function answer(question: Question): Promise<number> {
  switch (question) {
    case "count":
      over = new AbortController();
      counting = Promise.all(Array.from({ length: COUNTERS_AT_ONCE }, count));
      return 0;
    case "settle":
      over = new AbortController();
      counting = settleAll().then((times) => [times]);
      return 0;
    case "stop":
      over.abort();
      return (await counting).reduce((sum, times) => sum + times, 0);
    case "total":
      return (await documents.get<number>(...COUNTER))?.doc ?? 0;
    case "memory":
      return process.memoryUsage.rss();
  }
}

async function count(): Promise<number> {
  let times = 0;
  const { signal } = over;
  while (!signal.aborted) {
    try {
      await update<number>(...COUNTER, { apply: (number) => (number ?? 0) + 1 }, () => 1);
      times++;
    } catch (error) {
      // Who has lost too many races has counted nothing, and comes again.
      if (!(error instanceof HTTPError && error.status === 503)) throw error;
      await sleep(Math.random() * 50);
    }
  }
  return times;
}

async function settleAll(): Promise<number> {
  let times = 0;
  const { signal } = over;
  while (!signal.aborted) {
    try {
      const { sessions } = await sentiero.store.sessions.list({ limit: 100 });
      for (const { id } of sessions) if (await sentiero.store.sessions.settle(id)) times++;
    } catch (error) {
      if (!(error instanceof HTTPError && error.status === 503)) throw error;
    }
    // Others have their turn, also where the database is in this process.
    await sleep(Math.random() * 20);
  }
  return times;
}

async function end(): Promise<void> {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeIdleConnections();
  });
  await sentiero.store.close();
  await storage.dispose();
  process.exit();
}
