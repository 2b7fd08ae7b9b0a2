import { toDenoHandler, type DenoInfo } from "../../../dist/adapters/deno.js";
import { announce, createContractSentiero } from "./app.ts";

/** What is used of Deno, whose types are not installed. */
interface Deno {
  serve(options: object, handler: (request: Request, info: DenoInfo) => Promise<Response>): void;
}

const handle = toDenoHandler(createContractSentiero());
(globalThis as unknown as { Deno: Deno }).Deno.serve(
  { port: 0, hostname: "127.0.0.1", onListen: ({ port }: { port: number }) => announce(port) },
  (request, info) => handle(request, info, () => new Response("next")),
);
