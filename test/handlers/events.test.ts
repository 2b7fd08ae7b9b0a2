import { gzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { nodePlatform } from "../../adapters/node.ts";
import type { BatchList, SentieroOptions, SessionAnswer } from "../../src/index.ts";
import { ROWS_PER_PAGE } from "../../src/sessions/document.ts";
import { api, BASE, batch, post } from "../support/sentiero.ts";
import { createInspectedSentiero } from "../support/stored.ts";

const RUN = "0123456789abcdef01234567";
const AT = 1_700_000_000_000;

/** What `curl -X POST …/sentiero/events -H "Content-Type: application/json" -d '…'` of the troubleshooting guide sends. */
const CURL_BODY = '{"sessionId":"test","windowId":"test","events":[{"type":4,"timestamp":1}]}';

describe.each([
  ["Web", {}],
  ["Node", nodePlatform],
])("the events lane on the %s platform", (_name, platform) => {
  const create = (options: SentieroOptions = {}) =>
    createInspectedSentiero({ platform, ...options } as SentieroOptions);

  /** The status of one body, and that nothing is stored unless it is 200. */
  async function statusOf(body: unknown, headers: Record<string, string> = {}, options: SentieroOptions = {}) {
    const { sentiero, blobs, errors } = create(options);
    const response = await post(sentiero, body, headers);
    expect(errors).toEqual([]);
    expect(blobs()).toHaveLength(response.status === 200 ? 1 : 0);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    return response.status;
  }

  async function refusal(body: unknown, headers: Record<string, string> = {}, options: SentieroOptions = {}) {
    const { sentiero, blobs, errors } = create(options);
    const response = await post(sentiero, body, headers);
    expect([errors, blobs().length]).toEqual([[], 0]);
    expect(response.headers.get("content-type")).toBe("application/json");
    return { status: response.status, ...((await response.json()) as { error: string }) };
  }

  describe("answers", () => {
    test("the curl of the troubleshooting guide with 200 and status ok", async () => {
      const { sentiero, blobs } = create();
      const response = await post(sentiero, CURL_BODY, { "content-type": "application/json" });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(await response.text()).toBe('{"status":"ok"}');
      expect(blobs().map(({ text }) => text)).toEqual([CURL_BODY]);
    });

    test.each(["/event", "/events/", "/events/x", "/Events", "/api/events"])(
      "a wrong path %s with 404",
      async (path) => {
        const { sentiero, blobs } = create();
        const response = await sentiero.fetch(new Request(`${BASE}${path}`, { method: "POST", body: CURL_BODY }));
        // The API's routes are told apart from pages only after auth.
        expect(response.status).toBe(404);
        expect(blobs()).toEqual([]);
      },
    );

    test.each(["GET", "HEAD", "PUT", "PATCH", "DELETE"])("%s with 405, in JSON", async (method) => {
      const { sentiero } = create();
      const response = await sentiero.fetch(new Request(`${BASE}/events`, { method }));
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("POST, OPTIONS");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      if (method !== "HEAD") expect(await response.json()).toEqual({ error: "method not allowed" });
    });

    test("a preflight with 204 and what may be sent", async () => {
      const { sentiero } = create({ corsOrigins: ["https://shop.example"] });
      const preflight = (origin: string) =>
        sentiero.fetch(new Request(`${BASE}/events`, { method: "OPTIONS", headers: { origin } }));
      const response = await preflight("https://shop.example");
      expect(response.status).toBe(204);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "Content-Type, Content-Encoding",
        "access-control-max-age": "86400",
        "access-control-allow-origin": "https://shop.example",
        "content-type": "text/plain",
        "x-content-type-options": "nosniff",
        vary: "Origin",
      });
      const other = await preflight("https://other.example");
      expect(other.status).toBe(204);
      expect(other.headers.has("access-control-allow-origin")).toBe(false);
    });

    test("through handlers.events, mounted under any path, the same", async () => {
      const { sentiero } = create();
      const response = await sentiero.handlers.events(
        new Request("http://localhost/anything/at/all", { method: "POST", body: CURL_BODY }),
      );
      expect(response.status).toBe(200);
    });
  });

  describe("ids", () => {
    const good = ["a", "test", "A-Z_09", "-", "_", "0", "x".repeat(128), "__proto__", "constructor"];
    const bad = [
      "",
      "x".repeat(129),
      "a\n",
      "\na",
      "a\u0000",
      "a.b",
      "a:b",
      "a/b",
      "../a",
      "a b",
      "<b>",
      "é",
      "ａ",
      "a%20",
      1,
      0,
      1.5,
      true,
      false,
      null,
      [],
      ["a"],
      {},
    ];

    test.each(good)("%j is one", async (id) => {
      expect(await statusOf(batch({ sessionId: id }))).toBe(200);
      expect(await statusOf(batch({ windowId: id }))).toBe(200);
    });

    test.each(bad)("%j is none", async (id) => {
      expect(await refusal(batch({ sessionId: id }))).toMatchObject({
        status: 400,
        error: expect.stringMatching(/^sessionId /),
      });
      expect(await refusal(batch({ windowId: id }))).toMatchObject({
        status: 400,
        error: expect.stringMatching(/^windowId /),
      });
    });

    test("are required", async () => {
      expect(await refusal({ windowId: "w", events: [{}] })).toMatchObject({ status: 400 });
      expect(await refusal({ sessionId: "s", events: [{}] })).toMatchObject({ status: 400 });
    });
  });

  describe("events", () => {
    test.each([[undefined], [null], [[]], ["text"], [{}], [5], [{ length: 1 }]])(
      "%j is no list of them",
      async (events) => {
        expect(await refusal(batch({ events }))).toMatchObject({
          status: 400,
          error: expect.stringMatching(/^events /),
        });
      },
    );

    test.each([[[null]], [["text"]], [[5]], [[[]]], [[{ type: 3 }, null]], [[{ type: 3 }, [{}]]]])(
      "%j holds something else",
      async (events) => {
        expect(await refusal(batch({ events }))).toMatchObject({ status: 400, error: "events must hold objects only" });
      },
    );

    test("an empty object is one", async () => {
      expect(await statusOf(batch({ events: [{}] }))).toBe(200);
    });

    test("exactly as many as allowed are taken, one more is not", async () => {
      const options = { limits: { maxEventsPerBatch: 3 } };
      expect(await statusOf(batch({ events: [{}, {}, {}] }), {}, options)).toBe(200);
      expect(await refusal(batch({ events: [{}, {}, {}, {}] }), {}, options)).toMatchObject({
        status: 400,
        error: "too many events",
      });
    });

    test.each([
      [1, 1],
      [0, 0],
      [-5, -5],
      [AT + 0.5, AT + 0.5],
      ["12", 12],
      ["12.5", 12.5],
      [" 7 ", 7],
      ["1e3", 1000],
    ])("the time %j is stored as %j", async (timestamp, stored) => {
      const { sentiero, blobs } = create();
      expect((await post(sentiero, batch({ events: [{ type: 3, timestamp }] }))).status).toBe(200);
      const { events } = JSON.parse(blobs()[0]!.text) as { events: unknown[] };
      expect(events).toEqual([{ type: 3, timestamp: stored }]);
    });

    test.each([null, true, [], {}, "", " ", "soon", "12px", "NaN", "Infinity", "-Infinity", "1e999"])(
      "the time %j refuses the whole batch",
      async (timestamp) => {
        expect(await refusal(batch({ events: [{ timestamp: 1 }, { timestamp }] }))).toMatchObject({
          status: 400,
          error: "an event's timestamp must be a number",
        });
      },
    );

    test("a time may be missing, but not be out of range", async () => {
      expect(await statusOf(batch({ events: [{ type: 3 }] }))).toBe(200);
      expect(await statusOf('{"sessionId":"s","windowId":"w","events":[{"timestamp":1e999}]}')).toBe(400);
      expect(await statusOf('{"sessionId":"s","windowId":"w","events":[{"timestamp":-1e999}]}')).toBe(400);
      expect(await statusOf('{"sessionId":"s","windowId":"w","events":[{"timestamp":NaN}]}')).toBe(400);
    });
  });

  describe("run, number and the other fields", () => {
    test("run and seq come together", async () => {
      expect(await statusOf(batch({ run: RUN, seq: 0 }))).toBe(200);
      expect(await statusOf(batch())).toBe(200);
      expect(await statusOf(batch({ run: RUN }))).toBe(400);
      expect(await statusOf(batch({ seq: 0 }))).toBe(400);
    });

    test.each([
      { run: RUN.toUpperCase(), seq: 0 },
      { run: `${RUN}0`, seq: 0 },
      { run: RUN.slice(1), seq: 0 },
      { run: `${RUN}\n`, seq: 0 },
      { run: "", seq: 0 },
      { run: 5, seq: 0 },
      { run: RUN, seq: -1 },
      { run: RUN, seq: 1.5 },
      { run: RUN, seq: "1" },
      { run: RUN, seq: null },
      { run: RUN, seq: 2 ** 53 },
      { sentAt: "now" },
      { key: "short" },
      { key: "A".repeat(32) },
      { recorder: "v".repeat(33) },
      { gaps: {} },
      { gaps: [{ reason: "bored", events: 1, from: 1, to: 2 }] },
      { gaps: [{ reason: "overflow", events: -1, from: 1, to: 2 }] },
      { gaps: [{ reason: "overflow", events: 1, from: 1, to: 2, run: RUN }] },
      { gaps: [{ reason: "overflow", events: 1, from: 1, to: 2, seq: 0 }] },
      { gaps: [{ reason: "overflow", events: 1, from: 1, to: 2, run: "a", seq: 0 }] },
      { gaps: [{ reason: "overflow", events: 1, from: 1, to: 2, run: RUN, seq: -1 }] },
      { gaps: [{ reason: "overflow", events: 1, from: 1, to: 2, run: RUN, seq: 0, id: "x" }] },
      { gaps: Array.from({ length: 21 }, () => ({ reason: "overflow", events: 1, from: 1, to: 2 })) },
    ])("%j is refused", async (fields) => {
      expect(await statusOf(batch(fields))).toBe(400);
    });

    // The recorder believes an upload lost whose answer never came back; what it declares then was shown for ever.
    test.each(["before", "behind"])("a gap is not shown whose upload arrived %s it", async (order) => {
      const { sentiero } = create();
      const gap = (from: number, name: object) => ({ reason: "network", events: 1, from, to: 9, ...name });
      const gaps = [
        gap(1, {}),
        gap(2, { run: RUN, seq: 3 }),
        gap(3, { run: RUN, seq: 7 }),
        gap(4, { run: "f".repeat(24), seq: 3 }),
      ];
      const uploads = [batch({ run: RUN, seq: 3 }), batch({ run: RUN, seq: 4, gaps, windowId: "window-2" })];
      for (const upload of order === "before" ? uploads : uploads.toReversed()) {
        expect((await post(sentiero, upload)).status).toBe(200);
      }
      const { body } = await api<SessionAnswer>(sentiero, "/sessions/session-1");
      const shown = body.session.windows.find(({ id }) => id === "window-2")!.gaps;
      expect(shown).toEqual([gaps[0], gaps[2], gaps[3]]);
    });

    test("a number above 99,999 asks for a new session, in the first batch of one too", async () => {
      expect(await statusOf(batch({ run: RUN, seq: 99_999 }))).toBe(200);
      expect(await refusal(batch({ run: RUN, seq: 100_000 }))).toEqual({ status: 409, error: "rotate" });
    });

    test("every taken batch can be read back", async () => {
      const { sentiero } = create();
      for (const seq of [0, 9, 10, 99_999]) await post(sentiero, batch({ run: RUN, seq }));
      await post(sentiero, batch());
      const { body } = await api<BatchList>(sentiero, "/sessions/session-1/windows/window-1/batches");
      expect(body.batches).toHaveLength(5);
      for (const { key } of body.batches) {
        expect((await api(sentiero, `/sessions/session-1/windows/window-1/batches/${key}`)).status).toBe(200);
      }
    });

    test("fields that nobody knows are not stored", async () => {
      const { sentiero, everything } = create();
      const body = { ...batch(), password: "hunter2", __proto__: null, Events: ["hunter2"] };
      expect((await post(sentiero, body)).status).toBe(200);
      const raw = gzipSync(JSON.stringify({ ...body, sessionId: "other" }));
      expect((await post(sentiero, raw)).status).toBe(200);
      expect(everything()).not.toContain("hunter2");
    });
  });

  describe("bodies", () => {
    test.each([
      ["nothing", ""],
      ["a space", " "],
      ["half of an object", '{"sessionId":"a"'],
      ["two objects", "{}{}"],
      ["single quotes", "{'sessionId':'a'}"],
      ["a list", "[]"],
      ["a list with a batch", `[${CURL_BODY}]`],
      ["a number", "5"],
      ["null", "null"],
      ["true", "true"],
      ["a text", '"text"'],
      ["an empty object", "{}"],
    ])("that are %s are answered with 400, where the original answered some with 500", async (_what, body) => {
      expect(await statusOf(body)).toBe(400);
      expect(await statusOf(gzipSync(body))).toBe(400);
    });

    test("that are no UTF-8 are refused", async () => {
      const broken = Buffer.from(CURL_BODY.replace("test", "\u00ff"), "latin1");
      expect(await statusOf(new Uint8Array(broken))).toBe(400);
      expect(await statusOf(gzipSync(broken))).toBe(400);
      const surrogate = Buffer.concat([Buffer.from('{"a":"'), Buffer.of(0xed, 0xa0, 0x80), Buffer.from('"}')]);
      expect(await statusOf(new Uint8Array(surrogate))).toBe(400);
    });

    test("may begin with a byte order mark", async () => {
      const body = new TextEncoder().encode(`\u{feff}${CURL_BODY}`);
      expect(await statusOf(body)).toBe(200);
      const { sentiero } = create();
      expect((await post(sentiero, gzipSync(body))).status).toBe(200);
      const events = await api<unknown[]>(sentiero, "/sessions/test/windows/test/events");
      expect(events.body).toEqual([{ type: 4, timestamp: 1 }]);
    });

    test.each(["application/json", "text/plain", "application/octet-stream", "multipart/form-data", ""])(
      "are read whatever their type: %s",
      async (type) => {
        expect(await statusOf(CURL_BODY, { "content-type": type })).toBe(200);
      },
    );

    test("are inflated by header or by their first bytes, as a beacon cannot set headers", async () => {
      const gzip = gzipSync(CURL_BODY);
      for (const encoding of ["gzip", "GZIP", " gzip "])
        expect(await statusOf(gzip, { "content-encoding": encoding })).toBe(200);
      expect(await statusOf(gzip, { "content-type": "text/plain" })).toBe(200);
    });

    test("that say gzip and are none, or are corrupt, are answered with 400 and no detail", async () => {
      const gzip = gzipSync(CURL_BODY);
      const corrupt = Uint8Array.from(gzip, (byte, index) => (index > 12 && index < 20 ? 0xff : byte));
      expect(await refusal(CURL_BODY, { "content-encoding": "gzip" })).toMatchObject({ status: 400 });
      expect(await refusal(corrupt)).toEqual({ status: 400, error: "body is not valid gzip" });
      expect(await refusal(gzip.subarray(0, -5))).toEqual({ status: 400, error: "body is not valid gzip" });
      expect(await refusal(gzipSync(gzip))).toMatchObject({ status: 400 });
    });

    test("are stored as received where nothing was changed and the events come last, as the recorder writes it", async () => {
      const { events, ...rest } = batch({ run: RUN, seq: 0, metadata: { plan: "free" } });
      const gzip = gzipSync(JSON.stringify({ ...rest, events }), { level: 9 });
      const { sentiero, blobs } = create();
      await post(sentiero, gzip);
      expect(Buffer.compare(blobs()[0]!.bytes, gzip)).toBe(0);
    });

    test("mean the same whatever the order of their fields", async () => {
      const fields = { run: RUN, seq: 0, metadata: { plan: "free" } };
      const { events, ...rest } = batch(fields);
      const { sentiero, blobs } = create();
      for (const body of [{ ...rest, events }, { events, ...rest }, batch(fields)]) {
        expect((await post(sentiero, gzipSync(JSON.stringify(body)))).status).toBe(200);
      }
      expect(blobs()).toHaveLength(1);
      expect(JSON.parse(blobs()[0]!.text)).toEqual(batch(fields));
    });

    test("as large as allowed are taken, one byte more is answered with 413 and nothing is stored", async () => {
      const body = CURL_BODY;
      const limit = (maxBodyBytes: number) => ({ limits: { maxBodyBytes } });
      expect(await statusOf(body, {}, limit(body.length))).toBe(200);
      expect(await refusal(body, {}, limit(body.length - 1))).toEqual({ status: 413, error: "body too large" });
      const gzip = gzipSync(body);
      expect(await statusOf(gzip, {}, limit(gzip.length))).toBe(200);
      expect(await statusOf(gzip, {}, limit(gzip.length - 1))).toBe(413);
    });

    test("inflated as large as allowed are taken, one byte more is answered with 413", async () => {
      const gzip = gzipSync(CURL_BODY);
      const limit = (maxInflatedBytes: number) => ({ limits: { maxInflatedBytes } });
      expect(await statusOf(gzip, {}, limit(CURL_BODY.length))).toBe(200);
      expect(await refusal(gzip, {}, limit(CURL_BODY.length - 1))).toEqual({ status: 413, error: "body too large" });
    });

    test("inflate to no more than the runtime can hold, whatever the option says", async () => {
      const { sentiero } = create({ platform: { ...platform, maxInflatedBytes: 20 } });
      expect((await post(sentiero, gzipSync(CURL_BODY))).status).toBe(413);
    });

    test("over 512 KiB are taken, where the original refused a large page's first snapshot", async () => {
      const body = batch({ events: [{ type: 2, timestamp: AT, data: { text: "x".repeat(3_000_000) } }] });
      expect(await statusOf(body)).toBe(200);
      expect(await statusOf(gzipSync(JSON.stringify(body)))).toBe(200);
    });

    test("nested over 100 levels are taken, where the original lost pages of 47 nested elements", async () => {
      let node: unknown = { text: "bottom" };
      for (let level = 0; level < 400; level++) node = { childNodes: [node] };
      expect(await statusOf(batch({ events: [{ type: 2, timestamp: AT, data: { node } }] }))).toBe(200);
    });
  });

  describe("metadata", () => {
    test("a value over 1,024 characters is cut, so the retry that duplicated events in the original never happens", async () => {
      const { sentiero, errors } = create();
      const body = batch({ run: RUN, seq: 0, metadata: { userAgent: "x".repeat(5000), ["k".repeat(500)]: 1 } });
      expect((await post(sentiero, body)).status).toBe(200);
      expect((await post(sentiero, body)).status).toBe(200);
      const { body: answer } = await api<SessionAnswer>(sentiero, "/sessions/session-1");
      expect(answer.session.eventCount).toBe(1);
      expect(answer.session.metadata).toEqual({ userAgent: "x".repeat(1024), ["k".repeat(128)]: 1 });
      expect(errors).toEqual([]);
    });

    test.each([null, [], "text", 5, true, {}])("%j counts as none", async (metadata) => {
      const { sentiero, errors } = create();
      expect((await post(sentiero, batch({ metadata }))).status).toBe(200);
      expect((await api<SessionAnswer>(sentiero, "/sessions/session-1")).body.session.metadata).toEqual({});
      expect(errors).toEqual([]);
    });

    test("a number that is out of range does not become null", async () => {
      const { sentiero } = create();
      await post(sentiero, '{"sessionId":"s","windowId":"w","events":[{}],"metadata":{"a":1e999,"b":1}}');
      expect((await api<SessionAnswer>(sentiero, "/sessions/s")).body.session.metadata).toEqual({ b: 1 });
    });
  });

  describe("a batch that comes again", () => {
    const count = async (sentiero: ReturnType<typeof create>["sentiero"]) =>
      (await api<SessionAnswer>(sentiero, "/sessions/session-1")).body.session.eventCount;

    test("changes nothing and is answered as before, with run and number or without", async () => {
      for (const fields of [{ run: RUN, seq: 0 }, {}]) {
        const { sentiero, blobs } = create();
        for (let times = 0; times < 3; times++) expect((await post(sentiero, batch(fields))).status).toBe(200);
        expect(await count(sentiero)).toBe(1);
        expect(blobs()).toHaveLength(1);
      }
    });

    test("is the same in another compression or with other spaces", async () => {
      const { sentiero } = create();
      const body = batch({ run: RUN, seq: 0 });
      await post(sentiero, body);
      await post(sentiero, gzipSync(JSON.stringify(body)));
      await post(sentiero, gzipSync(JSON.stringify(body), { level: 0 }));
      await post(sentiero, JSON.stringify(body, null, 2));
      expect(await count(sentiero)).toBe(1);
    });

    test("is known when its row has just gone to an index page that is written in the same put", async () => {
      for (const withRun of [true, false]) {
        const { sentiero } = create();
        const bodies = Array.from({ length: ROWS_PER_PAGE + 20 }, (_, seq) =>
          batch({ ...(withRun && { run: RUN, seq }), events: [{ type: 3, timestamp: AT + seq }] }),
        );
        for (const body of bodies.slice(0, -60)) await post(sentiero, body);
        // While the first of them is under way, the others are joined into one put.
        const together = [...bodies.slice(-60), ...bodies.slice(-60)];
        const answers = await Promise.all(together.map((body) => post(sentiero, body)));
        expect(answers.every(({ status }) => status === 200)).toBe(true);
        expect(await count(sentiero)).toBe(bodies.length);
        const { body } = await api<BatchList>(sentiero, "/sessions/session-1/windows/window-1/batches");
        expect(body.batches).toHaveLength(bodies.length);
      }
    });

    test("under the same number with other events is kept too, and flagged", async () => {
      const { sentiero } = create();
      await post(sentiero, batch({ run: RUN, seq: 0 }));
      await post(sentiero, batch({ run: RUN, seq: 0, events: [{ type: 3, timestamp: AT + 5 }] }));
      const { body } = await api<BatchList>(sentiero, "/sessions/session-1/windows/window-1/batches");
      expect(body.batches.map(({ isConflict }) => isConflict)).toEqual([false, true]);
    });
  });

  describe("visitors who do not want to be recorded", () => {
    const dropped = async (headers: Record<string, string>, options: SentieroOptions = {}) => {
      const { sentiero, blobs } = create(options);
      const response = await post(sentiero, CURL_BODY, headers);
      expect(blobs()).toHaveLength(response.status === 204 ? 0 : 1);
      if (response.status === 204) expect(await response.text()).toBe("");
      return response.status === 204;
    };

    test("Sec-GPC: 1 drops, exactly that and only where it is respected", async () => {
      expect(await dropped({ "sec-gpc": "1" })).toBe(true);
      for (const value of ["0", "true", "11", "1, 1", ""]) expect(await dropped({ "sec-gpc": value })).toBe(false);
      expect(await dropped({ "sec-gpc": "1" }, { respectGpc: false })).toBe(false);
    });

    test.each([
      ["sentiero_optout=1", true],
      ["sentiero_optout=true", true],
      ["sentiero_optout=yes", true],
      ["a=b; sentiero_optout=1; c=d", true],
      ["a=b;sentiero_optout=1", true],
      ["sentiero_optout=%E0%A4%A", true],
      ["sentiero_optout=0", false],
      ["sentiero_optout=false", false],
      ["sentiero_optout=", false],
      ["sentiero_optout", false],
      ["xsentiero_optout=1", false],
      ["sentiero_optout2=1", false],
      ["a=sentiero_optout=1", false],
      ["", false],
    ])("the cookie %j drops: %j", async (cookie, isDropped) => {
      expect(await dropped({ cookie }, { userOptOut: true })).toBe(isDropped);
      expect(await dropped({ cookie })).toBe(false);
    });

    test("the cookie may have another name", async () => {
      const options = { userOptOut: true, optOutCookieName: "no_thanks" };
      expect(await dropped({ cookie: "no_thanks=1" }, options)).toBe(true);
      expect(await dropped({ cookie: "sentiero_optout=1" }, options)).toBe(false);
    });

    test("are not asked for a body that can be read", async () => {
      const { sentiero } = create();
      expect((await post(sentiero, "no json", { "sec-gpc": "1" })).status).toBe(204);
    });
  });

  describe("origins", () => {
    const answerTo = async (headers: Record<string, string>, options: SentieroOptions = {}) => {
      const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
      const { sentiero, blobs } = create(options);
      const response = await post(sentiero, CURL_BODY, headers);
      warn.mockRestore();
      expect(blobs()).toHaveLength(response.status === 200 ? 1 : 0);
      return { status: response.status, allowed: response.headers.get("access-control-allow-origin"), response };
    };

    test("none, our own and listed ones are taken", async () => {
      expect(await answerTo({})).toMatchObject({ status: 200, allowed: null });
      expect(await answerTo({ origin: "http://localhost" })).toMatchObject({ status: 200, allowed: null });
      const corsOrigins = ["https://shop.example", "https://blog.example:8443"];
      for (const origin of corsOrigins) {
        const { status, allowed, response } = await answerTo({ origin }, { corsOrigins });
        expect([status, allowed, response.headers.get("vary")]).toEqual([200, origin, "Origin"]);
        expect(response.headers.has("access-control-allow-credentials")).toBe(false);
      }
    });

    test.each([
      "https://evil.example",
      "https://shop.example.evil.example",
      "https://sub.shop.example",
      "http://shop.example",
      "https://shop.example:444",
      "https://SHOP.example",
      "https://shop.example/",
      "https://shop.exampl",
      "null",
      "",
      "*",
      "file://",
    ])("%j is refused, stores nothing and is not named in the answer", async (origin) => {
      const { status, allowed, response } = await answerTo({ origin }, { corsOrigins: ["https://shop.example"] });
      expect([status, allowed]).toEqual([403, null]);
      expect(await response.json()).toEqual({ error: "origin not allowed" });
    });

    test("an error to a listed origin can be read by it", async () => {
      const { sentiero } = create({ corsOrigins: ["https://shop.example"] });
      const response = await post(sentiero, "{", { origin: "https://shop.example" });
      expect(response.status).toBe(400);
      expect(response.headers.get("access-control-allow-origin")).toBe("https://shop.example");
      // How long it should wait is a header that other origins can't read unless they are told.
      expect(response.headers.get("access-control-expose-headers")).toBe("Retry-After");
    });

    test("our own address is publicUrl, or what a trusted proxy says, or the request's", async () => {
      const origin = "https://app.example";
      expect((await answerTo({ origin })).status).toBe(403);
      expect((await answerTo({ origin }, { publicUrl: "https://app.example/some/path" })).status).toBe(200);
      const forwarded = { "x-forwarded-host": "app.example", "x-forwarded-proto": "https" };
      expect((await answerTo({ origin, ...forwarded })).status).toBe(403);
      expect((await answerTo({ origin, ...forwarded }, { trustProxy: true })).status).toBe(200);
    });

    test("of forwarded values only the nearest proxy's counts", async () => {
      const forwarded = { "x-forwarded-host": "evil.example, app.example", "x-forwarded-proto": "http, https" };
      const options = { trustProxy: true };
      expect((await answerTo({ origin: "https://app.example", ...forwarded }, options)).status).toBe(200);
      expect((await answerTo({ origin: "http://evil.example", ...forwarded }, options)).status).toBe(403);
    });

    test("a page of ours is known by Sec-Fetch-Site behind a proxy that ends TLS", async () => {
      expect((await answerTo({ origin: "https://localhost", "sec-fetch-site": "same-origin" })).status).toBe(200);
      for (const site of ["same-site", "cross-site", "none", "SAME-ORIGIN"]) {
        expect((await answerTo({ origin: "https://localhost", "sec-fetch-site": site })).status).toBe(403);
      }
    });

    test("are not enforced where the option says so, and still not announced", async () => {
      const answer = await answerTo({ origin: "https://evil.example" }, { enforceOrigin: false });
      expect([answer.status, answer.allowed]).toEqual([200, null]);
    });

    test("a refused one is named in the log once, with the option to set", async () => {
      const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
      const { sentiero } = create();
      for (let times = 0; times < 3; times++) await post(sentiero, CURL_BODY, { origin: "https://shop.example" });
      expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/"https:\/\/shop\.example".*corsOrigins/s));
      for (let index = 0; index < 300; index++) await post(sentiero, CURL_BODY, { origin: `https://${index}.example` });
      expect(warn.mock.calls.length).toBeLessThanOrEqual(100);
      warn.mockRestore();
    });
  });

  describe("redaction", () => {
    test("addresses are cut before anything is stored, in events and in metadata", async () => {
      const { sentiero, everything } = create();
      const events = [
        { type: 4, timestamp: AT, data: { href: "https://a.example/p?token=hunter2#hunter2", width: 1, height: 1 } },
      ];
      const body = batch({ events, metadata: { url: "https://a.example/p?token=hunter2" } });
      await post(sentiero, body);
      await post(sentiero, gzipSync(JSON.stringify({ ...body, sessionId: "other" })));
      expect(everything()).not.toContain("hunter2");
      const { session } = (await api<SessionAnswer>(sentiero, "/sessions/session-1")).body;
      expect(session).toMatchObject({ entryUrl: "https://a.example/p", lastUrl: "https://a.example/p" });
      expect(session.metadata).toEqual({ url: "https://a.example/p" });
    });

    test("redactEvent decides what is stored, and a throw drops the event", async () => {
      const redactEvent = (event: { readonly data?: unknown }) => {
        if (JSON.stringify(event.data).includes("drop")) return null;
        if (JSON.stringify(event.data).includes("throw")) throw new Error("rule");
        return { ...event, data: "seen" };
      };
      const { sentiero, blobs, errors } = create({ redaction: { redactEvent } });
      const events = ["keep", "drop", "throw"].map((data) => ({ type: 5, data, timestamp: AT }));
      expect((await post(sentiero, gzipSync(JSON.stringify(batch({ events }))))).status).toBe(200);
      expect(JSON.parse(blobs()[0]!.text)).toMatchObject({ events: [{ type: 5, data: "seen" }] });
      expect(errors).toEqual([new Error("rule")]);
    });

    test("what redactEvent returns and JSON cannot hold drops that event, and is told to onError", async () => {
      const circular: Record<string, unknown> = { type: 5 };
      circular.self = circular;
      const redactEvent = (event: { readonly type?: unknown }) => (event.type === 5 ? circular : event);
      const { sentiero, blobs, errors } = create({ redaction: { redactEvent } } as SentieroOptions);
      const events = [
        { type: 5, timestamp: AT },
        { type: 3, timestamp: AT },
      ];
      expect((await post(sentiero, batch({ events }))).status).toBe(200);
      expect(JSON.parse(blobs()[0]!.text)).toMatchObject({ events: [{ type: 3 }] });
      expect(errors).toHaveLength(1);
    });

    test("a batch of which nothing is left is answered as taken, and its metadata is kept", async () => {
      const { sentiero } = create({ redaction: { redactEvent: () => null } });
      expect((await post(sentiero, batch({ metadata: { plan: "free" } }))).status).toBe(200);
      const { session } = (await api<SessionAnswer>(sentiero, "/sessions/session-1")).body;
      expect(session).toMatchObject({ eventCount: 0, metadata: { plan: "free" } });
    });
  });

  describe("sessions that cannot go on", () => {
    test("an erased one answers 410 and asks for another", async () => {
      const { sentiero, blobs } = create();
      await post(sentiero, batch());
      expect((await api(sentiero, "/sessions/session-1", { method: "DELETE" })).status).toBe(204);
      const response = await post(sentiero, batch({ events: [{ type: 3, timestamp: 2 }] }));
      expect(response.status).toBe(410);
      expect(await response.json()).toMatchObject({ rotate: true });
      expect(blobs()).toEqual([]);
    });

    test("one of somebody else answers 409 and asks for another", async () => {
      const { sentiero } = create();
      const key = "0123456789abcdef0123456789abcdef";
      await post(sentiero, batch({ key }));
      expect((await post(sentiero, batch({ key, windowId: "w-2" }))).status).toBe(200);
      for (const other of ["f".repeat(32), undefined]) {
        const response = await post(sentiero, batch({ key: other, windowId: "w-3" }));
        expect([response.status, await response.json()]).toEqual([409, { error: "rotate" }]);
      }
    });

    test("the secret of a session is in nothing but the stored bodies", async () => {
      const { sentiero } = create();
      const key = "0123456789abcdef0123456789abcdef";
      await post(sentiero, gzipSync(JSON.stringify(batch({ key }))));
      const seen = [
        await api(sentiero, "/sessions"),
        await api(sentiero, "/sessions/session-1"),
        await api(sentiero, "/sessions/session-1/windows/window-1/events"),
      ];
      expect(JSON.stringify(seen)).not.toContain(key);
      const list = await api<BatchList>(sentiero, "/sessions/session-1/windows/window-1/batches");
      expect(JSON.stringify(list)).not.toContain(key);
    });
  });

  test("a storage that fails is a bare 500 whose reason goes to onError", async () => {
    const { sentiero, errors, storage } = create();
    storage.setItemRaw = () => Promise.reject(new Error("disk secret"));
    const response = await post(sentiero, CURL_BODY);
    expect([response.status, await response.text()]).toEqual([500, '{"error":"internal error"}']);
    expect(errors).toEqual([new Error("disk secret")]);
  });
});
