import { describe, expect, it } from "vitest";
import { activityOf, joinActivity, type JoinedActivity } from "../../dashboard-ui/activity.ts";
import { countGroups, filterActivity } from "../../dashboard-ui/activity-filter.ts";
import type { ActivityItem } from "../../dashboard-ui/activity-item.ts";
import { createNodeNames } from "../../dashboard-ui/node-names.ts";
import { createRowWindow } from "../../dashboard-ui/row-window.ts";
import type { RecordedEvent } from "../../src/index.ts";

const PAGE = "https://shop.example/checkout";
const HOSTILE = `"><img src=x onerror="top.pwned=1">`;

const custom = (at: number, tag: string, payload?: unknown): RecordedEvent => ({
  type: 5,
  timestamp: at,
  data: { tag, payload },
});
const visit = (at: number, href: string = PAGE): RecordedEvent => ({
  type: 4,
  timestamp: at,
  data: { href, width: 1200, height: 800 },
});
const change = (at: number): RecordedEvent => ({ type: 3, timestamp: at, data: { source: 0 } });
const domClick = (at: number, type: number = 2): RecordedEvent => ({
  type: 3,
  timestamp: at,
  data: { source: 2, type, id: 9, x: 5, y: 6 },
});

function read(...parts: RecordedEvent[][]): JoinedActivity {
  const names = createNodeNames();
  return joinActivity(parts.map((events) => activityOf(events, names)));
}

/** A row as it is read. */
const words = ({ label, badge, detail }: ActivityItem): string =>
  [label, badge && `[${badge.text}]`, detail].filter(Boolean).join(" ");
const rows = (...events: RecordedEvent[]): string[] =>
  read([visit(1), ...events])
    .items.slice(1)
    .map(words);
const row = (tag: string, payload?: unknown): ActivityItem => read([visit(1), custom(10, tag, payload)]).items[1]!;

