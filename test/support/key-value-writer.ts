// Run as a process of its own: writes documents and blobs into the folder that is named first until it is killed, and
// says what was answered. The second argument is the round, which the documents carry.

import { createHash } from "node:crypto";
import { createStorage } from "unstorage";
import fs from "unstorage/drivers/fs";
import { nodePlatform } from "../../adapters/node-platform.ts";
import { createWebPlatform } from "../../src/platform.ts";
import { openStore } from "../../src/storage/open.ts";

const [, , folder, round] = process.argv;
const platform = Object.assign(createWebPlatform(), nodePlatform);
const storage = createStorage({ driver: fs({ base: folder }) });
const { documents, blobs } = openStore(storage, { platform, maxMemoryBytes: 1, warn: () => {} });

/** One writer of documents of its own: makes them, changes and moves them. */
async function write(worker: number): Promise<void> {
  for (let n = 0; ; n++) {
    const id = `doc-${worker}-${n % 7}`;
    const stored = await documents.get<{ n: number }>("main/items", id);
    const version = stored?.version ?? 0;
    const doc = { round, n, text: "x".repeat(20_000) };
    const score = Number(round) * 1_000_000 + n;
    if (!(await documents.put("main/items", id, doc, { score, terms: [`worker-${worker}`], expectedVersion: version })))
      throw new Error(`the put of ${id} was refused`);
    process.send!({ id, version: version + 1, n, score });
    if (n % 5 > 0) continue;
    const bytes = createHash("sha512").update(`${round}-${worker}-${n}`).digest();
    const key = `batches:main:${worker}:${round}-${n}`;
    await blobs.create(key, new Uint8Array(Buffer.concat(Array<Buffer>(500).fill(bytes))));
    process.send!({ key, digest: bytes.toString("hex") });
  }
}

await Promise.all(Array.from({ length: 6 }, (_, worker) => write(worker)));
