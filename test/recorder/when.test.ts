import { describe, expect, test } from "vitest";
import { removeIdCookies, writeIdCookies, type CookieJar } from "../../recorder/cookies.ts";
import { decideEarly } from "../../recorder/early-sampling.ts";
import { createHeldEvents } from "../../recorder/held-events.ts";
import { StorageKey } from "../../recorder/keys.ts";
import { campaignOf } from "../../recorder/metadata.ts";
import { createOutlet } from "../../recorder/outlet.ts";
import { decideSampling } from "../../recorder/sampling.ts";
import { createSafeStorage } from "../../recorder/storage.ts";
import { isRecordedUrl } from "../../recorder/url-rules.ts";
import type { RecordedEvent } from "../../src/types.ts";

const change = (at: number, pad = ""): RecordedEvent => ({ type: 3, data: { pad }, timestamp: at });
const snapshot = (at: number, pad = ""): RecordedEvent[] => [
  { type: 4, data: { href: "/" }, timestamp: at },
  { type: 2, data: { pad }, timestamp: at },
];

describe("sampling", () => {
  test("asks the second rate about those that the first left out", () => {
    const rates = { sessionSampleRate: 0.25, errorSampleRate: 0.5 };
    const of = (...numbers: number[]) => decideSampling(rates, () => numbers.shift()!);
    expect([of(0.24), of(0.25, 0.49), of(0.25, 0.5)]).toEqual(["session", "error", "none"]);
  });

  test("rates of 0 and 1 leave nothing to chance", () => {
    for (const random of [0, 0.999999]) {
      expect(decideSampling({ sessionSampleRate: 1, errorSampleRate: 0 }, () => random)).toBe("session");
      expect(decideSampling({ sessionSampleRate: 0, errorSampleRate: 1 }, () => random)).toBe("error");
      expect(decideSampling({ sessionSampleRate: 0, errorSampleRate: 0 }, () => random)).toBe("none");
    }
  });
});

describe("sampling before the recorder is there", () => {
  const now = 1_700_000_000_000;
  const session = { sessionId: "s", key: "k", createdAt: now - 10, lastSeenAt: now - 5 };
  const createStorage = (stored: unknown) => {
    const storage = createSafeStorage(() => null);
    if (stored !== null) storage.set(StorageKey.session, typeof stored === "string" ? stored : JSON.stringify(stored));
    return storage;
  };
  const rates = { sessionSampleRate: 0.5, errorSampleRate: 0 };
  const storedIn = (storage: ReturnType<typeof createStorage>) => JSON.parse(storage.get(StorageKey.session) ?? "null");

  test("keeps of a session that is left out only that it is, for all its pages", () => {
    const storage = createStorage(null);
    expect(decideEarly(storage, rates, now, () => 0.7)).toBe("none");
    expect(storedIn(storage)).toEqual({ sampling: "none", createdAt: now, lastSeenAt: now });
    expect(decideEarly(storage, rates, now + 1_000, () => 0)).toBe("none");
    expect(storedIn(storage)).toEqual({ sampling: "none", createdAt: now, lastSeenAt: now + 1_000 });
  });

  test("decides anew once that session is over", () => {
    const storage = createStorage({ sampling: "none", createdAt: now, lastSeenAt: now });
    expect(decideEarly(storage, rates, now + 21_600_001, () => 0)).toBe("session");
    expect(decideEarly(createStorage("{oops"), rates, now, () => 0)).toBe("session");
    expect(decideEarly(createStorage(null), { sessionSampleRate: 0, errorSampleRate: 1 }, now, () => 0)).toBe("error");
  });

  test("leaves a session alone that is under way", () => {
    for (const sampling of ["session", "error"]) {
      const storage = createStorage({ ...session, sampling });
      expect(decideEarly(storage, { sessionSampleRate: 0 }, now, () => 0.9)).toBeNull();
      expect(storedIn(storage)).toEqual({ ...session, sampling });
    }
  });
});

