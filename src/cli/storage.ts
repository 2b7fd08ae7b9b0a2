import { existsSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { createDatabase, type Connector } from "db0";
import { createStorage, type Driver, type Storage } from "unstorage";
import db0Driver from "unstorage/drivers/db0";
import fsDriver from "unstorage/drivers/fs-lite";
import { keepSecret, keepSecretsOf, redact } from "./secrets.ts";
import { UsageError } from "./usage-error.ts";

/** What `--storage` and `--batches` take, for help and errors. */
export const STORAGES =
  "memory, sqlite:FILE, libsql:FILE-or-URL, fs:DIR, redis://…, postgres://…, mysql://…, s3://BUCKET?endpoint=…";

/** A driver, and how the connections behind it are closed. */
interface OpenedDriver {
  readonly driver: Driver;
  readonly close: () => unknown;
}

interface OpenStorageOptions {
  /** Where blobs are kept, when not beside the documents. */
  readonly batches?: string;
  /** Whether files and folders have to be there. */
  readonly mustExist?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Opens what `--storage` names, with `--batches` mounted where it is given. Files and folders are made when missing.
 * `storage.dispose()` closes the connections.
 * @throws UsageError when a text names nothing that works here, or what has to be installed.
 */
export async function openStorage(text: string, options: OpenStorageOptions = {}): Promise<Storage> {
  const root = await openDriver("--storage", text, options);
  const storage = createStorage({ driver: withClose(root) });
  if (options.batches === undefined) return storage;
  try {
    storage.mount("batches", withClose(await openDriver("--batches", options.batches, options)));
  } catch (error) {
    await storage.dispose();
    throw error;
  }
  return storage;
}

/** Closes what the driver itself leaves open. */
function withClose({ driver, close }: OpenedDriver): Driver {
  return {
    ...driver,
    async dispose() {
      await close();
    },
  };
}

type Opener = (address: string, options: OpenStorageOptions, option: string) => Promise<OpenedDriver> | OpenedDriver;

const OPENERS: readonly (readonly [pattern: RegExp, open: Opener])[] = [
  [/^memory$/, openMemory],
  [/^sqlite:(.+)$/, openSqlite],
  [/^libsql:(.+)$/, openLibsql],
  [/^fs:(.+)$/, openFolder],
  [/^(rediss?:\/\/.+)$/, openRedis],
  [/^(postgres(?:ql)?:\/\/.+)$/, openPostgres],
  [/^((?:mysql|mariadb):\/\/.+)$/, openMysql],
  [/^(s3:\/\/.+)$/, openS3],
];

async function openDriver(option: string, text: string, options: OpenStorageOptions): Promise<OpenedDriver> {
  keepSecretsOf(text);
  for (const [pattern, open] of OPENERS) {
    const found = pattern.exec(text);
    if (!found) continue;
    try {
      return await open(found[1] ?? "", options, `${option} ${text}`);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(redact(`${option} ${text} cannot be opened: ${(error as Error).message}`), { cause: error });
    }
  }
  throw new UsageError(redact(`${option} ${text} is not known: give ${STORAGES}`));
}

async function openMemory(): Promise<OpenedDriver> {
  const { default: memoryDriver } = await import("unstorage/drivers/memory");
  return { driver: memoryDriver() as Driver, close: () => {} };
}

async function openSqlite(file: string, options: OpenStorageOptions, text: string): Promise<OpenedDriver> {
  const path = prepareFile(file, options, text);
  if (process.getBuiltinModule?.("node:sqlite")) {
    const { default: nodeSqlite } = await import("db0/connectors/node-sqlite");
    return openDatabase(nodeSqlite({ path }));
  }
  if (!(await isInstalled("@libsql/client"))) {
    throw new UsageError(
      `${text} needs node:sqlite, which comes with Node 22.13 and is not there in this Node ${process.versions.node}: ` +
        "use a newer Node, or run: npm install @libsql/client",
    );
  }
  return openLibsqlClient(`file:${path}`);
}

async function openLibsql(address: string, options: OpenStorageOptions, text: string): Promise<OpenedDriver> {
  await need("@libsql/client", text);
  // libsql://host is a server; libsql:FILE and libsql:https://host leave out what is clear.
  if (address.startsWith("//")) return openLibsqlClient(`libsql:${address}`, options.env);
  if (/^(https?|wss?):\/\//.test(address)) return openLibsqlClient(address, options.env);
  return openLibsqlClient(`file:${prepareFile(address.replace(/^file:/, ""), options, text)}`);
}

async function openLibsqlClient(url: string, env: NodeJS.ProcessEnv = process.env): Promise<OpenedDriver> {
  const { default: libsql } = await import("db0/connectors/libsql/node");
  const authToken = env.LIBSQL_AUTH_TOKEN;
  keepSecret(authToken);
  return openDatabase(libsql({ url, ...(authToken && !url.startsWith("file:") && { authToken }) }));
}

function openFolder(folder: string, { mustExist }: OpenStorageOptions, text: string): OpenedDriver {
  const base = resolve(folder);
  if (mustExist && !existsSync(base)) throw new UsageError(`${text}: there is no such folder`);
  mkdirSync(base, { recursive: true });
  return { driver: fsDriver({ base }) as Driver, close: () => {} };
}

async function openRedis(url: string, _: OpenStorageOptions, text: string): Promise<OpenedDriver> {
  await need("ioredis", text);
  const { default: redisDriver } = await import("unstorage/drivers/redis");
  const driver = redisDriver({
    url,
    base: "sentiero",
    // What can't be sent soon fails soon, and is answered with 503; nothing waits in a queue meanwhile.
    maxRetriesPerRequest: 2,
    connectTimeout: 5_000,
    enableOfflineQueue: false,
  });
  const client = driver.getInstance!() as { disconnect(): void };
  return { driver: driver as Driver, close: () => client.disconnect() };
}

async function openPostgres(url: string, _: OpenStorageOptions, text: string): Promise<OpenedDriver> {
  await need("pg", text);
  const { postgresPool } = await import("../connectors.ts");
  return openDatabase(postgresPool({ url }));
}

async function openMysql(url: string, _: OpenStorageOptions, text: string): Promise<OpenedDriver> {
  await need("mysql2", text);
  const { mysqlPool } = await import("../connectors.ts");
  return openDatabase(mysqlPool({ url: url.replace(/^mariadb:/, "mysql:") }));
}

async function openS3(address: string, { env = process.env }: OpenStorageOptions, text: string): Promise<OpenedDriver> {
  await need("aws4fetch", text);
  const url = new URL(address);
  const field = (name: string, variable: string): string | undefined => url.searchParams.get(name) ?? env[variable];
  const region = field("region", "AWS_REGION") ?? "us-east-1";
  const endpoint = field("endpoint", "AWS_ENDPOINT_URL_S3") ?? `https://s3.${region}.amazonaws.com`;
  const accessKeyId = field("accessKeyId", "AWS_ACCESS_KEY_ID");
  const secretAccessKey = field("secretAccessKey", "AWS_SECRET_ACCESS_KEY");
  keepSecret(secretAccessKey);
  if (!accessKeyId || !secretAccessKey) {
    throw new UsageError(
      redact(`${text} needs keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment`),
    );
  }
  if (!/^https?:\/\//.test(endpoint)) throw new UsageError(redact(`${text}: endpoint must be a URL`));
  if (url.pathname.length > 1) throw new UsageError(redact(`${text}: give a bucket without a path`));
  const { default: s3Driver } = await import("unstorage/drivers/s3");
  return {
    driver: s3Driver({ endpoint, region, bucket: url.host, accessKeyId, secretAccessKey }) as Driver,
    close: () => {},
  };
}

function openDatabase(connector: Connector): OpenedDriver {
  const database = createDatabase(connector);
  return { driver: db0Driver({ database }) as Driver, close: () => database.dispose() };
}

function prepareFile(file: string, { mustExist }: OpenStorageOptions, text: string): string {
  const path = resolve(file);
  if (mustExist && !existsSync(path)) throw new UsageError(`${text}: there is no such file`);
  mkdirSync(dirname(path), { recursive: true });
  return path;
}

async function need(name: string, text: string): Promise<void> {
  if (await isInstalled(name)) return;
  throw new UsageError(redact(`${text} needs the package ${name}: npm install ${name}`));
}

async function isInstalled(name: string): Promise<boolean> {
  try {
    await import(name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return false;
    throw error;
  }
}
