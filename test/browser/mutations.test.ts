import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import fc from "fast-check";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { recordPatch } from "../../scripts/record-patch.ts";
import { describeBrowser, launch } from "./support/browser.ts";
import type { Change } from "./support/mutations-changes.ts";
import type { Harness } from "./support/mutations-page.ts";

declare const harness: Harness;

const RUNS = Number(process.env.SENTIERO_TEST_RUNS ?? 15);

let browser: Browser;
let script: string;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("support/mutations-page.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2022",
    plugins: [recordPatch],
    logLevel: "silent",
  });
  script = outputFiles[0]!.text;
  browser = await launch();
});

afterAll(() => browser?.close());

const aChange: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom(
    ...([
      "add",
      "add",
      "addTree",
      "move",
      "move",
      "swap",
      "remove",
      "takeApart",
      "keep",
      "putBack",
      "attribute",
      "style",
    ] as const),
    ...(["text", "html", "shadow", "comment", "area", "replace", "wrap"] as const),
  ),
  where: fc.nat(10_000),
  what: fc.nat(10_000),
});
const many: fc.Arbitrary<Change> = fc.record({
  kind: fc.constant("many" as const),
  where: fc.nat(50),
  what: fc.nat(10_000),
});
/** Changes; between them the end of a task, or a flush. */
const aStep = fc.oneof(
  { weight: 30, arbitrary: aChange },
  { weight: 1, arbitrary: many },
  { weight: 6, arbitrary: fc.constant("task" as const) },
  { weight: 4, arbitrary: fc.constant("flush" as const) },
  { weight: 8, arbitrary: fc.constant("slice" as const) },
);

describeBrowser("changes of the document, merged", () => {
  it("end in the same document when they are replayed, whatever they were and whenever they were recorded", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(aStep, { minLength: 5, maxLength: 60 }), async (steps) => {
        const page = await open();
        try {
          const { wanted, seen, misplaced } = await page.evaluate(runSteps, steps);
          expect(seen).toEqual(wanted);
          expect(misplaced).toEqual([]);
        } finally {
          await page.close();
        }
      }),
      { numRuns: RUNS, seed: inject("seed"), endOnFailure: true },
    );
  }, 600_000);
});

