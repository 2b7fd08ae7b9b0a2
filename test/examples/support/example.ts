import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** An example as somebody would have installed it. */
export interface Example {
  readonly path: string;
  remove(): Promise<void>;
}

/**
 * Copies an example to below `folder`, a folder of packages in `test/`, and the built package into its `node_modules`: not as
 * a link, so that bundlers and runtimes find what a user's would.
 */
export async function installExample(name: string, folder: "runtimes" | "examples"): Promise<Example> {
  const path = join(root, "test", folder, ".work", `${name}-${randomBytes(4).toString("hex")}`);
  const source = join(root, "examples", name);
  await mkdir(path, { recursive: true });
  for (const file of await readdir(source)) {
    if (file !== "node_modules" && file !== "dist") await cp(join(source, file), join(path, file), { recursive: true });
  }
  const sentiero = join(path, "node_modules", "sentiero");
  await mkdir(sentiero, { recursive: true });
  await cp(join(root, "package.json"), join(sentiero, "package.json"));
  await cp(join(root, "dist"), join(sentiero, "dist"), { recursive: true });
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** A program of an example that listens. */
export interface Running {
  readonly url: string;
  /** What it has written so far. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts a program in a folder, with `PORT` of `env` or else a free one, and waits until it answers there. */
export async function startExample(
  path: string,
  [program, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const port = env.PORT ?? String(await findFreePort());
  const child = spawn(program, args, {
    cwd: path,
    env: { ...process.env, ...env, PORT: port, SENTIERO_DB: join(path, "sentiero.sqlite") },
    stdio: ["ignore", "pipe", "pipe"],
    // What it starts itself ends with it.
    detached: true,
  });
  let written = "";
  for (const output of [child.stdout, child.stderr]) {
    createInterface(output).on("line", (line) => (written = `${written}${line}\n`.slice(-20_000)));
  }
  let isGone = false;
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => {
      isGone = true;
      resolve();
    });
  });
  const url = `http://localhost:${port}`;
  while (!(await answers(url))) {
    if (isGone) throw new Error(`${program} ${args.join(" ")} ended:\n${written}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url,
    output: () => written,
    async stop() {
      if (!isGone) process.kill(-child.pid!, "SIGKILL");
      await gone;
    },
  };
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

/** A port that nobody listens on at the moment. */
export async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