describe("what a row of the activity list says", () => {
  it.each([
    ["__click", { selector: "button#pay", name: "Pay now", x: 1, y: 2 }, "Clicked “Pay now”"],
    ["__click", { selector: "main > i", x: 1, y: 2 }, "Clicked main > i"],
    ["__click", { selector: "main > i", name: "*** ****", x: 1, y: 2 }, "Clicked main > i"],
    ["__click", { selector: "#pay", name: "Pay now" }, "Clicked [by keyboard] “Pay now”"],
    ["__click", { selector: "#pay", name: "Pay now", synthetic: true }, "Clicked [by script] “Pay now”"],
    ["__page", { url: "https://shop.example/thanks", kind: "push" }, "Went to /thanks"],
    ["__page", { url: "https://shop.example/app", route: "#/cart", kind: "hash" }, "Went to /app#/cart"],
    ["__page", { url: "https://shop.example/", kind: "traverse" }, "Went back or on to /"],
    ["navigation", { url: "https://shop.example/plans", text: "Plans" }, "Link to /plans"],
    ["navigation", { url: "https://other.example/a", external: true }, "Link to another site other.example/a"],
    ["__form_submit", { name: "newsletter", id: "n" }, "Submitted form “newsletter”"],
    ["__form_submit", { action: "/subscribe" }, "Submitted form to /subscribe"],
    ["error", { message: "it broke" }, "Error it broke"],
    ["error", { message: "it broke", handled: true, count: 12 }, "Error [handled, 12 more times] it broke"],
    ["error", { message: "no", type: "unhandledrejection" }, "Unhandled rejection no"],
    [
      "error",
      { message: "<img> could not be loaded", kind: "resource", tag: "img", source: "https://shop.example/a.png" },
      "Not loaded img /a.png",
    ],
    ["__console", { level: "warn", args: ["stock", "low"] }, "Console [warn] stock low"],
    [
      "__request",
      { method: "POST", url: "https://shop.example/api", status: 201, durationMs: 34, startedAt: 8 },
      "POST [201 · 34 ms] /api",
    ],
    [
      "__request",
      { method: "GET", url: "https://cdn.example/a", error: "NetworkError", durationMs: 1500 },
      "GET [NetworkError · 1.50 s] cdn.example/a",
    ],
    ["__perf", { metric: "LCP", value: 2600.4, rating: "needs-improvement" }, "LCP [needs improvement] 2.60 s"],
    ["__perf", { metric: "INP", value: 48, rating: "good" }, "INP [good] 48 ms"],
    ["__perf", { metric: "CLS", value: 0.3012, rating: "poor" }, "CLS [poor] 0.301"],
    ["order placed", { plan: "pro" }, `order placed {"plan":"pro"}`],
    ["order placed", {}, "order placed"],
    ["__mystery", { a: 1 }, `__mystery {"a":1}`],
  ])("%s %j", (tag, payload, said) => {
    expect(words(row(tag, payload))).toBe(said);
  });

  it("tells apart what went wrong by its tone", () => {
    const tone = (tag: string, payload: unknown) => row(tag, payload).badge?.tone;
    expect(tone("__perf", { metric: "LCP", value: 1, rating: "good" })).toBe("good");
    expect(tone("__perf", { metric: "LCP", value: 1, rating: "poor" })).toBe("bad");
    expect(tone("__request", { url: PAGE, status: 200 })).toBe("quiet");
    expect(tone("__request", { url: PAGE, status: 404 })).toBe("fair");
    expect(tone("__request", { url: PAGE, status: 500 })).toBe("bad");
    expect(tone("__console", { level: "error", args: [] })).toBe("bad");
    expect(row("error", { message: "a", kind: "resource" }).kind).toBe("resource");
  });

  it("makes a row of each request that the browser told of, at its own time, and one of all files", () => {
    const { items } = read([
      visit(1),
      custom(5000, "__network", {
        requests: [
          { url: "https://shop.example/api/a", type: "fetch", at: 4100, durationMs: 80, status: 200 },
          { url: "https://shop.example/api/b", type: "xhr", at: 9e15, durationMs: 80 },
        ],
        others: { img: { count: 12, bytes: 1200 }, script: { count: 3, bytes: 300 } },
      }),
    ]);
    expect(items.slice(1).map((item) => [item.at, words(item)])).toEqual([
      [4100, "fetch [200 · 80 ms] /api/a"],
      [5000, "xhr [80 ms] /api/b"],
      [5000, "Loaded [1.5 kB] 12 img, 3 script"],
    ]);
  });

  it("opens an error's stack and context, a request's bodies, and an event's payload", () => {
    const open = (tag: string, payload: unknown) => row(tag, payload).body?.();
    expect(open("error", { message: "no", stack: "Error: no\n at a.js:1:2", context: { step: 3 } })).toBe(
      `Error: no\n at a.js:1:2\n{\n  "step": 3\n}`,
    );
    expect(open("error", { message: "no", name: "TypeError", source: "https://a.example/a.js", lineno: 3 })).toBe(
      "TypeError: no\nhttps://a.example/a.js:3:0",
    );
    expect(open("__request", { url: PAGE, requestBody: "a=1", responseHeaders: { etag: "x" } })).toBe(
      "Request body\na=1\n\nResponse headers\netag: x",
    );
    expect(open("order placed", { plan: "pro" })).toBe(`{\n  "plan": "pro"\n}`);
    expect(open("order placed", { text: "x".repeat(60_000) })).toHaveLength(20_000);
    expect(row("__request", { url: PAGE }).body).toBeNull();
  });

  it.each([
    ["__click", null],
    ["__click", { selector: { a: 1 }, name: 7, nodeId: "x", x: "1" }],
    ["__page", { url: 5 }],
    ["navigation", []],
    ["__form_submit", { action: "http://[" }],
    ["error", { message: { a: 1 }, stack: 5, count: "many" }],
    ["__console", { level: "log", args: "none" }],
    ["__console", { level: "log", args: [null, { a: 1 }] }],
    ["__network", { requests: [null, 5, {}], others: { img: 5 } }],
    ["__network", { requests: "all" }],
    ["__request", { url: {}, status: "200" }],
    ["__perf", { metric: "LCP", value: "fast", rating: "constructor" }],
    ["__perf", { metric: "__proto__", value: 1, rating: "__proto__" }],
    ["__start", { reason: "constructor" }],
    ["__end", 5],
    ["__pause", { reason: { a: 1 } }],
    ["__cost", "nothing"],
    ["constructor", { __proto__: 1 }],
    ["", HOSTILE],
  ])("survives a payload that the recorder never makes: %s %j", (tag, payload) => {
    const { items } = read([visit(1), custom(10, tag, payload), custom(11, HOSTILE, HOSTILE)]);
    for (const item of items) {
      expect([typeof item.label, typeof item.detail, typeof item.more]).toEqual(["string", "string", "string"]);
      expect(typeof (item.body?.() ?? "")).toBe("string");
    }
    expect(items.at(-1)).toMatchObject({ label: HOSTILE, detail: JSON.stringify(HOSTILE) });
  });
});

