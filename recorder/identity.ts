import type { SafeStorage } from "./storage.ts";
import { createSessionKey, createUuid } from "./ids.ts";
import { StorageKey } from "./keys.ts";

/** `last_seen` is written at most this often: each write wakes every other tab of the site. */
const PERSIST_EVERY_MS = 30_000;
/** Stored times further ahead than this are taken for a broken clock, which would keep a session alive for ever. */
const MAX_AHEAD_MS = 86_400_000;

const FIELDS = ["sessionId", "key", "createdAt", "lastSeenAt", "entryUrl", "entryReferrer"] as const;

/** One session as the browser knows it. Times are epoch ms. */
export interface Identity {
  readonly sessionId: string;
  /** Proves to the server that later uploads come from the same browser. */
  readonly key: string;
  readonly createdAt: number;
  readonly lastSeenAt: number;
  /** Address and referrer of the session's first page, cut at `?` and `#`; empty when unknown. */
  readonly entryUrl: string;
  readonly entryReferrer: string;
}

/** What a storage holds; null for an item that isn't there. */
export type StoredIdentity = { readonly [Key in keyof Identity]: string | null };

/** When a session ends. */
export interface IdentityLimits {
  readonly idleTimeoutMs: number;
  readonly maxAgeMs: number;
}

/** The page that opens a session, should one be opened now. */
export interface EntryPage {
  readonly url: string;
  readonly referrer: string;
}

/**
 * The session to go on with: the stored one, or a new one where that is absent, corrupt, idle for too long or too old.
 */
export function resolveIdentity(
  stored: StoredIdentity,
  now: number,
  limits: IdentityLimits,
  entry: EntryPage,
): Identity {
  const createdAt = parseTime(stored.createdAt, now);
  const lastSeenAt = parseTime(stored.lastSeenAt, now);
  const isUsable =
    /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(stored.sessionId ?? "") &&
    /^[0-9a-f]{32}$/.test(stored.key ?? "") &&
    createdAt !== null &&
    lastSeenAt !== null &&
    now - lastSeenAt <= limits.idleTimeoutMs &&
    now - createdAt <= limits.maxAgeMs;
  if (!isUsable) return createIdentity(now, entry);
  return {
    sessionId: stored.sessionId!,
    key: stored.key!,
    createdAt,
    lastSeenAt,
    entryUrl: stored.entryUrl ?? "",
    entryReferrer: stored.entryReferrer ?? "",
  };
}

/** The session of this page, kept in step with the storage that the other tabs share. */
export interface IdentityKeeper {
  readonly current: Identity;
  /**
   * Notes that something happened at `now`; `isActivity` when a person did it. True when the session is another one
   * from here on: it ended, or another tab opened a new one.
   */
  observe(now: number, isActivity: boolean): boolean;
  /** Writes down when the person was last seen; called when the page is left. */
  persist(): void;
  /** Leaves the session, whatever its state, for a new one; or for the one that another tab went on to. */
  rotate(now: number): void;
}

/** Reads or opens the session. */
export function createIdentityKeeper(
  storage: SafeStorage,
  limits: IdentityLimits,
  entry: () => EntryPage,
  startedAt: number,
): IdentityKeeper {
  let current = resolveIdentity(read(storage), startedAt, limits, entry());
  // A page load is activity.
  current = { ...current, lastSeenAt: startedAt };
  let syncedAt = startedAt;
  write(storage, current);

  function sync(now: number): boolean {
    syncedAt = now;
    const stored = read(storage);
    const isOurs = stored.sessionId === current.sessionId;
    // What this tab saw counts too, even where it was not written yet.
    const seen = isOurs ? Math.max(current.lastSeenAt, parseTime(stored.lastSeenAt, now) ?? 0) : null;
    const next = resolveIdentity(
      seen === null ? stored : { ...stored, lastSeenAt: String(seen) },
      now,
      limits,
      entry(),
    );
    const hasChanged = next.sessionId !== current.sessionId;
    current = next;
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
      if (hasChanged || (isDue && isActivity)) write(storage, current);
      return hasChanged;
    },
    persist() {
      // Another tab may have opened a new session meanwhile: its time is not ours to write.
      if (storage.get(StorageKey.sessionId) === current.sessionId) {
        storage.set(StorageKey.lastSeenAt, String(current.lastSeenAt));
      }
    },
    rotate(now) {
      // Another tab may have been told the same before.
      if (sync(now)) return;
      current = createIdentity(now, entry());
      syncedAt = now;
      write(storage, current);
    },
  };
}

function createIdentity(now: number, entry: EntryPage): Identity {
  return {
    sessionId: createUuid(),
    key: createSessionKey(),
    createdAt: now,
    lastSeenAt: now,
    entryUrl: entry.url,
    entryReferrer: entry.referrer,
  };
}

function parseTime(text: string | null, now: number): number | null {
  const time = /^\d{1,15}$/.test(text ?? "") ? Number(text) : 0;
  return time > 0 && time <= now + MAX_AHEAD_MS ? time : null;
}

function read(storage: SafeStorage): StoredIdentity {
  return Object.fromEntries(FIELDS.map((field) => [field, storage.get(StorageKey[field])])) as StoredIdentity;
}

function write(storage: SafeStorage, identity: Identity): void {
  for (const field of FIELDS) storage.set(StorageKey[field], String(identity[field]));
}
