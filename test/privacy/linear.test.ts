import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { createRedaction } from "../../src/privacy/redaction.ts";

/** What makes patterns that try every beginning and every end take the square of the length. */
const RUNS: Readonly<Record<string, string>> = {
  "beginnings of tokens": "eyJ",
  "tokens without an end": "eyJa.",
  "two segments": "eyJa.b..",
  "whole tokens": "eyJa.b.c ",
  "letters before an @ that never comes": "a",
  "names and @": "a@",
  "domains without a top level": "a@a.1.",
  dots: "a.",
  "letters of other scripts": "é",
  "beginnings of addresses": "http://",
  addresses: "https://a?b ",
  digits: "1",
  "digits and spaces": "1 ",
  "digits and hyphens": "1-",
  "card numbers": "4111111111111111 ",
  "a digit short of a card number": "411111111111 ",
  hex: "f",
  "hex that ends in another letter": `${"f".repeat(32)}g`,
  "tokens of ours": "[redacted]",
  spaces: " ",
};

const DOM = { domPatterns: ["url", "jwt", "email", "longHex", "card"] } as const;

/** Ends what would take the square of the length, about ten minutes, so that it fails and does not hang. */
function finish<T>(run: () => T): T {
  return runInNewContext("run()", { run }, { timeout: 25_000 }) as T;
}

/** With a match, because the prefilter alone must not be what makes it fast. */
const repeated = (before: string, unit: string, length: number) =>
  `${before}${unit.repeat(length / unit.length)}`.slice(0, length);

describe("a text of a million characters is no more than a million times one character", () => {
  const { text, event } = createRedaction(DOM);

  test.each(Object.entries(RUNS))("%s", (_name, unit) => {
    const million = repeated("a@b.example ", unit, 1_000_000);
    expect(finish(() => text(million))).not.toContain("a@b.example");
    const { data } = finish(() => event({ type: 3, data: { value: million } }));
    expect(JSON.stringify(data)).not.toContain("a@b.example");
  });
});

describe("nor is an address", () => {
  const { url, urlAttribute } = createRedaction({ urlMode: "keepFiltered" });
  const units = "? & ; = # % %25 %2525 + %2B a=%3F& [ ] . / // a: @ a@ %3fa%3d %253f+".split(" ");

  test.each(units)("of %s", (unit) => {
    for (const length of [16_000, 1_000_000]) {
      const given = repeated("/p?q=a@b.example&", unit, length);
      expect(finish(() => url(given))).not.toContain("a@b.example");
      expect(finish(() => urlAttribute(given))).not.toContain("a@b.example");
    }
    finish(() => url(repeated("//", unit, 1_000_000)));
  });
});
