import { describe, expect, test, vi } from "vitest";
import type { RecorderHandle } from "../../recorder/api.ts";
import { type ConsentBrowser, isAllowed, storeOptIn, storeOptOut, toConsentRules } from "../../recorder/consent.ts";
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
    location: { protocol: "https:" },
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

const rules = { optOutName: "oo", respectGpc: true, requireConsent: false };
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
    expect(written).toEqual([
      "oo=1; path=/; max-age=31536000; SameSite=Lax",
      "sentiero_sid=; path=/; max-age=0; SameSite=Lax; Secure",
      "sentiero_wid=; path=/; max-age=0; SameSite=Lax; Secure",
    ]);
    expect(items.get("oo")).toBe("1");
    expect(removed).toEqual(
      expect.arrayContaining(["sentiero_session", "sentiero_window_id", "sentiero_window_start", "sentiero_lost"]),
    );
    storeOptIn(browser, rules);
    expect(items.has("oo")).toBe(false);
    expect(written.at(-1)).toMatch(/^oo=; path=\/; max-age=0/);
  });

  test("that is required keeps the recorder off until it is given, and again once it is taken back", () => {
    const required = toConsentRules({ requireConsent: true });
    const { browser, items, written } = createBrowser();
    expect(isAllowed(browser, required)).toBe(false);
    expect([...items, ...written]).toEqual([]);
    storeOptIn(browser, required);
    expect(isAllowed(browser, required)).toBe(true);
    expect(written).toEqual(["sentiero_consent=1; path=/; max-age=31536000; SameSite=Lax"]);
    storeOptOut(browser, required);
    expect(isAllowed(browser, required)).toBe(false);
    expect(items.size).toBe(0);
    expect(isAllowed(createBrowser({ cookie: "sentiero_consent=1" }).browser, required)).toBe(true);
    expect(isAllowed(createBrowser({ cookie: "sentiero_consent=1", gpc: true }).browser, required)).toBe(false);
  });

  test("never throws where storage and cookies are blocked", () => {
    expect(isAllowed(blocked, rules)).toBe(true);
    storeOptOut(blocked, rules);
    storeOptIn(blocked, rules);
  });
});

