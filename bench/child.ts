import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A process of a bench. It is asked over IPC and answers in order. */
export interface Child {
  /** Sends a question and resolves to the answer; rejects when the process ends instead. */
  ask<T>(question: Readonly<Record<string, unknown>>): Promise<T>;
  /** Lets the process end by itself, which writes a profile where one was asked for. */
  stop(): Promise<void>;
  kill(): void;
}

/**
 * Starts a file of `bench/` on this Node, bound to one core where `core` is given. `profile` names a folder for a CPU
 * profile, written when the process ends.
 */
export function startChild(
  file: string,
  args: readonly string[],
  { core, profile }: { core?: number | undefined; profile?: string | undefined },
): Child {
  const node = [
    process.execPath,
    ...(profile ? ["--cpu-prof", `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${args[0]}.cpuprofile`] : []),
    fileURLToPath(new URL(file, import.meta.url)),
    ...args,
  ];
  const [command, ...rest] = core === undefined ? node : ["taskset", "-c", String(core), ...node];
  const child = spawn(command!, rest, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const gone = once(child, "exit");
  return {
    async ask<T>(question: Readonly<Record<string, unknown>>) {
      const answer = once(child, "message") as Promise<[T]>;
      child.send(question, () => {});
      const ended = gone.then(([code, signal]) => {
        throw new Error(`${file} ${args[0] ?? ""} ended (${String(code ?? signal)})`);
      });
      return (await Promise.race([answer, ended]))[0];
    },
    async stop() {
      child.disconnect();
      await gone;
    },
    kill: () => void child.kill("SIGKILL"),
  };
}

/** Two different cores that this process may use, or undefined where processes cannot be bound to one. */
export function findCores(): { server: number; client: number } | undefined {
  const status = "/proc/self/status";
  if (!existsSync(status) || spawnSync("taskset", ["--version"]).status !== 0) return undefined;
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(status, "utf8"))?.[1] ?? "";
  const numbers = list.split(/[-,]/).map(Number);
  const [server, client] = [numbers[0]!, numbers.at(-1)!];
  return server === client || Number.isNaN(client) ? undefined : { server, client };
}
