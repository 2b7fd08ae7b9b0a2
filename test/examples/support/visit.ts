import type { Browser, Page } from "playwright-core";
import { expect, vi } from "vitest";

/** How the dashboard of an example is entered. */
export type SignIn = "basic" | "page";

export const PASSWORD = "lovelace";

/**
 * Visits an example as a person would, with a browser: reads, clicks, goes on by a link. Then finds the visit in the dashboard,
 * which is closed to who has not signed in, and opens it. What the browser complains of on the way is a failure.
 */
export async function visitExample(browser: Browser, url: string, signIn: SignIn): Promise<void> {
  const context = await browser.newContext(
    signIn === "basic" ? { httpCredentials: { username: "ada", password: PASSWORD } } : {},
  );
  try {
    const page = await context.newPage();
    const complaints = collectComplaints(page);
    const sessionId = await record(page, url);
    await expectClosed(url, signIn);
    if (signIn === "page") await enter(page, url);
    await findSession(page, url, sessionId);
    expect(complaints).toEqual([]);
  } finally {
    await context.close();
  }
}

/** What the browser complains of in a page from now on: errors and warnings in its console, and errors that nobody caught. */
export function collectComplaints(page: Page): readonly string[] {
  const complaints: string[] = [];
  page.on("console", (message) => {
    // The frame that replays may load nothing from elsewhere, and Chromium says so; examples have no icon.
    const isExpected = /\/replay-frame|\/favicon\.ico$/.test(message.location().url);
    if (["error", "warning"].includes(message.type()) && !isExpected) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  return complaints;
}

/** Does something on both pages; the id of the session. */
async function record(page: Page, url: string): Promise<string> {
  await page.goto(url);
  await page.getByRole("button").first().click();
  await page.getByRole("link", { name: "Opening hours" }).click();
  await page.waitForURL(`${url}/hours`);
  await page.getByRole("button").first().click();
  await page.waitForFunction("typeof Sentiero === 'object' && Sentiero.getSessionId() !== null");
  await page.evaluate("Sentiero.flush()");
  return page.evaluate("Sentiero.getSessionId()");
}

async function expectClosed(url: string, signIn: SignIn): Promise<void> {
  const answer = await fetch(`${url}/sentiero/api/sessions`, { redirect: "manual" });
  if (signIn === "basic") expect(answer.status).toBe(401);
  else expect([answer.status, new URL(answer.headers.get("location")!, url).pathname]).toEqual([302, "/sign-in"]);
}

async function enter(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/sentiero`);
  await page.waitForURL(`${url}/sign-in`);
  const user = page.getByLabel("User");
  if (await user.isVisible()) await user.fill("ada");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${url}/sentiero`);
}

async function findSession(page: Page, url: string, sessionId: string): Promise<void> {
  await page.goto(`${url}/sentiero`);
  const link = page.locator(`a[href*="${sessionId}"]`).first();
  await vi.waitUntil(() => link.isVisible(), { timeout: 15_000, interval: 100 });
  await link.click();
  await page.waitForURL((address) => address.pathname.includes(sessionId));
  // The last page is replayed.
  const frame = page.frameLocator("iframe").frameLocator("iframe");
  await frame.getByRole("heading", { level: 1 }).waitFor({ timeout: 20_000 });
}
