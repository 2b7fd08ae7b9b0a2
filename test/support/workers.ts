import { randomBytes } from "node:crypto";
import { importRuntimePackage } from "./runtime-packages.ts";

/** Bindings of a Worker, in workerd. */
export interface WorkerBindings {
  readonly d1: unknown;
  readonly kv: unknown;
  readonly r2: unknown;
  close(): Promise<void>;
}

interface Miniflare {
  getD1Database(name: string): Promise<unknown>;
  getKVNamespace(name: string): Promise<unknown>;
  getR2Bucket(name: string): Promise<unknown>;
  dispose(): Promise<void>;
}

/** An empty D1 database, KV namespace and R2 bucket, with what they need kept in memory. */
export async function startWorker(): Promise<WorkerBindings> {
  const { Miniflare } = await importRuntimePackage<{ Miniflare: new (options: object) => Miniflare }>("miniflare");
  const name = randomBytes(6).toString("hex");
  const worker = new Miniflare({
    modules: true,
    script: "export default { fetch: () => new Response() }",
    d1Databases: { DB: `db-${name}` },
    kvNamespaces: { KV: `kv-${name}` },
    r2Buckets: { BUCKET: `bucket-${name}` },
  });
  return {
    d1: await worker.getD1Database("DB"),
    kv: await worker.getKVNamespace("KV"),
    r2: await worker.getR2Bucket("BUCKET"),
    close: () => worker.dispose(),
  };
}
