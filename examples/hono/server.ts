import { serve } from "@hono/node-server";
import { createDatabase } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import { Hono } from "hono";
import { getSignedCookie, setSignedCookie } from "hono/cookie";
import { createSentiero } from "sentiero";
import { nodePlatform } from "sentiero/node";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { renderPage, renderSignIn } from "./page.ts";
import { isPassword } from "./password.ts";

const secret = process.env.SESSION_SECRET ?? "only for this example";
const database = createDatabase(nodeSqlite({ path: process.env.SENTIERO_DB ?? "sentiero.sqlite" }));
const sentiero = createSentiero({
  storage: createStorage({ driver: db0Driver({ database }) }),
  // Node's own zlib; on Deno, Bun and Workers leave it out.
  platform: nodePlatform,
  authorize: async (request, { context }) =>
    (await getSignedCookie(context as never, secret, "user")) === "ada" ||
    Response.redirect(new URL("/sign-in", request.url)),
});

const app = new Hono();
app.use(`${sentiero.options.basePath}/*`, (context) => sentiero.fetch(Object.assign(context.req.raw, { context })));

app.get("/sign-in", (context) => context.html(renderSignIn()));
app.post("/sign-in", async (context) => {
  const { password } = await context.req.parseBody();
  if (!isPassword(String(password))) return context.html(renderSignIn("Try again."), 403);
  await setSignedCookie(context, "user", "ada", secret, { httpOnly: true, sameSite: "Lax", path: "/" });
  return context.redirect("/sentiero");
});
for (const path of ["/", "/hours"]) app.get(path, (context) => context.html(renderPage(path, sentiero.scriptTag())));

const port = Number(process.env.PORT ?? 3000);
serve({ fetch: app.fetch, port }, () => console.log(`http://localhost:${port}`));
