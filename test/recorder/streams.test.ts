import { describe, expect, test, vi } from "vitest";
import { createRageDetector } from "../../recorder/streams/clicks.ts";
import { createQuota } from "../../recorder/streams/quota.ts";
import { isTextType, readStart, textOfBody } from "../../recorder/streams/request-body.ts";
import { createHeaderFilter } from "../../recorder/streams/request-headers.ts";
import { matchesUrl } from "../../recorder/streams/url-pattern.ts";
import { wrapMethod } from "../../recorder/streams/wrap.ts";

describe("rage", () => {
  const clicks = (...list: readonly [x: number, y: number, at: number][]) => {
    const isRage = createRageDetector();
    return list.map(([x, y, at]) => isRage(x, y, at));
  };

  test("is the third click within 500 ms and 10 px, once a cluster", () => {
    expect(clicks([5, 5, 0], [15, 5, 250], [5, 15, 500], [5, 5, 500])).toEqual([false, false, true, false]);
  });

  test("is not a third click more than 500 ms after the first, though soon after the second", () => {
    expect(clicks([5, 5, 0], [5, 5, 300], [5, 5, 501])).toEqual([false, false, false]);
  });

  test("is not three clicks on different places", () => {
    expect(clicks([5, 5, 0], [16, 5, 100], [5, 16, 200])).toEqual([false, false, false]);
  });

  test("may come again, beginning with the click that was too late", () => {
    expect(clicks([5, 5, 0], [5, 5, 600], [5, 5, 700], [5, 5, 800])).toEqual([false, false, false, true]);
  });
});

describe("a pattern for addresses", () => {
  test.each([
    ["https://shop.example/checkout/*", "https://shop.example/checkout/pay?token=1", true],
    ["https://shop.example/checkout/*", "https://shop.example/checkout", false],
    ["*/done", "https://shop.example/a/done#top", true],
    ["https://shop.example/a.b", "https://shop.example/aXb", false],
    ["*/#/planner*", "https://shop.example/#/planner/2", true],
    ["*?step=2", "https://shop.example/?step=2", true],
    ["*?step=2", "https://shop.example/?step=1", false],
  ])("%s and %s: %s", (pattern, url, isMatch) => {
    expect(matchesUrl(url, pattern)).toBe(isMatch);
  });
});

test("headers are told by list only, and credentials never", () => {
  const filter = createHeaderFilter(["Content-Type", "authorization", "cookie", "set-cookie", "proxy-authorization"]);
  expect(
    filter([
      ["content-type", "text/plain"],
      ["Authorization", "Bearer secret"],
      ["Cookie", "a=b"],
      ["Set-Cookie", "a=b"],
      ["x-other", "1"],
    ]),
  ).toEqual({ "content-type": "text/plain" });
  expect(createHeaderFilter([])([["content-type", "text/plain"]])).toBeUndefined();
});

describe("a body", () => {
  test("is text of a type that comes to an end", () => {
    const types = [
      "application/json; charset=utf-8",
      "application/problem+json",
      "text/plain",
      "image/svg+xml",
      "text/event-stream",
    ];
    expect(types.map(isTextType)).toEqual([true, true, true, false, false]);
    expect(isTextType(null)).toBe(false);
  });

  test("is cut at 10 KB, and forms and files are left alone", () => {
    expect(textOfBody("x".repeat(20_000))).toHaveLength(10_240);
    expect(textOfBody(new URLSearchParams({ a: "1" }))).toBe("a=1");
    expect(textOfBody(new FormData())).toBeUndefined();
    expect(textOfBody(new Blob(["a"]))).toBeUndefined();
  });

  test("that does not end is let go after its first 10 KB", async () => {
    const cancelled = vi.fn();
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode("x".repeat(4_000))),
      cancel: cancelled,
    });
    expect(await readStart(endless)).toHaveLength(10_240);
    expect(cancelled).toHaveBeenCalled();
  });

  test("that stalls is told as far as it came", async () => {
    const stalled = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(new TextEncoder().encode("first")),
    });
    expect(await readStart(stalled)).toBe("first");
  });

  test("that breaks off is told as far as it came", async () => {
    let isFirst = true;
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (isFirst) controller.enqueue(new TextEncoder().encode("first"));
        else controller.error(new DOMException("aborted", "AbortError"));
        isFirst = false;
      },
    });
    expect(await readStart(broken)).toBe("first");
  });
});

test("a quota counts what it does not let through", () => {
  vi.useFakeTimers({ now: 60_000 });
  try {
    const quota = createQuota(2);
    expect([quota.take(), quota.take(), quota.take(), quota.take()]).toEqual([true, true, false, false]);
    vi.setSystemTime(120_000);
    expect(quota.take()).toBe(true);
    expect([quota.takeDropped(), quota.takeDropped()]).toEqual([2, undefined]);
  } finally {
    vi.useRealTimers();
  }
});

describe("a wrapped method", () => {
  const around = (log: string[]) => (call: () => unknown) => {
    log.push("seen");
    return call();
  };

  test("keeps what the page sees of it, and is put back", () => {
    class Base {
      greet(name: string): string {
        return `${name} of ${this.home}`;
      }
      home = "here";
    }
    const owner = new Base();
    const { greet } = owner;
    const end = new AbortController();
    const log: string[] = [];
    wrapMethod(owner, "greet", end.signal, around(log));
    expect(owner.greet("ada")).toBe("ada of here");
    expect([owner.greet.name, owner.greet.length]).toEqual(["greet", 1]);
    end.abort();
    expect(owner.greet).toBe(greet);
    expect(Object.hasOwn(owner, "greet")).toBe(false);
    expect(log).toEqual(["seen"]);
  });

  test("stays when someone has wrapped it again, and then only passes through", () => {
    const owner = { greet: (name: string) => name };
    const end = new AbortController();
    const log: string[] = [];
    wrapMethod(owner, "greet", end.signal, around(log));
    const ours = owner.greet;
    const theirs = (owner.greet = (name: string) => `their ${ours(name)}`);
    end.abort();
    expect(owner.greet).toBe(theirs);
    expect(owner.greet("ada")).toBe("their ada");
    expect(log).toEqual([]);
  });

  test("is left alone where the page has frozen it", () => {
    const owner = Object.freeze({ greet: (name: string) => name });
    expect(() => wrapMethod(owner, "greet", new AbortController().signal, (call) => call())).not.toThrow();
    expect(owner.greet("ada")).toBe("ada");
  });
});
