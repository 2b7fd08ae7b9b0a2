import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeBrowser, launch } from "../browser/support/browser.ts";
import { runtimeProgram } from "../support/runtime-packages.ts";
import { startWorkerd } from "../support/workerd.ts";
import { installExample, startExample } from "./support/example.ts";
import { PASSWORD, type SignIn, visitExample } from "./support/visit.ts";

const TSC = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));

interface Server {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly signIn: SignIn;
}

const SERVERS: readonly Server[] = [
  { name: "node", command: [process.execPath, "server.ts"], signIn: "basic" },
  { name: "express", command: [process.execPath, "server.ts"], signIn: "page" },
  { name: "koa", command: [process.execPath, "server.ts"], signIn: "page" },
  { name: "fastify", command: [process.execPath, "server.ts"], signIn: "page" },
  { name: "hono", command: [process.execPath, "server.ts"], signIn: "page" },
  // The compiler that checks it writes it too.
  { name: "nest", command: [process.execPath, "dist/main.js"], signIn: "page" },
  {
    name: "deno",
    command: [
      runtimeProgram("deno"),
      "run",
      "--cached-only",
      "--allow-net",
      "--allow-env",
      "--allow-read",
      "--allow-write",
      "--allow-sys",
      "server.ts",
    ],
    signIn: "basic",
  },
  { name: "bun", command: [runtimeProgram("bun"), "server.ts"], signIn: "basic" },
];

describeBrowser("an example", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  it.each(SERVERS)(
    "for $name is sound, records a visit and shows it to who signs in",
    { timeout: 120_000 },
    async (server) => {
      const { path, remove } = await installExample(server.name, "runtimes");
      try {
        check(path);
        const running = await startExample(path, server.command);
        try {
          await visitExample(browser, running.url, server.signIn);
        } finally {
          await running.stop();
        }
      } finally {
        await remove();
      }
    },
  );

  it(
    "for Cloudflare Workers is sound, records a visit and shows it to who signs in",
    { timeout: 120_000 },
    async () => {
      const { path, remove } = await installExample("cloudflare", "runtimes");
      try {
        check(path);
        const bindings = { DASHBOARD_PASSWORD: PASSWORD };
        const worker = await startWorkerd(`${path}/worker.ts`, { bindings });
        try {
          await visitExample(browser, `http://localhost:${worker.port}`, "basic");
        } finally {
          await worker.stop();
        }
      } finally {
        await remove();
      }
    },
  );
});

/** Types as an editor would see them. */
function check(path: string): void {
  const { status, stdout } = spawnSync(process.execPath, [TSC, "-p", "."], { cwd: path, encoding: "utf8" });
  expect(status, stdout).toBe(0);
}
