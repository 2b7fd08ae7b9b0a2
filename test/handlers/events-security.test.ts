import { deflateRawSync, gzipSync } from "node:zlib";
import { describe, expect, test, vi } from "vitest";
import { nodePlatform } from "../../adapters/node.ts";
import type { BatchList, SentieroOptions, SessionAnswer } from "../../src/index.ts";
import { api, BASE, batch, post } from "../support/sentiero.ts";
import { createInspectedSentiero } from "../support/stored.ts";

/** Must never be found in what is stored. */
const SECRET = "hunter2-4111111111111111";
const AT = 1_700_000_000_000;

const join = (...parts: (Uint8Array | string)[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))));

/** A body as text, so that it can hold what an object cannot. */
const body = (events: string, more = ""): string =>
  `{"sessionId":"session-1","windowId":"window-1","events":${events}${more}}`;

const CLEAN = '[{"type":4,"data":{"href":"https://a.example/","width":1,"height":1},"timestamp":1}]';

describe.each([
  ["Web", {}],
  ["Node", nodePlatform],
])("hostile bodies on the %s platform", (_name, platform) => {
  const create = (options: SentieroOptions = {}) =>
    createInspectedSentiero({ platform, ...options } as SentieroOptions);

  describe("a secret hidden from redaction is not stored", () => {
    const hidden: Record<string, string> = {
      "behind a clean list of events": body(`[{"type":4,"data":{"href":"/?${SECRET}"}}],"events":${CLEAN}`),
      "behind clean metadata": body(CLEAN, `,"metadata":{"url":"/?${SECRET}"},"metadata":{"url":"/"}`),
      "behind a clean value of metadata": body(CLEAN, `,"metadata":{"url":"/?${SECRET}","url":"/"}`),
      "behind metadata that is none": body(CLEAN, `,"metadata":{"a":"${SECRET}"},"metadata":5`),
      "in the first data of a Meta event": body(
        `[{"type":4,"data":{"href":"/?${SECRET}"},"data":{"href":"/"},"timestamp":1}]`,
      ),
      "in the first address of a Meta event": body(
        `[{"type":4,"data":{"href":"/?${SECRET}","href":"/"},"timestamp":1}]`,
      ),
      "behind another type of the event": body(
        `[{"type":4,"data":{"href":"/?${SECRET}"},"type":4,"data":{"href":"/"}}]`,
      ),
      "before an envelope that says the same": `{"metadata":{"url":"/?${SECRET}"},"metadata":{"url":"/"},${body(CLEAN).slice(1)}`,
      "in an envelope whose events come twice": `{"events":[{"type":4,"data":{"href":"/?${SECRET}"}}],${body(CLEAN).slice(1)}`,
      "in a session id that comes twice": `{"sessionId":"${SECRET}","sessionId":"session-1","windowId":"window-1","events":${CLEAN}}`,
      "in text that looks like the events": `{"x":"\\"events\\":${SECRET}",${body(CLEAN).slice(1)}`,
      "under an escaped name of the envelope": `{"m\\u0065tadata":{"url":"/?${SECRET}"},${body(CLEAN).slice(1)}`,
      "in a custom event whose payload comes twice": body(
        `[{"type":5,"data":{"tag":"a","payload":"${SECRET}"},"data":{"tag":"a","payload":""},"timestamp":1}]`,
      ),
      "under an escaped name": body(`[{"type":4,"data":{"\\u0068ref":"/?${SECRET}"},"timestamp":1}]`),
      "behind escaped marks": body(`[{"type":4,"data":{"href":"/\\u003f${SECRET}"},"timestamp":1}]`),
      "in a field that nobody knows": body(CLEAN, `,"extra":"${SECRET}"`),
      "in a field named __proto__": body(CLEAN, `,"__proto__":{"events":"${SECRET}"}`),
      "in another session id": `{"sessionId":"${SECRET}",${body(CLEAN).slice(1)}`,
      "in metadata about a place": body(CLEAN, `,"metadata":{"geo_city":"${SECRET}"}`),
    };

    test.each(Object.entries(hidden))("%s", async (_where, text) => {
      const { sentiero, everything, blobs } = create();
      for (const bytes of [text, gzipSync(text), join("\u{feff}", text), gzipSync(join("\u{feff}", text))]) {
        expect((await post(sentiero, bytes)).status).toBe(200);
      }
      expect(blobs().length).toBeGreaterThan(0);
      expect(everything()).not.toContain(SECRET);
    });

    const clean = gzipSync(body(CLEAN));
    const length = clean.subarray(-4);
    const envelopes: Record<string, Uint8Array> = {
      "behind the gzip": join(clean, SECRET),
      "behind zeros behind the gzip": join(clean, "\0\0", SECRET),
      "behind the gzip, with its length": join(clean, "\0", SECRET, length),
      "in a second member": join(clean, gzipSync(SECRET)),
      "in a second member that is not compressed": join(clean, gzipSync(SECRET, { level: 0 })),
      "in a member before": join(gzipSync(SECRET, { level: 0 }), clean),
      "in the name of an empty member before": join(
        Uint8Array.of(0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3),
        `${SECRET}\0`,
        deflateRawSync(""),
        new Uint8Array(8),
        clean,
      ),
      "in the gzip header's file name": join(
        Uint8Array.of(0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3),
        `${SECRET}\0`,
        clean.subarray(10),
      ),
      "in the gzip header's comment": join(
        Uint8Array.of(0x1f, 0x8b, 8, 16, 0, 0, 0, 0, 0, 3),
        `${SECRET}\0`,
        clean.subarray(10),
      ),
      "in the gzip header's extra field": join(
        Uint8Array.of(0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3, SECRET.length, 0),
        SECRET,
        clean.subarray(10),
      ),
    };

    test.each(Object.entries(envelopes))("%s", async (_where, bytes) => {
      const { sentiero, everything, errors } = create();
      expect([200, 400]).toContain((await post(sentiero, bytes)).status);
      expect(everything()).not.toContain(SECRET);
      expect(errors).toEqual([]);
    });
  });

  test("whatever was answered 200 can be read by every reader afterwards", async () => {
    const text = body(CLEAN);
    const gzip = gzipSync(text);
    const bodies = [
      gzip,
      gzipSync(text, { level: 0 }),
      join(gzipSync(""), gzip),
      join(gzip, gzipSync("")),
      join(gzip, "\0\0\0\0"),
      join(gzip, "\0trailing", gzip.subarray(-4)),
      join("\u{feff}", text),
      gzipSync(join("\u{feff}", text)),
    ];
    for (const bytes of bodies) {
      const { sentiero } = create();
      const { status } = await post(sentiero, bytes);
      expect([200, 400]).toContain(status);
      if (status !== 200) continue;
      const events = await api<unknown[]>(sentiero, "/sessions/session-1/windows/window-1/events");
      expect(events.body).toHaveLength(1);
      const { body: list } = await api<BatchList>(sentiero, "/sessions/session-1/windows/window-1/batches");
      const stored = await api<{ events: unknown[] }>(
        sentiero,
        `/sessions/session-1/windows/window-1/batches/${list.batches[0]!.key}`,
      );
      expect(stored.body.events).toHaveLength(1);
    }
  });

  test("names of an object's prototype change no object", async () => {
    const { sentiero } = create();
    const polluted = `{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}`;
    const text = body(
      `[${polluted},{"type":4,"data":${polluted}}]`,
      `,"metadata":${polluted},"__proto__":{"isAdmin":true}`,
    );
    expect((await post(sentiero, text)).status).toBe(200);
    expect((await api<SessionAnswer>(sentiero, "/sessions/session-1")).status).toBe(200);
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  test("nothing of a batch may stand in for a field that it does not have", async () => {
    const { sentiero } = create();
    for (const text of [
      '{"__proto__":{"sessionId":"a","windowId":"b","events":[{}]}}',
      '{"sessionId":"a","windowId":"b","__proto__":{"events":[{}]}}',
    ]) {
      expect((await post(sentiero, text)).status).toBe(400);
    }
  });

  describe("nesting of 100,000 levels is an answer, not a crash", () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000);
    const deepObjects = '{"a":'.repeat(100_000) + "1" + "}".repeat(100_000);
    test.each([
      ["alone", deep],
      ["in the events", body(deep)],
      ["in an event", body(`[{"type":2,"data":${deep}}]`)],
      ["in an event, of objects", body(`[{"type":2,"data":${deepObjects}}]`)],
      ["in an address", body(`[{"type":4,"data":{"href":${deep}}}]`)],
      ["in a time", body(`[{"timestamp":${deep}}]`)],
      ["in the metadata", body(CLEAN, `,"metadata":{"a":${deep}}`)],
      ["as the metadata", body(CLEAN, `,"metadata":${deepObjects}`)],
      ["in the gaps", body(CLEAN, `,"gaps":${deep}`)],
      ["in a gap", body(CLEAN, `,"gaps":[{"reason":${deep},"events":1,"from":1,"to":2}]`)],
      ["in an id", `{"sessionId":${deep},"windowId":"w","events":[{}]}`],
      ["in a field that nobody knows", body(CLEAN, `,"x":${deep}`)],
    ])("%s", async (_where, text) => {
      const { sentiero, errors } = create();
      for (const bytes of [text, gzipSync(text)]) {
        const { status } = await post(sentiero, bytes);
        expect([200, 400]).toContain(status);
      }
      expect(errors).toEqual([]);
    });
  });

  describe("a small body does not fill the memory", () => {
    test("millions of empty events are refused without being kept", async () => {
      const events = `[${"{},".repeat(1_000_000)}{}]`;
      const { sentiero, blobs } = create();
      expect((await post(sentiero, gzipSync(body(events)))).status).toBe(400);
      expect((await post(sentiero, gzipSync(body(`[${"{},".repeat(3_000_001)}{}]`)))).status).toBe(413);
      expect(blobs()).toEqual([]);
    });

    test("nor do empty lists in one event", async () => {
      const { sentiero } = create();
      const lists = `[{"data":[${"[],".repeat(3_000_001)}[]]}]`;
      expect((await post(sentiero, gzipSync(body(lists)))).status).toBe(413);
    });

    test("a gigabyte of zeros in a megabyte is cut off", async () => {
      const { sentiero } = create({ limits: { maxInflatedBytes: 4 * 1024 * 1024 } });
      const bomb = gzipSync(Buffer.alloc(256 * 1024 * 1024), { level: 1 });
      expect((await post(sentiero, bomb)).status).toBe(413);
    });

    test("braces in text are not taken for objects", async () => {
      const { sentiero } = create();
      const text = "{".repeat(2_900_000);
      expect((await post(sentiero, batch({ events: [{ type: 2, data: { text } }] }))).status).toBe(200);
    });
  });

  describe("a length that lies", () => {
    const send = (
      bytes: Uint8Array | ReadableStream<Uint8Array>,
      length: string | null,
      options: SentieroOptions = {},
    ) => {
      const { sentiero, blobs } = create({ limits: { maxBodyBytes: 1000 }, ...options });
      const headers: Record<string, string> = length === null ? {} : { "content-length": length };
      const init = { method: "POST", headers, body: bytes as BodyInit, duplex: "half" };
      return sentiero
        .fetch(new Request(`${BASE}/events`, init))
        .then(({ status }) => ({ status, kept: blobs().length }));
    };
    const good = new TextEncoder().encode(body(CLEAN));

    test.each(["0", "1", "-5", "abc", "999", "1e1", "", null])("%j is not believed to be small", async (length) => {
      expect(await send(good, length)).toEqual({ status: 200, kept: 1 });
      expect(await send(new Uint8Array(5000).fill(0x20), length)).toEqual({ status: 413, kept: 0 });
    });

    test("above the limit is refused before a byte is read", async () => {
      let pulled = 0;
      const stream = new ReadableStream<Uint8Array>(
        {
          pull(controller) {
            pulled++;
            controller.enqueue(good);
            controller.close();
          },
        },
        { highWaterMark: 0 },
      );
      expect(await send(stream, "99999999999")).toEqual({ status: 413, kept: 0 });
      expect(pulled).toBe(0);
    });

    test("of a body without end stops soon after the limit", async () => {
      let sent = 0;
      const endless = new ReadableStream<Uint8Array>({
        pull(controller) {
          sent += 400;
          controller.enqueue(new Uint8Array(400));
        },
      });
      expect(await send(endless, null)).toEqual({ status: 413, kept: 0 });
      expect(sent).toBeLessThan(4000);
    });
  });

  test("a body that breaks off is no fault of the server", async () => {
    const { sentiero, errors, blobs } = create();
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"sessionId"'));
        controller.error(new Error("connection reset"));
      },
    });
    const request = new Request(`${BASE}/events`, { method: "POST", body: broken, duplex: "half" } as RequestInit);
    expect((await sentiero.fetch(request)).status).toBe(400);
    expect([errors, blobs()]).toEqual([[], []]);
  });

  test("a body that was read before is an answer, not a rejection", async () => {
    const { sentiero } = create();
    const request = new Request(`${BASE}/events`, { method: "POST", body: body(CLEAN) });
    await request.text();
    expect((await sentiero.fetch(request)).status).toBe(400);
  });

  test("very long headers change nothing", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const { sentiero } = create({ userOptOut: true });
    const long = "x".repeat(500_000);
    const headers = { "user-agent": long, cookie: `a=${long}; `.repeat(3), "x-forwarded-host": long, referer: long };
    expect((await post(sentiero, body(CLEAN), headers)).status).toBe(200);
    expect((await post(sentiero, body(CLEAN), { origin: long })).status).toBe(403);
    // A log line is not as long as a client likes.
    expect(warn.mock.calls.join().length).toBeLessThan(1000);
    warn.mockRestore();
  });

  test("what a batch says of itself cannot reach over a page's or a program's limits", async () => {
    const { sentiero } = create();
    const events = '[{"type":4,"data":{"href":"/","width":1e308,"height":-1},"timestamp":1e308},{"timestamp":-1e308}]';
    expect((await post(sentiero, body(events, ',"sentAt":1e308'))).status).toBe(200);
    const { status, body: answer } = await api<SessionAnswer>(sentiero, "/sessions/session-1");
    expect(status).toBe(200);
    expect(answer.session).toMatchObject({ viewportWidth: 0, viewportHeight: 0 });
    expect(Number.isFinite(answer.session.durationMs)).toBe(true);
    expect((await api(sentiero, "/sessions")).status).toBe(200);
  });

  test("minus zero and large numbers are stored as what was digested, so a retry is the same batch", async () => {
    const { sentiero } = create();
    const text = body('[{"type":3,"data":{"a":-0,"b":1e999,"c":12345678901234567890,"d":1.0},"timestamp":1.0}]');
    for (const bytes of [text, gzipSync(text), text]) expect((await post(sentiero, bytes)).status).toBe(200);
    const { body: answer } = await api<SessionAnswer>(sentiero, "/sessions/session-1");
    expect(answer.session.eventCount).toBe(1);
  });

  test("one session's name does not reach another's", async () => {
    const { sentiero } = create();
    const ids = [
      "a",
      "A",
      "a-",
      "a_",
      "_a",
      "a-1",
      "__proto__",
      "constructor",
      "x".repeat(40),
      "x".repeat(41),
      "0",
      "00",
    ];
    for (const id of ids)
      await post(sentiero, batch({ sessionId: id, windowId: id, events: [{ type: 3, id, timestamp: AT }] }));
    await api(sentiero, "/sessions/a", { method: "DELETE" });
    for (const id of ids.slice(1)) {
      const { body: events } = await api<unknown[]>(sentiero, `/sessions/${id}/windows/${id}/events`);
      expect(events).toEqual([{ type: 3, id, timestamp: AT }]);
    }
  });

  test("an onError that throws does not make the handler reject", async () => {
    const { sentiero, storage } = create({
      onError: () => {
        throw new Error("logger down");
      },
    });
    storage.setItemRaw = () => Promise.reject(new Error("disk"));
    expect((await post(sentiero, body(CLEAN))).status).toBe(500);
  });
});
