import { gunzipSync } from "node:zlib";
import { afterEach, describe, expect, test, vi } from "vitest";
import { resolveConfig } from "../../recorder/config.ts";
import { createGapMemory, mergeGaps } from "../../recorder/gaps.ts";
import { gzip } from "../../recorder/gzip.ts";
import { createRunId, createSessionKey, createUuid } from "../../recorder/ids.ts";
import {
  campaignOf,
  describeMasking,
  describePage,
  mergeMetadata,
  toMetadata,
  withoutOwn,
} from "../../recorder/metadata.ts";
import { createSafeStorage } from "../../recorder/storage.ts";
import { cutUrl } from "../../src/privacy/url.ts";
import { claimWindow, type LockManagerLike } from "../../recorder/window-id.ts";
import type { Gap } from "../../src/types.ts";

afterEach(() => vi.unstubAllGlobals());

describe("ids", () => {
  const real = globalThis.crypto;
  const getRandomValues = real.getRandomValues.bind(real);
  test.each([
    ["with crypto", { randomUUID: real.randomUUID.bind(real), getRandomValues }],
    ["outside a secure context", { getRandomValues }],
    ["without crypto", undefined],
  ])("have their form %s", (_, crypto) => {
    vi.stubGlobal("crypto", crypto);
    expect(createUuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(createRunId()).toMatch(/^[0-9a-f]{24}$/);
    expect(createSessionKey()).toMatch(/^[0-9a-f]{32}$/);
    expect(createRunId()).not.toBe(createRunId());
  });
});

describe("configuration", () => {
  test("has defaults, also in place of values of the wrong kind", () => {
    const defaults = resolveConfig({ eventsUrl: "/e" });
    expect(defaults).toMatchObject({
      flushIntervalMs: 10_000,
      flushEventThreshold: 50,
      sessionIdleTimeoutMs: 21_600_000,
      sessionMaxAgeMs: 604_800_000,
      maskAllInputs: true,
    });
    for (const bad of ["5", 0, -1, Number.NaN, Infinity, null, {}]) {
      expect(
        resolveConfig({
          eventsUrl: "/e",
          flushIntervalMs: bad,
          flushEventThreshold: bad,
          sessionIdleTimeoutMs: bad,
          sessionMaxAgeMs: bad,
          maskAllInputs: bad,
          recorderOptions: bad,
        }),
      ).toEqual(defaults);
    }
  });

  test("takes pictures of canvases only for true or an object, and frames only of a list", () => {
    const of = (given: object) => resolveConfig({ eventsUrl: "/e", ...given });
    for (const bad of [undefined, false, null, 1, "yes", ["yes"]])
      expect(of({ captureCanvas: bad }).captureCanvas).toBeNull();
    expect(of({ captureCanvas: true }).captureCanvas).toEqual({});
    expect(of({ captureCanvas: { fps: 2 } }).captureCanvas).toEqual({ fps: 2 });
    expect(of({ frameOrigins: "https://pay.example" }).frameOrigins).toEqual([]);
    expect(of({ frameOrigins: ["https://pay.example", 5] }).frameOrigins).toEqual(["https://pay.example"]);
  });

  test("takes maskAllInputs from rrweb's options where it is not given itself", () => {
    expect(resolveConfig({ eventsUrl: "/e", recorderOptions: { maskAllInputs: false } }).maskAllInputs).toBe(false);
    expect(
      resolveConfig({ eventsUrl: "/e", maskAllInputs: true, recorderOptions: { maskAllInputs: false } }).maskAllInputs,
    ).toBe(true);
  });
});

describe("metadata", () => {
  test("under the recorder's own names is refused, and told", () => {
    const told: string[] = [];
    const given = {
      url: "/",
      plan: "pro",
      userId: "eve",
      ref: "x",
      sentiero_privacy: "strict",
      Url: "kept",
      userID: 1,
    };
    expect(withoutOwn(given, (names) => told.push(...names))).toEqual({ plan: "pro", Url: "kept", userID: 1 });
    expect(told).toEqual(["url", "userId", "ref", "sentiero_privacy"]);
    const session = {
      entryUrl: "a",
      entryReferrer: "b",
      campaign: campaignOf("https://a.example/?utm_term=1&gclid=2"),
    };
    vi.stubGlobal("location", { href: "" });
    vi.stubGlobal("document", { referrer: "" });
    vi.stubGlobal("window", {});
    const own = { ...describePage(session), ...describeMasking({ privacy: "balanced", maskAllInputs: false }) };
    vi.unstubAllGlobals();
    expect(Object.keys(own).length).toBeGreaterThan(9);
    expect(withoutOwn(own, () => {})).toEqual({});
  });

  test("says what is masked, and only where it is not that values of fields are recorded", () => {
    const rules = (privacy: "balanced" | "strict", maskAllInputs: boolean) =>
      describeMasking({ privacy, maskAllInputs });
    expect(rules("balanced", true)).toEqual({ sentiero_privacy: "balanced" });
    expect(rules("balanced", false)).toEqual({ sentiero_privacy: "balanced", sentiero_mask_inputs: false });
    expect(rules("strict", false)).toEqual({ sentiero_privacy: "strict" });
  });

  test("cuts values, keys and addresses, and leaves out what can't be sent", () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.self = cyclic;
    const given = {
      long: "x".repeat(5_000),
      url: "https://a.example/b?token=1#x",
      n: 1,
      nan: Number.NaN,
      yes: true,
      o: { a: 1 },
      f: () => {},
      u: undefined,
      nil: null,
      cyclic,
      s: Symbol("s"),
      big: 1n,
    };
    expect(toMetadata(given)).toEqual({
      long: "x".repeat(1_024),
      url: "https://a.example/b",
      n: 1,
      yes: true,
      o: '{"a":1}',
    });
    expect(
      Object.keys(toMetadata(Object.fromEntries(Array.from({ length: 80 }, (_, n) => [`k${n}`, n])))),
    ).toHaveLength(50);
    for (const bad of [null, undefined, "text", 5]) expect(toMetadata(bad)).toEqual({});
  });

  test("newer values win", () => {
    expect(mergeMetadata({ a: 1, b: 1 }, { b: 2 })).toEqual({ a: 1, b: 2 });
  });
});

