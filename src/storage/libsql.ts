import type { SqlDatabase } from "./sql-database.ts";
import type { Sql } from "./sql-statements.ts";
import { connectBatches } from "./sqlite-batches.ts";

/** What is used of a client of `@libsql/client`: a local file, or a server over HTTP or a WebSocket. */
export interface LibsqlClient {
  execute(statement: LibsqlStatement | string): Promise<LibsqlResult>;
  batch(statements: LibsqlStatement[], mode: "write"): Promise<LibsqlResult[]>;
  readonly protocol: string;
}

interface LibsqlStatement {
  readonly sql: string;
  readonly args: unknown[];
}

interface LibsqlResult {
  readonly rows: readonly unknown[];
  readonly rowsAffected: number;
}

/** A server takes statements as JSON with bytes in base64, and refuses bodies far above this. */
export const LIBSQL_MAX_BLOB_BYTES: number = 4 * 1024 * 1024;

/** A libSQL database. `open` is asked each time, because a connector may connect again. */
export function connectLibsql(open: () => LibsqlClient | Promise<LibsqlClient>): SqlDatabase {
  return connectBatches({
    query: async (statement) => (await (await open()).execute(toStatement(statement))).rows,
    async batch(statements) {
      const results = await (await open()).batch(statements.map(toStatement), "write");
      return results.map(({ rowsAffected }) => rowsAffected);
    },
    async prepare() {
      const client = await open();
      if (client.protocol !== "file") return;
      // A busy timeout of SQLite's own would block the event loop for its whole length.
      for (const setting of ["busy_timeout = 0", "journal_mode = WAL", "synchronous = FULL", "secure_delete = ON"]) {
        await client.execute(`PRAGMA ${setting}`);
      }
    },
    check: async () => [],
    async scrub() {
      const client = await open();
      if (client.protocol !== "file") return;
      await client.execute("VACUUM");
      await client.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    },
  });
}

function toStatement({ sql, params }: Sql): LibsqlStatement {
  return { sql, args: [...params] };
}