describeBrowser("changes of the document, among other events", () => {
  it("come before the click that followed them, and are no younger", async () => {
    const events = await recorded(async () => {
      const stage = document.querySelector<HTMLElement>("#stage")!;
      stage.addEventListener("click", () => stage.append("after"));
      stage.append("before");
      stage.click();
      harness.flush();
    });
    const kinds = events.map(kindOf);
    expect(kinds).toEqual(["add before", "click", "add after"]);
    expect(events.map(({ timestamp }) => timestamp)).toEqual(events.map(({ timestamp }) => timestamp).sort());
  });

  it("come before a custom event, and are no younger", async () => {
    const events = await recorded(async () => {
      document.querySelector("#stage")!.append("before");
      harness.custom("done");
    });
    expect(events.map(kindOf)).toEqual(["add before", "done"]);
    expect(events[0]!.timestamp).toBeLessThanOrEqual(events[1]!.timestamp);
  });

  it("wait while nothing happens, and what undid itself is never recorded", async () => {
    const events = await recorded(async () => {
      const stage = document.querySelector<HTMLElement>("#stage")!;
      for (let at = 0; at < 50; at++) {
        stage.style.left = `${at}px`;
        const passing = document.createElement("p");
        stage.append(passing);
        await new Promise((resolve) => setTimeout(resolve, 0));
        passing.remove();
      }
      harness.flush();
    });
    expect(events).toHaveLength(1);
    expect(events[0]!.data).toMatchObject({
      adds: [],
      removes: [],
      attributes: [{ attributes: { style: "left: 49px;" } }],
    });
  });

  it("are recorded when the window is over, in parts that take no longer than asked for", async () => {
    const page = await open();
    try {
      const counts = await page.evaluate(async () => {
        harness.start();
        document.querySelector("#stage")!.innerHTML = `<div>${"<p>one <b>two</b></p>".repeat(1_000)}</div>`;
        await new Promise((resolve) => setTimeout(resolve, 0));
        const before = harness.events.length;
        const sizes: number[] = [];
        while (harness.isWaiting()) {
          harness.slice();
          const { adds = [] } = harness.events.at(-1)!.data as { adds?: unknown[] };
          sizes.push(adds.length);
        }
        return { sizes, events: harness.events.length - before };
      });
      expect(Math.max(...counts.sizes)).toBeLessThan(260);
      expect(counts.sizes.reduce((sum, size) => sum + size)).toBe(4_001);
    } finally {
      await page.close();
    }
  });

  it.each([
    ["as long as the page asks for", 120, 120],
    ["no longer than half a second", 9_000, 500],
  ])("wait %s (mergeWindowMs)", async (_what, mergeWindowMs, waitsMs) => {
    const page = await open();
    try {
      const seen = await page.evaluate(async (mergeWindowMs) => {
        harness.start({ mergeWindowMs });
        const before = harness.events.length;
        document.querySelector("#stage")!.append("changed");
        await new Promise((resolve) => setTimeout(resolve, 0));
        // Of all timers the harness holds those of this length only.
        const isHeld = harness.isWaiting() && harness.events.length === before;
        harness.slice();
        return { waitsMs: harness.windowMs(), isHeld, recorded: harness.events.length - before };
      }, mergeWindowMs);
      expect(seen).toEqual({ waitsMs, isHeld: true, recorded: 1 });
    } finally {
      await page.close();
    }
  });

  it("are recorded in fewer pieces where one may take longer (taskBudgetMs)", async () => {
    const pieces: number[] = [];
    // By the clock of a slice, which goes on by a second whenever it is asked.
    for (const taskBudgetMs of [16, 3_500, 1_000_000]) {
      const page = await open();
      try {
        const count = await page.evaluate(async (taskBudgetMs) => {
          harness.start({ taskBudgetMs });
          document.querySelector("#stage")!.innerHTML = `<div>${"<p>one <b>two</b></p>".repeat(1_000)}</div>`;
          await new Promise((resolve) => setTimeout(resolve, 0));
          let slices = 0;
          for (; harness.isWaiting(); slices++) harness.slice();
          return slices;
        }, taskBudgetMs);
        pieces.push(count);
      } finally {
        await page.close();
      }
    }
    const [most, fewer, one] = pieces;
    expect(most).toBeGreaterThan(12);
    expect(fewer).toBeLessThan(most! / 2);
    expect(fewer).toBeGreaterThan(1);
    expect(one).toBe(1);
  });

  it("in a blocked element stay out, however many they are", async () => {
    const events = await recorded(async () => {
      const stage = document.querySelector("#stage")!;
      stage.innerHTML = "<div data-rr-block></div>";
      harness.flush();
      const inside = document.createElement("ul");
      inside.innerHTML = "<li>hidden</li>".repeat(1_000);
      stage.firstElementChild!.append(inside);
      harness.flush();
      stage.append("shown");
    });
    expect(JSON.stringify(events)).not.toContain("hidden");
    expect(events).not.toHaveLength(0);
  });

  it("find a style sheet as it was when a rule is added to it", async () => {
    const { wanted, seen } = await replayed(async () => {
      const style = document.createElement("style");
      document.querySelector("#stage")!.append(style);
      harness.flush();
      style.append("p { color: red }");
      style.sheet!.insertRule("b { color: blue }", 0);
    });
    expect(seen).toEqual(wanted);
  });

  it("keep a password masked whose field was made readable before it was recorded", async () => {
    const events = await recorded(async () => {
      const field = document.createElement("input");
      field.type = "password";
      field.value = "hunter2";
      document.querySelector("#stage")!.append(field);
      await new Promise((resolve) => setTimeout(resolve, 0));
      field.type = "text";
      await new Promise((resolve) => setTimeout(resolve, 0));
      harness.flush();
    });
    expect(JSON.stringify(events)).toContain('"data-rr-is-password":"true"');
    expect(JSON.stringify(events)).not.toContain("hunter2");
  });

  it("know the host of a shadow root when its style sheets are noted", async () => {
    const events = await recorded(async () => {
      const host = document.createElement("div");
      document.querySelector("#stage")!.append(host);
      const root = host.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync("p { color: red }");
      root.adoptedStyleSheets = [sheet];
      root.innerHTML = "<p>in the shadow</p>";
      await new Promise((resolve) => setTimeout(resolve, 50));
      harness.flush();
    });
    const adopted = events.find(({ data }) => data.source === 15);
    const host = events.flatMap(({ data }) => (data.adds ?? []) as { node: { id: number; isShadowHost?: boolean } }[]);
    expect(adopted?.data.id).toBe(host.find(({ node }) => node.isShadowHost)?.node.id);
  });

  it("inside a frame are recorded, and come before a click in it", async () => {
    const events = await recorded(async () => {
      const frame = document.createElement("iframe");
      frame.srcdoc = "<p>in a frame</p>";
      const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
      document.querySelector("#stage")!.append(frame);
      harness.flush();
      await loaded;
      await new Promise((resolve) => setTimeout(resolve, 50));
      const inside = frame.contentDocument!;
      inside.body.append("before");
      inside.querySelector("p")!.click();
    });
    expect(events.map(kindOf).filter((kind) => /before|click/.test(kind))).toEqual(["add before", "click"]);
  });

  it.each([
    ["a comment", "<!-- anchor -->"],
    ["a script", "<script>1</script>"],
    ["several of both", "<!-- anchor --><script>1</script><!-- anchor -->"],
  ])("on both sides of %s that was there before are all recorded", async (_what, html) => {
    const { wanted, seen } = await replayed(async () => {
      const [first, last] = document.querySelectorAll("#stage p");
      first!.after(document.createElement("b"));
      last!.before(document.createElement("i"));
    }, `<p>first</p>${html}<p>last</p>`);
    expect(wanted[0]).toContain("<b></><i></>");
    expect(seen).toEqual(wanted);
  });

  it("before a comment are recorded when more than one part is behind it", async () => {
    const { wanted, seen } = await replayed(async () => {
      const stage = document.querySelector("#stage")!;
      stage.prepend(document.createElement("b"));
      for (let at = 0; at < 300; at++) stage.append(document.createElement("i"), document.createElement("u"));
    }, "<!-- anchor -->");
    expect(seen).toEqual(wanted);
  });

  it("among more comments than are recorded at a time are all recorded", async () => {
    const { wanted, seen } = await replayed(async () => {
      const comments = [...document.querySelector("#stage")!.childNodes];
      for (const comment of comments) comment.before(document.createElement("b"));
      for (const comment of comments.filter((_, at) => at % 3 === 0)) comment.after(comment.previousSibling!);
    }, "<!-- anchor -->".repeat(1_000));
    expect(seen).toEqual(wanted);
  });

  it("come in an order in which each stands before a sibling that is there, past comments too", async () => {
    const { wanted, seen, misplaced } = await replayed(async () => {
      const stage = document.querySelector("#stage")!;
      stage.prepend(document.createElement("b"));
      const [moved, last] = stage.querySelectorAll("p");
      last!.before(moved!);
      const list = document.querySelector("ul")!;
      list.remove();
      harness.flush();
      list.firstChild!.before(document.createElement("li"));
      list.lastChild!.before(document.createElement("li"));
      stage.append(list);
    }, "<p>one</p><!-- anchor --><p>two</p><ul><!-- anchor --><li>three</li><!-- anchor --><!-- anchor --></ul>");
    expect(misplaced).toEqual([]);
    expect(seen).toEqual(wanted);
  });

  it("in a shadow tree are replayed alone when its host moves before they are recorded", async () => {
    const { wanted, seen } = await replayed(async () => {
      const host = document.createElement("div");
      host.attachShadow({ mode: "open" }).innerHTML = "<em>first</em>";
      const stage = document.querySelector("#stage")!;
      stage.append(host);
      harness.flush();
      host.shadowRoot!.querySelector("em")!.firstChild!.nodeValue = "second";
      stage.prepend(host);
    });
    expect(wanted[0]).toContain('"second"');
    expect(seen).toEqual(wanted);
  });

  it("in a shadow tree are replayed alone when they leave it after its host left", async () => {
    const { wanted, seen } = await replayed(async () => {
      const host = document.createElement("div");
      host.attachShadow({ mode: "open" }).innerHTML = "<em>first</em><p><b>first</b></p>";
      const stage = document.querySelector("#stage")!;
      stage.append(host);
      harness.flush();
      host.remove();
      const inside = [host.shadowRoot!.querySelector("em")!, host.shadowRoot!.querySelector("b")!];
      for (const element of inside) element.remove();
      // No one sees any more what changes in them.
      await new Promise((resolve) => setTimeout(resolve, 0));
      for (const element of inside) {
        element.replaceChildren("second");
        stage.append(element);
      }
    });
    expect(wanted[0]).toContain('<em>"second"</><b>"second"</>');
    expect(seen).toEqual(wanted);
  });

  it("before what can't be recorded are", async () => {
    const { wanted, seen } = await replayed(async () => {
      const stage = document.querySelector("#stage")!;
      const last = document.createProcessingInstruction("name", "value");
      stage.append(last);
      last.before(document.createElement("b"));
      harness.flush();
      last.before(document.createElement("i"));
    });
    expect(wanted[0]).toContain("<b></><i></>");
    expect(seen).toEqual(wanted);
  });

  it("after a frame went go on being recorded in shadow roots", async () => {
    const { wanted, seen } = await replayed(async () => {
      const host = document.createElement("div");
      const frame = document.createElement("iframe");
      const stage = document.querySelector("#stage")!;
      stage.append(host, frame);
      host.attachShadow({ mode: "open" }).innerHTML = "<p>first</p>";
      await new Promise((resolve) => setTimeout(resolve, 50));
      frame.remove();
      harness.flush();
      host.shadowRoot!.append("second");
      const later = document.createElement("div");
      stage.append(later);
      harness.flush();
      later.attachShadow({ mode: "open" }).innerHTML = "<p>third</p>";
    });
    expect(seen).toEqual(wanted);
  });
});

