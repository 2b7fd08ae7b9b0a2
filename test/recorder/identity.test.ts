import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createIdentityKeeper,
  resolveIdentity,
  type IdentityKeeper,
  type SessionStart,
} from "../../recorder/identity.ts";
import { StorageKey } from "../../recorder/keys.ts";
import type { SafeStorage } from "../../recorder/storage.ts";
import { createSafeStorage } from "../../recorder/storage.ts";

const limits = { idleTimeoutMs: 1_000_000, maxAgeMs: 10_000_000 };
const entry: SessionStart = {
  entryUrl: "https://example.com/now",
  entryReferrer: "",
  campaign: {},
  sampling: "session",
};
const start = () => entry;
const now = 1_700_000_000_000;
const good = {
  sessionId: "0b0e7b4e-6a35-4c8e-9a55-3f2d1c0b9a88",
  key: "0123456789abcdef0123456789abcdef",
  createdAt: now - 5_000,
  lastSeenAt: now - 1_000,
  entryUrl: "https://example.com/first",
  entryReferrer: "https://search.example/",
  campaign: { utm_source: "letter", gclid: true },
  sampling: "error",
};

function createMemory(): SafeStorage & { readonly items: Map<string, string> } {
  const items = new Map<string, string>();
  return {
    items,
    get: (key) => items.get(key) ?? null,
    set: (key, value) => void items.set(key, value),
    remove: (key) => void items.delete(key),
  };
}

function lastSeenAt(storage: SafeStorage): unknown {
  return (JSON.parse(storage.get(StorageKey.session)!) as { lastSeenAt: unknown }).lastSeenAt;
}

describe("resolveIdentity", () => {
  test("goes on with a stored session, keeping its first page, campaign and sampling", () => {
    expect(resolveIdentity(JSON.stringify(good), now, limits, start)).toEqual(good);
  });

  test.each<[string, string | null]>([
    ["there is none", null],
    ["it is no JSON", "{oops"],
    ["it is no object", "[1]"],
    ["it is null", "null"],
    ...(
      [
        ["the id is no UUID", { sessionId: "../x" }],
        ["the key is missing", { key: null }],
        ["createdAt is missing", { createdAt: null }],
        ["lastSeenAt is missing", { lastSeenAt: undefined }],
        ["a time is no number", { createdAt: "yesterday" }],
        ["a time is not positive", { lastSeenAt: 0 }],
        ["a time is negative", { lastSeenAt: -5 }],
        ["a time lies far ahead", { createdAt: now + 1e10 }],
        ["it was idle too long", { lastSeenAt: now - limits.idleTimeoutMs - 1 }],
        ["it is too old", { createdAt: now - limits.maxAgeMs - 1 }],
        ["nothing says how it is recorded", { sampling: "some" }],
      ] as const
    ).map(([name, change]): [string, string] => [name, JSON.stringify({ ...good, ...change })]),
  ])("opens a new one when %s", (_, stored) => {
    const next = resolveIdentity(stored, now, limits, start);
    expect(next.sessionId).not.toBe(good.sessionId);
    expect(next.key).not.toBe(good.key);
    expect(next).toMatchObject({ createdAt: now, lastSeenAt: now, ...entry });
  });

  test("keeps a session at exactly its limits", () => {
    const edge = { ...good, lastSeenAt: now - limits.idleTimeoutMs, createdAt: now - limits.maxAgeMs };
    expect(resolveIdentity(JSON.stringify(edge), now, limits, start).sessionId).toBe(good.sessionId);
  });

  test("moves no limit away when the clock was set back", () => {
    const ahead = { ...good, lastSeenAt: now + 3_600_000, createdAt: now + 3_600_000 };
    expect(resolveIdentity(JSON.stringify(ahead), now, limits, start)).toMatchObject({
      createdAt: now,
      lastSeenAt: now,
    });
  });
});

