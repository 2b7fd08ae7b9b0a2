// `npm test`: lint, format, types, then every test. `npm run lint` is the first three.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string) => join(root, "node_modules", ".bin", process.platform === "win32" ? `${name}.cmd` : name);

const [only, ...rest] = process.argv.slice(2);

step("lint", bin("oxlint"), ["--deny-warnings"]);
step("format", bin("oxfmt"), ["--check", "."], "Run `npm run format`.");
step("types", bin("tsc"), ["-b"]);
if (only !== "lint") step("tests", bin("vitest"), ["run", ...[only, ...rest].filter((arg) => arg !== undefined)]);

function step(name: string, command: string, args: string[], hint = ""): void {
  const started = performance.now();
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", shell: command.endsWith(".cmd") });
  if (result.status !== 0) {
    console.error(`[sentiero] ${name} failed. ${hint}`);
    process.exit(result.status ?? 1);
  }
  console.log(`[sentiero] ${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
