import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { toNodeHandler } from "../../adapters/node.ts";
import { openStorage } from "../../src/cli/storage.ts";
import { createSentiero } from "../../src/index.ts";
import { batch } from "../support/sentiero.ts";
import { temporaryFolder } from "../support/stores.ts";
import { countTurns } from "../support/turns.ts";

/** What lies in the file beside the session that is erased, and is written anew. */
const BLOBS = 600;
const BLOB_BYTES = 100_000;

test("a server over SQLite goes on answering while the file is written anew after an erasure", async () => {
  const storage = await openStorage(`sqlite:${temporaryFolder()}/data.sqlite`);
  const sentiero = createSentiero({ storage, authorize: () => true, maintenance: false });
  const server = createServer(toNodeHandler(sentiero)).listen(0, "127.0.0.1");
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await sentiero.store.close();
    await storage.dispose();
  });
  await new Promise((resolve) => server.once("listening", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/sentiero`;
  const post = (sessionId: string) =>
    fetch(`${url}/events`, { method: "POST", body: JSON.stringify(batch({ sessionId })) });

  const { blobs } = sentiero.store.ports;
  const bytes = new Uint8Array(BLOB_BYTES).fill(7);
  for (let at = 0; at < BLOBS; at += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, index) => blobs.create(`other:main:x:${at + index}`, bytes)));
  }
  expect((await post("erased")).status).toBe(200);

  // What the adapter gave is used, and watched.
  const { runSqlite } = sentiero.platform;
  let isRunning = false;
  let turns = 0;
  sentiero.platform.runSqlite = async (file, sql) => {
    const count = countTurns();
    isRunning = true;
    try {
      await runSqlite!(file, sql);
    } finally {
      isRunning = false;
      turns = count();
    }
  };

  const over = new AbortController();
  const erased = fetch(`${url}/api/sessions/erased`, { method: "DELETE" }).finally(() => over.abort());
  let readMeanwhile = 0;
  const read = async () => {
    while (!over.signal.aborted) {
      const wasRunning = isRunning;
      const response = await fetch(`${url}/api/sessions`);
      await response.arrayBuffer();
      expect(response.status).toBe(200);
      if (wasRunning && isRunning) readMeanwhile++;
    }
  };
  const writes: Response[] = [];
  const write = async () => {
    for (let index = 0; !over.signal.aborted; index++) writes.push(await post(`other-${index}`));
  };
  await Promise.all([read(), write(), erased]);

  expect((await erased).status).toBe(204);
  expect(readMeanwhile).toBeGreaterThan(0);
  expect(turns).toBeGreaterThan(50);
  // A write waits for its turn, and is told to come back where that takes too long.
  const refused = writes.filter(({ status }) => status !== 200);
  expect(refused.map(({ status, headers }) => [status, headers.get("retry-after")])).toEqual(
    refused.map(() => [503, "2"]),
  );
  expect((await post("later")).status).toBe(200);
});
