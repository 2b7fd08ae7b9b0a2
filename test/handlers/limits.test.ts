import { describe, expect, test } from "vitest";
import type { SentieroOptions, SessionAnswer } from "../../src/index.ts";
import { createAdmission } from "../../src/http/admission.ts";
import { api, batch, createTestSentiero, post } from "../support/sentiero.ts";

const START = Date.UTC(2027, 0, 15, 12);
const DAY = 86_400_000;
const RUN = "a".repeat(24);

function open(options: SentieroOptions = {}) {
  let now = START;
  const sentiero = createTestSentiero({ clock: () => now, maintenance: false, ...options } as SentieroOptions);
  return { sentiero, at: (time: number) => (now = time), later: (ms: number) => (now += ms) };
}

/** A batch with one event; number 0 holds the full snapshot. */
const numbered = (seq: number, fields: Record<string, unknown> = {}) =>
  batch({ run: RUN, seq, events: [{ type: seq === 0 ? 2 : 3, data: { seq }, timestamp: START + seq }], ...fields });

describe("a session over its limit", () => {
  test("stops growing, says so, and keeps what it has", async () => {
    const { sentiero } = open({ limits: { maxEventsPerSession: 3 } });
    for (let seq = 0; seq < 3; seq++) expect((await post(sentiero, numbered(seq))).status).toBe(200);
    for (let seq = 3; seq < 5; seq++) {
      const answer = await post(sentiero, numbered(seq));
      expect([answer.status, await answer.json()]).toEqual([429, { error: "session is full" }]);
      expect(answer.headers.get("retry-after")).toBe("3600");
    }
    const { session } = (await api<SessionAnswer>(sentiero, "/sessions/session-1")).body;
    expect(session).toMatchObject({ fullAt: START, eventCount: 3 });
    expect((await api<unknown[]>(sentiero, "/sessions/session-1/windows/window-1/events")).body).toHaveLength(3);
  });

  test("takes a batch it already has as before", async () => {
    const { sentiero } = open({ limits: { maxEventsPerSession: 1 } });
    await post(sentiero, numbered(0));
    expect((await post(sentiero, numbered(1))).status).toBe(429);
    expect((await post(sentiero, numbered(0))).status).toBe(200);
  });

  test("goes on until it has the full snapshot that makes it playable", async () => {
    const { sentiero } = open({ limits: { maxBytesPerSession: 1 } });
    for (const seq of [2, 1, 0]) expect((await post(sentiero, numbered(seq))).status).toBe(200);
    expect((await post(sentiero, numbered(3))).status).toBe(429);
  });

  test("does not stop another session", async () => {
    const { sentiero } = open({ limits: { maxEventsPerSession: 1 } });
    await post(sentiero, numbered(0));
    expect((await post(sentiero, numbered(1))).status).toBe(429);
    expect((await post(sentiero, numbered(0, { sessionId: "session-2" }))).status).toBe(200);
  });
});

describe("the limit of a day", () => {
  test("answers 429 until midnight UTC, and takes recordings again after it", async () => {
    const { sentiero, at } = open({ limits: { maxBytesPerDay: 50 } });
    at(START + 11.9 * 3_600_000);
    expect((await post(sentiero, numbered(0))).status).toBe(200);
    const refused = await post(sentiero, numbered(1));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "360"]);
    expect((await api<{ limits: object; notices: object[] }>(sentiero, "/maintenance")).body).toMatchObject({
      limits: { isReached: true, maxBytesPerDay: 50 },
    });
    at(START + 12 * 3_600_000);
    expect((await post(sentiero, numbered(1))).status).toBe(200);
  });

  test("is learned from what other processes wrote down", async () => {
    const first = open({ limits: { maxBytesPerDay: 200 } });
    await post(first.sentiero, numbered(0));
    // Another process has taken in nearly all of it.
    const { documents } = first.sentiero.store.ports;
    await first.sentiero.maintain();
    const day = await documents.get<{ receivedBytes: number }>("main/usage", "2027-01-15");
    const doc = { ...day!.doc, receivedBytes: 199 };
    await documents.put("main/usage", "2027-01-15", doc, { score: day!.score, expectedVersion: day!.version });
    first.later(6_000);
    expect((await post(first.sentiero, numbered(1))).status).toBe(200);
    await first.sentiero.maintain();
    expect((await post(first.sentiero, numbered(2))).status).toBe(429);
  });
});

