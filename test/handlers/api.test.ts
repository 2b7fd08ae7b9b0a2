import { gzipSync } from "node:zlib";
import { createStorage } from "unstorage";
import { describe, expect, test } from "vitest";
import type { BatchList, Sentiero, SentieroOptions, SessionAnswer, SessionList } from "../../src/index.ts";
import { api, BASE, batch, createTestSentiero, post } from "../support/sentiero.ts";

const NOW = 1_800_000_000_000;
const RUN = "0123456789abcdef01234567";

/** A sentiero whose clock goes on by a second with every session. */
async function createWithSessions(count: number, options: SentieroOptions = {}) {
  const time = { now: NOW };
  const sentiero = createTestSentiero({
    storage: createStorage(),
    clock: () => time.now,
    ...options,
  } as SentieroOptions);
  const add = async (id: string) => {
    time.now += 1000;
    expect((await post(sentiero, batch({ sessionId: id }))).status).toBe(200);
  };
  for (let index = 0; index < count; index++) await add(`s-${index}`);
  time.now += 1000;
  return { sentiero, time, add };
}

const list = async (sentiero: Sentiero, query = "") => (await api<SessionList>(sentiero, `/sessions${query}`)).body;
const idsOf = ({ sessions }: SessionList) => sessions.map(({ id }) => id);

