/** `express.ts [before | mounted | after-json | router]`: where in an Express app sentiero stands. */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { toExpressHandler, type ExpressHandler } from "../../../dist/adapters/express.js";
import { load } from "../load.ts";
import { announce, createContractSentiero } from "./app.ts";

interface App {
  use(...handlers: unknown[]): void;
  listen(port: number, host: string, callback: () => void): Server;
}

interface Express {
  (): App;
  json(options: object): ExpressHandler;
  Router(): App;
}

const { default: express } = (await load("express")) as { default: Express };
const app = express();
const handle = toExpressHandler(createContractSentiero());
const place = process.argv[2] ?? "before";
if (place === "mounted") app.use("/app", handle);
else if (place === "router") {
  const [outer, inner] = [express.Router(), express.Router()];
  inner.use("/sentiero", handle);
  outer.use("/", inner);
  app.use("/app", outer);
} else if (place === "after-json") {
  app.use(express.json({ limit: "1mb", type: ["application/json", "text/plain"] }));
  app.use(handle);
} else app.use(handle);
app.use((_: IncomingMessage, response: ServerResponse) => response.end("next"));
const server = app.listen(0, "127.0.0.1", () => announce((server.address() as AddressInfo).port));
