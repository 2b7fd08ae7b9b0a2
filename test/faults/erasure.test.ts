import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Agent, request } from "undici";
import { createStorage } from "unstorage";
import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { nodePlatform } from "../../adapters/node.ts";
import { createSentiero, type Batch, type Sentiero, type SentieroOptions } from "../../src/index.ts";
import { importStore } from "../../src/maintenance/archive-import.ts";
import { exportStore } from "../../src/maintenance/archive.ts";
import { KINDS } from "../../src/sessions/kinds.ts";
import { createWebPlatform } from "../../src/platform.ts";
import { readKeys } from "../support/house.ts";
import { beginningsIn } from "../support/inflate.ts";
import { backends, IS_SOAK } from "./backends.ts";
import { openTestStorage } from "./storage.ts";
import { killServers, serveStore, type StoreServer } from "./store-server.ts";
import { createRandom, createTabs, post, type Tab, type Target } from "./tabs.ts";

/** Stands in every batch, document and address of the person who is erased. */
const CANARY = "CANARY-ada-lovelace-1815";
const BYSTANDER = "bystander";

const ROUNDS = IS_SOAK ? 20 : 2;
const TABS = 8;

/** Batches of each tab that are there at first, and those that only the archive has. */
const STORED = 20;
const ARCHIVED = 40;

/** A person's visits go on for so long until they are erased. */
const STREAM_MS = { least: 20, most: 400 };

const IMPORT = {
  project: "main",
  platform: { ...createWebPlatform(), ...nodePlatform },
  clock: Date.now,
  onError: console.error,
};

afterEach(killServers);

// The short form is on SQLite, whose file is looked into.
for (const { name, isThere, missing, create } of backends.filter((one) => IS_SOAK || one.name === "SQLite")) {
  describe.skipIf(!isThere)(`erasure under load, on ${name}${missing}`, () => {
    it(`leaves nothing of a person while batches, retries, settling and an import go on, ${ROUNDS} times`, async () => {
      const store = await create();
      const storage = openTestStorage(store.storage);
      const sentiero = createHere({ storage });
      try {
        const servers = await Promise.all([serveStore(store.storage), serveStore(store.storage)]);
        await eraseRepeatedly(sentiero, servers, store.storage);
      } finally {
        await killServers();
        await sentiero.store.close();
        await storage.dispose();
        await store.remove();
      }
    }, 1_200_000);
  });
}

function createHere(options: Partial<SentieroOptions> = {}): Sentiero {
  return createSentiero({
    authorize: () => true,
    maintenance: false,
    platform: nodePlatform,
    ...options,
  } as SentieroOptions);
}

async function eraseRepeatedly(sentiero: Sentiero, servers: readonly StoreServer[], storage: string): Promise<void> {
  const random = createRandom(inject("seed"));
  const agent = new Agent({ connections: TABS * 3 });
  const targets = servers.map(({ url }): Target => ({ url, agent }));
  const { ports } = sentiero.store;
  let settled = 0;
  let taken = 0;
  let refused = 0;
  await postAll(targets[0]!, createTabs(BYSTANDER, 1, random), 3, BYSTANDER);

  for (let round = 0; round < ROUNDS; round++) {
    const tabs = createTabs(`visit-${round}`, TABS, random);
    await postAll(targets[0]!, tabs, STORED, CANARY);
    const archive = await createArchive(sentiero, tabs);
    const before = await findPerson(sentiero, storage);
    expect(before).toContain("documents");
    if (storage.startsWith("sqlite:")) expect(before.filter((place) => place.endsWith("clear"))).not.toEqual([]);

    await servers[1]!.ask("settle");
    // The sessions of the other half are quiet, so that they do settle and do take in what the archive has.
    const visits = tabs.slice(0, TABS / 2).map((tab) => visit(targets, tab, random));
    const over = new AbortController();
    const importing = (async () => {
      while (!over.signal.aborted) {
        const { added, updated, erased } = await importStore(ports, from(archive), IMPORT);
        taken += added + updated;
        refused += erased;
        // SQLite answers at once: nobody else would have a turn.
        await sleep(5);
      }
    })();
    await sleep(STREAM_MS.least + random() * (STREAM_MS.most - STREAM_MS.least));
    // At any moment of an import, but for the first round, which waits until there was one.
    await vi.waitFor(() => expect(taken).toBeGreaterThan(0), { timeout: 10_000 });
    // In turns as an operator and as the dashboard do it.
    if (round % 2 === 0) for (const id of new Set(tabs.map(({ sessionId }) => sessionId))) await erase(targets[0]!, id);
    else await eraseByJob(targets[0]!);
    // Every tab ends with the answer that its session was erased.
    await Promise.all(visits);
    over.abort();
    await importing;
    // What comes later is refused as well.
    const late = await importStore(ports, from(archive), IMPORT);
    expect({ round, added: late.added, updated: late.updated, erased: late.erased }).toEqual({
      round,
      added: 0,
      updated: 0,
      erased: TABS / 2,
    });
    for (const tab of tabs) expect((await post(targets[1]!, toBody(tab, STORED, CANARY))).status).toBe(410);
    settled += await servers[1]!.ask("stop");

    // A job that is done has yet to overwrite what it has left behind in the file.
    await vi.waitFor(
      async () => expect({ round, found: await findPerson(sentiero, storage) }).toEqual({ round, found: [] }),
      { timeout: 60_000, interval: 100 },
    );
  }
  if (IS_SOAK) console.log(`settled ${settled} times, imported ${taken} sessions, refused ${refused} times`);
  expect(settled).toBeGreaterThan(0);
  await agent.destroy();
  for (const server of servers) {
    server.signal("SIGTERM");
    expect(await server.ended).toEqual({ signal: null, stderr: "" });
  }
}

