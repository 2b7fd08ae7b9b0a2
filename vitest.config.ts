import { defineConfig } from "vitest/config";
import { CountReporter } from "./test/support/reporter.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Vitest gives a second, which a busy machine needs for a page.
    expect: { poll: { timeout: 15_000, interval: 50 } },
    // Two cores: more workers than that make browser tests wait for each other.
    maxWorkers: 2,
    globalSetup: ["test/support/global-setup.ts"],
    setupFiles: ["test/support/setup.ts"],
    reporters: ["default", new CountReporter()],
  },
});
