import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { importRuntimePackage } from "./runtime-packages.ts";

/** A Worker that runs in workerd. */
export interface Workerd {
  readonly port: number;
  /** The one file it was bundled to. */
  readonly bundle: Uint8Array;
  /** Time that workerd has worked so far, in ms: all of it, with what stands for D1, R2 and KV. */
  cpuMs(): number;
  /** Fires a cron trigger. */
  schedule(): Promise<void>;
  stop(): Promise<void>;
}

interface Miniflare {
  readonly ready: Promise<URL>;
  dispose(): Promise<void>;
}

/**
 * Bundles a module as wrangler does and runs it in workerd, with D1 as `DB`, R2 as `BUCKET`, KV as `KV` and the built browser
 * files as the static assets `ASSETS`; all is kept in memory.
 */
export async function startWorkerd(
  entry: string,
  { bindings = {}, flags = ["nodejs_compat"] }: { bindings?: object; flags?: readonly string[] } = {},
): Promise<Workerd> {
  const { Miniflare } = await importRuntimePackage<{ Miniflare: new (options: object) => Miniflare }>("miniflare");
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:workers", "node:*"],
  });
  const bundle = outputFiles[0]!;
  const before = new Set(findWorkerds());
  const worker = new Miniflare({
    host: "127.0.0.1",
    modules: [{ type: "ESModule", path: "worker.js", contents: bundle.text }],
    compatibilityDate: "2026-07-01",
    compatibilityFlags: flags,
    bindings,
    unsafeTriggerHandlers: true,
    d1Databases: ["DB"],
    r2Buckets: ["BUCKET"],
    kvNamespaces: ["KV"],
    assets: {
      directory: fileURLToPath(new URL("../../dist/assets", import.meta.url)),
      binding: "ASSETS",
      routerConfig: { has_user_worker: true },
    },
  });
  const { port } = await worker.ready;
  const pid = findWorkerds().find((pid) => !before.has(pid));
  return {
    port: Number(port),
    bundle: bundle.contents,
    cpuMs: () => readCpuMs(pid!),
    async schedule() {
      const answer = await fetch(`http://127.0.0.1:${port}/cdn-cgi/handler/scheduled`);
      if (!answer.ok) throw new Error(`scheduled: ${answer.status} ${await answer.text()}`);
    },
    stop: () => worker.dispose(),
  };
}

/** The processes of workerd that this one has started. */
function findWorkerds(): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))!;
      return name === "workerd" && Number(parent) === process.pid;
    } catch {
      // No process, or none any more.
      return false;
    }
  });
}

/** Linux counts in hundredths of a second. */
function readCpuMs(pid: string): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
