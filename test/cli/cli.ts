import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** The built command. */
export const MAIN: string = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

const running = new Set<ChildProcess>();

/** How a command ended, and what it wrote. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server that is ready. */
export interface Served {
  /** Address with the base path, without a slash at the end; as printed. */
  readonly url: string;
  readonly port: number;
  signal(name: NodeJS.Signals): void;
  /** Resolves when the process is gone, however that came. */
  readonly ended: Promise<Ended>;
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Options of node itself. */
  readonly node?: readonly string[];
  /** Kills what has not ended by itself after this time; of `run` only. */
  readonly limitMs?: number;
  /** What the command reads; of `run` only. */
  readonly input?: string | Uint8Array;
  /** Called with the process when it runs; of `run` only. */
  readonly onStart?: (child: ChildProcess) => void;
}

/** Runs the built command to its end; one that goes on is killed after `limitMs` (default 10,000). */
export async function run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const { child, ended } = start(args, options);
  options.onStart?.(child);
  child.stdin?.on("error", () => {});
  child.stdin?.end(options.input);
  const limit = setTimeout(() => child.kill("SIGKILL"), options.limitMs ?? 10_000);
  const result = await ended;
  clearTimeout(limit);
  return result;
}

/**
 * Starts `sentiero serve` from dist on any free port and waits for its line.
 * @throws Error with what it wrote, when it ends instead.
 */
export async function serve(args: readonly string[], options: RunOptions = {}): Promise<Served> {
  const { child, ended } = start(["serve", "--port", "0", ...args], options);
  let stdout = "";
  const line = new Promise<string>((resolve) => {
    child.stdout!.on("data", (chunk) => {
      stdout += String(chunk);
      if (stdout.includes("\n")) resolve(stdout.split("\n", 1)[0]!);
    });
  });
  const failed = ended.then(({ code, signal, stderr }) => {
    throw new Error(`serve ended (${code ?? signal}): ${stderr}`);
  });
  const url = /http:\S+/.exec(await Promise.race([line, failed]))?.[0] ?? "";
  return { url, port: Number(new URL(url).port), signal: (name) => void child.kill(name), ended };
}

/** Options of node under which a package is not there. */
export function withoutPackage(name: string): string[] {
  const hook = `import { registerHooks } from "node:module";
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier !== ${JSON.stringify(name)}) return next(specifier, context);
        throw Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
      },
    });`;
  return ["--import", `data:text/javascript,${encodeURIComponent(hook)}`];
}

/** Ends what a test left running. */
export async function killAll(): Promise<void> {
  for (const child of running) {
    child.kill("SIGKILL");
    await once(child, "close");
  }
}

function start(
  args: readonly string[],
  { env, node = [], input }: RunOptions,
): { child: ChildProcess; ended: Promise<Ended> } {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(SENTIERO_|NODE_|VITEST)/.test(name));
  const child = spawn(process.execPath, [...node, MAIN, ...args], {
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    env: { ...Object.fromEntries(inherited), ...env },
  });
  running.add(child);
  let stdout = "";
  let stderr = "";
  child.stdout!.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr!.on("data", (chunk) => (stderr += String(chunk)));
  const ended = once(child, "close").then(([code, signal]): Ended => {
    running.delete(child);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null, stdout, stderr };
  });
  return { child, ended };
}
