import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { SentieroOptions, SessionAnswer } from "../../src/index.ts";
import { createRedaction } from "../../src/privacy/redaction.ts";
import { redactBatch } from "../../src/privacy/redact.ts";
import { api, batch, post } from "../support/sentiero.ts";
import { createInspectedSentiero } from "../support/stored.ts";

const AT = 1_700_000_000_000;
const MAIL = "jane.doe@mail.example";

const custom = (payload: unknown, tag = "note") => ({ type: 5, data: { tag, payload }, timestamp: AT });
const dom = (value: string) => ({ type: 3, data: { source: 0, texts: [{ id: 1, value }] }, timestamp: AT });

const create = (redaction: SentieroOptions["redaction"] = {}) =>
  createInspectedSentiero({ redaction } as SentieroOptions);

describe("before anything is stored", () => {
  test("custom events and metadata are redacted, whoever sent them", async () => {
    const { sentiero, everything, blobs } = create();
    const body = batch({
      events: [custom({ mail: MAIL, [MAIL]: ["4111 1111 1111 1111"] }), custom({ url: "/p?token=x" }, "navigation")],
      metadata: { plan: "free", mail: MAIL, from: { mail: MAIL } },
    });
    expect((await post(sentiero, gzipSync(JSON.stringify(body)))).status).toBe(200);
    expect(everything()).not.toContain(MAIL);
    expect(JSON.parse(blobs()[0]!.text)).toMatchObject({
      events: [custom({ mail: "[redacted]", "[redacted]": ["[redacted]"] }), custom({ url: "/p" }, "navigation")],
    });
    const { session } = (await api<SessionAnswer>(sentiero, "/sessions/session-1")).body;
    expect(session.metadata).toEqual({ plan: "free", mail: "[redacted]", from: '{"mail":"[redacted]"}' });
  });

  test("the server's own rules count", async () => {
    const { sentiero, blobs } = create({
      urlMode: "keepFiltered",
      customPatterns: [/ord-\d+/i],
      disabledPatterns: ["email"],
    });
    const href = "https://a.example/p?page=2&token=x#top";
    const events = [
      { type: 4, data: { href, width: 1, height: 1 }, timestamp: AT },
      custom(`${MAIL} ORD-1`),
      dom("ord-2"),
    ];
    await post(sentiero, batch({ events }));
    expect(JSON.parse(blobs()[0]!.text)).toMatchObject({
      events: [{ data: { href: "https://a.example/p?page=2#top" } }, custom(`${MAIL} [redacted]`), dom("[redacted]")],
    });
  });

  test("the DOM is looked at only with rules for it", async () => {
    const [off, on] = [create(), create({ domPatterns: ["email"] })];
    for (const { sentiero } of [off, on]) await post(sentiero, batch({ events: [dom(`by ${MAIL}`)] }));
    expect(JSON.parse(off.blobs()[0]!.text)).toMatchObject({ events: [dom(`by ${MAIL}`)] });
    expect(JSON.parse(on.blobs()[0]!.text)).toMatchObject({ events: [dom("by [redacted]")] });
  });

  test.each<[string, string]>([
    ["data that comes twice", `{"type":3,"data":{"v":"${MAIL}"},"data":{"v":"x"},"timestamp":1}`],
    ["a text that comes twice", `{"type":3,"data":{"v":"${MAIL}","v":"x"},"timestamp":1}`],
    [
      "a text behind a copy of the event",
      `{"type":3,"data":{"v":"x"},"timestamp":1},{"type":3,"data":{"v":"${MAIL}","v":"x"},"timestamp":1}`,
    ],
  ])("with rules for the DOM, %s hides nothing", async (_name, event) => {
    const { sentiero, everything, blobs } = create({ domPatterns: ["email"] });
    const body = `{"sessionId":"session-1","windowId":"window-1","events":[${event}]}`;
    expect((await post(sentiero, gzipSync(body))).status).toBe(200);
    expect(blobs().length).toBeGreaterThan(0);
    expect(everything()).not.toContain(MAIL);
  });

  test("redactEvent sees what is redacted already", async () => {
    const seen: string[] = [];
    const { sentiero } = create({
      redactEvent(event) {
        seen.push(JSON.stringify(event));
        return event;
      },
    });
    await post(sentiero, batch({ events: [custom(MAIL)] }));
    expect(seen).toEqual([JSON.stringify(custom("[redacted]"))]);
  });

  test("a long metadata value is redacted before it is cut, and refuses no batch", async () => {
    const { sentiero, everything } = create();
    const note = `${"x".repeat(1_020)} ${MAIL}`;
    expect((await post(sentiero, batch({ metadata: { note, url: `/${"p".repeat(2_000)}?${MAIL}` } }))).status).toBe(
      200,
    );
    expect(everything()).not.toContain("jane");
  });
});

describe("a body of which nothing has to change is stored as received", () => {
  test.each<[string, SentieroOptions["redaction"]]>([
    ["by default", {}],
    ["with rules for the DOM", { domPatterns: ["email", "card"], customPatterns: [/ord-\d/] }],
  ])("%s", async (_name, redaction) => {
    const { sentiero, blobs } = create(redaction);
    const events = [
      custom({ plan: "free", list: [1, { a: null }] }),
      dom("some words"),
      { type: 4, data: { href: "/p" }, timestamp: AT },
    ];
    // At another level than the server's own, to tell them apart.
    const { sessionId, windowId } = batch();
    const sent = gzipSync(JSON.stringify({ sessionId, windowId, metadata: { plan: "free" }, events }), { level: 1 });
    expect((await post(sentiero, sent)).status).toBe(200);
    expect(blobs().some(({ bytes }) => Buffer.from(bytes).equals(sent))).toBe(true);
  });
});

describe("what can't be redacted is not kept", () => {
  const failing = {
    ...createRedaction(),
    event(event: { readonly type?: unknown }) {
      if (event.type === 5) throw new Error("rule");
      return event;
    },
    metadata() {
      throw new Error("metadata");
    },
  };

  test("an event is dropped and told to onError, the others are kept", () => {
    const errors: unknown[] = [];
    const options = {
      redaction: failing,
      redactEvent: undefined,
      onError: (error: unknown) => void errors.push(error),
    };
    const given = { sessionId: "s", windowId: "w", events: [dom("a"), custom("b"), dom("c")] };
    expect(redactBatch(given, options)).toEqual({ ...given, events: [dom("a"), dom("c")] });
    expect(errors).toEqual([new Error("rule")]);
  });

  test("so is metadata", () => {
    const errors: unknown[] = [];
    const options = {
      redaction: failing,
      redactEvent: undefined,
      onError: (error: unknown) => void errors.push(error),
    };
    const given = { sessionId: "s", windowId: "w", events: [dom("a")], metadata: { mail: MAIL } };
    expect(redactBatch(given, options)).toEqual({ ...given, metadata: {} });
    expect(errors).toEqual([new Error("metadata")]);
  });
});
