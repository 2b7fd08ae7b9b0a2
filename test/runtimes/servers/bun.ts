import { toBunHandler, type BunServer } from "../../../dist/adapters/bun.js";
import { announce, createContractSentiero } from "./app.ts";

/** What is used of Bun, whose types are not installed. */
interface Bun {
  serve(options: { port: number; hostname: string; fetch(request: Request, server: BunServer): Promise<Response> }): {
    readonly port: number;
  };
}

const handle = toBunHandler(createContractSentiero());
const { port } = (globalThis as unknown as { Bun: Bun }).Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request, server) => handle(request, server, () => new Response("next")),
});
announce(port);
