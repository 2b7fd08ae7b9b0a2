import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { CommandError } from "./usage-error.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What a browser tells without being asked. */
export interface DevtoolsEvent {
  readonly method: string;
  readonly params: Fields;
  readonly sessionId?: string;
}

/** A browser of its own that is told what to do (https://chromedevtools.github.io/devtools-protocol/). */
export interface Devtools {
  /** @throws CommandError with what the browser says. */
  send(method: string, params?: Fields, sessionId?: string): Promise<Fields>;
  onEvent(listener: (event: DevtoolsEvent) => void): void;
  /** Ends the browser and removes its profile. */
  close(): Promise<void>;
}

/** Without what a browser does for itself at start: each request here is one of the page. */
const FLAGS = [
  "--headless",
  "--remote-debugging-pipe",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
];

const ENDS_WITHIN_MS = 5_000;

interface Answer extends Partial<DevtoolsEvent> {
  readonly id?: number;
  readonly result?: Fields;
  readonly error?: { readonly message: string };
}

interface Caller {
  readonly method: string;
  resolve(result: Fields): void;
  reject(error: Error): void;
}

/**
 * Starts a Chromium with an empty profile and talks to it through a pipe, which takes no package and opens no port.
 * @throws CommandError when it does not start.
 */
export async function openChromium(path: string): Promise<Devtools> {
  const profile = await mkdtemp(join(tmpdir(), "sentiero-chromium-"));
  // A browser refuses its sandbox to root, which is who one is in a container.
  const sandbox = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const child = spawn(path, [...FLAGS, ...sandbox, `--user-data-dir=${profile}`], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  const devtools = connect(child, path);
  async function close(): Promise<void> {
    await devtools.end();
    await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
  try {
    await devtools.send("Browser.getVersion");
  } catch (error) {
    await close();
    throw error;
  }
  return { send: devtools.send, onEvent: devtools.onEvent, close };
}

function connect(child: ChildProcess, path: string): Omit<Devtools, "close"> & { end(): Promise<void> } {
  const input = child.stdio[3] as Writable;
  const output = child.stdio[4] as Readable;
  const callers = new Map<number, Caller>();
  const listeners: ((event: DevtoolsEvent) => void)[] = [];
  let lastId = 0;
  let rest = "";
  let isOver = false;

  function fail(reason: string): void {
    isOver = true;
    for (const { reject } of callers.values()) reject(new CommandError(`the browser ${path} ${reason}`));
    callers.clear();
  }

  function take(message: Answer): void {
    if (message.id === undefined) {
      for (const listener of listeners) listener(message as DevtoolsEvent);
      return;
    }
    const caller = callers.get(message.id);
    callers.delete(message.id);
    if (message.error)
      caller?.reject(new CommandError(`the browser refused ${caller.method}: ${message.error.message}`));
    else caller?.resolve(message.result ?? {});
  }

  child.once("error", (error) => fail(`can't be started: ${error.message}`));
  child.once("exit", (code, signal) => fail(`ended (${code ?? signal})`));
  // Said by its exit already.
  input.on("error", () => {});
  output.on("error", () => {});
  output.setEncoding("utf8");
  output.on("data", (chunk: string) => {
    const messages = (rest + chunk).split("\0");
    rest = messages.pop()!;
    for (const message of messages) take(JSON.parse(message) as Answer);
  });

  return {
    send(method, params = {}, sessionId) {
      return new Promise((resolve, reject) => {
        if (isOver) return reject(new CommandError(`the browser ${path} is gone`));
        const id = ++lastId;
        callers.set(id, { method, resolve, reject });
        input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
      });
    },
    onEvent: (listener) => void listeners.push(listener),
    async end() {
      if (isOver) return;
      const gone = once(child, "exit");
      const timer = setTimeout(() => child.kill("SIGKILL"), ENDS_WITHIN_MS);
      input.write(`${JSON.stringify({ id: ++lastId, method: "Browser.close" })}\0`);
      await gone;
      clearTimeout(timer);
    },
  };
}
