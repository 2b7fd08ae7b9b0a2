import type { RequestEvent } from "@sveltejs/kit";
import { createDatabase } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import { createSentiero } from "sentiero";
import { nodePlatform } from "sentiero/node";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { isSession, SESSION_COOKIE } from "./session.ts";

const database = createDatabase(nodeSqlite({ path: process.env.SENTIERO_DB ?? "sentiero.sqlite" }));

export const sentiero = createSentiero({
  storage: createStorage({ driver: db0Driver({ database }) }),
  platform: nodePlatform,
  // The context is what the hook hands over.
  authorize: (_, { context }) =>
    isSession((context as RequestEvent).cookies.get(SESSION_COOKIE)) ||
    new Response(null, { status: 302, headers: { location: "/sign-in" } }),
});
