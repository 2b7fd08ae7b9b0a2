// `npm run demo`: a small site that records itself, the dashboard beside it, and an embedded SQLite file under .data/.
import { existsSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { isIP } from "node:net";
import { join, relative } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type NodeHandler, toNodeHandler } from "../dist/adapters/node.js";
import { openStorage } from "../dist/src/cli/storage.js";
import { createDemo, type Demo, demoUser } from "../examples/demo/demo.ts";
import { fillStore } from "../examples/demo/filler.ts";
import { readRecordings } from "../examples/demo/recordings.ts";
import { listen } from "./ports.ts";
import { createProgress } from "./progress.ts";

const help = `npm run demo -- [options]

Starts a demo site that records itself, and the dashboard to watch the recordings in.

  --port 4747        port to listen on; the next free one is taken when it is busy
  --host 127.0.0.1   address to listen on
  --sessions 300     first adds that many sessions of the last 14 days, made from recordings of the site
  --reset            first empties .data/, where the demo keeps its recordings
  --help             shows this
`;

/** More would take longer than anybody waits for a demo. */
const maxSessions = 20_000;

/** How long requests under way may take after Ctrl-C. */
const drainMs = 5_000;

const root = fileURLToPath(new URL("..", import.meta.url));
const file = join(root, ".data", "demo.sqlite");

/** What the visitor of this script got wrong; told in a line, without a stack. */
class DemoError extends Error {}

try {
  await main();
} catch (error) {
  const isPlain = error instanceof DemoError;
  console.error(isPlain ? `[demo] ${error.message}\nTry: npm run demo -- --help` : error);
  process.exitCode = isPlain ? 2 : 1;
}

async function main(): Promise<void> {
  const options = parse(process.argv.slice(2));
  if (options === "help") return console.log(help);
  const stop = new AbortController();
  onStopSignal(() => stop.abort());

  if (options.reset) reset();
  let handler: NodeHandler = wait;
  const server = createServer((request, response) => handler(request, response));
  const port = await open(server, options.port, options.host);
  const origin = `http://${nameOf(options.host)}:${port}`;
  if (options.sessions > 0) await fill(options.sessions, origin, stop.signal);

  const demo = createDemo({ storage: await openStorage(`sqlite:${file}`) });
  if (!stop.signal.aborted) {
    handler = announceFirst(demo, `${origin}/sentiero/`);
    console.log(welcome(origin, options.host));
    await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
  }
  await drain(server);
  await demo.sentiero.store.close();
  console.log("Stopped. The recordings are kept for the next time.");
}

interface DemoArguments {
  readonly port: number;
  readonly host: string;
  readonly sessions: number;
  readonly reset: boolean;
}

function parse(args: string[]): DemoArguments | "help" {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        port: { type: "string", default: "4747" },
        host: { type: "string", default: "127.0.0.1" },
        sessions: { type: "string", default: "0" },
        reset: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }));
  } catch (error) {
    // Node's second sentence is about positional arguments, which nobody meant.
    throw new DemoError((error as Error).message.split(". ")[0]!);
  }
  if (values.help) return "help";
  return {
    port: toInteger("--port", values.port, 65_535),
    host: values.host,
    sessions: toInteger("--sessions", values.sessions, maxSessions),
    reset: values.reset,
  };
}

function toInteger(name: string, text: string, max: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > max) {
    throw new DemoError(`${name} must be a whole number from 0 to ${max}, got "${text}"`);
  }
  return value;
}

/** Removes the demo's own files and nothing else. */
function reset(): void {
  // SQLite keeps its log and its index of it beside the file.
  const files = [file, `${file}-wal`, `${file}-shm`].filter((path) => existsSync(path));
  for (const path of files) rmSync(path);
  const names = files.map((path) => relative(root, path)).join(", ");
  console.log(files.length === 0 ? "There was nothing to remove." : `Removed ${names}.`);
}

async function open(server: Server, port: number, host: string): Promise<number> {
  try {
    return await listen(server, port, host, (taken, next) => console.log(`Port ${taken} is taken, using ${next}.`));
  } catch (error) {
    throw new DemoError((error as Error).message, { cause: error });
  }
}

async function fill(sessions: number, origin: string, signal: AbortSignal): Promise<void> {
  const clock = { now: Date.now() };
  const demo = createDemo({ storage: await openStorage(`sqlite:${file}`), clock: () => clock.now });
  const progress = createProgress("Adding sessions", sessions);
  const started = performance.now();
  try {
    const result = await fillStore({
      fetch: demo.fetch,
      clock,
      recordings: readRecordings(origin),
      sessions,
      origin,
      now: Date.now(),
      signal,
      onSession: (done) => progress.update(done),
    });
    progress.end();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(
      `Added ${result.sessions} sessions (${result.batches} uploads, ${result.events} events) in ${seconds} s.`,
    );
  } finally {
    progress.end();
    await demo.sentiero.store.close();
  }
}

/** The port is held while the store is filled; who comes early is asked to wait. */
function wait(_: IncomingMessage, response: ServerResponse): void {
  response.writeHead(503, { "content-type": "text/plain", "retry-after": "2", refresh: "2" });
  response.end("Sessions are being added. This page loads again by itself.\n");
}

/** Serves the demo, and says once that a recording has come. */
function announceFirst({ fetch, sentiero }: Demo, dashboard: string): NodeHandler {
  let isAnnounced = false;
  return toNodeHandler({
    ...sentiero,
    async fetch(request) {
      const response = await fetch(request);
      if (!isAnnounced && request.method === "POST" && response.status === 200) {
        isAnnounced = true;
        console.log(`Your first visit is being recorded: ${dashboard}`);
      }
      return response;
    },
  });
}

function welcome(origin: string, host: string): string {
  const isPrivate = host === "localhost" || host === "::1" || host.startsWith("127.");
  return [
    "",
    `  Site        ${origin}/`,
    `  Dashboard   ${origin}/sentiero/`,
    `  Sign in     ${demoUser.user} / ${demoUser.password}`,
    "",
    ...(isPrivate ? [] : ["  Everybody who reaches this machine can open the dashboard with that sign-in.", ""]),
    `Recordings are kept in ${relative(process.cwd(), file) || file}. Press Ctrl-C to stop.`,
  ].join("\n");
}

/** The host as it stands in a URL; an address that means "all" is reached by the local name. */
function nameOf(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return isIP(host) === 6 ? `[${host}]` : host;
}

/** The first signal ends the demo in good order, a later one at once. */
function onStopSignal(stop: () => void): void {
  let firstAt = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // npm hands on the signal that the terminal has sent already, so one Ctrl-C may arrive twice.
      if (firstAt > 0 && performance.now() - firstAt > 500) process.exit(130);
      if (firstAt > 0) return;
      firstAt = performance.now();
      // The terminal has written ^C into the line.
      if (process.stdout.isTTY) process.stdout.write("\r\x1b[2K");
      stop();
    });
  }
}

/** Takes no new connections, answers what is under way, and cuts what takes too long. */
async function drain(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), drainMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(cut);
}
