import { createDatabase } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import { createSentiero } from "sentiero";
import { toDenoHandler } from "sentiero/deno";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { renderPage } from "./page.ts";

const database = createDatabase(nodeSqlite({ path: Deno.env.get("SENTIERO_DB") ?? "sentiero.sqlite" }));
const sentiero = createSentiero({
  storage: createStorage({ driver: db0Driver({ database }) }),
  basicAuth: { user: "ada", password: Deno.env.get("SENTIERO_PASSWORD") ?? "lovelace" },
});
const handle = toDenoHandler(sentiero);
const port = Number(Deno.env.get("PORT") ?? 3000);

Deno.serve({ port, onListen: () => console.log(`http://localhost:${port}`) }, (request, info) =>
  handle(request, info, ({ url }) => {
    const html = renderPage(new URL(url).pathname, sentiero.scriptTag());
    return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
  }),
);
