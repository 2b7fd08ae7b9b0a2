import kvDriver from "unstorage/drivers/cloudflare-kv-binding";
import { createWorker } from "./worker-app.ts";

export default createWorker(({ KV }: { KV: never }) => kvDriver({ binding: KV }));
