import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { Agent, request } from "undici";
import { afterEach, expect, inject, it } from "vitest";
import type { Batch, BatchList, SessionAnswer } from "../../src/index.ts";
import { killAll, serve, type Served } from "../cli/cli.ts";

const ROUNDS = 10;
const TABS = 6;

/** How long batches stream in before the server is killed. */
const STREAM_MS = { least: 60, most: 500 };

let folder = "";

afterEach(async () => {
  await killAll();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

it(`keeps every batch that was answered 200 through ${ROUNDS} kills of the server, and keeps none twice`, async () => {
  const random = createRandom(inject("seed"));
  folder = mkdtempSync(join(tmpdir(), "sentiero-kill-"));
  const args = ["--storage", `sqlite:${join(folder, "kill.db")}`, "--insecure-dashboard"];
  const all: Tab[] = [];
  let current: Tab[] = [];

  for (let round = 0; round < ROUNDS; round++) {
    // In every other round visits go on where the kill cut them off; else new ones begin, so that first batches are hit too.
    if (round % 2 === 0) {
      // Two tabs share a session: their writes of its document are joined.
      current = Array.from({ length: TABS }, (_, index) => createTab(`visit-${round}-${index >> 1}`, index, random));
      all.push(...current);
    }
    const server = await serve(args);
    const clients = current.map((tab) => stream(server, tab, random));
    await sleep(STREAM_MS.least + random() * (STREAM_MS.most - STREAM_MS.least));
    server.signal("SIGKILL");
    expect((await server.ended).signal).toBe("SIGKILL");
    await Promise.all(clients);

    const restarted = await serve(args);
    const agent = new Agent({ connections: TABS });
    for (const tab of all) await check(restarted, agent, tab);
    if (round === ROUNDS - 1) {
      await sendAgain(restarted, agent, all);
      for (const tab of all) await check(restarted, agent, tab);
    }
    await agent.destroy();
    restarted.signal(random() < 0.5 ? "SIGTERM" : "SIGKILL");
    await restarted.ended;
  }
  const answered = all.flatMap(({ sent }) => sent.filter(({ isAnswered }) => isAnswered)).length;
  // Fewer would prove little: the kills would have come before the batches.
  expect(answered).toBeGreaterThan(ROUNDS * TABS);
}, 120_000);

/** One tab of a visit. */
interface Tab {
  readonly sessionId: string;
  readonly windowId: string;
  readonly run: string;
  /** What was sent, by `seq`. */
  readonly sent: Sent[];
}

interface Sent {
  readonly batch: Batch;
  readonly body: Uint8Array;
  isAnswered: boolean;
  /** Its content was compared with what is stored. */
  isCompared: boolean;
}

function createTab(sessionId: string, index: number, random: () => number): Tab {
  const run = Array.from({ length: 24 }, () => Math.floor(random() * 16).toString(16)).join("");
  return { sessionId, windowId: `tab-${index}`, run, sent: [] };
}

/** Sends one batch after the other, as a recorder does, until the server is gone. What was not answered is sent first. */
async function stream(server: Served, tab: Tab, random: () => number): Promise<void> {
  const agent = new Agent({ connections: 1 });
  for (;;) {
    let next = tab.sent.at(-1);
    if (!next || next.isAnswered) tab.sent.push((next = createBatch(tab, random)));
    // The kill comes before an answer or in the middle of one.
    const status = await post(server, agent, next.body).catch(() => null);
    if (status === null) break;
    expect(status).toBe(200);
    next.isAnswered = true;
  }
  await agent.destroy();
}

function createBatch({ sessionId, windowId, run, sent }: Tab, random: () => number): Sent {
  const seq = sent.length;
  const at = 1_700_000_000_000 + seq * 1000;
  const text = Math.floor(random() * 2 ** 32).toString(36);
  const length = 1 + Math.floor(random() * 8);
  // Some are large, so that a kill hits them while they are read, inflated or written.
  const repeat = random() < 0.1 ? 40_000 : 20;
  const events = Array.from({ length }, (_, index) => ({
    type: index === 0 && seq % 10 === 0 ? 2 : 3,
    data: { text: `${text}-${index} `.repeat(repeat) },
    timestamp: at + index,
  }));
  const batch: Batch = { sessionId, windowId, events, run, seq, sentAt: at + 900 };
  return { batch, body: gzipSync(JSON.stringify(batch)), isAnswered: false, isCompared: false };
}

async function post(server: Served, agent: Agent, body: Uint8Array): Promise<number> {
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  const answer = await request(`${server.url}/events`, { method: "POST", headers, body, dispatcher: agent });
  await answer.body.dump();
  return answer.statusCode;
}

/** Everything answered is there, once, and reads as it was sent; nothing is there that was not sent. */
async function check(server: Served, agent: Agent, { sessionId, windowId, run, sent }: Tab): Promise<void> {
  const read = async <T>(path: string): Promise<{ status: number; value: T }> => {
    const url = `${server.url}/api/sessions/${sessionId}${path}`;
    const answer = await request(url, { dispatcher: agent });
    const bytes = Buffer.from(await answer.body.arrayBuffer());
    const isGzip = answer.headers["content-encoding"] === "gzip";
    return { status: answer.statusCode, value: JSON.parse(String(isGzip ? gunzipSync(bytes) : bytes)) as T };
  };
  const answered = sent.flatMap(({ isAnswered }, seq) => (isAnswered ? [seq] : []));
  const { status, value } = await read<BatchList>(`/windows/${windowId}/batches`);
  if (answered.length === 0 && status === 404) return;
  expect(status).toBe(200);
  const seqs = value.batches.map(({ seq }) => seq);
  // The last batch may have been stored without having been answered.
  expect([answered, sent.map((_, seq) => seq)]).toContainEqual(seqs);
  expect(value.batches.every((batch) => batch.run === run && !batch.isConflict)).toBe(true);

  for (const { key, seq, eventCount } of value.batches) {
    const one = sent[seq]!;
    expect(eventCount).toBe(one.batch.events.length);
    if (one.isCompared) continue;
    expect((await read<Batch>(`/windows/${windowId}/batches/${key}`)).value).toEqual(one.batch);
    one.isCompared = true;
  }
  const { session } = (await read<SessionAnswer>("")).value;
  const window = session.windows.find(({ id }) => id === windowId);
  const events = value.batches.reduce((sum, { eventCount }) => sum + eventCount, 0);
  expect(window).toMatchObject({ batchCount: seqs.length, eventCount: events, missing: [], conflictCount: 0 });
  expect(session.eventCount).toBe(session.windows.reduce((sum, { eventCount }) => sum + eventCount, 0));
}

/** Every batch once more, also those whose answer the kill has cut off: what is stored already may not be stored again. */
async function sendAgain(server: Served, agent: Agent, tabs: readonly Tab[]): Promise<void> {
  await Promise.all(
    tabs.map(async ({ sent }) => {
      for (const one of sent) {
        expect(await post(server, agent, one.body)).toBe(200);
        one.isAnswered = true;
      }
    }),
  );
}

/** Fractions from 0 to 1, the same ones for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
