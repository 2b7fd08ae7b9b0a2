import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { redactBatch } from "../../src/privacy/redact.ts";
import { createRedaction, type RedactionRules } from "../../src/privacy/redaction.ts";
import type { Batch, RecordedEvent } from "../../src/types.ts";

const HEX = "0123456789abcdef".repeat(2);
const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
const SECRETS = ["jane.doe@mail.example", JWT, HEX, "4111 1111 1111 1111", "4222222222222", "?pw=hunter2"];

const FILTERED: Partial<RedactionRules> = { urlMode: "keepFiltered" };

/** Text full of beginnings and ends of what patterns look for. */
const tricky = fc
  .array(
    fc.oneof(
      fc.constantFrom(...SECRETS, "https://a.example/p", "http://", "[redacted]", "eyJa.", "a@b.", "4111 ", "1111"),
      fc.constantFrom("?", "#", "&", "=", ";", "%", "%40", "%2540", "%3f", "+", " ", ".", "-", "_", "@", "/", "token"),
      fc.string({ maxLength: 4, unit: "grapheme" }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

/** JSON with a text put anywhere into it, as a name of a field too. */
function jsonWith(planted: string): fc.Arbitrary<unknown> {
  const leaf = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constant(planted), fc.constant(`a ${planted} z`));
  return fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.array(tie("node"), { maxLength: 3 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constant(planted), fc.constant("__proto__")), tie("node"), { maxKeys: 3 }),
    ),
  })).node as fc.Arbitrary<unknown>;
}

const plantedIn = fc
  .constantFrom(...SECRETS.slice(0, -1), "https://a.example/?pw=hunter2")
  .chain((secret) => jsonWith(secret).map((json) => ({ secret: secret.replace(/.*\?/, ""), json })));

describe("no secret of a pattern is left", () => {
  test("in a custom event, wherever it stood", () => {
    const { event } = createRedaction();
    fc.assert(
      fc.property(plantedIn, fc.constantFrom("navigation", "error", "__click", "other"), ({ secret, json }, tag) => {
        for (const given of [
          { type: 5, data: { tag, payload: json } },
          { type: 5, data: json },
          { type: 4, more: json },
        ]) {
          expect(JSON.stringify(event(given))).not.toContain(secret);
        }
      }),
      { numRuns: 300 },
    );
  });

  test("in metadata, wherever it stood", () => {
    const { metadata } = createRedaction();
    fc.assert(
      fc.property(plantedIn, fc.constantFrom("url", "plan"), ({ secret, json }, key) => {
        const nested = key === "url" ? [json] : json;
        expect(JSON.stringify(metadata({ [key]: nested }))).not.toContain(secret);
      }),
      { numRuns: 300 },
    );
  });

  test("in the DOM, with rules for it", () => {
    const { event } = createRedaction({ domPatterns: ["url", "jwt", "email", "longHex", "card"] });
    fc.assert(
      fc.property(plantedIn, fc.constantFrom(0, 2, 3, 6), ({ secret, json }, type) => {
        expect(JSON.stringify(event({ type, data: json }))).not.toContain(secret);
      }),
      { numRuns: 300 },
    );
  });

  test("in any parameter of a filtered address, however it was encoded", () => {
    const { url } = createRedaction(FILTERED);
    const encoders = [
      (text: string) => text,
      encodeURIComponent,
      (text: string) => encodeURIComponent(encodeURIComponent(text)),
      (text: string) =>
        Array.from(new TextEncoder().encode(text), (byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
      (text: string) => encodeURIComponent(text).replaceAll("%20", "+"),
      (text: string) => `%zz%20${encodeURIComponent(text)}%`,
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...SECRETS.slice(0, -1)),
        fc.constantFrom(...encoders),
        fc.constantFrom("/p?a=1&q=", "/p?", "/p#", "/#/route?q=", "/p#a=1&q=", "/p?a=1;q=", "?next=%2Fp%3Fq%3D"),
        fc.constantFrom("", "&b=2", "#top"),
        (secret, encoded, before, after) => {
          const kept = url(before + encoded(secret) + after);
          expect(decodeURIComponent(kept.replace(/%(?![\da-f]{2})/gi, "%25")).replaceAll("+", " ")).not.toContain(
            secret,
          );
          expect(kept).toContain("[redacted]");
        },
      ),
      { numRuns: 400 },
    );
  });

  test("of a denied parameter, however its name was written", () => {
    const { url, urlAttribute } = createRedaction({ ...FILTERED, urlParamDenylist: ["Ref_Id"] });
    const mangle = (name: string) =>
      fc
        .array(fc.constantFrom("as is", "upper", "encoded"), { minLength: name.length, maxLength: name.length })
        .map((ways) =>
          [...name]
            .map((letter, index) => {
              if (ways[index] === "upper") return letter.toUpperCase();
              return ways[index] === "encoded" ? `%${letter.charCodeAt(0).toString(16)}` : letter;
            })
            .join(""),
        );
    fc.assert(
      fc.property(
        fc.constantFrom("token", "access_token", "api_key", "password", "ref_id").chain(mangle),
        fc.constantFrom("?#=", "?a=1&#=", "?a=1;#=", "?user[#]=", "?#[]=", "?+#=", "?a&#=1&#=", "#/r?#=", "##="),
        (name, place) => {
          const address = `/p${place.replace(/#(?==|\[|\])/g, name)}hunter2`;
          expect(url(address)).not.toContain("hunter2");
          expect(urlAttribute(address)).not.toContain("hunter2");
        },
      ),
      { numRuns: 400 },
    );
  });
});

