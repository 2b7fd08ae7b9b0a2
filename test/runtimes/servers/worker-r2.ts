import r2Driver from "unstorage/drivers/cloudflare-r2-binding";
import { createWorker } from "./worker-app.ts";

export default createWorker(({ BUCKET }: { BUCKET: never }) => r2Driver({ binding: BUCKET }));
