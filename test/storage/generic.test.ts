import { createStorage } from "unstorage";
import fs from "unstorage/drivers/fs";
import fsLite from "unstorage/drivers/fs-lite";
import { describe, test } from "vitest";
import { openStore } from "../../src/storage/open.ts";
import { storeContract } from "../../src/testing.ts";
import { openMemoryStore, platform, temporaryFolder } from "../support/stores.ts";

const OPTIONS = { platform, maxMemoryBytes: 1, warn: () => {} };

describe("contract: memory", () => {
  for (const { name, run } of storeContract(async () => openMemoryStore().store)) test(name, run);
});

describe("contract: fs", () => {
  const open = async () => openStore(createStorage({ driver: fs({ base: temporaryFolder() }) }), OPTIONS);
  for (const { name, run } of storeContract(open)) test(name, run);
});

describe("contract: fs-lite", () => {
  const open = async () => openStore(createStorage({ driver: fsLite({ base: temporaryFolder() }) }), OPTIONS);
  for (const { name, run } of storeContract(open)) test(name, run);
});
