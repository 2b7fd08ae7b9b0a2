import cookie from "@fastify/cookie";
import formbody from "@fastify/formbody";
import { createDatabase } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import fastify, { type FastifyRequest } from "fastify";
import { createSentiero } from "sentiero";
import { toNodeHandler } from "sentiero/node";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { renderPage, renderSignIn } from "./page.ts";
import { isPassword } from "./password.ts";

const database = createDatabase(nodeSqlite({ path: process.env.SENTIERO_DB ?? "sentiero.sqlite" }));
const sentiero = createSentiero({
  storage: createStorage({ driver: db0Driver({ database }) }),
  // Fastify's own request, with its signed cookies.
  authorize: (request, { context }) => {
    const { cookies, unsignCookie } = context as FastifyRequest;
    const { valid, value } = unsignCookie(cookies.user ?? "");
    return (valid && value === "ada") || Response.redirect(new URL("/sign-in", request.url));
  },
});

const app = fastify();
await app.register(cookie, { secret: process.env.SESSION_SECRET ?? "only for this example" });
await app.register(formbody);
const handle = toNodeHandler(sentiero);
// Before Fastify reads a body; whatever is not sentiero's goes on.
app.addHook("onRequest", (request, reply, done) => handle(request.raw, reply.raw, done, request));

app.get("/sign-in", (_, reply) => reply.type("text/html").send(renderSignIn()));
app.post("/sign-in", (request, reply) => {
  const { password } = request.body as { password?: unknown };
  if (!isPassword(String(password))) return reply.code(403).type("text/html").send(renderSignIn("Try again."));
  return reply.setCookie("user", "ada", { signed: true, httpOnly: true, sameSite: "lax" }).redirect("/sentiero");
});
for (const path of ["/", "/hours"]) {
  app.get(path, (_, reply) => reply.type("text/html").send(renderPage(path, sentiero.scriptTag())));
}

const port = Number(process.env.PORT ?? 3000);
await app.listen({ port });
console.log(`http://localhost:${port}`);