describe("page API", () => {
  function createPage(options: { allowed?: boolean; leftOut?: boolean; fails?: boolean } = {}) {
    const calls: unknown[][] = [];
    const pending: (() => void)[] = [];
    let isOut = !(options.allowed ?? true);
    // Each call leaves which recorder it reached, its name and what it was given.
    const handle = (name: number): RecorderHandle =>
      new Proxy({} as RecorderHandle, {
        get: (_, method) =>
          method === "then"
            ? undefined
            : (...args: unknown[]) => {
                calls.push([name, method, ...args]);
                return method === "headers" ? { name } : `${String(method)} of ${name}`;
              },
      });
    let loads = 0;
    const page = createPageApi({
      isAllowed: () => !isOut,
      isLeftOut: () => options.leftOut ?? false,
      storeOptOut: () => void (isOut = true),
      storeOptIn: () => void (isOut = false),
      configure: (given) => void calls.push(["configure", given]),
      load: () => {
        const name = ++loads;
        return new Promise((resolve, reject) =>
          pending.push(() => (options.fails ? reject(new Error("blocked")) : resolve(handle(name)))),
        );
      },
    });
    const arrive = async () => {
      for (const resolve of pending.splice(0)) resolve();
      await new Promise((resolve) => setTimeout(resolve));
    };
    return { ...page, calls, arrive, loads: () => loads };
  }

  test("keeps calls until the recorder is there, in order and bounded", async () => {
    const page = createPage();
    page.start();
    page.api.addCustomEvent("a", 1);
    page.api.setMetadata({ b: 2 });
    for (let n = 0; n < 500; n++) page.api.track("more");
    await page.arrive();
    expect(page.calls.slice(0, 2)).toEqual([
      [1, "addCustomEvent", "a", 1],
      [1, "setMetadata", { b: 2 }],
    ]);
    expect(page.calls).toHaveLength(100);
    page.api.addCustomEvent("later");
    expect(page.calls).toHaveLength(101);
  });

  test("hands every method on, with its arguments", async () => {
    const page = createPage();
    page.start();
    await page.arrive();
    const { api } = page;
    const error = new Error("x");
    api.identify("ada", { plan: "pro" });
    api.captureException(error, { a: 1 });
    api.pause();
    api.resume();
    api.startBuffering();
    api.stop();
    api.start();
    await api.flush();
    expect(page.calls).toEqual([
      [1, "identify", "ada", { plan: "pro" }],
      [1, "captureException", error, { a: 1 }],
      [1, "pause"],
      [1, "resume"],
      [1, "startBuffering"],
      [1, "stop"],
      [1, "start", undefined],
      [1, "flush"],
    ]);
    expect([api.getSessionId(), api.getSessionUrl(), api.headers()]).toEqual([
      "getSessionId of 1",
      "getSessionUrl of 1",
      { name: 1 },
    ]);
  });

  test("does nothing while it is not allowed, and answers that nothing is recorded", async () => {
    const page = createPage({ allowed: false });
    page.start();
    page.api.addCustomEvent("a");
    page.api.setMetadata({});
    page.api.start();
    await page.api.flush();
    await page.arrive();
    expect([page.loads(), page.calls]).toEqual([0, []]);
    expect([page.api.getSessionId(), page.api.getSessionUrl(), page.api.headers()]).toEqual([null, null, {}]);
  });

  test("keeps what is said before any start, and starts at a call", async () => {
    const page = createPage();
    page.api.track("early");
    expect(page.loads()).toBe(0);
    const options = { sessionSampleRate: 0.5, beforeErrorSampling: () => true };
    page.api.start(options);
    await page.arrive();
    expect(page.calls).toEqual(
      [
        ["configure", options],
        [1, "track", "early", undefined],
        [1, "start", options],
      ].map((call) => call.filter((part) => part !== undefined)),
    );
  });

  test("calls by name what a page has queued, also later", async () => {
    const page = createPage();
    page.api.q.push(["track", "a", { b: 1 }], ["setMetadata", { c: 2 }]);
    page.start();
    await page.arrive();
    page.api.q.push(["pause"]);
    page.api.q.push(["nonsense"] as never, null as never);
    expect(page.calls).toEqual([
      [1, "track", "a", { b: 1 }],
      [1, "setMetadata", { c: 2 }],
      [1, "pause"],
    ]);
  });

  test("a stop before the recorder is there keeps it from recording, until a start", async () => {
    for (const isLoading of [false, true]) {
      const page = createPage();
      if (isLoading) page.start();
      page.api.stop();
      page.start();
      await page.arrive();
      expect(page.calls).toEqual(isLoading ? [[1, "discard"]] : []);
      page.api.start();
      await page.arrive();
      expect(page.calls.at(-1)).toEqual([page.loads(), "start", undefined]);
    }
  });

  test("opting in starts without a reload, and drops what was said before", async () => {
    const page = createPage({ allowed: false });
    page.start();
    page.api.addCustomEvent("before");
    page.api.optIn();
    page.api.addCustomEvent("after");
    await page.arrive();
    expect(page.calls).toEqual([[1, "addCustomEvent", "after"]]);
  });

  test("loads nothing for a session that sampling left out, unless the page asks for it by hand", async () => {
    for (const ask of ["start", "startBuffering"] as const) {
      const page = createPage({ leftOut: true });
      page.start();
      page.api.track("unheard");
      page.api.start({ sessionSampleRate: 0.1 });
      page.api.optIn();
      await page.arrive();
      expect(page.loads()).toBe(0);
      page.api[ask]();
      await page.arrive();
      expect(page.calls.at(-1)!.slice(0, 2)).toEqual([1, ask]);
    }
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
    expect(page.calls.at(-1)).toEqual([2, "addCustomEvent", "a"]);
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
    const fail = (): never => {
      throw new Error("x");
    };
    const { start, api } = createPageApi({
      isAllowed: () => true,
      isLeftOut: () => false,
      storeOptOut: fail,
      storeOptIn: fail,
      configure: fail,
      load: fail,
    });
    start();
    api.optOut();
    api.optIn();
    api.start({});
    api.addCustomEvent("a");
    await api.flush();

    const failing = createPageApi({
      isAllowed: () => true,
      isLeftOut: () => false,
      storeOptOut: () => {},
      storeOptIn: () => {},
      configure: () => {},
      load: async () => new Proxy({} as RecorderHandle, { get: (_, name) => (name === "then" ? undefined : fail) }),
    });
    failing.start();
    await new Promise((resolve) => setTimeout(resolve));
    failing.api.track("a");
    failing.api.stop();
    await failing.api.flush();
    expect([failing.api.getSessionId(), failing.api.getSessionUrl(), failing.api.headers()]).toEqual([null, null, {}]);
    failing.api.optOut();
  });
});
