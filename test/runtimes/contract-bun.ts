/** Runs the contract on bun:sqlite, in Bun, on files in the folder that is named, and prints a line of JSON for each case. */
import { createDatabase } from "db0";
import bunSqlite from "db0/connectors/bun-sqlite";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { createWebPlatform } from "../../src/platform.ts";
import { openStore } from "../../src/storage/open.ts";
import { storeContract } from "../../src/testing.ts";

const folder = process.argv[2]!;
let files = 0;

const cases = storeContract(async () => {
  const database = createDatabase(bunSqlite({ path: `${folder}/${files++}.sqlite` }));
  const storage = createStorage({ driver: db0Driver({ database }) });
  return openStore(storage, { platform: createWebPlatform(), maxMemoryBytes: 1, warn: () => {} });
});

for (const { name, run } of cases) {
  const error = await run().then(
    () => null,
    (reason: unknown) => String(reason),
  );
  console.log(JSON.stringify({ name, error }));
}
