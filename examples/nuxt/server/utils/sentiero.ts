import { createDatabase } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import type { H3Event } from "h3";
import { createSentiero } from "sentiero";
import { nodePlatform } from "sentiero/node";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";

const database = createDatabase(nodeSqlite({ path: process.env.SENTIERO_DB ?? "sentiero.sqlite" }));

export const sentiero = createSentiero({
  storage: createStorage({ driver: db0Driver({ database }) }),
  platform: nodePlatform,
  // The context is what the route hands over.
  authorize: async (_, { context }) =>
    (await isSignedIn(context as H3Event)) || new Response(null, { status: 302, headers: { location: "/sign-in" } }),
});