describe("held events", () => {
  test("are those of the last minute, beginning with a full snapshot, and ask for the next one in time", () => {
    const held = createHeldEvents(30_000);
    const asked: number[] = [];
    for (const event of snapshot(0)) held.push(event);
    for (let at = 1_000; at <= 200_000; at += 1_000) {
      if (!held.push(change(at))) continue;
      asked.push(at);
      for (const event of snapshot(at)) held.push(event);
    }
    expect(asked).toEqual([30_000, 60_000, 90_000, 120_000, 150_000, 180_000]);
    const events = held.take();
    expect(events[0]).toMatchObject({ type: 4, timestamp: 150_000 });
    expect(events.at(-1)).toMatchObject({ timestamp: 200_000 });
    expect(held.take()).toEqual([]);
  });

  test("keep a page that only rests, from its snapshot on", () => {
    const held = createHeldEvents(30_000);
    for (const event of snapshot(0)) held.push(event);
    expect(held.push(change(500_000))).toBe(true);
    expect(held.take().map(({ type }) => type)).toEqual([4, 2, 3]);
  });

  test("go, oldest half first, when they take too much memory or are too many", () => {
    const held = createHeldEvents(30_000, 10_000);
    for (const event of [...snapshot(0), change(1, "x".repeat(4_000)), ...snapshot(30_000)]) held.push(event);
    held.push(change(30_001, "x".repeat(8_000)));
    expect(held.take().map(({ timestamp }) => timestamp)).toEqual([30_000, 30_000, 30_001]);

    const many = createHeldEvents(30_000);
    for (const event of [...snapshot(0), ...snapshot(30_000)]) many.push(event);
    for (let n = 0; n < 9_998; n++) many.push(change(30_001));
    expect(many.take()[0]).toMatchObject({ type: 4, timestamp: 30_000 });
  });

  test("are none of a page that alone is too big, until its next snapshot fits", () => {
    const held = createHeldEvents(30_000, 10_000);
    for (const event of snapshot(0, "x".repeat(20_000))) held.push(event);
    expect(held.push(change(1))).toBe(false);
    expect(held.push(change(30_000))).toBe(true);
    for (const event of snapshot(30_000)) held.push(event);
    held.push(change(30_001));
    expect(held.take().map(({ type }) => type)).toEqual([4, 2, 3]);
  });
});

describe("outlet", () => {
  function createBench() {
    const log: string[] = [];
    const storage = createSafeStorage(() => null);
    const outlet = createOutlet({
      storage,
      beginRun: () => void log.push("run"),
      send: ({ type, timestamp }) => void log.push(`${String(type)}@${String(timestamp)}`),
      requestSnapshot: () => void log.push("snapshot?"),
    });
    return { log, outlet, storage };
  }

  test("sends at once where nothing is held", () => {
    const { log, outlet } = createBench();
    outlet.open("s", null);
    for (const event of snapshot(5)) outlet.push(event);
    outlet.release();
    expect(log).toEqual(["run", "4@5", "2@5"]);
    expect(outlet.startedAt()).toBe(5);
  });

  test.each(["buffer", "length"] as const)("begins a run only with what it held (%s), and goes on sending", (hold) => {
    const { log, outlet } = createBench();
    outlet.open("s", hold);
    for (const event of snapshot(5)) outlet.push(event);
    expect([log, outlet.isHolding, outlet.isBuffering, outlet.startedAt()]).toEqual([
      [],
      true,
      hold === "buffer",
      null,
    ]);
    outlet.release();
    outlet.push(change(6));
    expect(log).toEqual(["run", "4@5", "2@5", "3@6"]);
    expect([outlet.isHolding, outlet.isBuffering]).toEqual([false, false]);
  });

  test("asks for a snapshot where none is held any more", () => {
    const { log, outlet } = createBench();
    outlet.open("s", "buffer");
    outlet.push(change(1));
    outlet.release();
    expect(log).toEqual(["run", "3@1", "snapshot?"]);
  });

  test("forgets what it held when it is closed", () => {
    const { log, outlet } = createBench();
    outlet.open("s", "buffer");
    outlet.push(change(1));
    outlet.close();
    outlet.release();
    expect(log).toEqual([]);
  });

  test("remembers over pages when the window's recording of a session began", () => {
    const { outlet, storage } = createBench();
    outlet.open("s", null);
    outlet.push(change(7));
    outlet.open("s", null);
    outlet.push(change(9));
    expect(outlet.startedAt()).toBe(7);
    outlet.open("t", null);
    expect(outlet.startedAt()).toBeNull();
    outlet.push(change(11));
    expect(outlet.startedAt()).toBe(11);
    expect(storage.get(StorageKey.windowStart)).toBe("t 11");
  });
});

