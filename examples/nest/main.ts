import "reflect-metadata";
import { Body, Controller, Get, HttpCode, Module, Post, Req, Res } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { createDatabase } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import type { Request as ExpressRequest, Response as ExpressResponse } from "express";
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
  // The request as Nest's guards know it, with its session.
  authorize: (request, { context }) =>
    (context as ExpressRequest).session.user !== undefined || Response.redirect(new URL("/sign-in", request.url)),
});

@Controller()
class PageController {
  @Get(["/", "/hours"])
  show(@Req() request: ExpressRequest): string {
    return renderPage(request.path, sentiero.scriptTag());
  }

  @Get("/sign-in")
  ask(): string {
    return renderSignIn();
  }

  @Post("/sign-in")
  @HttpCode(303)
  signIn(@Body("password") password: unknown, @Req() request: ExpressRequest, @Res() response: ExpressResponse): void {
    if (!isPassword(String(password))) return void response.status(403).send(renderSignIn("Try again."));
    // A new id: nobody signs in under one that somebody else may know.
    request.session.regenerate(() => {
      request.session.user = "ada";
      response.redirect(303, "/sentiero");
    });
  }
}

@Module({ controllers: [PageController] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ["error", "warn"] });
app.use(
  session({
    secret: process.env.SESSION_SECRET ?? "only for this example",
    resave: false,
    saveUninitialized: false,
    cookie: { sameSite: "lax", httpOnly: true },
  }),
);
// Nest's own parsers of bodies come after what is used here.
app.use(toExpressHandler(sentiero));
const port = Number(process.env.PORT ?? 3000);
await app.listen(port);
console.log(`http://localhost:${port}`);
