import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { storeContract } from "../../src/testing.ts";
import { runtimeProgram } from "../support/runtime-packages.ts";

const deno = runtimeProgram("deno");
const script = fileURLToPath(new URL("../runtimes/contract-deno.ts", import.meta.url));
const FLAGS = ["-A", "--unstable-kv", "--node-modules-dir=manual", "--cached-only", "--no-config"];

describe.skipIf(!existsSync(deno))("contract: Deno KV", () => {
  const results = new Map<string, string | null>();

  beforeAll(async () => {
    for (const line of (await run()).trim().split("\n")) {
      const { name, error } = JSON.parse(line) as { name: string; error: string | null };
      results.set(name, error);
    }
  });

  for (const { name } of storeContract(() => Promise.reject(new Error("the cases run in Deno")))) {
    test(name, () => expect(results.get(name)).toBeNull());
  }
  for (const name of ["reads long documents whole while they are replaced", "lists and removes blobs by any prefix"]) {
    test(name, () => expect(results.get(name)).toBeNull());
  }

  test("loses no increment of four processes that share a file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sentiero-test-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, "kv");
    // The first makes the file: Deno does not wait while another does.
    const first = await run(file);
    const outputs = [first, ...(await Promise.all([run(file), run(file), run(file)]))];
    const answers = outputs.map((text) => JSON.parse(text) as { n: number; count: number });
    expect(Math.max(...answers.map(({ n }) => n))).toBe(200);
    expect(answers.map(({ count }) => count)).toEqual([1, 1, 1, 1]);
  });
});

async function run(...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(deno, ["run", ...FLAGS, script, ...args]);
  return stdout;
}