describe("addresses", () => {
  const rules = (includeUrls: string[], excludeUrls: string[] = []) => ({ includeUrls, excludeUrls });
  test.each([
    ["https://a.example/", rules([]), true],
    ["https://a.example/admin/x?y#z", rules([], ["*/admin/*"]), false],
    ["https://a.example/administration", rules([], ["*/admin/*"]), true],
    ["https://a.example/shop/cart?id=1", rules(["https://a.example/shop/*"]), true],
    ["https://b.example/shop/cart", rules(["https://a.example/shop/*"]), false],
    ["https://a.example/shop/pay", rules(["https://a.example/shop/*"], ["*/pay"]), false],
    ["https://aXexample/", rules(["https://a.example/"]), false],
  ])("%s by %o: %s", (url, given, expected) => {
    expect(isRecordedUrl(given, url)).toBe(expected);
  });
});

describe("campaign", () => {
  test("is lifted out of the address by name, click ids without what they say", () => {
    const query =
      "utm_source=letter&utm_medium=mail&utm_campaign=may&utm_term=a+b&utm_content=c&ref=x&gclid=secret&fbclid=&q=private";
    expect(campaignOf(`https://a.example/?${query}`)).toEqual({
      utm_source: "letter",
      utm_medium: "mail",
      utm_campaign: "may",
      utm_term: "a b",
      utm_content: "c",
      ref: "x",
      gclid: true,
      fbclid: true,
    });
  });

  test("is cut at 100 characters, and none where there is none", () => {
    expect(campaignOf(`https://a.example/?utm_source=${"x".repeat(500)}`)).toEqual({ utm_source: "x".repeat(100) });
    for (const url of ["https://a.example/#?utm_source=x", "about:blank", "", "https://a.example/?utm_source="])
      expect(campaignOf(url)).toEqual({});
  });
});

describe("cookies", () => {
  function createJar(protocol: string): CookieJar & { readonly written: string[] } {
    const written: string[] = [];
    return {
      written,
      location: { protocol },
      document: {
        get cookie() {
          return "";
        },
        set cookie(text: string) {
          written.push(text);
        },
      },
    };
  }

  test("hold both ids for as long as a session lives, secure where the page is", () => {
    const jar = createJar("https:");
    writeIdCookies(jar, "s", "w", 604_800);
    expect(jar.written).toEqual([
      "sentiero_sid=s; path=/; max-age=604800; SameSite=Lax; Secure",
      "sentiero_wid=w; path=/; max-age=604800; SameSite=Lax; Secure",
    ]);
    const plain = createJar("http:");
    removeIdCookies(plain);
    expect(plain.written).toEqual([
      "sentiero_sid=; path=/; max-age=0; SameSite=Lax",
      "sentiero_wid=; path=/; max-age=0; SameSite=Lax",
    ]);
  });

  test("throw nothing where they are blocked", () => {
    const blocked = {
      location: { protocol: "https:" },
      get document(): never {
        throw new DOMException("denied", "SecurityError");
      },
    };
    writeIdCookies(blocked, "s", "w", 1);
    removeIdCookies(blocked);
  });
});
