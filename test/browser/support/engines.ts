// Drives browsers as their vendors ship them: Firefox by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), WebKit by
// WebDriver (https://www.w3.org/TR/webdriver2/), Chromium by Playwright.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { WebSocket } from "undici";
import { inject } from "vitest";
import { CHROMIUM_FLAGS } from "../../../scripts/chromium.ts";
import { findOnPath, type Engine } from "../../../scripts/engines.ts";

/** How long a browser may take to answer for the first time. */
const START_WITHIN_MS = 60_000;

/** A tab, and what a person does in it. Selectors find elements in shadow roots and in frames of the same origin too. */
export interface Tab {
  /** Resolves when the page is loaded. */
  goto(url: string): Promise<void>;
  /** The value of an expression, awaited, as JSON carries it. */
  evaluate<T>(expression: string): Promise<T>;
  click(selector: string): Promise<void>;
  /** Types keys into what `selector` finds, after what stands there. */
  type(selector: string, text: string): Promise<void>;
  close(): Promise<void>;
}

/** A browser with a profile of its own. */
export interface EngineBrowser {
  readonly version: string;
  newTab(): Promise<Tab>;
  close(): Promise<void>;
}

/** Starts the browser of an engine; null for the Chromium of all tests. */
export function launchEngine(engine: Engine | null): Promise<EngineBrowser> {
  if (!engine) return launchPlaywright();
  return engine.name === "Firefox" ? launchFirefox(engine.path!) : launchWebKit(engine.path!);
}

/** Nothing but the loopback interface: a proxy where no one listens takes what else a browser would ask. */
const FIREFOX_PREFERENCES = {
  "network.proxy.type": 1,
  "network.proxy.http": "127.0.0.1",
  "network.proxy.http_port": 9,
  "network.proxy.ssl": "127.0.0.1",
  "network.proxy.ssl_port": 9,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.page": 0,
  "datareporting.policy.dataSubmissionEnabled": false,
  "toolkit.telemetry.enabled": false,
};

