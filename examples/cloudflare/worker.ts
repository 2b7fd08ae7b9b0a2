import { createDatabase } from "db0";
import d1 from "db0/connectors/cloudflare-d1";
import { createSentiero } from "sentiero";
import { toWorker } from "sentiero/cloudflare";
import { createStorage } from "unstorage";
import r2Driver from "unstorage/drivers/cloudflare-r2-binding";
import db0Driver from "unstorage/drivers/db0";
import { renderPage } from "./page.ts";

interface Env {
  /** Binding of R2, where recordings lie; what is known of them is in D1. */
  readonly BUCKET: R2Bucket;
  /** `wrangler secret put DASHBOARD_PASSWORD` */
  readonly DASHBOARD_PASSWORD: string;
}

export default toWorker<Env>(
  ({ BUCKET, DASHBOARD_PASSWORD: password }) => {
    const storage = createStorage({ driver: db0Driver({ database: createDatabase(d1({ bindingName: "DB" })) }) });
    storage.mount("batches", r2Driver({ binding: BUCKET }));
    return createSentiero({ storage, basicAuth: { user: "ada", password } });
  },
  {
    next({ url }, sentiero) {
      const html = renderPage(new URL(url).pathname, sentiero.scriptTag());
      return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
    },
  },
);
