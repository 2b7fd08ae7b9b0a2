import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { BatchList, SessionList } from "../../src/index.ts";
import { batch } from "../support/sentiero.ts";
import { startWorkerd, type Workerd } from "../support/workerd.ts";

/** What Cloudflare takes of a paid account is 10 MB; ours should start fast. */
const MAX_BUNDLE_BYTES = 1_000_000;
const RUN = "0".repeat(24);
const AT = 1_700_000_000_000;

const servers = new URL("../runtimes/servers/", import.meta.url);

describe.each([
  ["D1 and R2", "worker-r2.ts"],
  ["D1 and KV", "worker-kv.ts"],
])("a Worker over %s", (name, file) => {
  let worker: Workerd;
  const costs: string[] = [];

  beforeAll(async () => {
    worker = await startWorkerd(fileURLToPath(new URL(file, servers)));
  });
  afterAll(async () => {
    await worker?.stop();
    console.log(`Workers, ${name}, CPU ms of workerd and what stands for its services: ${costs.join(", ")}`);
  });

  const base = () => `http://127.0.0.1:${worker.port}/sentiero`;

  /** What a request costs is printed, not judged. */
  async function measure<T>(what: string, times: number, work: () => Promise<T>): Promise<T> {
    const before = worker.cpuMs();
    const result = await work();
    costs.push(`${what} ${((worker.cpuMs() - before) / times).toFixed(1)}`);
    return result;
  }

  async function post(sessionId: string, seq: number, events: readonly unknown[]): Promise<number> {
    const body = gzipSync(JSON.stringify(batch({ sessionId, run: RUN, seq, sentAt: AT, events })));
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    return (await fetch(`${base()}/events`, { method: "POST", headers, body })).status;
  }

  async function read<T>(path: string): Promise<T> {
    const answer = await fetch(`${base()}/api${path}`);
    expect(answer.status).toBe(200);
    return (await answer.json()) as T;
  }

  async function replay(id: string): Promise<unknown[]> {
    const path = `/sessions/${id}/windows/window-1/batches`;
    const { batches } = await read<BatchList>(path);
    const events: unknown[] = [];
    for (const { key } of batches) events.push(...(await read<{ events: unknown[] }>(`${path}/${key}`)).events);
    return events;
  }

  test("begins with less than a megabyte, without the dashboard's files", async () => {
    const bytes = gzipSync(worker.bundle).byteLength;
    console.log(`Workers, ${name}: the bundle is ${(bytes / 1000).toFixed(0)} kB gzip`);
    expect(await measure("first request", 1, async () => (await fetch(base())).status)).toBe(200);
    expect(bytes).toBeLessThanOrEqual(MAX_BUNDLE_BYTES);
  });

  test("records, lists and plays a visit, and after a cron trigger plays it from one segment", async () => {
    const events = Array.from({ length: 20 }, (_, index) => ({
      type: 3,
      data: { source: 3, id: index },
      timestamp: AT + index,
    }));
    await measure("POST", 20, async () => {
      for (const [seq, event] of events.entries()) expect(await post("visit", seq, [event])).toBe(200);
    });
    const { sessions } = await measure("list", 1, () => read<SessionList>("/sessions"));
    expect(sessions).toMatchObject([{ id: "visit", eventCount: 20, state: "live" }]);
    expect(await measure("replay of 20 batches", 1, () => replay("visit"))).toEqual(events);

    await fetch(`http://127.0.0.1:${worker.port}/later`, { method: "POST" });
    await measure("cron", 1, () => worker.schedule());
    expect((await read<SessionList>("/sessions")).sessions).toMatchObject([{ id: "visit", state: "settled" }]);
    expect((await read<BatchList>("/sessions/visit/windows/window-1/batches")).batches).toHaveLength(1);
    expect(await measure("replay of a segment", 1, () => replay("visit"))).toEqual(events);
  });

  test("takes a first snapshot of 20 MB, and gives it back whole", { timeout: 60_000 }, async () => {
    const snapshot = {
      type: 2,
      data: { node: makeDocument(20_000_000), initialOffset: { top: 0, left: 0 } },
      timestamp: AT,
    };
    const after = { type: 3, data: { source: 3, id: 1 }, timestamp: AT + 1 };
    await measure("POST of 20 MB", 1, async () => expect(await post("large", 0, [snapshot])).toBe(200));
    expect(await post("large", 1, [after])).toBe(200);
    const events = await measure("replay of 20 MB", 1, () => replay("large"));
    expect(JSON.stringify(events) === JSON.stringify([snapshot, after])).toBe(true);
  });

  test("serves the dashboard and its files, and the recorder packed as it is asked for", async () => {
    const shell = await (await fetch(base())).text();
    const [, script] = /src="([^"]+dashboard-[^"]+\.js)"/.exec(shell)!;
    const answer = await fetch(new URL(script!, base()));
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"]);
    const recorder = await fetch(`${base()}/recorder.js`, { headers: { "accept-encoding": "gzip" } });
    expect(await recorder.text()).toContain("Sentiero");
    expect((await fetch(`${base()}/assets/files.js`)).status).toBe(404);
  });
});

/** A table of so many bytes of JSON, as rrweb writes it. */
function makeDocument(bytes: number): object {
  let id = 1;
  const element = (tagName: string, childNodes: object[]) => ({
    type: 2,
    tagName,
    attributes: { class: `c-${id}` },
    childNodes,
    id: id++,
  });
  const rows: object[] = [];
  for (let size = 0; size < bytes;) {
    const row = element("tr", [element("td", [{ type: 3, textContent: `Cell number ${id}`, id: id++ }])]);
    rows.push(row);
    size += JSON.stringify(row).length + 1;
  }
  return { type: 0, childNodes: [element("html", [element("body", [element("table", rows)])])], id };
}
