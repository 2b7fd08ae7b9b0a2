import { gunzipSync, gzipSync } from "node:zlib";
import { request, type Agent } from "undici";
import { expect } from "vitest";
import type { Batch, BatchList, SessionAnswer } from "../../src/index.ts";

/** A server that is asked: where it is, and the connections to it. */
export interface Target {
  /** Address with the base path. */
  readonly url: string;
  readonly agent: Agent;
}

/** One tab of a visit. */
export interface Tab {
  readonly sessionId: string;
  readonly windowId: string;
  readonly run: string;
  /** What was sent, by `seq`. */
  readonly sent: Sent[];
}

/** One batch on its way. */
export interface Sent {
  readonly batch: Batch;
  readonly body: Uint8Array;
  isAnswered: boolean;
  /** Its content was compared with what is stored. */
  isCompared: boolean;
}

/** What a server says to a batch. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
}

export function createTab(sessionId: string, index: number, random: () => number): Tab {
  const run = Array.from({ length: 24 }, () => Math.floor(random() * 16).toString(16)).join("");
  return { sessionId, windowId: `tab-${index}`, run, sent: [] };
}

/** Several tabs, two a session: their writes of its document are joined. */
export function createTabs(name: string, count: number, random: () => number): Tab[] {
  return Array.from({ length: count }, (_, index) => createTab(`${name}-${index >> 1}`, index, random));
}

/** Makes the next batch of a tab; `largeShare` of them have some MB, so that a fault hits them while they are read, inflated or written. */
export function addBatch(tab: Tab, random: () => number, largeShare = 0.1): Sent {
  const { sessionId, windowId, run, sent } = tab;
  const seq = sent.length;
  const at = 1_700_000_000_000 + seq * 1000;
  const text = Math.floor(random() * 2 ** 32).toString(36);
  const length = 1 + Math.floor(random() * 8);
  const repeat = random() < largeShare ? 40_000 : 20;
  const events = Array.from({ length }, (_, index) => ({
    type: index === 0 && seq % 10 === 0 ? 2 : 3,
    data: { text: `${text}-${index} `.repeat(repeat) },
    timestamp: at + index,
  }));
  const batch: Batch = { sessionId, windowId, events, run, seq, sentAt: at + 900 };
  const added = { batch, body: gzipSync(JSON.stringify(batch)), isAnswered: false, isCompared: false };
  sent.push(added);
  return added;
}

/**
 * Sends the next batch of a tab as a recorder does: what was not answered comes first.
 * @throws Error when there is no answer.
 */
export async function sendNext(target: Target, tab: Tab, random: () => number): Promise<Answer> {
  const last = tab.sent.at(-1);
  const next = last && !last.isAnswered ? last : addBatch(tab, random);
  const answer = await post(target, next.body);
  if (answer.status === 200) next.isAnswered = true;
  return answer;
}

export async function post({ url, agent }: Target, body: Uint8Array): Promise<Answer> {
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  const answer = await request(`${url}/events`, { method: "POST", headers, body, dispatcher: agent });
  await answer.body.dump();
  return { status: answer.statusCode, retryAfter: (answer.headers["retry-after"] as string | undefined) ?? null };
}

/** Asks the API. */
export async function read<T>({ url, agent }: Target, path: string): Promise<Answer & { readonly value: T }> {
  const answer = await request(`${url}/api${path}`, { dispatcher: agent });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const isGzip = answer.headers["content-encoding"] === "gzip";
  return {
    status: answer.statusCode,
    retryAfter: (answer.headers["retry-after"] as string | undefined) ?? null,
    value: JSON.parse(String(isGzip ? gunzipSync(bytes) : bytes)) as T,
  };
}

/** Everything answered is there, once, and reads as it was sent; nothing is there that was not sent. */
export async function check(target: Target, { sessionId, windowId, run, sent }: Tab): Promise<void> {
  const path = `/sessions/${sessionId}`;
  const answered = sent.flatMap(({ isAnswered }, seq) => (isAnswered ? [seq] : []));
  const { status, value } = await read<BatchList>(target, `${path}/windows/${windowId}/batches`);
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
    expect((await read<Batch>(target, `${path}/windows/${windowId}/batches/${key}`)).value).toEqual(one.batch);
    one.isCompared = true;
  }
  const { session } = (await read<SessionAnswer>(target, path)).value;
  const window = session.windows.find(({ id }) => id === windowId);
  const events = value.batches.reduce((sum, { eventCount }) => sum + eventCount, 0);
  expect(window).toMatchObject({ batchCount: seqs.length, eventCount: events, missing: [], conflictCount: 0 });
  expect(session.eventCount).toBe(session.windows.reduce((sum, { eventCount }) => sum + eventCount, 0));
}

/** Every batch once more, also those without an answer: what is stored already may not be stored again. */
export async function sendAgain(target: Target, tabs: readonly Tab[]): Promise<void> {
  await Promise.all(
    tabs.map(async ({ sent }) => {
      for (const one of sent) {
        expect((await post(target, one.body)).status).toBe(200);
        one.isAnswered = true;
      }
    }),
  );
}

/** Fractions from 0 to 1, the same ones for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
