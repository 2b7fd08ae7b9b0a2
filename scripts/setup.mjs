// Makes a fresh clone ready and then runs a command: `node scripts/setup.mjs [--runtimes] [--build] [-- command args…]`.
// `--runtimes` also installs what only tests need: databases and runtimes (test/runtimes), and the frameworks of the examples
// (test/examples).
// It has no dependencies, because it runs before any are installed, and it runs on the system's Node.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const stamp = join(modules, ".sentiero-lock");
const windows = process.platform === "win32";
const node = join(modules, "node", "bin", windows ? "node.exe" : "node");

const args = process.argv.slice(2);
const split = args.indexOf("--");
const flags = split < 0 ? args : args.slice(0, split);
const command = split < 0 ? [] : args.slice(split + 1);

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node ${process.versions.node} is too old: sentiero needs Node 20.19 or newer.`);
}

install();
if (flags.includes("--runtimes")) {
  installRuntimes();
  installFrameworks();
}
if (flags.includes("--build") && isStale()) run(node, [join(root, "scripts", "build.ts")]);
if (command.length > 0) handOver(...resolve(command));

/** Installs when the lock file has changed since the last install. */
function install() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  if (installed !== lock) {
    console.log("Installing packages (about 400 MB, up to a minute) …");
    const started = Date.now();
    // A system Node older than a tool asks for is only a warning: the tools run on the pinned Node below.
    run(windows ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    console.log(`Packages installed in ${Math.round((Date.now() - started) / 1000)} s.`);
  }
  if (!works(node)) {
    // Where install scripts are blocked, the `node` package lacks its binary.
    run(process.execPath, [join(modules, "node", "installArchSpecificPackage.js")], join(modules, "node"));
    if (!works(node)) fail(`The pinned Node at ${node} does not start. Delete node_modules and try again.`);
  }
  mkdirSync(modules, { recursive: true });
  writeFileSync(stamp, lock);
}

/** Runtimes and servers for the tests, in a folder of their own: the demo does without their 850 MB. */
function installRuntimes() {
  installApart("runtimes", "the runtimes that tests need (about 850 MB, up to two minutes)", (packages) => {
    // Where install scripts are blocked, these lack their binaries.
    for (const [name, script] of [
      ["bun", "install.js"],
      ["deno", "install.cjs"],
      ["workerd", "install.js"],
    ]) {
      run(node, [script], join(packages, name));
    }
  });
}

/** The frameworks that the examples are built with. */
function installFrameworks() {
  installApart("examples", "the frameworks of the examples (about 650 MB, up to two minutes)");
}

/** Installs a folder of test/ when its lock file has changed since the last time. */
function installApart(name, what, complete = () => {}) {
  const folder = join(root, "test", name);
  const packages = join(folder, "node_modules");
  const mark = join(packages, ".sentiero-lock");
  const lock = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  if (existsSync(mark) && readFileSync(mark, "utf8") === lock) return;
  console.log(`Installing ${what} …`);
  run(windows ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], folder);
  complete(packages);
  writeFileSync(mark, lock);
}

function works(binary) {
  return existsSync(binary) && spawnSync(binary, ["-v"]).status === 0;
}

/** A build is stale when a source is newer than the stamp that the build writes last. */
function isStale() {
  const built = join(root, "dist", ".built");
  if (!existsSync(built)) return true;
  const at = statSync(built).mtimeMs;
  const sources = ["src", "recorder", "dashboard-ui", "adapters", "scripts"].map((folder) => join(root, folder));
  const files = ["package-lock.json", "tsconfig.base.json", "tsconfig.json"].map((file) => join(root, file));
  return [...sources, ...files].some((path) => newest(path) > at);
}

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  let at = stat.mtimeMs;
  for (const name of readdirSync(path)) at = Math.max(at, newest(join(path, name)));
  return at;
}

/** `node` means the pinned Node; a tool's name means the one in node_modules. */
function resolve([name, ...rest]) {
  if (name === "node") return [node, rest];
  return [join(modules, ".bin", windows ? `${name}.cmd` : name), rest];
}

function run(file, list, cwd = process.cwd()) {
  const result = spawnSync(file, list, { ...spawnOptions(file), cwd });
  if (result.error) fail(`${file} could not be started: ${result.error.message}`);
  // A child ended by Ctrl-C has had its say already.
  if (result.signal) process.exit(result.signal === "SIGINT" ? 130 : 1);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** The command itself: it decides what a signal means, and its exit code is ours. */
function handOver(file, list) {
  const child = spawn(file, list, spawnOptions(file));
  // Ctrl-C reaches the child by itself; a signal sent to this process alone is passed on.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("error", (error) => fail(`${file} could not be started: ${error.message}`));
  child.on("exit", (code) => process.exit(code ?? 1));
}

function spawnOptions(file) {
  // Scripts start children by `node`, so the pinned one stands first on the path.
  const path = [dirname(node), join(modules, ".bin"), process.env.PATH].join(delimiter);
  return { stdio: "inherit", env: { ...process.env, PATH: path }, shell: file.endsWith(".cmd") };
}

function fail(message) {
  console.error(`[sentiero] ${message}`);
  process.exit(1);
}
