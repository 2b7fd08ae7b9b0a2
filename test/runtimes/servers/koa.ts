/** `koa.ts [before | after-body]`: where in a Koa app sentiero stands. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { toKoaMiddleware, type KoaContext } from "../../../dist/adapters/koa.js";
import { load } from "../load.ts";
import { announce, createContractSentiero } from "./app.ts";

interface Koa {
  use(middleware: unknown): void;
  listen(port: number, host: string, callback: () => void): Server;
}

const { default: Koa } = (await load("koa")) as { default: new () => Koa };
const app = new Koa();
if (process.argv[2] === "after-body") {
  const { bodyParser } = (await load("@koa/bodyparser")) as { bodyParser(options: object): unknown };
  const extendTypes = { json: ["application/json", "text/plain"] };
  app.use(bodyParser({ jsonLimit: "1mb", extendTypes }));
}
// What stands around it sees when the answer is out.
app.use(async (context: KoaContext, next: () => Promise<unknown>) => {
  await next();
  if (!context.res.writableEnded && context.respond === false) console.error("not over yet");
});
app.use(toKoaMiddleware(createContractSentiero()));
app.use((context: { body: unknown }) => void (context.body = "next"));
const server = app.listen(0, "127.0.0.1", () => announce((server.address() as AddressInfo).port));
