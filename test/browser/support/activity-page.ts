import type { Page } from "playwright-core";

/** Text that would run, were it ever taken for HTML. */
export const HOSTILE = `<img src=x onerror="top.pwned=1"><script>top.pwned=1</script>`;

/** What the page's recorder is told beside its address. */
export const ACTIVITY_CONFIG = {
  eventsUrl: "/sentiero/events",
  flushIntervalMs: 200,
  // Longer than a busy machine takes between two clicks.
  idlePauseMs: 8_000,
  captureConsole: ["warn", "error"],
  captureRequests: { urls: ["*/api/*"], bodies: true },
} as const;

/** A page that does a bit of everything that the recorder tells of. */
export function activityPage(pathname: string): Response {
  if (pathname === "/api/order") return Response.json({ order: 7 }, { status: 201 });
  if (pathname !== "/" && pathname !== "/plans") return new Response("nothing here", { status: 404 });
  const config = JSON.stringify(ACTIVITY_CONFIG);
  return new Response(
    `<!doctype html><html lang="en"><head><title>Shop</title>
<script type="application/json" id="sentiero-config">${config}</script>
<script async src="/sentiero/recorder.js"></script>
<style>body { font: 16px sans-serif; margin: 40px } form, button, a { display: block; margin: 12px 0 }</style></head>
<body><h1>A small shop</h1>
<button id="pay">Pay now</button>
<div id="bare" style="width: 80px; height: 30px; background: #cde"></div>
<label><input type="checkbox" id="terms"> I agree</label>
<button id="route">Overview</button>
<button id="break">Break it</button>
<button id="load">Order</button>
<button id="tell">Tell</button>
<form name="newsletter"><input name="mail" aria-label="Mail"><button>Subscribe</button></form>
<a href="/plans">All plans</a>
<script>
const on = (id, run) => document.getElementById(id).addEventListener("click", run);
on("route", () => history.pushState(null, "", "/overview"));
on("break", () => {
  setTimeout(() => { throw new TypeError("the total is not a number"); });
  Promise.reject(new Error("nobody caught this"));
  document.body.append(Object.assign(new Image(), { src: "/missing.png" }));
});
on("load", async () => {
  await fetch("/api/order", { method: "POST", body: JSON.stringify({ plan: "pro" }) });
  await fetch("/api/nothing");
});
on("tell", () => {
  console.warn("stock is low", { left: 2 });
  Sentiero.track("order placed", { note: ${JSON.stringify(HOSTILE).replaceAll("</", "<\\/")}, plan: "pro" });
});
document.forms[0].addEventListener("submit", (event) => event.preventDefault());
</script></body></html>`,
    { headers: { "content-type": "text/html" } },
  );
}

/** Does it all, waits until recording has paused, comes back, and leaves for another page. */
export async function visit(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/`);
  await page.waitForFunction(
    () => "Sentiero" in window && Boolean((window as unknown as SentieroWindow).Sentiero.getSessionId()),
  );
  await page.waitForTimeout(400);
  for (const id of ["pay", "bare", "terms", "route", "break", "load", "tell"]) {
    await page.click(`#${id}`);
    await page.waitForTimeout(180);
  }
  await page.fill("[name=mail]", "ada@example.com");
  await page.press("[name=mail]", "Enter");
  // Longer than it takes to pause, which is more than a second before the next click.
  await page.waitForTimeout(ACTIVITY_CONFIG.idlePauseMs + 1_500);
  await page.click("#pay");
  await page.waitForTimeout(400);
  await page.click("a");
  await page.waitForURL("**/plans");
  await page.waitForTimeout(600);
  await page.goto("about:blank");
  await page.waitForTimeout(600);
}

interface SentieroWindow {
  readonly Sentiero: { getSessionId(): string | null };
}