describe("addresses", () => {
  test.each([
    ["https://a.example/b?c#d", "https://a.example/b"],
    ["https://a.example/b#d?c", "https://a.example/b"],
    ["https://a.example/b", "https://a.example/b"],
    ["", ""],
  ])("%s is cut to %s", (url, expected) => expect(cutUrl(url)).toBe(expected));
});

describe("storage", () => {
  test("goes on in memory where the browser's is blocked, missing or full", () => {
    const full = {
      getItem: () => null,
      removeItem: () => {},
      setItem: () => {
        throw new DOMException("full", "QuotaExceededError");
      },
    };
    const opens = [
      () => {
        throw new DOMException("denied", "SecurityError");
      },
      () => null,
      () => full as unknown as Storage,
    ];
    for (const open of opens) {
      const storage = createSafeStorage(open);
      expect(storage.get("a")).toBeNull();
      storage.set("a", "1");
      expect(storage.get("a")).toBe("1");
      storage.remove("a");
      expect(storage.get("a")).toBeNull();
    }
  });
});

describe("gaps", () => {
  test("join by reason", () => {
    expect(
      mergeGaps(
        [{ reason: "network", events: 2, from: 5, to: 9 }],
        [
          { reason: "network", events: 1, from: 3, to: 4 },
          { reason: "unload", events: 1, from: 1, to: 1 },
        ],
      ),
    ).toEqual([
      { reason: "network", events: 3, from: 3, to: 9 },
      { reason: "unload", events: 1, from: 1, to: 1 },
    ]);
  });

  test("that name an upload stay apart, one for each reason of it", () => {
    const gap = { reason: "network" as const, events: 2, from: 5, to: 9 };
    expect(
      mergeGaps(
        [{ ...gap, run: "a", seq: 0 }],
        [gap],
        [{ ...gap, run: "a", seq: 0, to: 12 }, gap],
        [
          { ...gap, run: "a", seq: 1 },
          { ...gap, run: "a", seq: 1, reason: "unload" },
        ],
      ),
    ).toEqual([
      { ...gap, events: 4, to: 12, run: "a", seq: 0 },
      { ...gap, events: 4 },
      { ...gap, run: "a", seq: 1 },
      { ...gap, reason: "unload", run: "a", seq: 1 },
    ]);
  });

  test("are never more than an upload may declare: the oldest lose their names, and none is lost", () => {
    const reasons = ["overflow", "rejected", "network", "unload"] as const;
    const given = Array.from({ length: 50 }, (_, seq) => ({
      reason: reasons[seq % 4]!,
      events: 1,
      from: seq,
      to: seq,
      run: "a",
      seq,
    }));
    const inTurn = given.reduce<Gap[]>((gaps, gap) => mergeGaps(gaps, [gap]), []);
    for (const merged of [mergeGaps(given), inTurn]) {
      expect(merged).toHaveLength(20);
      expect(merged.reduce((sum, { events }) => sum + events, 0)).toBe(50);
      expect(merged.filter(({ run }) => run)).toEqual(given.slice(-16));
    }
  });

  test("survive in the tab once, and only if they are gaps", () => {
    const items = new Map<string, string>();
    const storage = createSafeStorage(
      () =>
        ({
          getItem: (key: string) => items.get(key) ?? null,
          setItem: (key: string, value: string) => void items.set(key, value),
          removeItem: (key: string) => void items.delete(key),
        }) as unknown as Storage,
    );
    const memory = createGapMemory(storage);
    const gap = { reason: "unload" as const, events: 1, from: 1, to: 2 };
    memory.save([gap]);
    expect(memory.take()).toEqual([gap]);
    expect(memory.take()).toEqual([]);
    for (const text of ["{oops", "5", "[{},null,5]"]) {
      items.set("sentiero_lost", text);
      expect(memory.take()).toEqual([]);
    }
  });
});

