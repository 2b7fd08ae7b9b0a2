import { bodyParser } from "@koa/bodyparser";
import { createDatabase } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import Koa, { type Context } from "koa";
import { createSentiero } from "sentiero";
import { toKoaMiddleware } from "sentiero/koa";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { renderPage, renderSignIn } from "./page.ts";
import { isPassword } from "./password.ts";

const database = createDatabase(nodeSqlite({ path: process.env.SENTIERO_DB ?? "sentiero.sqlite" }));
const sentiero = createSentiero({
  storage: createStorage({ driver: db0Driver({ database }) }),
  // Koa's own context, with its signed cookies.
  authorize: (request, { context }) =>
    (context as Context).cookies.get("user", { signed: true }) === "ada" ||
    Response.redirect(new URL("/sign-in", request.url)),
});

const app = new Koa();
app.keys = [process.env.SESSION_SECRET ?? "only for this example"];
// Before parsers of bodies.
app.use(toKoaMiddleware(sentiero));
app.use(bodyParser());

app.use((context) => {
  const { method, path } = context;
  if (path === "/sign-in" && method === "POST") {
    const { password } = context.request.body as { password?: unknown };
    if (isPassword(String(password))) {
      context.cookies.set("user", "ada", { signed: true, sameSite: "lax" });
      context.redirect("/sentiero");
    } else {
      context.status = 403;
      context.body = renderSignIn("Try again.");
    }
  } else if (path === "/sign-in") context.body = renderSignIn();
  else if (path === "/" || path === "/hours") context.body = renderPage(path, sentiero.scriptTag());
});

const port = Number(process.env.PORT ?? 3000);
app.listen(port, () => console.log(`http://localhost:${port}`));