describeBrowser("the first snapshot", () => {
  it.each([
    ["comes at once", 1_000, false],
    ["of a huge page waits until the page has nothing to do", 20_001, true],
  ])("%s", async (_what, elements, waits) => {
    const page = await open("<i></i>".repeat(elements));
    try {
      const counts = await page.evaluate(() => {
        harness.start();
        const before = harness.events.length;
        if (harness.isWaiting()) harness.slice();
        return { before, after: harness.events.length };
      });
      expect(counts).toEqual({ before: waits ? 0 : 2, after: 2 });
    } finally {
      await page.close();
    }
  });
});

/** What is recorded, after the first snapshot, while `work` is done in the page. */
async function recorded(work: () => Promise<void>): Promise<Recorded[]> {
  const page = await open();
  try {
    await page.evaluate(() => {
      harness.start();
      harness.events.splice(0);
    });
    await page.evaluate(work);
    return (await page.evaluate(() => harness.events)) as unknown as Recorded[];
  } finally {
    await page.close();
  }
}

interface Recorded {
  readonly type: number;
  readonly timestamp: number;
  readonly data: Readonly<Record<string, unknown>>;
}

function kindOf({ type, data }: Recorded): string {
  if (type === 5) return String(data.tag);
  if (data.source === 2) return data.type === 2 ? "click" : "other";
  if (data.source !== 0) return "other";
  return (data.adds as { node: { textContent?: string } }[]).map(({ node }) => `add ${node.textContent}`).join();
}

