import { createDatabase } from "db0";
import nodeSqlite from "db0/connectors/node-sqlite";
import { createSentiero, type Sentiero } from "sentiero";
import { createStorage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";

const database = createDatabase(nodeSqlite({ path: process.env.SENTIERO_DB ?? "sentiero.sqlite" }));

export const sentiero: Sentiero = createSentiero({
  storage: createStorage({ driver: db0Driver({ database }) }),
  basicAuth: { user: "ada", password: process.env.SENTIERO_PASSWORD ?? "lovelace" },
});
