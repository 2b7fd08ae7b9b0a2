import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SessionList } from "../../src/index.ts";
import { batch } from "../support/sentiero.ts";
import { runtimeProgram } from "../support/runtime-packages.ts";
import { startWorkerd } from "../support/workerd.ts";
import { ADAPTER_CONTRACT, type Differences, type Server } from "./contract.ts";

/** Every adapter in the real runtimes and frameworks, by the built package and over real connections. */
function contractOf(name: string, start: () => Promise<Server>, differences: Differences = {}): void {
  describe(`adapter contract: ${name}`, () => {
    let server: Server;
    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server?.stop());
    for (const { name, run } of ADAPTER_CONTRACT) test(name, { timeout: 90_000 }, () => run(server, differences));
  });
}

const path = (name: string) => fileURLToPath(new URL(`../runtimes/${name}`, import.meta.url));
const nodeOf = (version: number) => path(`node_modules/node${version}/bin/node`);

/** Packages are those that npm has installed. */
const DENO = ["-A", "--node-modules-dir=manual", "--cached-only", "--no-config"];

contractOf("Node 22", () => startProcess(nodeOf(22), ["servers/node.ts"]));
contractOf("Node 26", () => startProcess(nodeOf(26), ["servers/node.ts"]));
for (const place of ["before", "mounted", "router", "after-json"]) {
  contractOf(`Express 5, ${place}`, () => startProcess(nodeOf(22), ["servers/express.ts", place]));
}
for (const place of ["before", "after-body"]) {
  contractOf(`Koa 3, ${place}`, () => startProcess(nodeOf(26), ["servers/koa.ts", place]));
}
contractOf("Fastify 5", () => startProcess(nodeOf(22), ["servers/fastify.ts"]));
contractOf("Hono on Node", () => startProcess(nodeOf(22), ["servers/hono.ts"]));
contractOf("Deno", () => startProcess(runtimeProgram("deno"), ["run", ...DENO, "servers/deno.ts"]));
contractOf("Bun", () => startProcess(runtimeProgram("bun"), ["servers/bun.ts"]));
contractOf("Cloudflare Workers, D1 and R2 in workerd", () => startWorkerd(path("servers/worker.ts")), {
  // What stands before workerd on one machine.
  tellsDisconnects: false,
  dropsConnections: true,
});

describe("`export default createSentiero(…)`, unchanged", () => {
  const file = "servers/default-export.ts";
  const runtimes: readonly (readonly [string, () => Promise<Server>])[] = [
    ["bun", () => startProcess(runtimeProgram("bun"), [file], { BUN_PORT: "0" })],
    [
      "deno serve",
      () => startProcess(runtimeProgram("deno"), ["serve", ...DENO, "--host=127.0.0.1", "--port=0", file]),
    ],
    ["workerd", () => startWorkerd(path(file))],
  ];
  test.each(runtimes)("is a server under %s", { timeout: 60_000 }, async (_, start) => {
    const server = await start();
    try {
      const base = `http://127.0.0.1:${server.port}/sentiero`;
      const body = JSON.stringify(batch({ sessionId: "of-a-default-export" }));
      expect((await fetch(`${base}/events`, { method: "POST", body })).status).toBe(200);
      const list = (await (await fetch(`${base}/api/sessions`)).json()) as SessionList;
      expect(list.sessions).toMatchObject([{ id: "of-a-default-export", eventCount: 1 }]);
      expect(await (await fetch(base)).text()).toContain("<title>");
      expect((await fetch(`http://127.0.0.1:${server.port}/`)).status).toBe(404);
    } finally {
      await server.stop();
    }
  });
});

/** Starts a server that prints its port: as a line of JSON, or in the address that the runtime tells. */
async function startProcess(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const options = { cwd: path("."), env: { ...process.env, ...env } };
  const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const gone = new Promise<number | null>((resolve) => child.once("exit", resolve));
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-10_000)));
  const port = await new Promise<number>((resolve, reject) => {
    for (const output of [child.stdout, child.stderr]) {
      createInterface(output).on("line", (line) => {
        const port = /^\{"port":(\d+)\}$|https?:\/\/[\w.]+:(\d+)/.exec(line)?.slice(1).find(Boolean);
        if (port) resolve(Number(port));
      });
    }
    void gone.then((code) => reject(new Error(`${program} ${args.join(" ")} ended (${code}): ${errors}`)));
  });
  return {
    port,
    async stop() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
