import { describe, expect, test, vi } from "vitest";
import type { RecorderHandle } from "../../recorder/api.ts";
import { type ConsentBrowser, isAllowed, removeOptOut, storeOptOut, toConsentRules } from "../../recorder/consent.ts";
import { readConfig, resolveEventsUrl } from "../../recorder/loader-config.ts";
import { createPageApi } from "../../recorder/page-api.ts";
import { addressesOf } from "../../recorder/script-address.ts";

describe("addresses", () => {
  test.each([
    ["https://a.example/x/recorder.js", "https://a.example/x/events", "https://a.example/x/assets/recorder-1.js"],
    ["https://a.example/recorder.js?v=2#x", "https://a.example/events", "https://a.example/assets/recorder-1.js"],
    [
      "https://a.example/x/assets/loader-H.js",
      "https://a.example/x/events",
      "https://a.example/x/assets/recorder-1.js",
    ],
    [
      "https://a.example/assets/recorder.js",
      "https://a.example/assets/events",
      "https://a.example/assets/assets/recorder-1.js",
    ],
    ["https://a.example/js/other.js", "https://a.example/js/events", "https://a.example/js/assets/recorder-1.js"],
  ])("finds the mount from %s", (script, eventsUrl, recorderUrl) => {
    expect(addressesOf(script, "recorder-1.js")).toEqual({ eventsUrl, recorderUrl });
  });

  test.each(["", "blob:https://a.example/1", "data:text/javascript,1", "file:///x/recorder.js"])(
    "knows nothing from %o",
    (script) => {
      expect(addressesOf(script, "recorder-1.js")).toBeNull();
    },
  );
});

describe("configuration", () => {
  test("reads an object, and ignores anything else with one warning", () => {
    const warn = vi.fn();
    expect(readConfig('{"eventsUrl":"/x"}', warn)).toEqual({ eventsUrl: "/x" });
    expect(readConfig(null, warn)).toBeNull();
    expect(warn).not.toHaveBeenCalled();
    for (const text of ["{oops", "[]", "null", "5", ""]) {
      warn.mockClear();
      expect(readConfig(text, warn)).toBeNull();
      expect(warn).toHaveBeenCalledOnce();
    }
  });

  test("resolves the events address against the page", () => {
    expect(resolveEventsUrl("/s/events", "https://a.example/b")).toBe("https://a.example/s/events");
    for (const bad of [undefined, "", 5, "javascript:alert(1)", "http://"])
      expect(resolveEventsUrl(bad, "https://a.example/")).toBeNull();
  });
});

function createBrowser(state: { cookie?: string; item?: string | null; gpc?: unknown } = {}) {
  const items = new Map<string, string>(state.item == null ? [] : [["oo", state.item]]);
  const removed: string[] = [];
  const written: string[] = [];
  const storage = {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void (items.delete(key), removed.push(key)),
  };
  const browser = {
    document: {
      get cookie() {
        return state.cookie ?? "";
      },
      set cookie(text: string) {
        written.push(text);
      },
    },
    navigator: { globalPrivacyControl: state.gpc },
    localStorage: storage,
    sessionStorage: storage,
  } as unknown as ConsentBrowser;
  return { browser, items, removed, written };
}

const rules = { optOutName: "oo", respectGpc: true };
const blocked = new Proxy({} as ConsentBrowser, {
  get() {
    throw new DOMException("denied", "SecurityError");
  },
});

describe("consent", () => {
  test.each(["1", "true", "yes", "%E0%A4%A"])("an opt-out of %o keeps the recorder off, as cookie or item", (value) => {
    expect(isAllowed(createBrowser({ cookie: `a=b; oo=${value}; c=d` }).browser, rules)).toBe(false);
    expect(isAllowed(createBrowser({ item: value }).browser, rules)).toBe(false);
  });

  test.each(["", "0", "false"])("an opt-out of %o is none", (value) => {
    expect(isAllowed(createBrowser({ cookie: `oo=${value}`, item: value }).browser, rules)).toBe(true);
  });

  test("takes no other cookie for it", () => {
    expect(isAllowed(createBrowser({ cookie: "xoo=1; oox=1; x=oo=1" }).browser, rules)).toBe(true);
    expect(isAllowed(createBrowser({ cookie: "oo=1" }).browser, { ...rules, optOutName: null })).toBe(true);
  });

  test("respects Global Privacy Control unless told otherwise", () => {
    expect(isAllowed(createBrowser({ gpc: true }).browser, toConsentRules({}))).toBe(false);
    expect(isAllowed(createBrowser({ gpc: true }).browser, toConsentRules({ respectGpc: false }))).toBe(true);
    expect(isAllowed(createBrowser({ gpc: false }).browser, toConsentRules({}))).toBe(true);
  });

  test("remembers an opt-out for a year and forgets the session", () => {
    const { browser, items, removed, written } = createBrowser();
    storeOptOut(browser, rules);
    expect(written).toEqual(["oo=1; path=/; max-age=31536000; SameSite=Lax"]);
    expect(items.get("oo")).toBe("1");
    expect(removed).toEqual(
      expect.arrayContaining([
        "sentiero_session_id",
        "sentiero_session_key",
        "sentiero_window_id",
        "sentiero_entry_url",
      ]),
    );
    removeOptOut(browser, rules);
    expect(items.has("oo")).toBe(false);
    expect(written[1]).toMatch(/^oo=; path=\/; max-age=0/);
  });

  test("never throws where storage and cookies are blocked", () => {
    expect(isAllowed(blocked, rules)).toBe(true);
    storeOptOut(blocked, rules);
    removeOptOut(blocked, rules);
  });
});

