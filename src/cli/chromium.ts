import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { CommandError, UsageError } from "./usage-error.ts";

const NAMES = [
  "chromium",
  "chromium-browser",
  "google-chrome",
  "google-chrome-stable",
  "chrome",
  "microsoft-edge",
  "msedge",
];

/** Where installers put it without telling the PATH. */
const PLACES = [
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe",
  "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
];

/**
 * The path of a Chromium, Chrome or Edge: the given one, that of SENTIERO_CHROMIUM, or one that is installed.
 * @throws UsageError when there is no such file, CommandError when none is found.
 */
export function findChromium(given: string | undefined, env: NodeJS.ProcessEnv): string {
  const named = given ?? env.SENTIERO_CHROMIUM;
  if (named) {
    if (existsSync(named)) return named;
    throw new UsageError(`there is no file ${named}: give the path of a Chromium, Chrome or Edge`);
  }
  const onPath = (env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, process.platform === "win32" ? `${name}.exe` : name)));
  const found = [...onPath, ...PLACES].find((path) => existsSync(path));
  if (found) return found;
  throw new CommandError(
    "no Chromium was found: install one (Debian or Ubuntu `apt-get install chromium`, macOS `brew install --cask chromium`), " +
      "or give the path of a Chromium, Chrome or Edge by --chromium or SENTIERO_CHROMIUM",
  );
}
