import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import type { Batch, BatchList, RecordedEvent, Sentiero, SessionDetail, SessionList } from "../../../src/index.ts";
import { difference, type Box } from "./picture.ts";
import { api } from "../../support/sentiero.ts";

/** What a page looked like, live or replayed. */
export interface View {
  /** Visible text, white space folded. */
  readonly text: string;
  readonly picture: Buffer;
}

/** The recorded viewport of these tests: it fits beside the dashboard's lists without being scaled. */
export const VIEWPORT = { width: 900, height: 600 };

const DASHBOARD_VIEWPORT = { width: 1800, height: 1300 };

/** Folds white space. */
export function fold(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** A page as it is left, and the boxes of what is masked in a recording. */
export async function leave(page: Page): Promise<View & { masked: Box[] }> {
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.mouse.move(VIEWPORT.width - 2, VIEWPORT.height - 2);
  await sleep(300);
  const masked = await page.evaluate(() =>
    [...document.querySelectorAll("input, textarea, select")].map((element) => {
      const { x, y, width, height } = element.getBoundingClientRect();
      return { x, y, width, height };
    }),
  );
  const text = fold(await page.evaluate(() => document.body.innerText));
  return { text, picture: await page.screenshot(), masked };
}

/** Waits until nothing more arrives for the newest session, and gives it. */
export async function settledSession(sentiero: Sentiero): Promise<SessionDetail> {
  let before = -1;
  for (let tries = 0; tries < 60; tries++) {
    const { body } = await api<SessionList>(sentiero, "/sessions?limit=1");
    const session = body.sessions[0];
    if (session && session.eventCount === before) {
      return (await api<{ session: SessionDetail }>(sentiero, `/sessions/${session.id}`)).body.session;
    }
    before = session?.eventCount ?? -1;
    await sleep(700);
  }
  throw new Error("no session arrived, or it never came to rest");
}

/** All batches of a window with their bodies, in the order of replay. */
export async function readBatches(sentiero: Sentiero, sessionId: string, windowId: string): Promise<Batch[]> {
  const path = `/sessions/${sessionId}/windows/${windowId}/batches`;
  const { body } = await api<BatchList>(sentiero, path);
  return Promise.all(body.batches.map(async ({ key }) => (await api<Batch>(sentiero, `${path}/${key}`)).body));
}

/** All sessions of a server, with their tabs. */
export async function readSessions(sentiero: Sentiero): Promise<SessionDetail[]> {
  const { body } = await api<SessionList>(sentiero, "/sessions");
  return Promise.all(
    body.sessions.map(
      async ({ id }) => (await api<{ session: SessionDetail }>(sentiero, `/sessions/${id}`)).body.session,
    ),
  );
}

/** All that arrived, by run, in the order of replay. */
export async function readRuns(sentiero: Sentiero): Promise<RecordedEvent[][]> {
  const all = new Map<string, RecordedEvent[]>();
  for (const { id, windows } of await readSessions(sentiero)) {
    for (const window of windows) {
      for (const { run, events } of await readBatches(sentiero, id, window.id)) {
        all.set(run!, [...(all.get(run!) ?? []), ...events]);
      }
    }
  }
  return [...all.values()].sort((a, b) => Number(a[0]!.timestamp) - Number(b[0]!.timestamp));
}

/** Plays a window in the dashboard to its end, as a person does, and gives what is seen then. */
export async function replayToEnd(
  browser: Browser,
  site: string,
  { sessionId, windowId, user, password }: { sessionId: string; windowId: string; user: string; password: string },
): Promise<View> {
  const context = await browser.newContext({
    viewport: DASHBOARD_VIEWPORT,
    httpCredentials: { username: user, password },
  });
  try {
    const page = await context.newPage();
    const problems: string[] = [];
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (error) => problems.push(error.message));
    const requests: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(`${site}/sentiero/sessions/${sessionId}/windows/${windowId}`);
    const replay = page.locator("sentiero-replay");
    await replay.waitFor();
    const ended = replay.evaluate(
      (element) =>
        new Promise<void>((resolve) =>
          element.addEventListener("sentiero-state", (event) => {
            if ((event as CustomEvent<{ state: string }>).detail.state === "ended") resolve();
          }),
        ),
    );
    await replay.evaluate((element) => {
      const player = element as HTMLElement & { speed(rate: number): void; play(): void };
      player.speed(8);
      player.play();
    });
    await Promise.race([
      ended,
      sleep(90_000).then(() => {
        throw new Error(`the replay did not end: ${problems.join("; ")}`);
      }),
    ]);
    await sleep(400);
    const outer = page.frames().find((frame) => frame.url().endsWith("/replay-frame"));
    if (!outer) throw new Error("there is no replay frame");
    const text = await outer.evaluate(() => document.querySelector("iframe")!.contentDocument!.body.innerText);
    // A box between two pixels is drawn at the nearer one.
    const box = (await (await outer.waitForSelector("iframe")).boundingBox())!;
    const clip = { x: Math.round(box.x), y: Math.round(box.y), ...VIEWPORT };
    const picture = await page.screenshot({ clip });
    const foreign = requests.filter(
      (url) => !url.startsWith(site) && !url.startsWith("data:") && !url.startsWith("blob:"),
    );
    if (foreign.length > 0) throw new Error(`the replay asked strangers: ${foreign.join(", ")}`);
    return { text: fold(text), picture };
  } finally {
    await context.close();
  }
}

/** Whether a replay shows the page as it was left: the same text, at most one pixel in a hundred different. */
export function compare(left: View & { masked: Box[] }, replayed: View): { sameText: boolean; pixels: number } {
  return { sameText: left.text === replayed.text, pixels: difference(left.picture, replayed.picture, left.masked) };
}
