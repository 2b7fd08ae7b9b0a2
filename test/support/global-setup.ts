import type { TestProject } from "vitest/node";
import { CHROMIUM_HINT, findChromium } from "../../scripts/chromium.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Path of the Chromium to use, or null. */
    chromium: string | null;
    /** Seed of the property tests. */
    seed: number;
  }
}

/** Finds what the tests need, once, and says what is missing. */
export async function setup(project: TestProject): Promise<void> {
  const chromium = await findChromium();
  const required = (process.env.SENTIERO_TEST_REQUIRE ?? "").split(",");
  if (!chromium) {
    if (required.includes("chromium")) throw new Error(CHROMIUM_HINT);
    console.warn(`[sentiero] ${CHROMIUM_HINT} Browser tests are skipped.`);
  }
  const seed = Number(process.env.SENTIERO_TEST_SEED ?? Date.now() % 2 ** 31);
  console.log(`[sentiero] seed ${seed} (set SENTIERO_TEST_SEED to repeat a run)`);
  project.provide("chromium", chromium);
  project.provide("seed", seed);
}
