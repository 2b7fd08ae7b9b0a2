import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { redactBatch, type RedactOptions } from "../../src/privacy/redact.ts";
import { createRedaction } from "../../src/privacy/redaction.ts";
import { cutUrl } from "../../src/privacy/url.ts";
import type { Batch, RecordedEvent } from "../../src/types.ts";

function redact(
  fields: Partial<Batch>,
  redactEvent?: (event: RecordedEvent) => unknown,
): { batch: Batch; errors: unknown[] } {
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const options = { redaction: createRedaction(), redactEvent, onError } as unknown as RedactOptions;
  const batch: Batch = { sessionId: "s", windowId: "w", events: [{ type: 3 }], ...fields };
  return { batch: redactBatch(batch, options), errors };
}

const metadataOf = (metadata: Record<string, unknown>) => redact({ metadata }).batch.metadata!;

describe("addresses", () => {
  test("are cut at ? and #", () => {
    expect(cutUrl("https://a.example/p?token=1#x")).toBe("https://a.example/p");
    expect(cutUrl("https://a.example/p#token?x")).toBe("https://a.example/p");
    expect(cutUrl("https://a.example/p")).toBe("https://a.example/p");
    expect(cutUrl("?token=1")).toBe("");
    expect(cutUrl("")).toBe("");
  });

  test("cut once are cut for good", () => {
    fc.assert(
      fc.property(fc.string(), (url) => {
        expect(cutUrl(url)).not.toMatch(/[?#]/);
        expect(cutUrl(cutUrl(url))).toBe(cutUrl(url));
        expect(url.startsWith(cutUrl(url))).toBe(true);
      }),
    );
  });

  test("of Meta events are cut, the rest of the event stays, and the one that was given too", () => {
    const event = {
      type: 4,
      timestamp: 1,
      data: { href: "https://a.example/?t=secret", width: 5, height: 6 },
      delay: 2,
    };
    expect(redact({ events: [event] }).batch.events).toEqual([
      { type: 4, timestamp: 1, data: { href: "https://a.example/", width: 5, height: 6 }, delay: 2 },
    ]);
    expect(event.data.href).toContain("secret");
  });

  test.each([
    { type: 4 },
    { type: 4, data: null },
    { type: 4, data: [] },
    { type: 4, data: { href: 5 } },
    { type: 3, data: { href: "/p?x" } },
    { type: "4", data: { href: "/p?x" } },
    {},
  ])("leave an event alone that is no Meta event with an address: %j", (event) => {
    expect(redact({ events: [event] }).batch.events).toEqual([event]);
  });

  test("in metadata are cut where the key names one", () => {
    const url = "https://a.example/p?token=1";
    expect(metadataOf({ url, referrer: url, entry_url: url, entry_referrer: `${url}#x`, note: "a?b" })).toEqual({
      url: "https://a.example/p",
      referrer: "https://a.example/p",
      entry_url: "https://a.example/p",
      entry_referrer: "https://a.example/p",
      note: "a?b",
    });
  });

  test("are cut before they are shortened, so that no half of a secret stays", () => {
    expect(metadataOf({ url: `https://a.example/?${"s".repeat(2000)}` })).toEqual({ url: "https://a.example/" });
  });

  test("hidden in a list or an object are cut too", () => {
    for (const url of [["https://a.example/?token=1"], { href: "https://a.example/?token=1" }]) {
      expect(JSON.stringify(metadataOf({ url }))).not.toContain("token");
    }
  });
});

describe("metadata", () => {
  test("over a limit is cut, never an error", () => {
    const metadata = metadataOf({ ["k".repeat(300)]: "v".repeat(3000) });
    expect(metadata).toEqual({ ["k".repeat(128)]: "v".repeat(1024) });
    const many = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`k${index}`, index]));
    expect(Object.keys(metadataOf(many))).toHaveLength(50);
  });

  test("holds plain values only", () => {
    expect(metadataOf({ a: null, b: undefined, c: [1], d: { e: 1 }, f: false, g: 0, h: "" })).toEqual({
      c: "[1]",
      d: '{"e":1}',
      f: false,
      g: 0,
      h: "",
    });
  });

  test("has no numbers that JSON cannot hold", () => {
    expect(JSON.parse(JSON.stringify(metadataOf({ a: Infinity, b: -Infinity, c: 1 })))).toEqual({ c: 1 });
  });

  test("says nothing about where a visitor is: that is the server's word", () => {
    expect(metadataOf({ geo_country: "XX", geo_city: "Y", geo_anything: 1, geography: 2 })).toEqual({ geography: 2 });
  });

  test("with a key named __proto__ pollutes nothing", () => {
    const metadata = metadataOf(
      JSON.parse('{"__proto__":{"admin":true},"constructor":"x"}') as Record<string, unknown>,
    );
    expect(Object.keys(metadata).toSorted()).toEqual(["__proto__", "constructor"]);
    expect(metadata.admin).toBeUndefined();
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  test("nested too deep is no error", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(() => metadataOf({ deep, plan: "free" })).not.toThrow();
    expect(metadataOf({ deep, plan: "free" }).plan).toBe("free");
  });

  test("never breaks its limits, whatever comes", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ maxLength: 200 }), fc.anything({ maxDepth: 2 }), { maxKeys: 80 }),
        (given) => {
          const entries = Object.entries(metadataOf(given));
          expect(entries.length).toBeLessThanOrEqual(50);
          for (const [key, value] of entries) {
            expect(key.length).toBeLessThanOrEqual(128);
            expect(["string", "number", "boolean"]).toContain(typeof value);
            if (typeof value === "string") expect(value.length).toBeLessThanOrEqual(1024);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("redactEvent", () => {
  const events: RecordedEvent[] = [
    { type: 3, n: 0 },
    { type: 3, n: 1 },
    { type: 3, n: 2 },
  ];

  test("sees every event after addresses were cut, and what it returns is kept", () => {
    const seen: unknown[] = [];
    const meta = { type: 4, data: { href: "/p?secret" } };
    const { batch } = redact({ events: [meta, events[0]!] }, (event) => {
      seen.push(structuredClone(event));
      return { ...event, kept: true };
    });
    expect(seen).toEqual([{ type: 4, data: { href: "/p" } }, events[0]]);
    expect(batch.events).toEqual([
      { type: 4, data: { href: "/p" }, kept: true },
      { type: 3, n: 0, kept: true },
    ]);
  });

  test("drops an event when it answers nothing", () => {
    for (const nothing of [null, undefined, false, 0, ""]) {
      const { batch } = redact({ events }, (event) => (event.n === 1 ? nothing : event));
      expect(batch.events).toEqual([events[0], events[2]]);
    }
  });

  test("drops an event and tells onError when it throws", () => {
    const { batch, errors } = redact({ events }, (event) => {
      if (event.n === 1) throw new Error("rule");
      return event;
    });
    expect(batch.events).toEqual([events[0], events[2]]);
    expect(errors).toEqual([new Error("rule")]);
  });

  test("that is asynchronous drops the events and says so, instead of keeping an empty object for each", () => {
    const { batch, errors } = redact({ events }, async (event) => event);
    expect(batch.events).toEqual([]);
    expect(errors.length).toBeGreaterThan(0);
  });

  test("that answers a list or another thing that is no event drops it", () => {
    for (const wrong of [[{ type: 3 }], "text", 5, true]) {
      expect(redact({ events }, () => wrong).batch.events).toEqual([]);
    }
  });
});

test("a batch of which nothing had to change is the same object, so that it can be stored as received", () => {
  const options = { redaction: createRedaction(), redactEvent: undefined, onError: () => {} };
  const batch: Batch = {
    sessionId: "s",
    windowId: "w",
    metadata: { plan: "free", url: "https://a.example/" },
    events: [{ type: 4, data: { href: "https://a.example/" } }, { type: 3 }],
  };
  expect(redactBatch(batch, options)).toBe(batch);
  expect(redactBatch(batch, { ...options, redactEvent: (event) => event })).not.toBe(batch);
  expect(redactBatch({ ...batch, metadata: { plan: null } }, options).metadata).toEqual({});
  const mutating = redactBatch(
    { ...batch, events: [{ type: 3, secret: 1 }] },
    {
      ...options,
      redactEvent: (event) => {
        delete (event as { secret?: unknown }).secret;
        return event;
      },
    },
  );
  expect(mutating.events).toEqual([{ type: 3 }]);
});

test("the rest of a batch is kept as it is", () => {
  const fields = { run: "a".repeat(24), seq: 3, sentAt: 5, key: "b".repeat(32), recorder: "1.0", gaps: [] };
  expect(redact(fields).batch).toEqual({ sessionId: "s", windowId: "w", events: [{ type: 3 }], ...fields });
});