/** What a page was, what its replay is, and what of the recording names a place that was not there. */
interface Outcome {
  readonly wanted: string[];
  readonly seen: string[];
  readonly misplaced: unknown[];
}

/** What the page is after `work`, and what its replay is. */
async function replayed(work: () => Promise<void>, html?: string): Promise<Outcome> {
  const page = await open(html);
  try {
    await page.evaluate(() => harness.start());
    await page.evaluate(work);
    return await page.evaluate(async () => {
      harness.flush();
      const wanted = [harness.describe(document.body)];
      const count = harness.events.length;
      harness.stop();
      await new Promise((resolve) => setTimeout(resolve, 20));
      return { wanted, seen: harness.replay([count]), misplaced: harness.misplaced() };
    });
  } finally {
    await page.close();
  }
}

async function open(html = "<p>first</p>"): Promise<Page> {
  const page = await browser.newPage();
  await page.setContent(`<!doctype html><body><div id="stage">${html}</div></body>`);
  await page.addScriptTag({ content: script });
  return page;
}

/** In the page: makes the changes, and gives what the page and the replay were at each flush. */
async function runSteps(steps: readonly (Change | "task" | "flush" | "slice")[]): Promise<Outcome> {
  const wanted: string[] = [];
  const counts: number[] = [];
  harness.start();
  const flush = (): void => {
    harness.flush();
    wanted.push(harness.describe(document.body));
    counts.push(harness.events.length);
  };
  for (const step of steps) {
    if (step === "task") await new Promise((resolve) => setTimeout(resolve, 0));
    else if (step === "flush") flush();
    else if (step === "slice") harness.slice();
    else harness.change(step);
  }
  flush();
  harness.stop();
  await new Promise((resolve) => setTimeout(resolve, 20));
  return { wanted, seen: harness.replay(counts), misplaced: harness.misplaced() };
}
