import { describe, expect, test } from "vitest";
import { SentieroError, type SentieroOptions } from "../../src/index.ts";
import { resolveOptions } from "../../src/options.ts";
import { createRedaction } from "../../src/privacy/redaction.ts";

const resolve = (redaction: unknown) => resolveOptions({ redaction } as SentieroOptions);

const refuse = (redaction: unknown): SentieroError => {
  try {
    resolve(redaction);
  } catch (error) {
    return error as SentieroError;
  }
  throw new Error(`${JSON.stringify(redaction)} was accepted`);
};

/** As the recorder gets them. */
const sent = (redaction: unknown) =>
  createRedaction(JSON.parse(JSON.stringify(resolve(redaction).redaction)) as object);

describe("redaction rules", () => {
  test("all have a default", () => {
    const { redaction, redactEvent } = resolveOptions();
    expect(redaction).toEqual({
      urlMode: "strip",
      urlParamAllowlist: [],
      urlParamDenylist: [],
      disabledPatterns: [],
      customPatterns: [],
      domPatterns: [],
    });
    expect(redactEvent).toBeUndefined();
  });

  test("are JSON, so that they can be sent to the recorder, and hold no function", () => {
    const redactEvent = () => null;
    const resolved = resolve({ customPatterns: [/ord-\d/iu, { source: "x" }], redactEvent });
    expect(resolved.redaction.customPatterns).toEqual([
      { source: "ord-\\d", flags: "iug" },
      { source: "x", flags: "g" },
    ]);
    expect(JSON.parse(JSON.stringify(resolved.redaction))).toEqual(resolved.redaction);
    expect(resolved.redactEvent).toBe(redactEvent);
  });

  test("can all be set, and cannot be changed once resolved", () => {
    const given = {
      urlMode: "keepFiltered",
      urlParamAllowlist: ["page"],
      urlParamDenylist: ["ref"],
      disabledPatterns: ["card"],
      domPatterns: ["email"],
    };
    const { redaction } = resolve(given);
    expect(redaction).toMatchObject(given);
    given.urlParamDenylist.pop();
    expect(redaction.urlParamDenylist).toEqual(["ref"]);
    expect(() => Object.assign(redaction, { urlMode: "keepAll" })).toThrow(TypeError);
    expect(() => (redaction.urlParamDenylist as string[]).pop()).toThrow(TypeError);
    expect(() =>
      Object.assign(resolve({ customPatterns: [/x/] }).redaction.customPatterns[0]!, { source: "y" }),
    ).toThrow(TypeError);
  });

  test.each<[unknown, string]>([
    [5, "options.redaction must be an object"],
    [{ urlMode: "keep_all" }, 'options.redaction.urlMode must be "strip", "keepFiltered" or "keepAll", got "keep_all"'],
    [{ urlParamDenylist: "token" }, "options.redaction.urlParamDenylist"],
    [{ urlParamAllowlist: [""] }, "options.redaction.urlParamAllowlist.0 must be a name"],
    [
      { disabledPatterns: ["long_hex"] },
      "options.redaction.disabledPatterns.0 must be one of url, jwt, email, longHex, card",
    ],
    [{ domPatterns: ["all"] }, "options.redaction.domPatterns.0 must be one of"],
    [{ customPatterns: /x/ }, "options.redaction.customPatterns must be a list"],
    [{ customPatterns: ["x"] }, "options.redaction.customPatterns.0 must be a RegExp, or { source, flags }"],
    [{ customPatterns: [{ source: "x", flags: 5 }] }, "options.redaction.customPatterns.0 must be a RegExp"],
    [
      { customPatterns: [/x/, { source: "(" }] },
      "options.redaction.customPatterns.1 must be a pattern that this runtime",
    ],
    [{ customPatterns: [{ source: "x", flags: "gg" }] }, "must be a pattern that this runtime can read"],
    [{ customPatterns: [{ source: "a)|(b" }] }, "must be a pattern that this runtime can read"],
    [{ customPatterns: [/a*/] }, "options.redaction.customPatterns.0 must not match the empty text"],
    [{ customPatterns: [{ source: "x".repeat(1_001) }] }, "must have at most 1000 characters"],
    [
      { customPatterns: Array.from({ length: 51 }, () => /x/) },
      "options.redaction.customPatterns must hold at most 50",
    ],
    [{ redactEvent: "x" }, "options.redaction.redactEvent must be a function"],
    [{ url_mode: "strip" }, "it is called redaction.urlMode here"],
    [{ custom_patterns: [] }, "it is called redaction.customPatterns here"],
  ])("%j are refused when the server is made, with the path and what was expected", (redaction, message) => {
    const error = refuse(redaction);
    expect(error).toBeInstanceOf(SentieroError);
    expect(error.message).toContain(message);
  });

  test("at their limits are taken", () => {
    expect(() =>
      resolve({ customPatterns: Array.from({ length: 50 }, () => ({ source: "x".repeat(1_000) })) }),
    ).not.toThrow();
  });
});

describe("what the original got wrong", () => {
  test("a custom pattern keeps its flags on the way to the recorder", () => {
    const { text } = sent({ customPatterns: [/^note: .+$/im] });
    expect(text("a\nNOTE: Bob is here\nb\nnote: and Jane")).toBe("a\n[redacted]\nb\n[redacted]");
    expect(sent({ customPatterns: [/^note: .+$/] }).text("NOTE: Bob")).toBe("NOTE: Bob");
  });

  test("the recorder and the server redact the same by the same rules", () => {
    const options = { urlMode: "keepFiltered", customPatterns: [/\p{Lu}{3}-\d+/u, /bob/i], domPatterns: ["email"] };
    const [there, here] = [sent(options), createRedaction(resolve(options).redaction)];
    for (const given of ["ÄÖÜ-12 and BOB", "https://a.example/?token=1#x", "/p?q=ABC-1&token=x"]) {
      expect(there.text(given)).toBe(here.text(given));
      expect(there.url(given)).toBe(here.url(given));
    }
    expect(here.text("ÄÖÜ-12 and BOB")).toBe("[redacted] and [redacted]");
  });

  test("an encoded name of a parameter does not slip past the denied ones", () => {
    const { url } = sent({ urlMode: "keepFiltered", urlParamDenylist: ["ref"] });
    expect(url("/p?%74oken=1&acce%73s%5Ftoken=2&r%65f=3&user%5Bpassword%5D=4&page=5")).toBe("/p?page=5");
  });

  test("rules are options: each can be set alone, without making the whole anew", () => {
    expect(resolve({ urlMode: "keepAll" }).redaction).toEqual({ ...resolve({}).redaction, urlMode: "keepAll" });
  });
});
