import crypto from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import s3Driver from "unstorage/drivers/s3";
import { importRuntimePackage } from "./runtime-packages.ts";

/** An S3 server on a port of its own, over a folder that goes with it. */
export interface S3Server {
  readonly endpoint: string;
  /** A driver for an empty bucket. */
  openBucket(options?: { bulkDelete?: boolean; accessKeyId?: string }): Promise<ReturnType<typeof s3Driver>>;
  close(): Promise<void>;
}

interface S3rver {
  run(): Promise<{ port: number }>;
  close(): Promise<void>;
  configureBuckets(): Promise<void>;
}

const ACCOUNT = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER", region: "us-east-1" } as const;

/**
 * s3rver makes continuation tokens with single DES, which OpenSSL 3 no longer has. Triple DES with the same key three
 * times is the same cipher.
 */
function bringBackDes(): void {
  for (const name of ["createCipheriv", "createDecipheriv"] as const) {
    const create = crypto[name] as (cipher: string, key: Buffer, iv: Buffer) => unknown;
    Object.assign(crypto, {
      [name]: (cipher: string, key: Buffer, iv: Buffer) =>
        cipher === "des" ? create("des-ede3-cbc", Buffer.concat([key, key, key]), iv) : create(cipher, key, iv),
    });
  }
}

interface S3rverStore {
  getResourcePath(bucket: string, key: string, name: string): string;
  deleteObject(bucket: string, key: string): Promise<void>;
}

/** s3rver removes empty folders too, and stumbles where two objects of one are removed at once. */
async function keepFolders(): Promise<void> {
  const name = "s3rver/lib/stores/filesystem.js";
  const { default: Store } = await importRuntimePackage<{ default: { prototype: S3rverStore } }>(name);
  Store.prototype.deleteObject = async function deleteObject(bucket, key) {
    const files = ["object", "object.md5", "metadata.json"].map((file) => this.getResourcePath(bucket, key, file));
    await Promise.all(files.map((file) => rm(file, { force: true })));
  };
}

/** Starts the server. */
export async function startS3(): Promise<S3Server> {
  bringBackDes();
  await keepFolders();
  const { default: Server } = await importRuntimePackage<{ default: new (options: object) => S3rver }>("s3rver");
  const directory = mkdtempSync(join(tmpdir(), "sentiero-s3-"));
  const server = new Server({ directory, port: 0, address: "127.0.0.1", silent: true });
  const { port } = await server.run();
  const endpoint = `http://127.0.0.1:${port}`;
  let buckets = 0;
  return {
    endpoint,
    async openBucket(options = {}) {
      const bucket = `bucket-${process.pid}-${buckets++}`;
      const made = await fetch(`${endpoint}/${bucket}`, { method: "PUT" });
      if (!made.ok) throw new Error(`the bucket was not made: ${made.status} ${await made.text()}`);
      return s3Driver({ ...ACCOUNT, endpoint, bucket, ...options });
    },
    async close() {
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