describe("GET /api/sessions", () => {
  test("is empty where nothing was recorded", async () => {
    const { sentiero } = await createWithSessions(0);
    expect(await list(sentiero)).toMatchObject({ apiVersion: 1, sessions: [], cursor: null, newer: 0 });
  });

  test("gives 25 at a time, newest first, each once", async () => {
    const { sentiero } = await createWithSessions(60);
    const seen: string[] = [];
    let cursor: string | null = null;
    const sizes: number[] = [];
    do {
      const page: SessionList = await list(sentiero, cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`);
      sizes.push(page.sessions.length);
      seen.push(...idsOf(page));
      cursor = page.cursor;
    } while (cursor !== null);
    expect(sizes).toEqual([25, 25, 10]);
    expect(seen).toEqual(Array.from({ length: 60 }, (_, index) => `s-${59 - index}`));
  });

  test("stays as it was while new sessions come and old ones move, and says how many did", async () => {
    const { sentiero, add, time } = await createWithSessions(6);
    const first = await list(sentiero, "?limit=2");
    expect(idsOf(first)).toEqual(["s-5", "s-4"]);
    for (const id of ["new-1", "new-2"]) await add(id);
    // An old session goes on, far enough later to move.
    time.now += 120_000;
    await post(sentiero, batch({ sessionId: "s-3", windowId: "w-2" }));
    const second = await list(sentiero, `?limit=2&cursor=${first.cursor}`);
    expect(idsOf(second)).toEqual(["s-2", "s-1"]);
    expect(second).toMatchObject({ asOf: first.asOf, newer: 3 });
    const third = await list(sentiero, `?limit=2&cursor=${second.cursor}`);
    expect([idsOf(third), third.cursor]).toEqual([["s-0"], null]);
    expect(idsOf(await list(sentiero, "?limit=3"))).toEqual(["s-3", "new-2", "new-1"]);
  });

  test("goes on behind a session that was deleted", async () => {
    const { sentiero } = await createWithSessions(5);
    const first = await list(sentiero, "?limit=2");
    await api(sentiero, "/sessions/s-3", { method: "DELETE" });
    expect(idsOf(await list(sentiero, `?limit=9&cursor=${first.cursor}`))).toEqual(["s-2", "s-1", "s-0"]);
  });

  test("sessions of one millisecond come each once", async () => {
    const sentiero = createTestSentiero({ storage: createStorage(), clock: () => NOW });
    const ids = ["b", "A", "a", "_", "0", "-", "B", "aa"];
    for (const id of ids) await post(sentiero, batch({ sessionId: id }));
    const seen: string[] = [];
    for (let page = await list(sentiero, "?limit=3"); ; page = await list(sentiero, `?limit=3&cursor=${page.cursor}`)) {
      seen.push(...idsOf(page));
      if (page.cursor === null) break;
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
  });

  test("says of each what a list needs", async () => {
    const { sentiero, time } = await createWithSessions(0);
    const events = [
      { type: 4, timestamp: 1000, data: { href: "https://a.example/in?x", width: 800, height: 600 } },
      { type: 2, timestamp: 1001, data: {} },
      { type: 3, timestamp: 2000, data: { source: 2, type: 2, id: 5 } },
      { type: 4, timestamp: 3000, data: { href: "https://a.example/out#x", width: 400, height: 300 } },
    ];
    await post(sentiero, batch({ run: RUN, seq: 0, events, metadata: { plan: "free" } }));
    const [session] = (await list(sentiero)).sessions;
    expect(session).toEqual({
      id: "session-1",
      createdAt: time.now,
      updatedAt: time.now,
      firstEventAt: 1000,
      lastEventAt: 3000,
      durationMs: 2000,
      state: "live",
      eventCount: 4,
      clickCount: 1,
      pageCount: 1,
      byteCount: expect.any(Number),
      windowCount: 1,
      entryUrl: "https://a.example/in",
      lastUrl: "https://a.example/out",
      viewportWidth: 800,
      viewportHeight: 600,
      browser: null,
      device: null,
      os: null,
      fullAt: null,
      metadata: { plan: "free" },
    });
    time.now += 5 * 60_000;
    expect((await list(sentiero)).sessions[0]!.state).toBe("idle");
  });

  // Each was counted once more by what the browser and the recorder do of themselves.
  test("counts a click on a label once, and a page once, however many snapshots there are of it", async () => {
    const { sentiero } = await createWithSessions(0);
    const page = (timestamp: number) => [
      { type: 4, timestamp, data: { href: "https://a.example/in", width: 800, height: 600 } },
      { type: 2, timestamp, data: {} },
    ];
    const mouse = (timestamp: number, type: number, id: number) => ({
      type: 3,
      timestamp,
      data: { source: 2, type, id, x: 5, y: 5 },
    });
    const start = (timestamp: number, reason: string) => ({
      type: 5,
      timestamp,
      data: { tag: "__start", payload: { reason } },
    });
    const events = [
      ...page(1000),
      start(1001, "load"),
      // A label; the browser clicks its field.
      mouse(2000, 1, 7),
      mouse(2080, 0, 7),
      mouse(2081, 2, 7),
      mouse(2083, 2, 8),
      mouse(2084, 5, 8),
      // The same label again at once.
      mouse(2150, 1, 7),
      mouse(2200, 0, 7),
      mouse(2201, 2, 7),
      mouse(2203, 2, 8),
      mouse(2204, 4, 7),
      // Twice a key on one button.
      mouse(4000, 2, 9),
      mouse(4050, 2, 9),
      // Two touches beside each other.
      mouse(5000, 7, 9),
      mouse(5040, 9, 9),
      mouse(5041, 2, 9),
      mouse(5100, 7, 10),
      mouse(5140, 9, 10),
      mouse(5141, 2, 10),
    ];
    const again = "0".repeat(24);
    const next = "1".repeat(24);
    await post(sentiero, batch({ run: RUN, seq: 0, events }));
    await post(sentiero, batch({ run: RUN, seq: 1, events: page(400_000) }));
    await post(sentiero, batch({ run: again, seq: 0, events: [...page(1_500_000), start(1_500_001, "activity")] }));
    await post(sentiero, batch({ run: next, seq: 0, events: [...page(1_600_000), start(1_600_001, "load")] }));
    const { clickCount, pageCount } = (await list(sentiero)).sessions[0]!;
    expect({ clickCount, pageCount }).toEqual({ clickCount: 6, pageCount: 2 });
  });

  test("counts each snapshot as a page where nothing tells of runs", async () => {
    const { sentiero } = await createWithSessions(0);
    const events = [1000, 2000].map((timestamp) => ({ type: 4, timestamp, data: { href: "https://a.example/" } }));
    await post(sentiero, batch({ events }));
    expect((await list(sentiero)).sessions[0]!.pageCount).toBe(2);
  });

  test.each(["1", "100", "025"])("takes the limit %s", async (limit) => {
    const { sentiero } = await createWithSessions(2);
    expect((await list(sentiero, `?limit=${limit}`)).sessions).toHaveLength(Math.min(2, Number(limit)));
  });

  test.each(["0", "101", "-1", "1.5", "1e1", "abc", "", " 5", "99999999999", "５"])(
    "refuses the limit %j",
    async (limit) => {
      const { sentiero } = await createWithSessions(1);
      const answer = await api(sentiero, `/sessions?limit=${encodeURIComponent(limit)}`);
      expect(answer).toEqual({ status: 400, body: { error: "limit must be 1 to 100" } });
    },
  );

  test.each([
    "",
    "x",
    "..",
    "a.b",
    "a.b.",
    "a.b.c.d",
    "a.b.c d",
    "a.b.é",
    "-1.1.a",
    "A.B.c",
    "zzzzzzzzzzz.1.a",
    "1.zzzzzzzzzzz.a",
    "1.1.' OR 1=1",
    `1.1.${"x".repeat(129)}`,
    "1.1.a\n",
    "x".repeat(10_000),
  ])("refuses the cursor %j", async (cursor) => {
    const { sentiero } = await createWithSessions(1);
    const { status, body } = await api<{ error: string }>(sentiero, `/sessions?cursor=${encodeURIComponent(cursor)}`);
    expect([status, body.error]).toEqual([400, "cursor is not valid: start again without one"]);
  });

  test("takes the first of repeated parameters, where the original failed", async () => {
    const { sentiero } = await createWithSessions(3);
    expect((await list(sentiero, "?limit=1&limit=2")).sessions).toHaveLength(1);
    expect((await api(sentiero, "/sessions?cursor=&cursor=")).status).toBe(400);
  });

  test("is kept by no cache", async () => {
    const { sentiero } = await createWithSessions(1);
    for (const path of [
      "/sessions",
      "/sessions/s-0",
      "/sessions/s-0/windows/window-1/batches",
      "/sessions/s-0/windows/window-1/events",
      "/sessions/none",
    ]) {
      const response = await sentiero.fetch(new Request(`${BASE}/api${path}`));
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "cache-control": "no-store",
        "content-type": "application/json",
        "x-content-type-options": "nosniff",
      });
    }
  });
});

describe("one session", () => {
  test("is shown with its windows, oldest first", async () => {
    const { sentiero } = await createWithSessions(0);
    const at = (timestamp: number) => [{ type: 3, timestamp }];
    await post(sentiero, batch({ windowId: "late", events: at(2000) }));
    await post(sentiero, batch({ windowId: "early", events: at(1000) }));
    const { body } = await api<SessionAnswer>(sentiero, "/sessions/session-1");
    expect(body.apiVersion).toBe(1);
    expect(body.session.windows.map(({ id }) => id)).toEqual(["early", "late"]);
  });

  test("that is not there, or whose window or batch is not, answers 404", async () => {
    const { sentiero } = await createWithSessions(1);
    const key = `loose-${"0".repeat(24)}`;
    for (const [path, error] of [
      ["/sessions/none", "session not found"],
      ["/sessions/none/windows/window-1/batches", "window not found"],
      ["/sessions/none/windows/window-1/events", "window not found"],
      [`/sessions/none/windows/window-1/batches/${key}`, "batch not found"],
      ["/sessions/s-0/windows/none/batches", "window not found"],
      ["/sessions/s-0/windows/none/events", "window not found"],
      [`/sessions/s-0/windows/window-1/batches/${key}`, "batch not found"],
      ["/sessions/s-0/windows/window-1/batches/..", "route not found"],
      ["/sessions/s-0/windows/window-1/batches/%2e%2e%2fx", "batch not found"],
      ["/sessions/s-0/windows/window-1/batches/x:y", "batch not found"],
      ["/sessions/s-0/windows/window-1", "route not found"],
      ["/sessions/s-0/windows", "route not found"],
      ["/sessions/s-0/tabs/window-1/batches", "route not found"],
      ["/sessions/s-0/windows/window-1/none", "route not found"],
      ["/sessions/s-0/windows/window-1/events/x", "route not found"],
      ["/sessions/s-0/windows/window-1/batches/a/b", "route not found"],
      ["/", "route not found"],
      ["/none", "route not found"],
      ["/__proto__", "route not found"],
    ] as const) {
      const answer = await api<{ error: string }>(sentiero, path);
      expect([path, answer.status]).toEqual([path, 404]);
      if (!path.endsWith("..")) expect([path, answer.body]).toEqual([path, { error }]);
    }
  });

  test.each(["a.b", "%20", "%00", "a%0A", "é", "x".repeat(129), "<b>"])("with the id %s is refused", async (id) => {
    const { sentiero } = await createWithSessions(1);
    expect((await api(sentiero, `/sessions/${id}`)).status).toBe(400);
    expect((await api(sentiero, `/sessions/${id}`, { method: "DELETE" })).status).toBe(400);
    expect((await api(sentiero, `/sessions/s-0/windows/${id}/events`)).status).toBe(400);
  });

  test("refuses methods that it does not have, and names those it has", async () => {
    const { sentiero } = await createWithSessions(1);
    for (const [path, method, allow] of [
      ["/sessions", "DELETE", "GET, HEAD"],
      ["/sessions", "POST", "GET, HEAD"],
      ["/sessions/s-0", "PUT", "GET, HEAD, DELETE"],
      ["/sessions/s-0/windows/window-1/events", "DELETE", "GET, HEAD"],
    ] as const) {
      const response = await sentiero.fetch(new Request(`${BASE}/api${path}`, { method }));
      expect([path, response.status]).toEqual([path, 405]);
      expect(response.headers.get("allow")).toBe(allow);
    }
    expect((await api(sentiero, "/sessions/s-0")).status).toBe(200);
  });

  test("has no body for HEAD", async () => {
    const { sentiero } = await createWithSessions(1);
    const response = await sentiero.fetch(new Request(`${BASE}/api/sessions/s-0`, { method: "HEAD" }));
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });
});

describe("DELETE /api/sessions/:id", () => {
  test("removes a session from everything, and answers 404 the second time", async () => {
    const { sentiero } = await createWithSessions(2);
    const remove = () => sentiero.fetch(new Request(`${BASE}/api/sessions/s-0`, { method: "DELETE" }));
    const response = await remove();
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect((await remove()).status).toBe(404);
    expect(idsOf(await list(sentiero))).toEqual(["s-1"]);
    for (const path of ["", "/windows/window-1/batches", "/windows/window-1/events"]) {
      expect((await api(sentiero, `/sessions/s-0${path}`)).status).toBe(404);
    }
    expect((await post(sentiero, batch({ sessionId: "s-0" }))).status).toBe(410);
  });

  test("of a session that never was does not forbid it", async () => {
    const { sentiero } = await createWithSessions(0);
    expect((await api(sentiero, "/sessions/session-1", { method: "DELETE" })).status).toBe(404);
    expect((await post(sentiero, batch())).status).toBe(200);
  });
});

describe("batches and events of a window", () => {
  const events = (from: number, count = 2) =>
    Array.from({ length: count }, (_, index) => ({ type: 3, data: { n: from + index }, timestamp: from + index }));

  test("batches are listed in the order of replay and served as they were stored", async () => {
    const { sentiero } = await createWithSessions(0);
    const bodies = [1, 0].map((seq) => {
      const { events: recorded, ...rest } = batch({ run: RUN, seq, events: events(seq * 10) });
      return JSON.stringify({ ...rest, events: recorded });
    });
    for (const text of bodies) await post(sentiero, gzipSync(text, { level: 9 }));
    const { body } = await api<BatchList>(sentiero, "/sessions/session-1/windows/window-1/batches");
    expect(body.apiVersion).toBe(1);
    expect(body.batches.map(({ seq, eventCount }) => [seq, eventCount])).toEqual([
      [0, 2],
      [1, 2],
    ]);
    const path = `/sessions/session-1/windows/window-1/batches/${body.batches[1]!.key}`;
    const headers = { "accept-encoding": "gzip" };
    const response = await sentiero.fetch(new Request(`${BASE}/api${path}`, { headers }));
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(response.headers.get("vary")).toBe("Accept-Encoding");
    expect(response.headers.get("content-type")).toBe("application/json");
    const stored = Buffer.from(await response.arrayBuffer());
    expect(stored.equals(gzipSync(bodies[0]!, { level: 9 }))).toBe(true);
    expect(body.batches[1]!.byteCount).toBe(stored.byteLength);
    const plain = await sentiero.fetch(new Request(`${BASE}/api${path}`));
    expect(plain.headers.has("content-encoding")).toBe(false);
    expect(await plain.text()).toBe(bodies[0]);
  });

  test("events are one array in the order in which they were recorded, those of one millisecond too", async () => {
    const { sentiero } = await createWithSessions(0);
    const all = Array.from({ length: 60 }, (_, n) => ({ type: 3, data: { n }, timestamp: 1000 }));
    const bodies = [0, 1, 2].map((seq) => batch({ run: RUN, seq, events: all.slice(seq * 20, seq * 20 + 20) }));
    for (const body of bodies.toReversed()) await post(sentiero, body);
    const answer = await api<unknown[]>(sentiero, "/sessions/session-1/windows/window-1/events");
    expect(answer.body).toEqual(all);
  });

  test("events of a batch that conflicts are not mixed in", async () => {
    const { sentiero } = await createWithSessions(0);
    await post(sentiero, batch({ run: RUN, seq: 0, events: events(1) }));
    await post(sentiero, batch({ run: RUN, seq: 0, events: events(100) }));
    const { body } = await api<unknown[]>(sentiero, "/sessions/session-1/windows/window-1/events");
    expect(body).toHaveLength(2);
  });

  test("a window of which nothing is left gives an empty array", { timeout: 3_000 }, async () => {
    const { sentiero } = await createWithSessions(0, { redaction: { redactEvent: () => null } });
    await post(sentiero, batch({ run: RUN, seq: 0 }));
    await post(sentiero, batch({ run: RUN, seq: 1 }));
    const { status, body } = await api<unknown[]>(sentiero, "/sessions/session-1/windows/window-1/events");
    expect([status, body]).toEqual([200, []]);
  });

  test("a batch of which nothing is left does not end the array", { timeout: 3_000 }, async () => {
    const redactEvent = (event: { readonly timestamp?: number }) => (event.timestamp === 10 ? null : event);
    const { sentiero } = await createWithSessions(0, { redaction: { redactEvent } });
    for (const seq of [0, 1, 2]) await post(sentiero, batch({ run: RUN, seq, events: events(seq * 10, 1) }));
    const { body } = await api<unknown[]>(sentiero, "/sessions/session-1/windows/window-1/events");
    expect(body).toEqual([...events(0, 1), ...events(20, 1)]);
  });

  test("reading events stops when the reader goes away", async () => {
    const storage = createStorage();
    let reads = 0;
    const getItemRaw = storage.getItemRaw.bind(storage);
    storage.getItemRaw = ((key: string) => {
      reads++;
      return getItemRaw(key);
    }) as typeof storage.getItemRaw;
    const { sentiero } = await createWithSessions(0, { storage });
    for (let seq = 0; seq < 50; seq++) await post(sentiero, batch({ run: RUN, seq, events: events(seq) }));
    reads = 0;
    const response = await sentiero.fetch(new Request(`${BASE}/api/sessions/session-1/windows/window-1/events`));
    const reader = response.body!.getReader();
    await reader.read();
    await reader.read();
    await reader.cancel();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(reads).toBeLessThan(5);
  });
});
