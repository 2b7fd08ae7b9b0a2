import { createStorage } from "unstorage";
import { afterAll, beforeAll, describe, test } from "vitest";
import { openStore } from "../../src/storage/open.ts";
import { storeContract } from "../../src/testing.ts";
import { startS3, type S3Server } from "../support/s3.ts";
import { platform } from "../support/stores.ts";

const OPTIONS = { platform, maxMemoryBytes: 1, warn: () => {} };

let server: S3Server;
beforeAll(async () => {
  server = await startS3();
});
afterAll(() => server.close());

describe("contract: S3", () => {
  const open = async () => openStore(createStorage({ driver: await server.openBucket() }), OPTIONS);
  for (const { name, run } of storeContract(open)) test(name, run);
});
