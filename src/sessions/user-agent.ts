import Bowser from "bowser";
import type { Client } from "./document.ts";

/** No browser's own is longer; a parser should not be fed more. */
const MAX_LENGTH = 512;

/**
 * Browser, device and operating system by bowser, in the few buckets that reports group by. What looks like nothing
 * known is a Desktop with `Other`, bots too. An iPad that asks for desktop pages can't be told from a Mac.
 */
export function parseUserAgent(userAgent: string): Omit<Client, "at"> {
  const { browser, os, platform } = Bowser.parse(userAgent.slice(0, MAX_LENGTH) || "-");
  return {
    browser: BROWSERS[browser.name ?? ""] ?? "Other",
    device: platform.type === "mobile" ? "Mobile" : platform.type === "tablet" ? "Tablet" : "Desktop",
    os: SYSTEMS[os.name ?? ""] ?? "Other",
  };
}

const BROWSERS: Readonly<Record<string, string>> = {
  Chrome: "Chrome",
  Chromium: "Chrome",
  Firefox: "Firefox",
  "Microsoft Edge": "Edge",
  Opera: "Opera",
  "Opera Touch": "Opera",
  "Opera Coast": "Opera",
  Safari: "Safari",
  "Samsung Internet for Android": "Samsung Internet",
};

const SYSTEMS: Readonly<Record<string, string>> = {
  Android: "Android",
  "Chrome OS": "ChromeOS",
  iOS: "iOS",
  Linux: "Linux",
  macOS: "macOS",
  Windows: "Windows",
};
