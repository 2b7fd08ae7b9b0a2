/** The same file for `bun`, `deno serve` and workerd: what has a `fetch` is a server there. */
import { createSentiero } from "../../../dist/src/index.js";

export default createSentiero({ allowInsecureDashboard: true });