describe("page API", () => {
  function createPage(options: { allowed?: boolean; fails?: boolean } = {}) {
    const calls: unknown[] = [];
    const pending: (() => void)[] = [];
    let isOut = !(options.allowed ?? true);
    const handle = (name: number): RecorderHandle => ({
      addCustomEvent: (tag, payload) => void calls.push([name, "event", tag, payload]),
      setMetadata: (metadata) => void calls.push([name, "metadata", metadata]),
      discard: () => void calls.push([name, "discard"]),
    });
    let loads = 0;
    const page = createPageApi({
      isAllowed: () => !isOut,
      storeOptOut: () => void (isOut = true),
      removeOptOut: () => void (isOut = false),
      load: () => {
        const name = ++loads;
        return new Promise((resolve, reject) =>
          pending.push(() => (options.fails ? reject(new Error("blocked")) : resolve(handle(name)))),
        );
      },
    });
    const arrive = async () => {
      for (const resolve of pending.splice(0)) resolve();
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    };
    return { ...page, calls, arrive, loads: () => loads };
  }

  test("keeps calls until the recorder is there, in order and bounded", async () => {
    const page = createPage();
    page.start();
    page.api.addCustomEvent("a", 1);
    page.api.setMetadata({ b: 2 });
    for (let n = 0; n < 500; n++) page.api.addCustomEvent("more");
    await page.arrive();
    expect(page.calls.slice(0, 2)).toEqual([
      [1, "event", "a", 1],
      [1, "metadata", { b: 2 }],
    ]);
    expect(page.calls).toHaveLength(100);
    page.api.addCustomEvent("later");
    expect(page.calls).toHaveLength(101);
  });

  test("does nothing while it is not allowed", async () => {
    const page = createPage({ allowed: false });
    page.start();
    page.api.addCustomEvent("a");
    page.api.setMetadata({});
    await page.arrive();
    expect([page.loads(), page.calls]).toEqual([0, []]);
  });

  test("opting in starts without a reload, and drops what was said before", async () => {
    const page = createPage({ allowed: false });
    page.start();
    page.api.addCustomEvent("before");
    page.api.optIn();
    page.api.addCustomEvent("after");
    await page.arrive();
    expect(page.calls).toEqual([[1, "event", "after", undefined]]);
  });

  test("opting out stops the recorder, once", async () => {
    const page = createPage();
    page.start();
    await page.arrive();
    page.api.optOut();
    page.api.optOut();
    page.api.addCustomEvent("a");
    page.api.setMetadata({});
    expect(page.calls).toEqual([[1, "discard"]]);
  });

  test("opting out and in while the recorder loads leaves one recorder running", async () => {
    const page = createPage();
    page.start();
    page.api.optOut();
    page.api.optIn();
    await page.arrive();
    expect(page.calls).toEqual([[1, "discard"]]);
    page.api.addCustomEvent("a");
    expect(page.calls.at(-1)).toEqual([2, "event", "a", undefined]);
  });

  test("warns once when the recorder can't be loaded, and throws nothing", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const page = createPage({ fails: true });
    page.start();
    page.api.addCustomEvent("a");
    await page.arrive();
    page.api.addCustomEvent("b");
    expect(warn).toHaveBeenCalledOnce();
    warn.mockRestore();
  });

  test("swallows what the recorder throws", async () => {
    const api = createPageApi({
      isAllowed: () => true,
      storeOptOut: () => {
        throw new Error("x");
      },
      removeOptOut: () => {
        throw new Error("x");
      },
      load: () => {
        throw new Error("x");
      },
    });
    api.start();
    api.api.optOut();
    api.api.optIn();
    api.api.addCustomEvent("a");
  });
});
