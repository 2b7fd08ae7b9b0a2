import { HTTPError } from "../errors.ts";

/**
 * The database cannot be reached, or has no room for us: codes of the runtime, SQLSTATE classes 08 (connection), 53
 * (resources) and 57P (shutdown, starting), a server that became read-only, and what MySQL's client and libSQL's say.
 */
const AWAY_CODE =
  /^(ECONN|EPIPE$|ETIMEDOUT$|ENOTFOUND$|EAI_|EHOST|ENET|UND_ERR_|08|53|57P|57014$|25006$|PROTOCOL_|POOL_|ER_CON_COUNT_ERROR$|ER_TOO_MANY_USER_CONNECTIONS$|ER_USER_LIMIT_REACHED$|ER_SERVER_SHUTDOWN$|ER_NORMAL_SHUTDOWN$|ER_NET_(?!PACKET)|ER_OPTION_PREVENTS_STATEMENT$|ER_OUT_OF_RESOURCES$|ER_QUERY_INTERRUPTED$|ER_CONNECTION_KILLED$|ER_DISK_FULL$|ER_RECORD_FILE_FULL$|HRANA_WEBSOCKET_ERROR$|HRANA_CLOSED_ERROR$|SERVER_ERROR$|SQLITE_FULL|SQLITE_IOERR)/;

/** What comes without a code. */
const AWAY_MESSAGE =
  /^Connection terminated|timeout exceeded when trying to connect|not queryable|Query read timeout|connection is in closed state|Connection lost|Pool is closed|pool after calling end|Queue limit reached|fetch failed|Network connection lost|D1 DB is overloaded|D1 DB storage operation exceeded timeout|D1_ERROR: internal error|database or disk is full|disk I\/O error/;

/** Somebody else was in the way; the transaction was rolled back and can be tried again. */
const CONFLICT_CODE =
  /^(40001|40P01|55P03|ER_LOCK_DEADLOCK|ER_LOCK_WAIT_TIMEOUT|ER_CHECKREAD|SQLITE_BUSY|SQLITE_LOCKED)/;
const CONFLICT_MESSAGE = /database (table )?is locked|SQLITE_BUSY|SQLITE_LOCKED/;

/** Whether an error says that the database is not there, rather than that a statement was wrong. */
export function isAway(error: unknown): boolean {
  return someError(error, ({ code, message }) => AWAY_CODE.test(code) || AWAY_MESSAGE.test(message));
}

/** Whether the same work may be done again: a deadlock, a failed serialization, a busy file. */
export function isConflict(error: unknown): boolean {
  return someError(error, ({ code, message }) => CONFLICT_CODE.test(code) || CONFLICT_MESSAGE.test(message));
}

/** The answer to who asked while the database is away. */
export function toUnavailable(cause: unknown): HTTPError {
  return new HTTPError(503, "the database is not available", { cause, headers: { "retry-after": "2" } });
}

/** The answer to who had to wait too long for others. */
export function toBusy(cause: unknown): HTTPError {
  return new HTTPError(503, "the database is busy, try again", { cause, headers: { "retry-after": "2" } });
}

/** Clients wrap the errors of the network, and a host with two addresses gives two of them. */
function someError(error: unknown, holds: (error: { code: string; message: string }) => boolean, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 4) return false;
  const { code, errors } = error as { code?: unknown; errors?: unknown };
  if (holds({ code: typeof code === "string" ? code : "", message: error.message })) return true;
  const inner = Array.isArray(errors) ? errors : [];
  return [error.cause, ...inner].some((one) => someError(one, holds, depth + 1));
}
