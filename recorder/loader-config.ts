import { isRecord } from "../src/rrweb/events.ts";

/** The configuration in the page, or null: no element, or (with one warning) no JSON object in it. */
export function readConfig(
  text: string | null | undefined,
  warn: (message: string) => void,
): Record<string, unknown> | null {
  if (text === null || text === undefined) return null;
  try {
    const config: unknown = JSON.parse(text);
    if (isRecord(config)) return config;
  } catch {
    // Warned below.
  }
  warn("[sentiero] the configuration in the page is no JSON object; it is ignored");
  return null;
}

/** The configured address of the events lane as an absolute one; null when there is none or it isn't http. */
export function resolveEventsUrl(value: unknown, baseUrl: string): string | null {
  if (typeof value !== "string" || value === "") return null;
  try {
    const url = new URL(value, baseUrl);
    return /^https?:$/.test(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