async function launchFirefox(path: string): Promise<EngineBrowser> {
  const profile = await mkdtemp(join(tmpdir(), "sentiero-firefox-"));
  const lines = Object.entries(FIREFOX_PREFERENCES).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  );
  await writeFile(join(profile, "user.js"), lines.join("\n"));
  const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "about:blank"];
  const child = start(path, args);
  const close = async (): Promise<void> => {
    await end(child);
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const url = await lineOf(child.stderr!, /^WebDriver BiDi listening on (ws:\S+)/);
    const send = await openSocket(`${url}/session`);
    const { capabilities } = await send<{ capabilities: { browserVersion: string } }>("session.new", {
      capabilities: {},
    });
    return {
      version: capabilities.browserVersion,
      async newTab() {
        const { context } = await send<{ context: string }>("browsingContext.create", { type: "tab" });
        return toTab({
          goto: (url) => send("browsingContext.navigate", { context, url, wait: "complete" }),
          async evaluate(expression) {
            const target = { context };
            const answer = await send<{ result: { value: string }; exceptionDetails?: { text: string } }>(
              "script.evaluate",
              { expression, target, awaitPromise: true, userActivation: false },
            );
            if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.text);
            return answer.result.value;
          },
          ...toActions((actions) => send("input.performActions", { context, actions })),
          close: () => send("browsingContext.close", { context }),
        });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Send = <T>(method: string, params: object) => Promise<T>;

/** A WebDriver BiDi connection; commands are answered by their number. */
async function openSocket(url: string): Promise<Send> {
  const socket = new WebSocket(url);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let last = 0;
  socket.addEventListener("message", ({ data }) => {
    const answer = JSON.parse(String(data)) as { id?: number; result?: unknown; error?: string; message?: string };
    const command = waiting.get(answer.id ?? -1);
    waiting.delete(answer.id ?? -1);
    if (answer.error) command?.reject(new Error(`${answer.error}: ${answer.message}`));
    else command?.resolve(answer.result);
  });
  socket.addEventListener("close", () => {
    for (const { reject } of waiting.values()) reject(new Error("the browser has gone"));
    waiting.clear();
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", ({ error }) => reject(error as Error));
  });
  return (method, params) => {
    const command = Promise.withResolvers<unknown>();
    waiting.set(++last, command);
    socket.send(JSON.stringify({ id: last, method, params }));
    return command.promise as Promise<never>;
  };
}

async function launchWebKit(path: string): Promise<EngineBrowser> {
  const screen = process.env.DISPLAY ? null : await openScreen();
  const port = await freePort();
  const driver = start(path, [`--port=${port}`, "--host=127.0.0.1"], screen ? { DISPLAY: screen.display } : {});
  const close = async (): Promise<void> => {
    await end(driver);
    if (screen) await end(screen.child);
  };
  const ask = async <T>(method: string, path: string, body?: object): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    });
    const { value } = (await response.json()) as { value: T & { error?: string; message?: string } };
    if (!response.ok) throw new Error(`${value.error}: ${value.message}`);
    return value;
  };
  try {
    await answering(port, driver);
    const { sessionId, capabilities } = await ask<{ sessionId: string; capabilities: { browserVersion: string } }>(
      "POST",
      "/session",
      { capabilities: { alwaysMatch: {} } },
    );
    const session = `/session/${sessionId}`;
    // Commands go to the window that was switched to, which has to be there: the first one stays.
    const first = await ask<string>("GET", `${session}/window`);
    let current = first;
    const inWindow = async <T>(handle: string, method: string, path: string, body?: object): Promise<T> => {
      if (current !== handle) await ask("POST", `${session}/window`, { handle });
      current = handle;
      return ask<T>(method, `${session}${path}`, body);
    };
    return {
      version: capabilities.browserVersion,
      async newTab() {
        // A tab in the background draws nothing and answers no click.
        const { handle } = await inWindow<{ handle: string }>(first, "POST", "/window/new", { type: "window" });
        return toTab({
          goto: (url) => inWindow(handle, "POST", "/url", { url }),
          evaluate: (expression) => {
            const script = `const done = arguments[0]; (async () => ${expression})().then(done, (error) => done("!" + error));`;
            return inWindow<string>(handle, "POST", "/execute/async", { script, args: [] });
          },
          ...toActions((actions) => inWindow(handle, "POST", "/actions", { actions })),
          close: () => inWindow(handle, "DELETE", "/window"),
        });
      },
      async close() {
        // Ends the browser, which is not the driver's to leave behind.
        await ask("DELETE", session).catch(() => {});
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A screen that nobody sees. */
async function openScreen(): Promise<{ readonly child: ChildProcess; readonly display: string }> {
  const child = start(findOnPath(["Xvfb"])!, ["-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]);
  return { child, display: `:${await lineOf(child.stdout!, /^(\d+)/)}` };
}

async function launchPlaywright(): Promise<EngineBrowser> {
  const browser = await chromium.launch({
    executablePath: inject("chromium")!,
    args: [...CHROMIUM_FLAGS],
    // Pages go to the back/forward cache, as they do for people.
    ignoreDefaultArgs: ["--disable-back-forward-cache"],
  });
  return {
    version: browser.version(),
    async newTab() {
      const page = await browser.newPage();
      return toTab({
        goto: (url) => page.goto(url),
        evaluate: (expression) => page.evaluate<string>(expression),
        click: (x, y) => page.mouse.click(x, y),
        type: (text) => page.keyboard.type(text),
        close: () => page.close({ runBeforeUnload: true }),
      });
    },
    close: () => browser.close(),
  };
}

/** What a protocol has to give. */
interface Driver {
  goto(url: string): Promise<unknown>;
  /** The text that the expression gives. */
  evaluate(expression: string): Promise<string>;
  /** At a place of the viewport. */
  click(x: number, y: number): Promise<unknown>;
  /** Types into what has the focus. */
  type(text: string): Promise<unknown>;
  close(): Promise<unknown>;
}

/** Both WebDrivers take these. */
function toActions(perform: (actions: readonly object[]) => Promise<unknown>): Pick<Driver, "click" | "type"> {
  return {
    click(x, y) {
      const actions = [
        { type: "pointerMove", x: Math.round(x), y: Math.round(y), duration: 0, origin: "viewport" },
        { type: "pointerDown", button: 0 },
        { type: "pointerUp", button: 0 },
      ];
      return perform([{ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions }]);
    },
    type(text) {
      const actions = [...text].flatMap((value) => [
        { type: "keyDown", value },
        { type: "keyUp", value },
      ]);
      return perform([{ type: "key", id: "keys", actions }]);
    },
  };
}

function toTab(driver: Driver): Tab {
  async function evaluate<T>(expression: string): Promise<T> {
    const text = await driver.evaluate(`(async () => "=" + JSON.stringify((await (${expression})) ?? null))()`);
    if (!text.startsWith("=")) throw new Error(text);
    return JSON.parse(text.slice(1)) as T;
  }
  async function find(selector: string, then: string): Promise<{ x: number; y: number }> {
    const source = `(${inPage.toString()})(document, ${JSON.stringify(selector)}, ${then})`;
    const place = await evaluate<{ x: number; y: number } | null>(source);
    if (!place) throw new Error(`there is no ${selector}`);
    return place;
  }
  return {
    goto: async (url) => void (await driver.goto(url)),
    evaluate,
    async click(selector) {
      const { x, y } = await find(selector, "(element) => element.scrollIntoView({ block: 'center' })");
      await driver.click(x, y);
    },
    async type(selector, text) {
      await find(selector, "(element) => element.focus()");
      await driver.type(text);
    },
    close: async () => void (await driver.close()),
  };
}

/** Runs in the page: finds an element, does something with it, and gives the middle of it in the viewport. */
function inPage(
  root: Document | ShadowRoot,
  selector: string,
  then: (element: HTMLElement) => void,
): { x: number; y: number } | null {
  const found = root.querySelector<HTMLElement>(selector);
  if (found) {
    then(found);
    const { x, y, width, height } = found.getBoundingClientRect();
    return { x: x + width / 2, y: y + height / 2 };
  }
  for (const element of root.querySelectorAll("*")) {
    const inside = element.shadowRoot ?? (element as HTMLIFrameElement).contentDocument;
    const place = inside ? inPage(inside, selector, then) : null;
    if (!place) continue;
    const frame = element.shadowRoot ? { x: 0, y: 0 } : element.getBoundingClientRect();
    return { x: frame.x + place.x, y: frame.y + place.y };
  }
  return null;
}

function start(path: string, args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  const child = spawn(path, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  child.stdout!.resume();
  child.stderr!.resume();
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill();
  const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(late);
}

/** The first group of the first line that matches. */
async function lineOf(stream: Readable, pattern: RegExp): Promise<string> {
  const lines = createInterface({ input: stream, signal: AbortSignal.timeout(START_WITHIN_MS) });
  for await (const line of lines) {
    const match = pattern.exec(line);
    if (!match) continue;
    // The end of reading lines stops the stream, and a full pipe would stop the program.
    stream.resume();
    return match[1]!;
  }
  throw new Error(`it never said ${String(pattern)}`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Waits until someone listens. */
async function answering(port: number, child: ChildProcess): Promise<void> {
  const until = performance.now() + START_WITHIN_MS;
  while (child.exitCode === null && performance.now() < until) {
    const isThere = await fetch(`http://127.0.0.1:${port}/status`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isThere) return;
    await sleep(50);
  }
  throw new Error("the driver does not answer");
}
