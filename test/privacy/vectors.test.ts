import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { createRedaction } from "../../src/privacy/redaction.ts";
import { runVector, runVectorTwice, type Vector } from "./run-vectors.ts";

const vectors = JSON.parse(readFileSync(new URL("vectors.json", import.meta.url), "utf8")) as Vector[];

vi.spyOn(console, "warn").mockImplementation(() => {});

describe("vectors", () => {
  test.each(vectors.map((vector) => [`${vector.call}: ${vector.name}`, vector] as const))("%s", (_name, vector) => {
    const given = structuredClone(vector.input);
    expect(runVector(createRedaction, vector)).toEqual(vector.expected);
    expect(runVectorTwice(createRedaction, vector)).toEqual(vector.expected);
    expect(vector.input).toEqual(given);
  });

  test("give back the very value where nothing had to change", () => {
    const clean = vectors.filter(({ input, expected }) => JSON.stringify(input) === JSON.stringify(expected));
    expect(clean.length).toBeGreaterThan(20);
    for (const vector of clean) expect(runVector(createRedaction, vector)).toBe(vector.input);
  });

  test("have names of their own", () => {
    expect(new Set(vectors.map(({ call, name }) => `${call}: ${name}`)).size).toBe(vectors.length);
  });
});