describe("redacting twice changes no more than redacting once", () => {
  const custom = { customPatterns: [{ source: "[a-z]{3,}", flags: "gi" }] };

  test.each<[string, Partial<RedactionRules>]>([
    ["by default", {}],
    ["with custom patterns", custom],
    ["with filtered addresses", FILTERED],
    ["with filtered addresses and custom patterns", { ...FILTERED, ...custom }],
  ])("%s", (_name, rules) => {
    const { text, url, urlAttribute, event, metadata } = createRedaction(rules);
    fc.assert(
      fc.property(tricky, (given) => {
        expect(text(text(given))).toBe(text(given));
        expect(url(url(given))).toBe(url(given));
        const attribute = urlAttribute(given);
        expect(urlAttribute(attribute)).toBe(attribute);
        const once = event({ type: 5, data: { tag: "a", payload: { [given]: [given] } } });
        expect(event(once)).toBe(once);
        const kept = metadata({ url: given, [given]: given });
        expect(metadata(kept)).toBe(kept);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("what is clean", () => {
  const name = fc
    .stringMatching(/^[a-z]{1,2}[A-Z0-9]{0,4}(?:\[x?\])?$/)
    .filter((name) => !/^(?:otp|sig|pwd|key)/i.test(name));
  const value = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_.~+-]{0,8}$/),
    fc
      .string({ maxLength: 6, unit: "grapheme" })
      .map((text) => encodeURIComponent(text.toWellFormed().replaceAll("@", ""))),
    fc.constantFrom("%", "%zz", "%e4%zz", "50%25", "a%20b", "a=b"),
  );
  const pair = fc.oneof(
    fc.tuple(name, value).map((pair) => pair.join("=")),
    name,
    fc.constant(""),
  );
  const query = fc
    .array(fc.tuple(fc.constantFrom("&", ";"), pair), { maxLength: 5 })
    .map((pairs) => pairs.flat().join("").slice(1));
  const cleanUrl = fc
    .tuple(
      fc.constantFrom("https://a.example/p", "/p", "", "//a.example:80/%zz/;v=1", "mailto:a@b.example"),
      fc.option(query),
      fc.option(fc.oneof(query, name, fc.constant("/route?a=1"))),
    )
    .map(([base, query, hash]) => `${base}${query === null ? "" : `?${query}`}${hash === null ? "" : `#${hash}`}`);

  test("stays in filtered addresses, to the letter", () => {
    const { url, urlAttribute } = createRedaction(FILTERED);
    fc.assert(
      fc.property(cleanUrl, (given) => {
        expect(url(given)).toBe(given);
        expect(urlAttribute(given)).toBe(given);
      }),
      { numRuns: 2_000 },
    );
  });

  test("stays the same batch, so that it can be stored as received", () => {
    const word = fc.stringMatching(/^[a-z ,.!]{0,30}$/).filter((text) => !text.includes("eyj"));
    const json = fc.oneof(word, fc.integer(), fc.boolean(), fc.array(word), fc.dictionary(word, fc.array(word)));
    const events = fc.array(
      fc.oneof(
        fc.record({ type: fc.constant(5), data: fc.record({ tag: word, payload: json }) }),
        fc.record({ type: fc.constant(4), data: fc.record({ href: fc.webUrl(), width: fc.nat() }) }),
        fc.record({ type: fc.constantFrom(2, 3), data: fc.jsonValue() as fc.Arbitrary<unknown> }),
      ),
    );
    const options = { redaction: createRedaction(), redactEvent: undefined, onError: () => {} };
    fc.assert(
      fc.property(events, fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), word), (events, metadata) => {
        const batch: Batch = { sessionId: "s", windowId: "w", events: events as RecordedEvent[], metadata };
        expect(redactBatch(batch, options)).toBe(batch);
      }),
    );
  });

  test("is told by mayMatch without doing the work", () => {
    const { mayMatch } = createRedaction({ customPatterns: [{ source: "ord-\\d", flags: "i" }] });
    for (const secret of SECRETS.slice(0, -1)) expect(mayMatch(`a ${secret} b`)).toBe(true);
    expect(mayMatch("ORD-1")).toBe(true);
    expect(mayMatch("ORD-1")).toBe(true);
    expect(mayMatch("just words, and 12 numbers")).toBe(false);
  });
});

describe("what cannot be looked at is not kept", () => {
  test("a text of more than a million characters in which something may match", () => {
    const { text } = createRedaction();
    expect(text("x".repeat(2_000_000))).toHaveLength(2_000_000);
    expect(text(`${"a ".repeat(1_000_000)}a@b.example`)).toBe("[redacted]");
  });

  test("a filtered address of more than 16,384 characters loses its parameters", () => {
    const { url } = createRedaction(FILTERED);
    expect(url(`/p?a=${"1 ".repeat(10_000)}`)).toBe("/p");
  });

  test("lists and objects more than 64 within each other", () => {
    const nest = (levels: number, inner: unknown) => {
      let json = inner;
      for (let level = 0; level < levels; level++) json = level % 2 ? [json] : { a: json };
      return json;
    };
    const { event } = createRedaction();
    const given = { type: 5, data: { tag: "a", payload: { x: nest(63, "deep") } } };
    expect(event(given)).toBe(given);
    const deeper = JSON.stringify(event({ type: 5, data: { tag: "a", payload: { x: nest(64, "deep") } } }));
    expect(deeper).toContain("[redacted]");
    expect(deeper).not.toContain("deep");
  });

  test("but a page of 500 elements within each other is, with rules for the DOM", () => {
    const { event } = createRedaction({ domPatterns: ["email"] });
    let node: unknown = { textContent: "a@b.example" };
    for (let level = 0; level < 500; level++) node = { tagName: "div", childNodes: [node] };
    const json = JSON.stringify(event({ type: 2, data: { node } }));
    expect(json).toContain('{"textContent":"[redacted]"}');
    expect(json).not.toContain("a@b.example");
  });
});

test("a field named __proto__ is only a field", () => {
  const payload: unknown = JSON.parse('{"__proto__":{"polluted":"a@b.example"},"mail":"a@b.example"}');
  const { data } = createRedaction().event({ type: 5, data: { tag: "__proto__", payload } });
  expect(JSON.stringify(data)).toBe(
    '{"tag":"__proto__","payload":{"__proto__":{"polluted":"[redacted]"},"mail":"[redacted]"}}',
  );
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("patterns that a browser can't read are left out with one warning, and the others count", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  const { text } = createRedaction({
    customPatterns: [
      { source: "(", flags: "g" },
      { source: "a", flags: "?" },
      { source: "bob", flags: "i" },
    ],
  });
  expect(text("( a BOB")).toBe("( a [redacted]");
  expect(warn).toHaveBeenCalledOnce();
  expect(warn.mock.lastCall?.slice(1)).toEqual([
    { source: "(", flags: "g" },
    { source: "a", flags: "?" },
  ]);
  warn.mockRestore();
});

test("rules of another kind than they should be have their default", () => {
  const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
  for (const wrong of [null, 5, "x", {}, [null], [5], [{}]]) {
    const rules = Object.fromEntries(
      ["urlMode", "urlParamAllowlist", "urlParamDenylist", "disabledPatterns", "customPatterns", "domPatterns"].map(
        (name) => [name, wrong],
      ),
    );
    const { text, url, event } = createRedaction(rules);
    expect(text("a@b.example")).toBe("[redacted]");
    expect(url("/p?a")).toBe("/p");
    expect(event({ type: 3, data: "words" })).toEqual({ type: 3, data: "words" });
  }
  warn.mockRestore();
});
