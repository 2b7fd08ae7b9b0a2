// Run as a process of its own: opens the SQLite file that is named first and writes documents that carry the second name.

import { nodePlatform } from "../../adapters/node-platform.ts";
import { openStorage } from "../../src/cli/storage.ts";
import { createWebPlatform } from "../../src/platform.ts";
import { openStore } from "../../src/storage/open.ts";

const [, , file, name] = process.argv;
const storage = await openStorage(`sqlite:${file}`);
const platform = Object.assign(createWebPlatform(), nodePlatform);
const store = openStore(storage, { platform, maxMemoryBytes: 1, warn: () => {} });
const writes = await Promise.all(
  Array.from({ length: 40 }, (_, index) =>
    store.documents.put("main/items", `${name}-${index}`, {}, { score: 1, expectedVersion: 0 }),
  ),
);
await store.close();
process.send!(`wrote ${writes.filter(Boolean).length}`);
process.disconnect();