test("the number of sessions is kept, the oldest go first", async () => {
  const { sentiero, later } = open({ limits: { maxSessions: 2 } });
  for (let index = 0; index < 5; index++) {
    await post(sentiero, numbered(0, { sessionId: `session-${index}` }));
    later(120_000);
  }
  while (!(await sentiero.maintain()));
  const { body } = await api<{ sessions: { id: string }[] }>(sentiero, "/sessions");
  expect(body.sessions.map(({ id }) => id)).toEqual(["session-4", "session-3"]);
});

test("what is older than retentionDays is removed, and nothing else", async () => {
  const { sentiero, later } = open({ retentionDays: 30 });
  for (let day = 0; day < 4; day++) {
    await post(sentiero, numbered(0, { sessionId: `session-${day}` }));
    later(DAY);
  }
  later(28.5 * DAY);
  while (!(await sentiero.maintain()));
  const { body } = await api<{ sessions: { id: string }[] }>(sentiero, "/sessions");
  expect(body.sessions.map(({ id }) => id)).toEqual(["session-3"]);
  expect((await api(sentiero, "/maintenance")).body).toMatchObject({
    retention: { days: 30, lastRemoved: 3 },
    jobs: [{ kind: "purge", origin: "retention", state: "done", changed: 3, selection: null }],
  });
});

test("clocks of browsers move no list and no retention", async () => {
  const { sentiero, later } = open({ retentionDays: 30 });
  const wild = [0, 1, -1, 86_400_000, Date.UTC(2038, 0, 20), 9e15, 1e300, -9e15];
  for (const [index, timestamp] of wild.entries()) {
    const events = [{ type: 4, data: { href: "https://a.example/", width: 1, height: 1 }, timestamp }];
    const answer = await post(
      sentiero,
      batch({ sessionId: `session-${index}`, run: RUN, seq: 0, sentAt: timestamp, events }),
    );
    expect(answer.status).toBe(200);
    later(61_000);
  }
  for (const timestamp of ["NaN", "Infinity", "1e999", "", "x"]) {
    expect((await post(sentiero, batch({ sessionId: "wild", events: [{ type: 3, timestamp }] }))).status).toBe(400);
  }
  while (!(await sentiero.maintain()));
  const { body } = await api<{ sessions: { id: string; createdAt: number }[] }>(sentiero, "/sessions");
  expect(body.sessions.map(({ id }) => id)).toEqual(wild.map((_, index) => `session-${index}`).toReversed());
  const { usage } = (await api<{ usage: { days: { day: string; sessions: number }[] } }>(sentiero, "/maintenance"))
    .body;
  expect(usage.days).toMatchObject([{ day: "2027-01-15", sessions: wild.length }]);
});

describe("back-pressure", () => {
  const request = (length?: number) =>
    new Request("http://localhost/", { headers: length === undefined ? {} : { "content-length": String(length) } });

  test("lets 256 requests in, then asks to come back, then lets the next one in", () => {
    const { enter } = createAdmission({ maxInflightBytes: 1 << 30 });
    const visits = Array.from({ length: 256 }, () => enter(request(10)));
    expect(() => enter(request(10))).toThrow(expect.objectContaining({ status: 503, headers: { "retry-after": "2" } }));
    visits[0]!.leave();
    expect(() => enter(request(10))).not.toThrow();
  });

  test("bounds the bytes of bodies, inflated ones too, but lets one alone in whatever its size", () => {
    const { enter } = createAdmission({ maxInflightBytes: 1000 });
    const large = enter(request(5000));
    expect(() => enter(request(1))).toThrow(expect.objectContaining({ status: 503 }));
    large.leave();
    const [first, second] = [enter(request(400)), enter(request(400))];
    expect(() => second.grow(500)).toThrow(expect.objectContaining({ status: 503 }));
    second.leave();
    expect(() => first.grow(500)).not.toThrow();
    first.leave();
    const visits = [enter(request(1000))];
    visits[0]!.leave();
    expect(() => enter(request(1000))).not.toThrow();
  });

  test("refuses before the body is read", async () => {
    const { sentiero } = open({ limits: { maxInflightBytes: 100 } });
    let isRead = false;
    const slow = new ReadableStream({ pull: () => new Promise(() => {}) });
    const waiting = sentiero.fetch(
      new Request("http://localhost/sentiero/events", { method: "POST", body: slow, duplex: "half" } as RequestInit),
    );
    const body = new ReadableStream(
      {
        pull(controller) {
          isRead = true;
          controller.close();
        },
      },
      { highWaterMark: 0 },
    );
    const answer = await sentiero.fetch(
      new Request("http://localhost/sentiero/events", { method: "POST", body, duplex: "half" } as RequestInit),
    );
    expect([answer.status, answer.headers.get("retry-after"), isRead]).toEqual([503, "2", false]);
    void waiting;
  });
});
