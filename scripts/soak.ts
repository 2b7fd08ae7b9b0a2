// `npm run soak`: the long forms of the tests of faults, with real servers. `npm run soak -- kill` runs those of one file.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const files = process.argv.slice(2).map((name) => `test/faults/${name}`);

console.log(`[sentiero] soak: the long forms of ${files.length > 0 ? files.join(", ") : "test/faults"}
  kill       50 times kill -9 of our process, on each of SQLite, PostgreSQL, MariaDB and Redis
  processes  four processes write the same sessions and counter for 30 s, on each of the four
  outage     the database away for 20 s under load: PostgreSQL, MariaDB, Redis
  erasure    a person erased 20 times while batches, retries, settling and an import go on, on each of the four
  memory     100,000 batches through one process into SQLite: its memory stays flat
  length     100,000 batches of one session into SQLite: a small document, and as fast at the end
  About 30 minutes in all. Servers are looked for on their default ports, or where SENTIERO_TEST_POSTGRES_URL,
  SENTIERO_TEST_MYSQL_URL and SENTIERO_TEST_REDIS_URL say; what is not found is skipped by name.`);

const started = performance.now();
// One file at a time: the processes of two would only take each other's time.
const { status } = spawnSync(
  process.execPath,
  [vitest, "run", "--maxWorkers=1", ...(files.length > 0 ? files : ["test/faults"])],
  { cwd: root, stdio: "inherit", env: { ...process.env, SENTIERO_SOAK: "1" } },
);
console.log(`[sentiero] soak: ${((performance.now() - started) / 60_000).toFixed(1)} min`);
process.exit(status ?? 1);
