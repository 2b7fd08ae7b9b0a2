import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createIdentityKeeper, resolveIdentity, type StoredIdentity } from "../../recorder/identity.ts";
import { StorageKey } from "../../recorder/keys.ts";
import type { SafeStorage } from "../../recorder/storage.ts";

const limits = { idleTimeoutMs: 1_000_000, maxAgeMs: 10_000_000 };
const entry = { url: "https://example.com/now", referrer: "" };
const now = 1_700_000_000_000;
const good: StoredIdentity = {
  sessionId: "0b0e7b4e-6a35-4c8e-9a55-3f2d1c0b9a88",
  key: "0123456789abcdef0123456789abcdef",
  createdAt: String(now - 5_000),
  lastSeenAt: String(now - 1_000),
  entryUrl: "https://example.com/first",
  entryReferrer: "https://search.example/",
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

describe("resolveIdentity", () => {
  test("goes on with a stored session, keeping its first page", () => {
    expect(resolveIdentity(good, now, limits, entry)).toEqual({
      ...good,
      createdAt: now - 5_000,
      lastSeenAt: now - 1_000,
    });
  });

  test.each<[string, Partial<StoredIdentity>]>([
    ["there is none", { sessionId: null }],
    ["the id is no UUID", { sessionId: "../x" }],
    ["the key is missing", { key: null }],
    ["created_at is missing", { createdAt: null }],
    ["last_seen is missing", { lastSeenAt: null }],
    ["a time is no number", { createdAt: "yesterday" }],
    ["a time is not positive", { lastSeenAt: "0" }],
    ["a time is negative", { lastSeenAt: "-5" }],
    ["a time lies far ahead", { createdAt: String(now + 1e10) }],
    ["it was idle too long", { lastSeenAt: String(now - limits.idleTimeoutMs - 1) }],
    ["it is too old", { createdAt: String(now - limits.maxAgeMs - 1) }],
  ])("opens a new one when %s", (_, change) => {
    const next = resolveIdentity({ ...good, ...change }, now, limits, entry);
    expect(next.sessionId).not.toBe(good.sessionId);
    expect(next.key).not.toBe(good.key);
    expect(next).toMatchObject({ createdAt: now, lastSeenAt: now, entryUrl: entry.url, entryReferrer: "" });
  });

  test("keeps a session at exactly its limits", () => {
    const edge = { ...good, lastSeenAt: String(now - limits.idleTimeoutMs), createdAt: String(now - limits.maxAgeMs) };
    expect(resolveIdentity(edge, now, limits, entry).sessionId).toBe(good.sessionId);
  });
});

describe("keeper", () => {
  test("writes last_seen at most every 30 seconds, and when the page is left", () => {
    const storage = createMemory();
    const keeper = createIdentityKeeper(storage, limits, () => entry, now);
    keeper.observe(now + 10_000, true);
    expect(storage.get(StorageKey.lastSeenAt)).toBe(String(now));
    keeper.observe(now + 30_000, true);
    expect(storage.get(StorageKey.lastSeenAt)).toBe(String(now + 30_000));
    keeper.observe(now + 40_000, true);
    keeper.persist();
    expect(storage.get(StorageKey.lastSeenAt)).toBe(String(now + 40_000));
  });

  test("a change of the page alone does not count as activity", () => {
    const keeper = createIdentityKeeper(createMemory(), limits, () => entry, now);
    const first = keeper.current.sessionId;
    for (let at = 0; at <= limits.idleTimeoutMs; at += 50_000) keeper.observe(now + at, false);
    expect(keeper.current.sessionId).toBe(first);
    expect(keeper.observe(now + limits.idleTimeoutMs + 1, false)).toBe(true);
  });

  test("joins the session that another tab opened", () => {
    const storage = createMemory();
    const one = createIdentityKeeper(storage, limits, () => entry, now);
    const two = createIdentityKeeper(storage, limits, () => entry, now);
    one.rotate(now + 1_000);
    expect(two.observe(now + 31_000, true)).toBe(true);
    expect(two.current.sessionId).toBe(one.current.sessionId);
    expect(two.current.key).toBe(one.current.key);
  });

  test("two tabs told to rotate end up in one session", () => {
    const storage = createMemory();
    const one = createIdentityKeeper(storage, limits, () => entry, now);
    const two = createIdentityKeeper(storage, limits, () => entry, now);
    one.rotate(now + 1_000);
    two.rotate(now + 1_500);
    expect(two.current.sessionId).toBe(one.current.sessionId);
  });

  test("does not write the time of a session that is not its own", () => {
    const storage = createMemory();
    const one = createIdentityKeeper(storage, limits, () => entry, now);
    const two = createIdentityKeeper(storage, limits, () => entry, now);
    one.rotate(now + 5_000);
    two.persist();
    expect(storage.get(StorageKey.lastSeenAt)).toBe(String(now + 5_000));
  });

  test("tabs, reloads and pauses: a session never lives past a limit, and is never left without a reason", () => {
    const action = fc.record({
      tab: fc.integer({ min: 0, max: 2 }),
      waitMs: fc.oneof(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 0, max: 1_500_000 })),
      do: fc.constantFrom("act", "change", "leave", "reload", "clear"),
    });
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const storage = createMemory();
        let time = now;
        const open = () => createIdentityKeeper(storage, limits, () => entry, time);
        const tabs = [open(), open(), open()];
        let lastActivityAt = now;
        for (const action of actions) {
          time += action.waitMs;
          const before = tabs[action.tab]!.current;
          const gone = time - lastActivityAt;
          if (action.do === "clear") storage.items.clear();
          else if (action.do === "leave") tabs[action.tab]!.persist();
          else if (action.do === "reload") {
            tabs[action.tab]!.persist();
            tabs[action.tab] = open();
          } else {
            const hasChanged = tabs[action.tab]!.observe(time, action.do === "act");
            expect(hasChanged).toBe(tabs[action.tab]!.current.sessionId !== before.sessionId);
          }
          const { current } = tabs[action.tab]!;
          if (action.do === "leave" || action.do === "clear") continue;
          expect(time - current.createdAt).toBeLessThanOrEqual(limits.maxAgeMs);
          expect(time - current.lastSeenAt).toBeLessThanOrEqual(limits.idleTimeoutMs);
          expect(current.lastSeenAt).toBeLessThanOrEqual(time);
          if (action.do !== "change") lastActivityAt = time;
          const isAlone = actions.every(({ tab, do: what }) => tab === action.tab && what !== "clear");
          if (isAlone && gone <= limits.idleTimeoutMs && time - before.createdAt <= limits.maxAgeMs) {
            const idle = time - before.lastSeenAt > limits.idleTimeoutMs;
            if (!idle) expect(current.sessionId).toBe(before.sessionId);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
