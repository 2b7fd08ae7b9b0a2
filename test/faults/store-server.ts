import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Message, Question } from "../support/store-process.ts";

const running = new Set<ChildProcess>();

/** A process of ours that serves a store; see `store-process.ts`. */
export interface StoreServer {
  /** Address with the base path, without a slash at the end. */
  readonly url: string;
  signal(name: NodeJS.Signals): void;
  /** Resolves when the process is gone, with what it wrote on stderr: its faults. */
  readonly ended: Promise<{ readonly signal: NodeJS.Signals | null; readonly stderr: string }>;
  ask(question: Question): Promise<number>;
}

/**
 * Starts a process over a storage and waits until it listens.
 * @throws Error with what it wrote, when it ends instead.
 */
export async function serveStore(storage: string, nodeOptions: readonly string[] = []): Promise<StoreServer> {
  const child = fork(new URL("../support/store-process.ts", import.meta.url), [storage], {
    execArgv: ["--disable-warning=ExperimentalWarning", ...nodeOptions],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  running.add(child);
  let stderr = "";
  child.stderr!.on("data", (chunk) => (stderr += String(chunk)));
  const ended = once(child, "close").then(([, signal]) => {
    running.delete(child);
    return { signal: signal as NodeJS.Signals | null, stderr };
  });
  const failed = ended.then(({ signal }) => {
    throw new Error(`the process over ${storage} has ended (${signal}): ${stderr}`);
  });
  // Only who waits for an answer is told.
  failed.catch(() => {});
  const next = async () => (await Promise.race([once(child, "message"), failed]))[0] as Message;
  const message = await next();
  if (!("port" in message)) throw new Error("the process has answered before it was asked");
  return {
    url: `http://127.0.0.1:${message.port}/sentiero`,
    signal: (name) => void child.kill(name),
    ended,
    async ask(question) {
      const answered = next();
      child.send(question);
      const told = await answered;
      if (!("answer" in told)) throw new Error(`the process has not answered: ${JSON.stringify(told)}`);
      return told.answer;
    },
  };
}

/** Ends what a test left running. */
export async function killServers(): Promise<void> {
  for (const child of running) {
    child.kill("SIGKILL");
    await once(child, "close");
  }
}