describe("keeper", () => {
  test("writes lastSeenAt at most every 30 seconds, and when the page is left", () => {
    const storage = createMemory();
    const keeper = createIdentityKeeper(storage, limits, start, now);
    keeper.observe(now + 10_000, true);
    expect(lastSeenAt(storage)).toBe(now);
    keeper.observe(now + 30_000, true);
    expect(lastSeenAt(storage)).toBe(now + 30_000);
    keeper.observe(now + 40_000, true);
    keeper.persist();
    expect(lastSeenAt(storage)).toBe(now + 40_000);
  });

  test("a change of the page alone does not count as activity", () => {
    const keeper = createIdentityKeeper(createMemory(), limits, start, now);
    const first = keeper.current.sessionId;
    for (let at = 0; at <= limits.idleTimeoutMs; at += 50_000) keeper.observe(now + at, false);
    expect(keeper.current.sessionId).toBe(first);
    expect(keeper.observe(now + limits.idleTimeoutMs + 1, false)).toBe(true);
  });

  test("joins the session that another tab opened", () => {
    const storage = createMemory();
    const one = createIdentityKeeper(storage, limits, start, now);
    const two = createIdentityKeeper(storage, limits, start, now);
    one.rotate(now + 1_000);
    expect(two.observe(now + 31_000, true)).toBe(true);
    expect(two.current.sessionId).toBe(one.current.sessionId);
    expect(two.current.key).toBe(one.current.key);
  });

  test("two tabs told to rotate end up in one session", () => {
    const storage = createMemory();
    const one = createIdentityKeeper(storage, limits, start, now);
    const two = createIdentityKeeper(storage, limits, start, now);
    one.rotate(now + 1_000);
    two.rotate(now + 1_500);
    expect(two.current.sessionId).toBe(one.current.sessionId);
  });

  test("two tabs that open at once agree as soon as they hear of each other", () => {
    // Neither sees what the other writes before it has written itself.
    const storage = createMemory();
    const one = createIdentityKeeper(storage, limits, start, now);
    const written = storage.get(StorageKey.session)!;
    storage.remove(StorageKey.session);
    const two = createIdentityKeeper(storage, limits, start, now);
    storage.set(StorageKey.session, written);
    expect([one.sync(now + 5), two.sync(now + 5)]).toEqual([false, true]);
    expect(two.current).toEqual(one.current);
  });

  test("decides how a session is recorded once, and tells the other tabs of a change", () => {
    const storage = createMemory();
    let decisions = 0;
    const decide = (): SessionStart => ({ ...entry, sampling: decisions++ === 0 ? "error" : "none" });
    const one = createIdentityKeeper(storage, limits, decide, now);
    const two = createIdentityKeeper(storage, limits, decide, now + 10);
    expect([one.current.sampling, two.current.sampling]).toEqual(["error", "error"]);
    two.setSampling("session");
    expect(one.sync(now + 20)).toBe(false);
    expect(one.current.sampling).toBe("session");
    expect(decisions).toBe(1);
  });

  test("does not write the time of a session that is not its own, nor takes back what another tab decided", () => {
    const storage = createMemory();
    const one = createIdentityKeeper(storage, limits, start, now);
    const two = createIdentityKeeper(storage, limits, start, now);
    one.setSampling("none");
    two.observe(now + 10, true);
    two.persist();
    expect(JSON.parse(storage.get(StorageKey.session)!)).toMatchObject({ sampling: "none", lastSeenAt: now + 10 });
    one.rotate(now + 5_000);
    two.persist();
    expect(lastSeenAt(storage)).toBe(now + 5_000);
  });

  test("stays in memory where storage is blocked", () => {
    const blocked = createSafeStorage(() => {
      throw new DOMException("denied", "SecurityError");
    });
    const keeper = createIdentityKeeper(blocked, limits, start, now);
    const { sessionId } = keeper.current;
    for (let at = 0; at < 5; at++) keeper.observe(now + at * 40_000, true);
    keeper.persist();
    expect(keeper.current.sessionId).toBe(sessionId);
    keeper.rotate(now + 300_000);
    expect(keeper.current.sessionId).not.toBe(sessionId);
  });

  test("tabs, reloads, pauses and clocks that jump: a session never lives past a limit, and is never left without a reason", () => {
    const action = fc.record({
      tab: fc.integer({ min: 0, max: 2 }),
      waitMs: fc.oneof(
        fc.integer({ min: 0, max: 40_000 }),
        fc.integer({ min: 0, max: 1_500_000 }),
        fc.integer({ min: -3_000_000, max: 0 }),
      ),
      do: fc.constantFrom("act", "change", "leave", "reload", "clear", "hear", "promote"),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const storage = createMemory();
        let time = now;
        const open = (): IdentityKeeper => createIdentityKeeper(storage, limits, start, time);
        const tabs = [open(), open(), open()];
        const isAlone = actions.every(({ tab, do: what }) => tab === actions[0]!.tab && what !== "clear");
        for (const action of actions) {
          time += action.waitMs;
          const before = tabs[action.tab]!.current;
          if (action.do === "clear") storage.items.clear();
          else if (action.do === "leave") tabs[action.tab]!.persist();
          else if (action.do === "promote") tabs[action.tab]!.setSampling("session");
          else if (action.do === "reload") {
            tabs[action.tab]!.persist();
            tabs[action.tab] = open();
          } else {
            const tab = tabs[action.tab]!;
            const hasChanged = action.do === "hear" ? tab.sync(time) : tab.observe(time, action.do === "act");
            expect(hasChanged).toBe(tab.current.sessionId !== before.sessionId);
          }
          const { current } = tabs[action.tab]!;
          if (["leave", "clear", "promote"].includes(action.do)) continue;
          expect(time - current.createdAt).toBeLessThanOrEqual(limits.maxAgeMs);
          expect(time - current.lastSeenAt).toBeLessThanOrEqual(limits.idleTimeoutMs);
          const isWithin =
            time - before.lastSeenAt <= limits.idleTimeoutMs && time - before.createdAt <= limits.maxAgeMs;
          if (isAlone && isWithin) expect(current.sessionId).toBe(before.sessionId);
          // Whoever has just listened is in the session that is written down.
          if (action.do === "hear" || action.do === "reload") {
            expect(JSON.parse(storage.get(StorageKey.session)!)).toMatchObject({
              sessionId: current.sessionId,
              key: current.key,
              sampling: current.sampling,
            });
          }
        }
        // At rest all tabs agree, once each heard what the others wrote.
        for (const tab of [...tabs, ...tabs]) tab.sync(time);
        expect(new Set(tabs.map(({ current }) => `${current.sessionId} ${current.key}`)).size).toBe(1);
      }),
      { numRuns: 500 },
    );
  });
});
