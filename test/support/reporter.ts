import type { Reporter, TestModule } from "vitest/node";

/** Ends a run with one line that counts every test, and names what was skipped. */
export class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 };
    for (const module of modules) {
      // A file that could not be loaded holds no test, but it has failed.
      if (module.state() === "failed" && module.children.size === 0) count.failed++;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "skipped") console.log(`skipped: ${module.relativeModuleId} > ${test.fullName}`);
        count[state === "pending" ? "failed" : state]++;
      }
    }
    printContract(modules);
    // Where everything a test needs is said to be there, a skip is a test that did not run.
    if (process.env.SENTIERO_TEST_REQUIRE && count.skipped > 0) process.exitCode = 1;
    console.log(`\n${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
  }
}

/** A table: how many cases of the store contract each driver has passed. */
function printContract(modules: readonly TestModule[]): void {
  const drivers = new Map<string, { passed: number; all: number }>();
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const [, driver] = /^contract: (.+?) > /.exec(test.fullName) ?? [];
      if (!driver) continue;
      const count = drivers.get(driver) ?? { passed: 0, all: 0 };
      drivers.set(driver, count);
      count.all++;
      if (test.result().state === "passed") count.passed++;
    }
  }
  if (drivers.size === 0) return;
  console.log("\nStore contract, cases passed:");
  for (const [driver, { passed, all }] of [...drivers].toSorted())
    console.log(`  ${driver.padEnd(40)} ${passed}/${all}`);
}
