import { createUuid } from "./ids.ts";
import { StorageKey } from "./keys.ts";
import type { SafeStorage } from "./storage.ts";

/** Waits between tries, ms: the page that a reload replaces may hold its lock a moment longer. */
const RETRY_MS = [60, 200];
/** Lock managers answer within a few ms; one that doesn't must not keep the recorder from starting. */
const ANSWER_WITHIN_MS = 500;

/** The lock manager of the browser, as far as it is used. */
export type LockManagerLike = Pick<LockManager, "request">;

/** The id of this tab. */
export interface WindowClaim {
  /** May change when it is renewed. */
  readonly windowId: string;
  /** Lets go of the id; called when the page is left, since a held lock keeps a page out of the back/forward cache. */
  release(): void;
  /** Takes the id again, or a new one where another page has it by now. Does nothing while it is held. */
  renew(): Promise<void>;
}

/**
 * Takes the tab's id from its session storage. A duplicated tab starts with a copy of that storage, so the id is held
 * by a lock for as long as the page lives; a tab that finds it held takes a new one. Without lock manager it is kept.
 */
export async function claimWindow(
  storage: SafeStorage,
  locks: LockManagerLike | undefined,
  wait: (ms: number) => Promise<void>,
): Promise<WindowClaim> {
  let isWanted = false;
  let letGo = (): void => {};
  const claim = {
    windowId: "",
    release() {
      isWanted = false;
      letGo();
    },
    async renew() {
      if (isWanted) return;
      isWanted = true;
      [claim.windowId, letGo] = await take(storage, locks, wait);
      // The page is being left after all.
      if (!isWanted) letGo();
    },
  };
  await claim.renew();
  return claim;
}

async function take(
  storage: SafeStorage,
  locks: LockManagerLike | undefined,
  wait: (ms: number) => Promise<void>,
): Promise<[windowId: string, letGo: () => void]> {
  const stored = storage.get(StorageKey.windowId);
  if (stored !== null && /^[0-9a-f-]{36}$/.test(stored)) {
    for (const pause of [0, ...RETRY_MS]) {
      if (pause > 0) await wait(pause);
      const letGo = await hold(stored, locks, wait);
      if (letGo) return [stored, letGo];
    }
  }
  const windowId = createUuid();
  storage.set(StorageKey.windowId, windowId);
  return [windowId, (await hold(windowId, locks, wait)) ?? (() => {})];
}

/** A function that lets go, or null where another page holds the id. */
async function hold(
  windowId: string,
  locks: LockManagerLike | undefined,
  wait: (ms: number) => Promise<void>,
): Promise<(() => void) | null> {
  if (!locks) return () => {};
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const answer = new Promise<boolean>((resolve) => {
    try {
      locks
        .request(`sentiero:window:${windowId}`, { ifAvailable: true }, (lock) => {
          resolve(lock !== null);
          return lock === null ? undefined : released;
        })
        // Refused outright (an opaque origin): as if there were no lock manager.
        .catch(() => resolve(true));
    } catch {
      resolve(true);
    }
  });
  const isOurs = await Promise.race([answer, wait(ANSWER_WITHIN_MS).then(() => true)]);
  return isOurs ? release : null;
}
