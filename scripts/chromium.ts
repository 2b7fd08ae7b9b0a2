import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

/** What to do when there is no Chromium. */
export const CHROMIUM_HINT =
  "No Chromium was found. Install one of: Debian or Ubuntu `apt-get install chromium`, macOS `brew install --cask chromium`, " +
  "anywhere `npx playwright-core install chromium` or `npm install --no-save @sparticuz/chromium`; " +
  "or set SENTIERO_CHROMIUM to the path of a Chromium, Chrome or Edge.";

/** Chromium as root in a container, without the requests it makes to its vendor at start. */
export const CHROMIUM_FLAGS: readonly string[] = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"];

const PLACES = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/**
 * The path of a Chromium: the environment's, the system's, Playwright's, or one from a package; null where there is none.
 * @throws Error when SENTIERO_CHROMIUM names a file that is not there.
 */
export async function findChromium(): Promise<string | null> {
  const named = process.env.SENTIERO_CHROMIUM;
  if (named) {
    if (!existsSync(named)) throw new Error(`SENTIERO_CHROMIUM is ${named}, but there is no such file`);
    return named;
  }
  const folders = (process.env.PATH ?? "").split(delimiter);
  const onPath = NAMES.flatMap((name) =>
    folders.map((folder) => join(folder, process.platform === "win32" ? `${name}.exe` : name)),
  );
  const found = [...onPath, ...PLACES, chromium.executablePath()].find((path) => path && existsSync(path));
  return found ?? (await fromPackage());
}

async function fromPackage(): Promise<string | null> {
  const name = "@sparticuz/chromium";
  // It unpacks itself, with its libraries, into the temporary folder: one of the project's own is kept for the next time.
  const cache = fileURLToPath(new URL("../.cache/chromium", import.meta.url));
  const { TMPDIR } = process.env;
  try {
    mkdirSync(cache, { recursive: true });
    // It does so only where it believes to be on Lambda, which this variable says.
    Object.assign(process.env, { AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x", TMPDIR: cache });
    const module = (await import(name)) as { default: { executablePath(): Promise<string> } };
    return await module.default.executablePath();
  } catch {
    return null;
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  }
}
