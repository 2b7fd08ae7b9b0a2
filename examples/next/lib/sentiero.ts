import { createDatabase } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import { cookies } from "next/headers";
import { createSentiero, type Sentiero } from "sentiero";
import { nodePlatform } from "sentiero/node";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import { isSession, SESSION_COOKIE } from "./session";

function create(): Sentiero {
  const database = createDatabase(nodeSqlite({ path: process.env.SENTIERO_DB ?? "sentiero.sqlite" }));
  return createSentiero({
    storage: createStorage({ driver: db0Driver({ database }) }),
    platform: nodePlatform,
    authorize: async () =>
      isSession((await cookies()).get(SESSION_COOKIE)?.value) ||
      new Response(null, { status: 302, headers: { location: "/sign-in" } }),
  });
}

// Next.js loads this module once for pages and once for routes, and again after each edit: they share the file's one owner.
const kept = globalThis as typeof globalThis & { sentiero?: Sentiero };
export const sentiero = (kept.sentiero ??= create());
