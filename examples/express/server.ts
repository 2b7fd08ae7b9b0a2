import { createDatabase } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import express, { type Request as ExpressRequest } from "express";
import session from "express-session";
import { createSentiero } from "sentiero";
import { toExpressHandler } from "sentiero/express";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { renderPage, renderSignIn } from "./page.ts";
import { isPassword } from "./password.ts";

declare module "express-session" {
  interface SessionData {
    user?: string;
  }
}

const database = createDatabase(nodeSqlite({ path: process.env.SENTIERO_DB ?? "sentiero.sqlite" }));
const sentiero = createSentiero({
  storage: createStorage({ driver: db0Driver({ database }) }),
  // The request as Express knows it, with its session.
  authorize: (request, { context }) =>
    (context as ExpressRequest).session.user !== undefined || Response.redirect(new URL("/sign-in", request.url)),
});

const app = express();
app.use(
  session({
    secret: process.env.SESSION_SECRET ?? "only for this example",
    resave: false,
    saveUninitialized: false,
    cookie: { sameSite: "lax", httpOnly: true },
  }),
);
// Before parsers of bodies.
app.use(toExpressHandler(sentiero));

app.get("/sign-in", (_, response) => void response.send(renderSignIn()));
app.post("/sign-in", express.urlencoded({ extended: false }), (request, response) => {
  if (!isPassword(String(request.body.password))) return void response.status(403).send(renderSignIn("Try again."));
  // A new id: nobody signs in under one that somebody else may know.
  request.session.regenerate(() => {
    request.session.user = "ada";
    response.redirect("/sentiero");
  });
});
app.get(["/", "/hours"], (request, response) => void response.send(renderPage(request.path, sentiero.scriptTag())));

const port = Number(process.env.PORT ?? 3000);
app.listen(port, () => console.log(`http://localhost:${port}`));
