/** A Worker over D1 and R2. */
import { createDatabase } from "db0";
import d1 from "db0/connectors/cloudflare-d1";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import r2Driver from "unstorage/drivers/cloudflare-r2-binding";
import { toWorker } from "../../../dist/adapters/cloudflare.js";
import { createContractSentiero } from "./app.ts";

export default toWorker(
  ({ BUCKET }: { BUCKET: never }) => {
    const storage = createStorage({ driver: db0Driver({ database: createDatabase(d1({ bindingName: "DB" })) }) });
    storage.mount("batches", r2Driver({ binding: BUCKET }));
    return createContractSentiero(storage);
  },
  { next: () => new Response("next") },
);
