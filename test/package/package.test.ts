import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("the package, packed and put into a fresh project", () => {
  let project: string;

  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), "sentiero-pack-"));
    const modules = join(project, "node_modules");
    mkdirSync(modules);
    // The build is there already; its scripts would make it anew under the feet of other tests.
    execFileSync("npm", ["pack", "--ignore-scripts", "--silent", "--pack-destination", project], { cwd: root });
    const [tarball] = readdirSync(project).filter((name) => name.endsWith(".tgz"));
    execFileSync("tar", ["-xzf", tarball!], { cwd: project });
    execFileSync("mv", ["package", "node_modules/sentiero"], { cwd: project });
    for (const name of ["unstorage", "db0", "valibot", "bowser"])
      symlinkSync(join(root, "node_modules", name), join(modules, name));
    writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module", private: true }));
  }, 60_000);
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  function run(name: string, source: string, args: readonly string[] = []): { status: number | null; output: string } {
    writeFileSync(join(project, name), source);
    const { status, stdout, stderr } = spawnSync(process.execPath, [...args, name], { cwd: project, encoding: "utf8" });
    return { status, output: stdout + stderr };
  }

  it("gives every entry, takes a batch, and serves the recorder and the dashboard", () => {
    const { status, output } = run(
      "app.js",
      `
      import * as sentiero from "sentiero";
      import * as node from "sentiero/node";
      import * as testing from "sentiero/testing";
      import * as connectors from "sentiero/connectors";
      import * as recorder from "sentiero/recorder";
      const adapters = await Promise.all(
        ["express", "koa", "deno", "bun", "cloudflare"].map((name) => import("sentiero/" + name)),
      );
      const { fetch, scriptTag } = sentiero.createSentiero({ allowInsecureDashboard: true });
      const ask = (path, init) => fetch(new Request("http://localhost/sentiero" + path, init));
      const body = JSON.stringify({ sessionId: "test", windowId: "test", events: [{ type: 4, timestamp: 1 }] });
      const src = /src="([^"]+)"/.exec(scriptTag())[1];
      console.log(JSON.stringify({
        adapters: adapters.map((entry) => Object.keys(entry).sort()),
        names: [sentiero, node, testing, connectors, recorder].map((entry) => Object.keys(entry).sort()),
        posted: (await ask("/events", { method: "POST", body })).status,
        loader: (await ask(src.slice("/sentiero".length))).status,
        recorder: (await ask("/recorder.js")).status,
        page: (await ask("/")).status,
        frame: (await ask("/replay-frame")).status,
      }));`,
    );
    const line = output.split("\n").find((text) => text.startsWith("{"));
    expect({ status, ...JSON.parse(line ?? "{}") }).toEqual({
      status: 0,
      names: [
        ["SentieroError", "createSentiero"],
        ["nodePlatform", "toNodeHandler"],
        ["storeContract"],
        ["mysqlPool", "postgresPool"],
        ["sentiero"],
      ],
      adapters: [
        ["nodePlatform", "toExpressHandler"],
        ["nodePlatform", "toKoaMiddleware"],
        ["nodePlatform", "toDenoHandler"],
        ["nodePlatform", "toBunHandler"],
        ["readAssetFrom", "toWorker"],
      ],
      posted: 200,
      loader: 200,
      recorder: 200,
      page: 200,
      frame: 200,
    });
  });

  /** Compiles a module of a strict project, without writing anything. */
  function checkTypes(folder: string, source: string): { status: number | null; stdout: string } {
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        compilerOptions: {
          module: "NodeNext",
          target: "ES2023",
          lib: ["ES2023", "DOM"],
          strict: true,
          noEmit: true,
          types: [],
          skipLibCheck: true,
        },
        files: ["app.ts"],
      }),
    );
    writeFileSync(join(folder, "app.ts"), source);
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", folder], { encoding: "utf8" });
    return { status, stdout };
  }

  it("has types that a strict project can use", () => {
    const result = checkTypes(
      project,
      `import { createSentiero, type SessionSummary } from "sentiero";
       import { sentiero as recorder } from "sentiero/recorder";
       const sentiero = createSentiero({ basicAuth: { user: "ada", password: "secret" } });
       const answer: Promise<Response> = sentiero.fetch(new Request("http://localhost/sentiero"));
       const first: Promise<SessionSummary | undefined> = sentiero.store.sessions.list({ limit: 1 }).then(({ sessions }) => sessions[0]);
       recorder.start({ eventsUrl: "/sentiero/events" });
       recorder.track("bought", { plan: "pro" });
       const id: string | null = recorder.getSessionId();
       // @ts-expect-error two ways to open the dashboard exclude each other
       createSentiero({ basicAuth: { user: "ada", password: "secret" }, allowInsecureDashboard: true });
       export { answer, first, id };`,
    );
    expect(result).toEqual({ status: 0, stdout: "" });
  });

  it("takes a storage of another copy of unstorage than its own", () => {
    // TypeScript tells the storages of two copies apart even where the copies are the same.
    const folder = join(project, "other");
    cpSync(join(root, "node_modules", "unstorage"), join(folder, "node_modules", "unstorage"), { recursive: true });
    const result = checkTypes(
      folder,
      `import { createSentiero } from "sentiero";
       import { createStorage } from "unstorage";
       createSentiero({ storage: createStorage() });
       // @ts-expect-error not a storage
       createSentiero({ storage: new Map() });`,
    );
    expect(result).toEqual({ status: 0, stdout: "" });
  });

  it("has a command that answers", () => {
    const main = join(project, "node_modules", "sentiero", "dist", "src", "cli", "main.js");
    expect(spawnSync(process.execPath, [main, "--help"], { encoding: "utf8" }).stdout).toContain("sentiero <command>");
  });
});
