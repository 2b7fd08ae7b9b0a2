/** Two Workers as they are deployed: what is known of recordings in D1, the recordings in R2 or KV. */
import { createDatabase } from "db0";
import d1 from "db0/connectors/cloudflare-d1";
import { createStorage, type Driver } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { toWorker, type Worker } from "../../../dist/adapters/cloudflare.js";
import { createSentiero } from "../../../dist/src/index.js";

/** Outside of sentiero `POST /later` lets an hour pass. */
export function createWorker<Env>(openBlobs: (env: Env) => Driver): Worker<Env> {
  let laterMs = 0;
  return toWorker(
    (env: Env) => {
      const storage = createStorage({ driver: db0Driver({ database: createDatabase(d1({ bindingName: "DB" })) }) });
      storage.mount("batches", openBlobs(env));
      return createSentiero({ storage, allowInsecureDashboard: true, clock: () => Date.now() + laterMs });
    },
    {
      next() {
        laterMs += 3_600_000;
        return new Response("later");
      },
    },
  );
}
