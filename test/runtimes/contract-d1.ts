/** A Worker that runs the contract on its D1 binding `DB` and answers with a line of JSON for each case. */
import { createDatabase } from "db0";
import d1 from "db0/connectors/cloudflare-d1";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { createWebPlatform } from "../../src/platform.ts";
import { openStore } from "../../src/storage/open.ts";
import type { Store } from "../../src/storage/store.ts";
import { storeContract } from "../../src/testing.ts";

const TABLES = ["sentiero_terms", "sentiero_documents", "sentiero_blobs", "sentiero_meta"];

const database = createDatabase(d1({ bindingName: "DB" }));
const storage = createStorage({ driver: db0Driver({ database }) });
let isUsed = false;

async function open(): Promise<Store> {
  if (isUsed) for (const table of TABLES) await database.exec(`DELETE FROM ${table}`);
  isUsed = true;
  const store = openStore(storage, { platform: createWebPlatform(), maxMemoryBytes: 1, warn: () => {} });
  await store.documents.count("none", { max: 1 });
  return store;
}

export default {
  async fetch(): Promise<Response> {
    const lines: string[] = [];
    for (const { name, run } of storeContract(open)) {
      const error = await run().then(
        () => null,
        (reason: unknown) => String(reason),
      );
      lines.push(JSON.stringify({ name, error }));
    }
    return new Response(lines.join("\n"));
  },
};
