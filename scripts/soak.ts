// `npm run soak`: the long forms of the tests of faults, with real servers, and recording in other engines. `npm run soak -- kill`
// runs those of one file.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { findEngines } from "./engines.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const asked = process.argv.slice(2).map((name) => `test/${name === "engines" ? "browser" : "faults"}/${name}`);
const files = asked.length > 0 ? asked : ["test/faults", "test/browser/engines"];

console.log(`[sentiero] soak: the long forms of ${files.join(", ")}
  kill       50 times kill -9 of our process, on each of SQLite, PostgreSQL, MariaDB and Redis
  processes  four processes write the same sessions and counter for 30 s, on each of the four
  outage     the database away for 20 s under load: PostgreSQL, MariaDB, Redis
  erasure    a person erased 20 times while batches, retries, settling and an import go on, on each of the four
  memory     100,000 batches through one process into SQLite: its memory stays flat
  length     100,000 batches of one session into SQLite: a small document, and as fast at the end
  engines    pages recorded in Chromium, Firefox and WebKit, and rebuilt as they were left
  About 30 minutes in all. Servers are looked for on their default ports, or where SENTIERO_TEST_POSTGRES_URL,
  SENTIERO_TEST_MYSQL_URL and SENTIERO_TEST_REDIS_URL say; what is not found is skipped by name.`);
if (files.includes("test/browser/engines")) {
  const required = (process.env.SENTIERO_TEST_REQUIRE ?? "").split(",");
  // Each says its version when it runs.
  for (const { name, path, hint } of findEngines()) {
    const outcome = required.includes(name.toLowerCase()) ? "is required, and its tests fail" : "is skipped";
    console.log(`[sentiero] engine: ${name} ${path ? `from ${path}` : `not found, ${outcome}: ${hint}`}`);
  }
}

const started = performance.now();
// One file at a time: the processes of two would only take each other's time.
const { status } = spawnSync(process.execPath, [vitest, "run", "--maxWorkers=1", ...files], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, SENTIERO_SOAK: "1" },
});
console.log(`[sentiero] soak: ${((performance.now() - started) / 60_000).toFixed(1)} min`);
process.exit(status ?? 1);