describe("what one click makes", () => {
  const told = (at: number, name: string) => custom(at, "__click", { name, selector: "#a", x: 1, y: 2 });

  it("is one row, whichever of the two came first, and also where two uploads hold them", () => {
    expect(rows(told(100, "Pay"), domClick(104))).toEqual(["Clicked “Pay”"]);
    expect(rows(domClick(100), told(104, "Pay"))).toEqual(["Clicked “Pay”"]);
    expect(rows(told(100, "Pay"), domClick(400))).toEqual(["Clicked “Pay”"]);
    expect(read([told(100, "Pay")], [domClick(104)]).items).toHaveLength(1);
  });

  it("is one row for a label, which clicks its field too", () => {
    expect(rows(told(100, "I agree"), domClick(101), domClick(103))).toEqual(["Clicked “I agree”"]);
  });

  it("stays two rows for two clicks, and one for a click that only the DOM tells of", () => {
    expect(rows(told(100, "Pay"), domClick(102), told(200, "Pay"), domClick(202))).toHaveLength(2);
    expect(rows(told(100, "Pay"), domClick(900))).toEqual(["Clicked “Pay”", "Clicked at 5, 6"]);
    expect(rows(told(100, "Pay"), domClick(102), domClick(110, 4))).toEqual([
      "Clicked “Pay”",
      "Double-clicked at 5, 6",
    ]);
  });

  it("says where a link on the same site leads; one to another site has a row of its own", () => {
    const link = (at: number, external: boolean) =>
      custom(at, "navigation", { url: "https://shop.example/plans", external });
    expect(rows(told(100, "Plans"), link(101, false))).toEqual(["Clicked “Plans” → /plans"]);
    expect(rows(told(100, "Plans"), link(101, true))).toHaveLength(2);
    expect(rows(link(101, false))).toEqual(["Link to /plans"]);
  });
});

describe("why and when was recorded", () => {
  it("says why recording began and ended, and leaves out that each page was loaded", () => {
    const { items, pauses } = read([
      visit(1),
      custom(2, "__start", { reason: "load" }),
      visit(100, "https://shop.example/next"),
      custom(101, "__start", { reason: "load" }),
      custom(3_000, "__end", { reason: "max" }),
      visit(9_000, "https://shop.example/next"),
      custom(9_001, "__start", { reason: "activity" }),
      custom(9_500, "__end", { reason: "a new one" }),
    ]);
    expect(items.map(words)).toEqual([
      "Visited /checkout",
      "Recording began: the page was loaded",
      "Visited /next",
      "Recording ended: 60 minutes are the most (unless set otherwise)",
      "Recording began: somebody clicked again",
      "Recording ended: a new one",
    ]);
    expect(pauses).toEqual([{ from: 3_000, to: 9_000 }]);
  });

  it("finds a pause, which only its two sides tell, also where they are in two uploads", () => {
    const before = [visit(1), custom(2, "__start", { reason: "load" }), change(1_000), custom(1_000, "__cost", {})];
    const after = [visit(61_000), { type: 2, timestamp: 61_000, data: {} }, change(61_500)];
    const { items, pauses } = read(before, after);
    expect(pauses).toEqual([{ from: 1_000, to: 61_000 }]);
    expect(items.map(words)).toContain("Recording paused: nobody clicked for 1 min");
    expect(items.filter(({ label }) => label === "Visited")).toHaveLength(1);
  });

  it("does not say that nobody clicked where the page paused", () => {
    const { items } = read([visit(1), change(1_000), custom(4_000, "__cost", {}), visit(64_000)]);
    expect(items.map(words)).toContain("Recording paused: for 1 min");
  });

  it("says why it paused and for how long, where the recording tells", () => {
    const pause = (at: number, reason: string) => [custom(at, "__cost", {}), custom(at, "__pause", { reason })];
    const { items, pauses } = read([
      visit(1),
      custom(2, "__start", { reason: "load" }),
      ...pause(4_000, "manual"),
      visit(64_000),
      change(70_000),
      ...pause(70_000, "idle"),
      visit(190_000),
      ...pause(200_000, "manual"),
    ]);
    expect(items.filter(({ kind }) => kind === "recorder").map(words)).toEqual([
      "Recording began: the page was loaded",
      "Recording paused: the page asked for it, for 1 min",
      "Recording paused: nobody clicked for 2 min",
      "Recording paused: the page asked for it",
    ]);
    expect(pauses).toEqual([
      { from: 4_000, to: 64_000 },
      { from: 70_000, to: 190_000 },
    ]);
  });

  it("tells of idleness once where the recording ended by it, and of the page's own pause before an end", () => {
    const told = (reason: string) => [
      visit(1),
      custom(3_000, "__pause", { reason }),
      custom(3_000, "__end", { reason: "idle" }),
      visit(90_000),
      custom(90_001, "__start", { reason: "activity" }),
    ];
    const idle = read(told("idle"));
    expect(idle.items.map(words)).toEqual([
      "Visited /checkout",
      "Recording ended: nobody clicked for too long (15 minutes, unless set otherwise)",
      "Recording began: somebody clicked again",
    ]);
    expect(idle.pauses).toEqual([{ from: 3_000, to: 90_000 }]);
    expect(read(told("manual")).items.map(words)).toContain("Recording paused: the page asked for it");
  });

  it("takes a page that is loaded while its recording is paused for the end of the pause", () => {
    const { pauses } = read([
      visit(1),
      custom(3_000, "__pause", { reason: "manual" }),
      visit(9_000),
      custom(9_001, "__start", { reason: "load" }),
    ]);
    expect(pauses).toEqual([{ from: 3_000, to: 9_000 }]);
  });

  it("takes neither a hidden tab, a page that is loaded, nor a snapshot in between for a pause", () => {
    expect(read([visit(1), custom(10, "__cost", {}), change(60_000), visit(60_001)]).pauses).toEqual([]);
    const load = [visit(1), custom(10, "__cost", {}), visit(60_000), custom(60_001, "__start", { reason: "load" })];
    expect(read(load).pauses).toEqual([]);
    expect(read([visit(1), change(10), visit(60_000)]).pauses).toEqual([]);
  });

  it("adds up what recording cost, by the last report of each page", () => {
    const cost = (at: number, tasks: number, totalMs: number, longestMs: number) =>
      custom(at, "__cost", { tasks, totalMs, takeMs: 1, longestMs, snapshots: 1, longestSnapshotMs: 9 });
    const load = (at: number) => [visit(at), custom(at, "__start", { reason: "load" })];
    const events = [...load(1), cost(10, 2, 4, 3), cost(20, 5, 9, 3), ...load(30), cost(40, 50, 90, 8)];
    expect(read(events).cost).toEqual({ pieces: 55, totalMs: 101, longestMs: 8, snapshots: 2, longestSnapshotMs: 9 });
    expect(read([visit(1)]).cost).toBeNull();
    expect(read(events).items.map(words)).toEqual([
      "Visited /checkout",
      "Recording began: the page was loaded",
      "Visited /checkout",
    ]);
  });

  it("counts what comes by itself as idle time", () => {
    const { active } = read([
      visit(1),
      custom(20_000, "__request", { url: PAGE }),
      custom(30_000, "__console", { level: "log", args: [] }),
      custom(40_000, "__click", { name: "a" }),
    ]);
    expect(active).toEqual([
      { from: 1, to: 1 },
      { from: 40_000, to: 40_000 },
    ]);
  });
});

