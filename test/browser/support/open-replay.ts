import type { Browser, Frame } from "playwright-core";
import { PNG } from "pngjs";
import { vi } from "vitest";
import type { RecordedEvent, Sentiero, SessionDetail, SessionList } from "../../../src/index.ts";
import { api } from "../../support/sentiero.ts";
import { readBatches } from "./replay.ts";

/** Everything that arrived for the newest session's first window, in the order of replay; none where nothing did. */
export async function readEvents(sentiero: Sentiero): Promise<RecordedEvent[]> {
  const session = await newestSession(sentiero);
  const window = session?.windows[0];
  if (!session || !window) return [];
  return (await readBatches(sentiero, session.id, window.id)).flatMap(({ events }) => events);
}

/** Waits until what arrived is as it shall be, and gives it. */
export async function waitForEvents(
  sentiero: Sentiero,
  isThere: (events: readonly RecordedEvent[]) => boolean,
): Promise<RecordedEvent[]> {
  let events: RecordedEvent[] = [];
  await vi.waitUntil(
    async () => {
      events = await readEvents(sentiero);
      return isThere(events);
    },
    { timeout: 20_000, interval: 100 },
  );
  return events;
}

/** A window of the newest session, opened in the dashboard. */
export interface OpenReplay {
  /** Stands still at a time, in epoch ms. */
  seek(at: number): Promise<void>;
  /** Runs in the document in which the recorded page is rebuilt. `args` are JSON. */
  evaluate<Result>(run: (document: Document, arg: string) => Result, arg?: string): Promise<Result>;
  /** The colour in the middle of an element of the recorded page, as it is drawn: red, green, blue. */
  colourOf(selector: string): Promise<readonly number[]>;
  /** What the dashboard's console said went wrong. */
  readonly problems: readonly string[];
  close(): Promise<void>;
}

/** Opens the newest session as a person does; the recorded viewport has to fit into 1,000 by 800 px. */
export async function openReplay(browser: Browser, site: string, sentiero: Sentiero): Promise<OpenReplay> {
  const session = (await newestSession(sentiero))!;
  const window = session.windows[0]!;
  const startedAt = (await readEvents(sentiero))[0]!.timestamp as number;
  const context = await browser.newContext({ viewport: { width: 1_800, height: 1_300 } });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    // A document without scripts says so of each.
    if (message.type() === "error" && !message.text().includes("sandboxed")) problems.push(message.text());
  });
  await page.goto(`${site}/sentiero/sessions/${session.id}/windows/${window.id}`);
  const replay = page.locator("sentiero-replay");
  await replay.waitFor();
  let outer: Frame | undefined;
  await vi.waitUntil(
    async () => {
      outer = page.frames().find((frame) => frame.url().endsWith("/replay-frame"));
      return outer?.evaluate(() => Boolean(document.querySelector("iframe")?.contentDocument?.body));
    },
    { timeout: 20_000, interval: 100 },
  );

  return {
    problems,
    async seek(at) {
      const element = await replay.elementHandle();
      await element!.evaluate(
        (replay, ms) => (replay as unknown as { seek(ms: number): void }).seek(ms),
        at - startedAt,
      );
    },
    evaluate: (run, arg = "") =>
      // The rebuilt document runs no scripts, so the one around it is asked.
      outer!.evaluate(`(${String(run)})(document.querySelector("iframe").contentDocument, ${JSON.stringify(arg)})`),
    async colourOf(selector) {
      const box = await outer!.evaluate((selector) => {
        const frame = document.querySelector("iframe")!;
        const at = frame.getBoundingClientRect();
        const inside = frame.contentDocument!.querySelector(selector)!.getBoundingClientRect();
        return { x: at.x + inside.x + inside.width / 2, y: at.y + inside.y + inside.height / 2 };
      }, selector);
      const origin = (await (await page.waitForSelector("sentiero-replay iframe")).boundingBox())!;
      const clip = { x: Math.round(origin.x + box.x), y: Math.round(origin.y + box.y), width: 1, height: 1 };
      return [...PNG.sync.read(await page.screenshot({ clip })).data.subarray(0, 3)];
    },
    close: () => context.close(),
  };
}

async function newestSession(sentiero: Sentiero): Promise<SessionDetail | null> {
  const { body } = await api<SessionList>(sentiero, "/sessions?limit=1");
  const id = body.sessions[0]?.id;
  return id === undefined ? null : (await api<{ session: SessionDetail }>(sentiero, `/sessions/${id}`)).body.session;
}
