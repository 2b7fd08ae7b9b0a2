import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { MANGLED_NAMES } from "../../scripts/mangled-names.ts";
import { patchRecord } from "../../scripts/record-patch.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Of the recorder, what holds shapes that are stored, sent, configured, or shared with the loader and with pages. */
const SHARED =
  "api batch boot compress-worker config consent cookies cost custom-event early-sampling gaps identity index loader " +
  "loader-config metadata page-api sampling unsent-store window-id";

const LITERAL = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g;

const recorder = readAll("recorder", /\.ts$/);
const record = patchRecord(readFileSync(fileURLToPath(import.meta.resolve("@rrweb/record")), "utf8"));

describe("names of properties that are made short", () => {
  it.each([
    ["browsers", readAll("node_modules/@typescript", /[\\/]lib\.[\w.]+\.d\.ts$/)],
    ["what is sent, as the server knows it", `${read("src/types.ts")}\n${readAll("src/rrweb", /\.ts$/)}`],
    [
      "the configuration, as the server writes it",
      `${read("src/recorder-options.ts")}\n${readAll("src/privacy", /\.ts$/)}`,
    ],
    ["what is recorded beside the DOM", keysOf(readAll("recorder/streams", /\.ts$/))],
    [
      "what is stored, sent, configured or called",
      SHARED.split(" ")
        .map((name) => read(`recorder/${name}.ts`))
        .join("\n"),
    ],
    ["texts of the recorder, by which properties may be read", literalsOf(recorder)],
    ["texts of rrweb", literalsOf(record)],
  ])("are none of those in %s", (_where, text) => {
    const words = wordsOf(text);
    expect(words.size).toBeGreaterThan(20);
    expect(MANGLED_NAMES.filter((name) => words.has(name))).toEqual([]);
  });

  it("all are there", () => {
    const words = wordsOf(`${record}\n${recorder}`);
    expect(MANGLED_NAMES.filter((name) => !words.has(name))).toEqual([]);
  });
});

function readAll(folder: string, isWanted: RegExp): string {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => isWanted.test(name))
    .map((name) => read(join(folder, name)))
    .join("\n");
}

/** A file without its comments. */
function read(path: string): string {
  return withoutComments(readFileSync(join(root, path), "utf8"));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/ .*$/gm, "");
}

/** Of object literals, and what is taken out of objects. */
function keysOf(text: string): string {
  return [...text.matchAll(/\w+(?=\s*:)|(?<=[{,]\s*)\w+(?=\s*[,}])/g)].join("\n");
}

function literalsOf(text: string): string {
  return (withoutComments(text).match(LITERAL) ?? []).join("\n");
}

function wordsOf(text: string): Set<string> {
  return new Set(text.match(/[A-Za-z_$][\w$]*/g));
}
