import type { IncomingMessage, ServerResponse } from "node:http";
import { toNodeHandler } from "../../../dist/adapters/node.js";
import { load } from "../load.ts";
import { announce, createContractSentiero } from "./app.ts";

interface Fastify {
  addHook(
    name: "onRequest",
    hook: (request: { raw: IncomingMessage }, reply: { raw: ServerResponse }, done: () => void) => void,
  ): void;
  get(path: string, handler: () => string): void;
  listen(options: object): Promise<string>;
}

const { default: fastify } = (await load("fastify")) as { default: () => Fastify };
const app = fastify();
const handle = toNodeHandler(createContractSentiero());
// Before Fastify reads a body.
app.addHook("onRequest", (request, reply, done) => handle(request.raw, reply.raw, done));
app.get("*", () => "next");
announce(Number(new URL(await app.listen({ port: 0, host: "127.0.0.1" })).port));
