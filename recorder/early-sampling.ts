import { isRecord } from "../src/rrweb/events.ts";
import { resolveSampling } from "./config.ts";
import { StorageKey } from "./keys.ts";
import { decideSampling, type Sampling } from "./sampling.ts";
import type { SafeStorage } from "./storage.ts";

/**
 * Decides whether a page's session is recorded before the recorder is there, so that it is not loaded for those that are
 * left out. Of these nothing is kept but that they are, and since when. Null where a session is under way, which says so itself.
 */
export function decideEarly(
  storage: SafeStorage,
  config: Readonly<Record<string, unknown>>,
  now: number,
  random: () => number,
): Sampling | null {
  const resolved = resolveSampling(config);
  const stored = parse(storage.get(StorageKey.session));
  const isUnderWay =
    now - Number(stored.lastSeenAt) <= resolved.sessionIdleTimeoutMs &&
    now - Number(stored.createdAt) <= resolved.sessionMaxAgeMs;
  const sampling = isUnderWay ? stored.sampling : decideSampling(resolved, random);
  if (sampling === "none") {
    const createdAt = isUnderWay ? stored.createdAt : now;
    storage.set(
      StorageKey.session,
      JSON.stringify({ ...(isUnderWay && stored), sampling, createdAt, lastSeenAt: now }),
    );
  }
  return isUnderWay && sampling !== "none" ? null : (sampling as Sampling);
}

function parse(text: string | null): Record<string, unknown> {
  try {
    const stored: unknown = JSON.parse(text ?? "");
    return isRecord(stored) ? stored : {};
  } catch {
    return {};
  }
}
