import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { randomBytes } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished, describe, expect, test } from "vitest";
import { nodePlatform } from "../../adapters/node.ts";
import { openStorage } from "../../src/cli/storage.ts";
import { createSentiero, type Codec, type SentieroOptions } from "../../src/index.ts";
import { inflateStored } from "../support/inflate.ts";
import { api, batch, post } from "../support/sentiero.ts";
import { temporaryFolder } from "../support/stores.ts";

const START = 1_800_000_000_000;
const CANARY = "CANARY-ada-lovelace-1815";

/** A sentiero over a SQLite file whose bytes can be looked at. */
async function open(options: Partial<SentieroOptions> = {}) {
  let now = START;
  const file = join(temporaryFolder(), "erase.sqlite");
  const storage = await openStorage(`sqlite:${file}`);
  const sentiero = createSentiero({
    storage,
    authorize: () => true,
    maintenance: false,
    clock: () => now,
    platform: nodePlatform,
    ...options,
  } as SentieroOptions);
  onTestFinished(async () => {
    await sentiero.store.close();
    await storage.dispose();
  });
  const raw = () =>
    [file, `${file}-wal`, `${file}-shm`].map((name) => (existsSync(name) ? readFileSync(name) : Buffer.alloc(0)));
  /** Blobs as they lie in the table. */
  const blobs = () => {
    const reader = new DatabaseSync(file, { readOnly: true });
    const rows = reader.prepare("SELECT key, bytes FROM sentiero_blobs").all() as { key: string; bytes: Uint8Array }[];
    reader.close();
    return rows;
  };
  return { sentiero, raw, blobs, later: (ms: number) => (now += ms) };
}

/** Batches of a person, with canaries in the events, the address, the metadata and the id. */
function personal(seq: number, sessionId = `${CANARY}-session`) {
  const noise = randomBytes(2_000).toString("hex");
  const events = [
    { type: 4, data: { href: `https://a.example/${CANARY}`, width: 1, height: 1 }, timestamp: START + seq },
    { type: 3, data: { text: `${CANARY} ${noise}` }, timestamp: START + seq },
  ];
  return gzipSync(
    JSON.stringify(batch({ sessionId, run: "a".repeat(24), seq, metadata: { userId: CANARY, name: CANARY }, events })),
  );
}

function finds(pieces: readonly Buffer[], needle: Buffer | string): boolean {
  return pieces.some((piece) => piece.includes(needle));
}

describe("erasing a person on SQLite", () => {
  test.each([
    ["by a job, with settled and fresh sessions and index pages", "job"],
    ["by deleting the session", "delete"],
  ])("%s leaves nothing in the file, its free pages and its log", async (_, way) => {
    const { sentiero, raw, blobs, later } = await open();
    for (let seq = 0; seq < 140; seq++) await post(sentiero, personal(seq));
    await post(sentiero, personal(0, "bystander").subarray());
    later(3_600_000);
    await sentiero.store.sessions.settle(`${CANARY}-session`);
    for (let seq = 140; seq < 145; seq++) await post(sentiero, personal(seq));

    const own = blobs().filter(({ key }) => !key.includes("bystander"));
    const inflated = own.map(({ bytes }) => inflateStored(bytes));
    expect(finds(inflated, CANARY)).toBe(true);
    expect(finds(raw(), CANARY)).toBe(true);
    // What is compressed can't be searched by words: pieces from the middle of each blob stand for it.
    const pieces = own.map(({ bytes }) => Buffer.from(bytes.subarray(bytes.length >> 1, (bytes.length >> 1) + 24)));
    for (const piece of pieces) expect(finds(raw(), piece)).toBe(true);

    if (way === "delete") {
      expect((await api(sentiero, `/sessions/${CANARY}-session`, { method: "DELETE" })).status).toBe(204);
      await api(sentiero, "/sessions/bystander", { method: "DELETE" });
    } else {
      await sentiero.store.maintenance.startJob("erase", { user: CANARY });
      while (!(await sentiero.maintain()));
    }
    for (const piece of pieces) expect(finds(raw(), piece)).toBe(false);
    expect(blobs()).toEqual([]);
    // The id stays in the tombstone for a while, so that what is still sent is refused.
    const text = raw().map((piece) => Buffer.from(piece.toString("latin1").replaceAll(`${CANARY}-session`, "")));
    expect(finds(text, CANARY)).toBe(false);
    expect((await post(sentiero, personal(200))).status).toBe(410);
  });

  test("while batches stream in leaves none of them", async () => {
    const { sentiero, blobs } = await open();
    await post(sentiero, personal(0));
    const streaming = Promise.all(Array.from({ length: 60 }, (_, seq) => post(sentiero, personal(seq + 1))));
    const erased = sentiero.store.sessions.erase(`${CANARY}-session`);
    const statuses = (await streaming).map(({ status }) => status);
    await erased;
    expect(statuses.filter((status) => status !== 200 && status !== 410)).toEqual([]);
    expect(blobs()).toEqual([]);
    expect((await sentiero.store.sessions.list({ limit: 5 })).sessions).toEqual([]);
  });
});

test("with a codec nothing that was recorded stands in the file in clear", async () => {
  const turn = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0xa5);
  const codec: Codec = { encode: turn, decode: turn };
  const { sentiero, raw } = await open({ codec });
  await post(sentiero, personal(0, "session-1"));
  expect((await api(sentiero, "/sessions/session-1")).body).toMatchObject({ session: { metadata: { name: CANARY } } });
  expect(finds(raw(), CANARY)).toBe(false);
  expect(finds(raw(), "session-1")).toBe(true);
});
