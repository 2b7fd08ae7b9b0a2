import { nodePlatform } from "../../../dist/adapters/node.js";
import { load } from "../load.ts";
import { announce, BASE_PATH, createContractSentiero } from "./app.ts";

interface Context {
  readonly req: { readonly raw: Request };
  text(text: string): Response;
}

interface Hono {
  all(path: string, handler: (context: Context) => Response | Promise<Response>): void;
  fetch(request: Request): Response | Promise<Response>;
}

const { Hono } = (await load("hono")) as { Hono: new () => Hono };
const { serve } = (await load("@hono/node-server")) as {
  serve(options: object, listening: (info: { port: number }) => void): void;
};
const { getConnInfo } = (await load("@hono/node-server/conninfo")) as {
  getConnInfo(context: Context): { remote: { address?: string } };
};

const sentiero = createContractSentiero();
Object.assign(sentiero.platform, nodePlatform);
const app = new Hono();
app.all(`${BASE_PATH}/*`, (context) => {
  const ip = getConnInfo(context).remote.address;
  return sentiero.fetch(Object.assign(context.req.raw, { ip }));
});
app.all("*", (context) => context.text("next"));
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => announce(port));
