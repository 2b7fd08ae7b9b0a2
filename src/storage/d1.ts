import type { SqlDatabase } from "./sql-database.ts";
import type { Sql, SqlValue } from "./sql-statements.ts";
import { connectBatches } from "./sqlite-batches.ts";

/** What is used of a D1 binding. */
export interface D1Client {
  prepare(sql: string): D1Statement;
  batch(statements: D1Statement[]): Promise<D1Result[]>;
}

interface D1Statement {
  bind(...params: unknown[]): D1Statement;
  all(): Promise<D1Result>;
}

interface D1Result {
  readonly results: readonly unknown[];
  readonly meta: { readonly changes?: number };
}

/** D1 takes rows of 2 MB, and gives bytes back as a list of numbers, which needs eight times their room. */
export const D1_MAX_BLOB_BYTES: number = 1_000_000;

/** A D1 database of Cloudflare. A batch is one transaction there. */
export function connectD1(open: () => D1Client | Promise<D1Client>): SqlDatabase {
  const bind = (client: D1Client, { sql, params }: Sql) => client.prepare(sql).bind(...params.map(toParam));
  return connectBatches({
    query: async (statement) => (await bind(await open(), statement).all()).results,
    async batch(statements) {
      const client = await open();
      const results = await client.batch(statements.map((statement) => bind(client, statement)));
      return results.map(({ meta }) => meta.changes ?? 0);
    },
    check: async () => [],
  });
}

/** A buffer of its own: a view into a larger one may be sent with all of it. */
function toParam(value: SqlValue): unknown {
  if (!(value instanceof Uint8Array)) return value;
  const { buffer, byteOffset, byteLength } = value;
  return byteLength === buffer.byteLength ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
}
