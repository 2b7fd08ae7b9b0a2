import { isRecord } from "../src/rrweb/events.ts";
import { createSessionKey, createUuid } from "./ids.ts";
import { StorageKey } from "./keys.ts";
import { type Metadata, toMetadata } from "./metadata.ts";
import type { Sampling } from "./sampling.ts";
import type { SafeStorage } from "./storage.ts";

/** `lastSeenAt` is written at most this often: each write wakes every other tab of the site. */
const PERSIST_EVERY_MS = 30_000;
/** Stored times further ahead than this are taken for a broken clock, which would keep a session alive for ever. */
const MAX_AHEAD_MS = 86_400_000;

/** What a session has from its first page. */
export interface SessionStart {
  /** Address and referrer of the session's first page, cut at `?` and `#`; empty when unknown. */
  readonly entryUrl: string;
  readonly entryReferrer: string;
  /** The campaign that led there. */
  readonly campaign: Metadata;
  /** Decided once, for all tabs. */
  readonly sampling: Sampling;
}

/** One session as the browser knows it. Times are epoch ms. */
export interface Identity extends SessionStart {
  readonly sessionId: string;
  /** Proves to the server that later uploads come from the same browser. */
  readonly key: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
}

/** When a session ends. */
export interface IdentityLimits {
  readonly idleTimeoutMs: number;
  readonly maxAgeMs: number;
}

/**
 * The session to go on with: the stored one, or one that `start` opens where that is absent, corrupt, idle for too long or
 * too old.
 */
export function resolveIdentity(
  stored: string | null,
  now: number,
  limits: IdentityLimits,
  start: () => SessionStart,
): Identity {
  const known = parseIdentity(stored, now);
  const isUsable = known && now - known.lastSeenAt <= limits.idleTimeoutMs && now - known.createdAt <= limits.maxAgeMs;
  return isUsable ? known : createIdentity(now, start());
}

/** The session of this page, kept in step with the storage that the other tabs share. */
export interface IdentityKeeper {
  readonly current: Identity;
  /**
   * Notes that something happened at `now`; `isActivity` when a person did it. True when the session is another one
   * from here on: it ended, or another tab opened a new one.
   */
  observe(now: number, isActivity: boolean): boolean;
  /** Takes over what another tab wrote; true when the session is another one from here on. */
  sync(now: number): boolean;
  /** Decides anew how the session is recorded, for all tabs. */
  setSampling(sampling: Sampling): void;
  /** Writes down when the person was last seen; called when the page is left. */
  persist(): void;
  /** Leaves the session, whatever its state, for a new one; or for the one that another tab went on to. */
  rotate(now: number): void;
}

/** Reads or opens the session. */
export function createIdentityKeeper(
  storage: SafeStorage,
  limits: IdentityLimits,
  start: () => SessionStart,
  startedAt: number,
): IdentityKeeper {
  let current = resolveIdentity(read(), startedAt, limits, start);
  let syncedAt = startedAt;
  // A page load is activity.
  put({ ...current, lastSeenAt: startedAt });

  function read(): string | null {
    return storage.get(StorageKey.session);
  }

  function put(identity: Identity): void {
    current = identity;
    storage.set(StorageKey.session, JSON.stringify(identity));
  }

  function sync(now: number): boolean {
    syncedAt = now;
    const before = current;
    const text = read();
    const stored = parseIdentity(text, now);
    // What this tab saw counts too, even where it was not written yet.
    const isOurs = stored?.sessionId === before.sessionId;
    const known = isOurs
      ? JSON.stringify({ ...stored, lastSeenAt: Math.max(stored.lastSeenAt, before.lastSeenAt) })
      : text;
    current = resolveIdentity(known, now, limits, start);
    const hasChanged = current.sessionId !== before.sessionId;
    if (hasChanged && current.sessionId !== stored?.sessionId) put(current);
    return hasChanged;
  }

  return {
    get current() {
      return current;
    },
    observe(now, isActivity) {
      const isOver = now - current.lastSeenAt > limits.idleTimeoutMs || now - current.createdAt > limits.maxAgeMs;
      const isDue = now - syncedAt >= PERSIST_EVERY_MS || now < syncedAt;
      const hasChanged = (isOver || isDue) && sync(now);
      if (isActivity || hasChanged) current = { ...current, lastSeenAt: Math.max(now, current.lastSeenAt) };
      if (hasChanged || (isDue && isActivity)) put(current);
      return hasChanged;
    },
    sync,
    setSampling: (sampling) => put({ ...current, sampling }),
    persist() {
      const stored = parseIdentity(read(), current.lastSeenAt);
      // Another tab may have opened a new session meanwhile, or seen the person later: its time is not ours to write.
      if (stored?.sessionId === current.sessionId && stored.lastSeenAt < current.lastSeenAt)
        put({ ...stored, lastSeenAt: current.lastSeenAt });
    },
    rotate(now) {
      // Another tab may have been told the same before.
      if (!sync(now)) put(createIdentity(now, start()));
    },
  };
}

function createIdentity(now: number, start: SessionStart): Identity {
  return { ...start, sessionId: createUuid(), key: createSessionKey(), createdAt: now, lastSeenAt: now };
}

function parseIdentity(text: string | null, now: number): Identity | null {
  try {
    const stored: unknown = JSON.parse(text ?? "");
    if (!isRecord(stored)) return null;
    const { sessionId, key, sampling, entryUrl, entryReferrer, campaign } = stored;
    const isWhole =
      /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(String(sessionId)) &&
      /^[0-9a-f]{32}$/.test(String(key)) &&
      /^(?:session|error|none)$/.test(String(sampling)) &&
      isTime(stored.createdAt, now) &&
      isTime(stored.lastSeenAt, now);
    if (!isWhole) return null;
    return {
      sessionId: String(sessionId),
      key: String(key),
      // The clock was set back: what lies ahead happened now, so that no limit moves away.
      createdAt: Math.min(Number(stored.createdAt), now),
      lastSeenAt: Math.min(Number(stored.lastSeenAt), now),
      sampling: sampling as Sampling,
      entryUrl: String(entryUrl ?? ""),
      entryReferrer: String(entryReferrer ?? ""),
      campaign: toMetadata(campaign),
    };
  } catch {
    return null;
  }
}

function isTime(value: unknown, now: number): boolean {
  return typeof value === "number" && value > 0 && value <= now + MAX_AHEAD_MS;
}