/** A batch of a person. Its gzip is not compressed, so that its text stands in a file as it is. */
function toBody({ sessionId, windowId, run }: Tab, seq: number, person: string): Uint8Array {
  const at = 1_700_000_000_000 + seq * 1000;
  const batch: Batch = {
    sessionId,
    windowId,
    run,
    seq,
    sentAt: at + 900,
    metadata: { userId: person },
    events: [
      { type: 4, data: { href: `https://a.example/${person}`, width: 1, height: 1 }, timestamp: at },
      { type: seq === 0 ? 2 : 3, data: { text: `${person} `.repeat(40) }, timestamp: at + 1 },
    ],
  };
  return gzipSync(JSON.stringify(batch), { level: 0 });
}

async function postAll(target: Target, tabs: readonly Tab[], count: number, person: string): Promise<void> {
  await Promise.all(
    tabs.map(async (tab) => {
      for (let seq = 0; seq < count; seq++) expect((await post(target, toBody(tab, seq, person))).status).toBe(200);
    }),
  );
}

/** An archive in which the sessions have gone on: what it has and the store has not is written by its import. */
async function createArchive({ store }: Sentiero, tabs: readonly Tab[]): Promise<readonly Uint8Array[]> {
  const other = createHere({ storage: createStorage() });
  await importStore(other.store.ports, exportStore(store.ports, IMPORT), IMPORT);
  const url = "http://127.0.0.1/sentiero/events";
  const headers = { "content-encoding": "gzip" };
  for (const tab of tabs) {
    for (let seq = STORED; seq < STORED + ARCHIVED; seq++) {
      const body = toBody(tab, seq, CANARY) as BodyInit;
      expect((await other.fetch(new Request(url, { method: "POST", headers, body }))).status).toBe(200);
    }
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of exportStore(other.store.ports, IMPORT)) chunks.push(chunk);
  await other.store.close();
  return chunks;
}

/** Sends a tab's batches to both processes, some twice at once, until its session was erased. */
async function visit(targets: readonly Target[], tab: Tab, random: () => number): Promise<void> {
  let seq = STORED;
  for (;;) {
    const body = toBody(tab, seq, CANARY);
    const some = random() < 0.3 ? targets : [targets[Math.floor(random() * targets.length)]!];
    const statuses = (await Promise.all(some.map((target) => post(target, body)))).map(({ status }) => status);
    expect(statuses.filter((status) => ![200, 410, 503].includes(status))).toEqual([]);
    if (statuses.includes(410)) break;
    if (statuses.includes(200)) seq++;
  }
  // What a recorder still had under way comes late.
  await sleep(random() * 50);
  expect((await post(targets[1]!, toBody(tab, seq, CANARY))).status).toBe(410);
}

async function erase({ url, agent }: Target, id: string): Promise<void> {
  for (;;) {
    const answer = await request(`${url}/api/sessions/${id}`, { method: "DELETE", dispatcher: agent });
    await answer.body.dump();
    if (answer.statusCode === 204) break;
    expect(answer.statusCode).toBe(503);
    await sleep(20);
  }
}

async function eraseByJob({ url, agent }: Target): Promise<void> {
  const body = JSON.stringify({ kind: "erase", selection: { user: CANARY }, confirm: "erase" });
  const headers = { "content-type": "application/json" };
  const begun = await request(`${url}/api/maintenance/jobs`, { method: "POST", headers, body, dispatcher: agent });
  const text = await begun.body.text();
  expect({ status: begun.statusCode, text }).toMatchObject({ status: 202 });
  const { job } = JSON.parse(text) as { job: { id: string } };
  for (;;) {
    await sleep(20);
    const answer = await request(`${url}/api/maintenance/jobs/${job.id}`, { dispatcher: agent });
    const { state } = ((await answer.body.json()) as { job: { state: string } }).job;
    if (state === "done") break;
    expect(state).toBe("running");
  }
}

/** Where something of the person is left: documents, recordings, and on SQLite the bytes of the file and its log. */
async function findPerson({ store: { ports } }: Sentiero, storage: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { name } of KINDS.filter(({ stored }) => stored === "documents")) {
    const { items } = await ports.documents.page(`main/${name}`, { limit: 1_000, order: "ascending" });
    if (JSON.stringify(name === "tombstones" ? items.map(({ doc }) => doc) : items).includes(CANARY))
      found.push("documents");
    if (name === "sessions") for (const { id } of items) if (!id.startsWith(BYSTANDER)) found.push(`session ${id}`);
  }
  for (const key of await readKeys(ports)) if (!key.includes(BYSTANDER)) found.push(key);
  if (!storage.startsWith("sqlite:")) return found;
  const file = storage.slice("sqlite:".length);
  for (const name of [file, `${file}-wal`]) {
    const raw = existsSync(name) ? readFileSync(name) : Buffer.alloc(0);
    if (raw.includes(CANARY)) found.push(name === file ? "the file, in clear" : "its log, in clear");
    if (beginningsIn(raw).some((text) => text.includes(CANARY)))
      found.push(name === file ? "the file, inflated" : "its log, inflated");
  }
  return found;
}

async function* from(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}