describe("gzip", () => {
  test("makes one that inflates to the same text, or nothing where it can't", async () => {
    expect(gunzipSync((await gzip("ü".repeat(1_000)))!).toString()).toBe("ü".repeat(1_000));
    vi.stubGlobal("CompressionStream", undefined);
    expect(await gzip("a")).toBeNull();
  });
});

describe("window id", () => {
  /** A lock manager as tabs share it. */
  function createLocks(): LockManagerLike & { readonly held: Set<string> } {
    const held = new Set<string>();
    return {
      held,
      async request(name: string, _options: unknown, run: (lock: unknown) => unknown) {
        if (held.has(name)) return run(null);
        held.add(name);
        await run({ name });
        held.delete(name);
      },
    } as unknown as LockManagerLike & { readonly held: Set<string> };
  }
  const createTab = (windowId: string | null = null) => {
    const storage = createSafeStorage(() => null);
    if (windowId) storage.set("sentiero_window_id", windowId);
    return storage;
  };
  const never = () => new Promise<void>((resolve) => setTimeout(resolve, 5));

  test("stays over reloads, and a duplicated tab gets its own", async () => {
    const locks = createLocks();
    const tab = createTab();
    const first = await claimWindow(tab, locks, never);
    const duplicate = await claimWindow(createTab(first.windowId), locks, never);
    expect(duplicate.windowId).not.toBe(first.windowId);
    first.release();
    await never();
    expect((await claimWindow(tab, locks, never)).windowId).toBe(first.windowId);
  });

  test("waits for the page that a reload replaces", async () => {
    const locks = createLocks();
    const tab = createTab();
    const first = await claimWindow(tab, locks, never);
    setTimeout(() => first.release(), 2);
    expect((await claimWindow(tab, locks, never)).windowId).toBe(first.windowId);
  });

  test("is taken again by a page that is not left after all, and another one where a duplicate has it by now", async () => {
    const locks = createLocks();
    const first = await claimWindow(createTab(), locks, never);
    const { windowId } = first;
    await first.renew();
    expect(first.windowId, "renewed while it is held").toBe(windowId);
    first.release();
    await first.renew();
    expect(first.windowId).toBe(windowId);
    expect((await claimWindow(createTab(windowId), locks, never)).windowId, "held again").not.toBe(windowId);
    first.release();
    const duplicate = await claimWindow(createTab(windowId), locks, never);
    expect(duplicate.windowId).toBe(windowId);
    await first.renew();
    expect(first.windowId).not.toBe(windowId);
  });

  test("is let go where a page is left while it is being taken again", async () => {
    const locks = createLocks();
    const tab = createTab();
    const first = await claimWindow(tab, locks, never);
    first.release();
    const renewed = first.renew();
    first.release();
    await renewed;
    expect((await claimWindow(tab, locks, never)).windowId).toBe(first.windowId);
  });

  test("is kept without lock manager, and where it refuses or never answers", async () => {
    const id = createUuid();
    const refusing = {
      request: () => Promise.reject(new DOMException("no", "SecurityError")),
    } as unknown as LockManagerLike;
    const throwing = {
      request: () => {
        throw new Error("no");
      },
    } as unknown as LockManagerLike;
    const silent = { request: () => new Promise(() => {}) } as unknown as LockManagerLike;
    for (const locks of [undefined, refusing, throwing, silent]) {
      expect((await claimWindow(createTab(id), locks, never)).windowId).toBe(id);
    }
  });

  test("is replaced when it is no id", async () => {
    expect((await claimWindow(createTab("<script>"), undefined, never)).windowId).toMatch(/^[0-9a-f-]{36}$/);
  });
});
