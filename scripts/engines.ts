import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

/** A browser besides Chromium in which the long form of the tests records. */
export interface Engine {
  readonly name: "Firefox" | "WebKit";
  /** Path of what is started: the browser, or the driver that starts one; null where it was not found. */
  readonly path: string | null;
  /** How to get it. */
  readonly hint: string;
}

/**
 * Looks on the path, or where `SENTIERO_FIREFOX` and `SENTIERO_WEBKIT` say.
 * @throws Error when one of them names a file that is not there.
 */
export function findEngines(): readonly Engine[] {
  // A page of WebKitGTK wants a screen, also where nobody looks.
  const hasScreen = process.env.DISPLAY || findOnPath(["Xvfb"]);
  return [
    {
      name: "Firefox",
      path: named("SENTIERO_FIREFOX") ?? findOnPath(["firefox-esr", "firefox"]),
      hint: "Debian `apt-get install firefox-esr`, or set SENTIERO_FIREFOX to the path of a Firefox of 129 or later",
    },
    {
      name: "WebKit",
      path: hasScreen ? (named("SENTIERO_WEBKIT") ?? findOnPath(["WebKitWebDriver"])) : null,
      hint: "Debian `apt-get install webkit2gtk-driver xvfb`, or set SENTIERO_WEBKIT to the path of a WebKitWebDriver",
    },
  ];
}

/** The path of the first of these programs that is there, or null. */
export function findOnPath(names: readonly string[]): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path)) ?? null;
}

function named(variable: string): string | null {
  const path = process.env[variable];
  if (!path) return null;
  if (!existsSync(path)) throw new Error(`${variable} is ${path}, but there is no such file`);
  return path;
}