describe("choosing rows", () => {
  const { items } = read([
    visit(1),
    custom(10, "__click", { name: "Pay now" }),
    custom(20, "error", { message: "Payment failed" }),
    custom(30, "error", { message: "img", kind: "resource" }),
    custom(40, "order placed", { plan: "pro" }),
    change(50),
  ]);

  it("counts each group", () => {
    expect(Object.fromEntries(countGroups(items))).toEqual({ Pages: 1, Clicks: 1, Errors: 2, Events: 1 });
  });

  it("shows the chosen groups together, and all where none is chosen", () => {
    const shown = (...names: string[]) => filterActivity(items, new Set(names), "").map(({ kind }) => kind);
    expect(shown()).toEqual(["page", "click", "error", "resource", "custom"]);
    expect(shown("Errors")).toEqual(["error", "resource"]);
    expect(shown("Clicks", "Events")).toEqual(["click", "custom"]);
    expect(shown("Vitals")).toEqual([]);
  });

  it("finds text whatever its case, in chosen groups only", () => {
    const shown = (text: string, ...names: string[]) => filterActivity(items, new Set(names), text).map(words);
    expect(shown(" PAY ")).toEqual(["Clicked [by keyboard] “Pay now”", "Error Payment failed"]);
    expect(shown("pay", "Errors")).toEqual(["Error Payment failed"]);
    expect(shown("nothing")).toEqual([]);
  });
});

describe("the rows that are drawn", () => {
  it("are all of a short list, and those in sight of a long one", () => {
    const window = createRowWindow();
    expect(window.rangeOf(0, 0, 500)).toEqual({ first: 0, last: 0 });
    expect(window.rangeOf(300, 0, 500)).toEqual({ first: 0, last: 5 });
    expect(window.rangeOf(5_000, 0, 500)).toEqual({ first: 0, last: 0 });
    expect(window.rangeOf(5_000, 85_000, 85_500)).toEqual({ first: 49, last: 50 });
    expect(window.rangeOf(5_000, 1e9, 1e9 + 500)).toEqual({ first: 99, last: 99 });
  });

  it("follow the heights that were measured", () => {
    const window = createRowWindow();
    window.measure(0, 50, 10_000);
    window.measure(1, 50, 2_000);
    expect([1, 2, 3].map((chunk) => window.startOf(chunk))).toEqual([10_000, 12_000, 14_000]);
    expect(window.rangeOf(5_000, 5_000, 5_500)).toEqual({ first: 0, last: 0 });
    window.clear();
    expect(window.startOf(0)).toBe(0);
  });
});
