import { createDatabase } from "db0";
import bunSqlite from "db0/connectors/bun-sqlite";
import { createSentiero } from "sentiero";
import { toBunHandler } from "sentiero/bun";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { renderPage } from "./page.ts";

const database = createDatabase(bunSqlite({ path: process.env.SENTIERO_DB ?? "sentiero.sqlite" }));
const sentiero = createSentiero({
  storage: createStorage({ driver: db0Driver({ database }) }),
  basicAuth: { user: "ada", password: process.env.SENTIERO_PASSWORD ?? "lovelace" },
});
const handle = toBunHandler(sentiero);

const { port } = Bun.serve({
  port: Number(process.env.PORT ?? 3000),
  fetch: (request, server) =>
    handle(request, server, ({ url }) => {
      const html = renderPage(new URL(url).pathname, sentiero.scriptTag());
      return new Response(html, { headers: { "content-type": "text/html; charset=utf-8" } });
    }),
});
console.log(`http://localhost:${port}`);
