import { readFileSync } from "node:fs";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { toNodeHandler } from "../../adapters/node.ts";
import type { DashboardAccess, SentieroOptions } from "../options.ts";
import { STORE_OPTIONS, parseOptions } from "./arguments.ts";
import { openSentiero } from "./open-sentiero.ts";
import { parseRetention } from "./retention.ts";
import { keepSecret } from "./secrets.ts";
import { UsageError } from "./usage-error.ts";

/** How long requests under way may take after a signal to stop. */
const DRAIN_MS = 10_000;

/**
 * `sentiero serve`: listens until SIGTERM or SIGINT, then finishes what is under way.
 * Prints one line with the address when it is ready.
 * @throws UsageError when the arguments cannot work.
 */
export async function serve(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const values = parse(args);
  const host = values.host ?? env.SENTIERO_HOST ?? "127.0.0.1";
  const wantedPort = toPort(values.port ?? env.SENTIERO_PORT ?? "4747");
  const access = toAccess(values, env, host);
  const { sentiero, close } = await openSentiero({
    values,
    env,
    options: {
      basePath: values["base-path"],
      corsOrigins: values.cors,
      publicUrl: values["public-url"],
      trustProxy: values["trust-proxy"],
      userOptOut: values["opt-out"],
      retentionDays: parseRetention(values["retention-days"], env),
      durability: values.durability as SentieroOptions["durability"],
      ...access,
    },
  });
  const handle = toNodeHandler(sentiero);
  const underWay = new Set<ServerResponse>();
  let isDraining = false;
  const server = createServer((request, response) => {
    if (isDraining) response.setHeader("connection", "close");
    underWay.add(response);
    response.once("close", () => underWay.delete(response));
    handle(request, response, () => response.writeHead(404, { "content-type": "text/plain" }).end("not found\n"));
  });
  try {
    await listen(server, wantedPort, host);
  } catch (error) {
    await close();
    throw error;
  }
  // The first request begins the timer of maintenance, and none may come for long.
  await sentiero.fetch(new Request("http://localhost/"));
  const { port } = server.address() as AddressInfo;
  const name = host.includes(":") ? `[${host}]` : host;
  console.log(`sentiero listens on http://${name}:${port}${sentiero.options.basePath}`);
  if (sentiero.options.auth.kind === "closed") {
    console.warn("[sentiero] the dashboard is closed: give --user and --password to open it");
  }
  await stopSignal();
  isDraining = true;
  // A client that keeps its connection would keep the process.
  for (const response of underWay) if (!response.headersSent) response.setHeader("connection", "close");
  await drain(server);
  await close();
}

function parse(args: readonly string[]) {
  const { values } = parseOptions(args, {
    ...STORE_OPTIONS,
    port: { type: "string" },
    host: { type: "string" },
    "base-path": { type: "string" },
    "retention-days": { type: "string" },
    durability: { type: "string" },
    user: { type: "string" },
    password: { type: "string" },
    "password-file": { type: "string" },
    "insecure-dashboard": { type: "boolean" },
    cors: { type: "string", multiple: true },
    "public-url": { type: "string" },
    "trust-proxy": { type: "boolean" },
    "opt-out": { type: "boolean" },
  });
  return values;
}

function toAccess(values: ReturnType<typeof parse>, env: NodeJS.ProcessEnv, host: string): DashboardAccess {
  const user = values.user ?? env.SENTIERO_USER;
  const password = readPassword(values["password-file"]) ?? values.password ?? env.SENTIERO_PASSWORD;
  keepSecret(password);
  if (values["insecure-dashboard"]) {
    if (user !== undefined) throw new UsageError("--insecure-dashboard and --user exclude each other");
    if (!isLoopback(host)) {
      throw new UsageError(
        `--insecure-dashboard refuses the host ${host}: everyone who reaches it could watch recordings`,
      );
    }
    return { allowInsecureDashboard: true };
  }
  if (user === undefined && password === undefined) return {};
  if (!user || !password) throw new UsageError("--user and --password come together");
  return { basicAuth: { user, password } };
}

function readPassword(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    throw new UsageError(`--password-file: ${(error as Error).message}`, { cause: error });
  }
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function toPort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new UsageError(`--port ${text} is not a port`);
  return port;
}

const LISTEN_ERRORS: Readonly<Record<string, (port: number, host: string) => string>> = {
  EADDRINUSE: (port, host) => `port ${port} on ${host} is taken: give another with --port`,
  EACCES: (port) => `port ${port} needs more rights than this user has: give one above 1023 with --port`,
  EADDRNOTAVAIL: (_, host) => `--host ${host} is not an address of this machine`,
  ENOTFOUND: (_, host) => `--host ${host} is not an address of this machine`,
  EAFNOSUPPORT: (_, host) => `--host ${host} is not an address of this machine`,
  EAI_AGAIN: (_, host) => `--host ${host} is not an address of this machine`,
};

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const reason = LISTEN_ERRORS[error.code ?? ""];
      reject(reason ? new UsageError(reason(port, host), { cause: error }) : error);
    });
    server.listen(port, host, resolve);
  });
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
}

/** Takes no new connections, answers what is under way, and cuts what takes too long. */
async function drain(server: Server): Promise<void> {
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeIdleConnections();
  });
  clearTimeout(cut);
}
