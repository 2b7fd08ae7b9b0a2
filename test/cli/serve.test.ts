import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Agent, request } from "undici";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { batch } from "../support/sentiero.ts";
import { countSessions, seed } from "./seed.ts";
import { killAll, run, serve, withoutPackage, type Served } from "./cli.ts";

let folder = "";

beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "sentiero-cli-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(killAll);

const text = JSON.stringify(batch());
const OPEN = ["--insecure-dashboard"];

// Without kept connections, so that none holds a server that is to stop.
const dispatcher = new Agent({ pipelining: 0 });

async function post(server: Served, headers: Record<string, string> = {}): Promise<number> {
  const answer = await request(`${server.url}/events`, { method: "POST", headers, body: text, dispatcher });
  await answer.body.dump();
  return answer.statusCode;
}

async function dashboardStatus(server: Served, login?: string): Promise<number> {
  const headers: Record<string, string> = {};
  if (login) headers.authorization = `Basic ${Buffer.from(login).toString("base64")}`;
  const answer = await request(`${server.url}/api/sessions`, { headers, dispatcher });
  await answer.body.dump();
  return answer.statusCode;
}

describe("serve", () => {
  it("prints one line with the address when it is ready, on a free port for --port 0", async () => {
    const server = await serve(OPEN);
    expect(server.port).toBeGreaterThan(0);
    expect(await post(server)).toBe(200);
    server.signal("SIGTERM");
    const { stdout } = await server.ended;
    expect(stdout).toBe(`sentiero listens on http://127.0.0.1:${server.port}/sentiero\n`);
  });

  it("serves under --base-path only", async () => {
    const server = await serve(["--base-path", "/app/replay", ...OPEN]);
    expect(server.url).toMatch(/\/app\/replay$/);
    expect(await post(server)).toBe(200);
    const outside = await request(new URL("/sentiero/", server.url), { dispatcher });
    await outside.body.dump();
    expect(outside.statusCode).toBe(404);
  });

  it("listens on ::1 and prints an address that can be opened, or says that there is none", async () => {
    const probe = createServer();
    const hasIpv6 = await new Promise((resolve) => {
      probe.once("error", () => resolve(false)).listen(0, "::1", () => probe.close(() => resolve(true)));
    });
    if (!hasIpv6) {
      const { code, stderr } = await run(["serve", "--host", "::1", "--port", "0", ...OPEN]);
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: expect.stringContaining("--host ::1 is not an address of this machine"),
      });
      return;
    }
    const server = await serve(["--host", "::1", ...OPEN]);
    expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+\/sentiero$/);
    expect(await post(server)).toBe(200);
  });

  it("takes its options from the environment, and an argument before it", async () => {
    const file = join(folder, "from-env.db");
    const env = { SENTIERO_STORAGE: `sqlite:${file}`, SENTIERO_HOST: "127.0.0.1", SENTIERO_PORT: "not a port" };
    const server = await serve(OPEN, { env });
    expect(await post(server)).toBe(200);
    expect(existsSync(file)).toBe(true);
  });

  it("makes the folders of a SQLite file and finds the recordings there again", async () => {
    const args = ["--storage", `sqlite:${join(folder, "deep", "er", "kept.db")}`, ...OPEN];
    const first = await serve(args);
    expect(await post(first)).toBe(200);
    first.signal("SIGINT");
    expect((await first.ended).code).toBe(0);
    const second = await serve(args);
    const answer = await request(`${second.url}/api/sessions/session-1`, { dispatcher });
    await answer.body.dump();
    expect(answer.statusCode).toBe(200);
  });
});

describe("SIGTERM", () => {
  it.each(["close", "keep-alive"])(
    "lets a slow request end, on a connection to %s, and exits with 0",
    async (connection) => {
      const file = join(folder, `drain-${connection}.db`);
      const server = await serve(["--storage", `sqlite:${file}`, ...OPEN]);
      const socket = connect(server.port, "127.0.0.1");
      const answered = new Promise<string>((resolve) => {
        let answer = "";
        socket.on("data", (chunk) => (answer += String(chunk)));
        socket.on("close", () => resolve(answer));
      });
      const head = `Host: a\r\nConnection: ${connection}\r\nContent-Length: ${text.length}\r\nExpect: 100-continue`;
      socket.write(`POST /sentiero/events HTTP/1.1\r\n${head}\r\n\r\n`);
      // "100 Continue" tells that the request is under way.
      await new Promise((resolve) => socket.once("data", resolve));
      socket.write(text.slice(0, 10));
      server.signal("SIGTERM");
      // It takes no new connections from then on.
      await expect.poll(() => isOpen(server.port)).toBe(false);
      socket.write(text.slice(10));
      const answer = await answered;
      expect(answer).toMatch(/HTTP\/1\.1 200 OK\r\n[\s\S]*\{"status":"ok"\}/);
      // A connection that is kept would hold the process until it times out, or for as long as its client goes on.
      expect(answer).toMatch(/\r\nconnection: close\r\n/i);
      expect(await server.ended).toMatchObject({ code: 0, signal: null });

      const again = await serve(["--storage", `sqlite:${file}`, ...OPEN]);
      const session = await request(`${again.url}/api/sessions/session-1`, { dispatcher });
      await session.body.dump();
      expect(session.statusCode).toBe(200);
    },
  );

  it("does not wait for idle connections", async () => {
    const server = await serve(OPEN);
    const keeping = new Agent({ keepAliveTimeout: 600_000 });
    const answer = await request(`${server.url}/recorder.js`, { dispatcher: keeping });
    await answer.body.dump();
    server.signal("SIGTERM");
    expect((await server.ended).code).toBe(0);
    await keeping.destroy();
  });
});

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => resolve(true)).on("error", () => resolve(false));
    socket.on("connect", () => socket.destroy());
  });
}

describe("a mistake on the command line ends with 2 and one line that says", () => {
  it.each<[string, string[], RegExp]>([
    ["which option is unknown", ["--bogus"], /Unknown option '--bogus'/],
    ["which argument is too many", ["extra"], /'extra'/],
    ["which option lacks its value", ["--port"], /'--port <value>' argument missing/],
    ["which port is none", ["--port", "80x"], /--port 80x is not a port/],
    ["that a port is too high", ["--port", "65536"], /--port 65536 is not a port/],
    ["which storage is unknown", ["--storage", "oracle://localhost"], /--storage oracle:\/\/localhost is not known/],
    ["that SQLite needs a file", ["--storage", "sqlite:"], /--storage sqlite: is not known/],
    [
      "why an open dashboard refuses the host",
      ["--insecure-dashboard", "--host", "0.0.0.0"],
      /--insecure-dashboard refuses the host 0\.0\.0\.0/,
    ],
    ["why an open dashboard refuses every host", ["--insecure-dashboard", "--host", "::"], /refuses the host ::/],
    [
      "why an open dashboard refuses a name",
      ["--insecure-dashboard", "--host", "127.0.0.1.example"],
      /refuses the host 127\.0\.0\.1\.example/,
    ],
    ["that an open dashboard has no user", ["--insecure-dashboard", "--user", "ada"], /exclude each other/],
    ["that a user needs a password", ["--user", "ada"], /--user and --password come together/],
    ["that a password needs a user", ["--password", "lovelace"], /--user and --password come together/],
    [
      "which password file is missing",
      ["--user", "ada", "--password-file", "/nowhere/pass"],
      /--password-file.*\/nowhere\/pass/,
    ],
    ["which path is no base path", ["--base-path", "sentiero"], /options\.basePath must be a path.*got "sentiero"/],
    [
      "that a base path has no slash at its end",
      ["--base-path", "/sentiero/"],
      /options\.basePath.*got "\/sentiero\/"/,
    ],
    [
      "which origin is none",
      ["--cors", "https://a.example", "--cors", "*"],
      /options\.corsOrigins\.1 must be an origin.*got "\*"/,
    ],
    [
      "that an origin has no path",
      ["--cors", "https://a.example/"],
      /options\.corsOrigins\.0.*got "https:\/\/a\.example\/"/,
    ],
    ["which address is none", ["--public-url", "nonsense"], /options\.publicUrl must be a URL.*got "nonsense"/],
    ["which user is none", ["--user", "a:b", "--password", "p"], /options\.basicAuth\.user must not contain a colon/],
    ["which host is not of this machine", ["--host", "203.0.113.7"], /203\.0\.113\.7/],
    [
      "which folder cannot hold the database",
      ["--storage", `sqlite:${process.execPath}/x.db`],
      /--storage sqlite:.*x\.db/,
    ],
    ["that a folder is no database", ["--storage", "sqlite:."], /--storage sqlite:\./],
  ])("%s", async (_, args, message) => {
    const port = args.includes("--port") ? [] : ["--port", "0"];
    const { code, stdout, stderr } = await run(["serve", ...args, ...port]);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stderr).toContain("[sentiero] ");
    expect([code, stdout]).toEqual([2, ""]);
  });

  it("which command is unknown", async () => {
    const { code, stderr } = await run(["server"]);
    expect([code, stderr]).toEqual([2, "[sentiero] there is no command server\nTry: sentiero --help\n"]);
  });

  it("which port is taken", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await run(["serve", "--port", String(port), ...OPEN]);
    other.close();
    expect(stderr).toContain(`port ${port} on 127.0.0.1 is taken`);
    expect(code).toBe(2);
  });

  it("that a file is no database, before it listens", async () => {
    const file = join(folder, "letter.txt");
    writeFileSync(file, "Dear Ada, ".repeat(1000));
    const { code, stdout, stderr } = await run(["serve", "--port", "0", "--storage", `sqlite:${file}`], {
      limitMs: 5000,
    });
    expect(stderr).toContain("letter.txt");
    expect([code, stdout]).toEqual([2, ""]);
  });

  it("never the password", async () => {
    const { stderr } = await run(["serve", "--user", "a:b", "--password", "correct horse"]);
    expect(stderr).not.toContain("correct horse");
  });
});

describe("retention", () => {
  it.each<[string, string[], Record<string, string>]>([
    ["an argument", ["--retention-days", "30"], { SENTIERO_RETENTION_DAYS: "9" }],
    ["the environment", [], { SENTIERO_RETENTION_DAYS: "30" }],
  ])("comes from %s, and is kept before the first request", async (_, args, env) => {
    const file = join(folder, `retention-${args.length}.db`);
    const storage = `sqlite:${file}`;
    await seed(storage, { sessions: 2, now: Date.now() - 40 * 86_400_000 });
    const server = await serve(["--storage", storage, ...args, ...OPEN], { env });
    const answer = await request(`${server.url}/api/maintenance`, { dispatcher });
    expect((await answer.body.json()) as object).toMatchObject({ retention: { days: 30 } });
    server.signal("SIGTERM");
    await server.ended;
    // Nobody asked this one anything.
    const silent = await serve(["--storage", storage, ...args, ...OPEN], { env });
    await expect.poll(() => countSessions(storage)).toBe(0);
    silent.signal("SIGTERM");
    await silent.ended;
  });

  it.each(["0", "x", "1.5", "-1"])("of %s days is a mistake", async (days) => {
    const { code, stderr } = await run(["serve", `--retention-days=${days}`, "--port", "0"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`--retention-days ${days} is not a number of days`)]);
  });
});

it("takes --durability of two kinds", async () => {
  const server = await serve(["--durability", "process", "--storage", `sqlite:${join(folder, "fast.db")}`, ...OPEN]);
  const answer = await request(`${server.url}/api/maintenance`, { dispatcher });
  expect((await answer.body.json()) as object).toMatchObject({ store: { durability: "process" } });
  const { code, stderr } = await run(["serve", "--durability", "none", "--port", "0"]);
  expect([code, stderr]).toEqual([2, expect.stringMatching(/durability must be.*got "none"/)]);
});

describe("the dashboard", () => {
  it("is closed and says so when no password is given", async () => {
    const server = await serve([]);
    expect(await dashboardStatus(server)).toBe(403);
    server.signal("SIGTERM");
    expect((await server.ended).stderr).toContain("give --user and --password");
  });

  it("opens with a password from an argument", async () => {
    const server = await serve(["--user", "ada", "--password", "lovelace"]);
    expect(await dashboardStatus(server)).toBe(401);
    expect(await dashboardStatus(server, "ada:lovelace")).toBe(200);
    expect(await dashboardStatus(server, "ada:Lovelace")).toBe(401);
  });

  it("opens with a user and a password from the environment", async () => {
    const server = await serve([], { env: { SENTIERO_USER: "ada", SENTIERO_PASSWORD: "pa:ss wörd" } });
    expect(await dashboardStatus(server, "ada:pa:ss wörd")).toBe(200);
    expect(await dashboardStatus(server)).toBe(401);
  });

  it("opens with a password from a file, without the line's end, before one from the environment", async () => {
    const file = join(folder, "password");
    writeFileSync(file, " spaced \r\n");
    const server = await serve(["--user", "ada", "--password-file", file], { env: { SENTIERO_PASSWORD: "other" } });
    expect(await dashboardStatus(server, "ada: spaced ")).toBe(200);
    expect(await dashboardStatus(server, "ada:other")).toBe(401);
  });

  it("is open to everyone on a loopback host only by --insecure-dashboard", async () => {
    const server = await serve(OPEN);
    expect(await dashboardStatus(server)).toBe(200);
  });
});

describe("--cors", () => {
  it("lets the pages of listed sites send, and no others", async () => {
    const server = await serve(["--cors", "https://shop.example", "--cors", "https://blog.example"]);
    expect(await post(server, { origin: "https://shop.example" })).toBe(200);
    expect(await post(server, { origin: "https://blog.example" })).toBe(200);
    expect(await post(server, { origin: "https://shop.example.evil.example" })).toBe(403);
    expect(await post(server, { origin: "http://shop.example" })).toBe(403);
    expect(await post(server, { origin: "null" })).toBe(403);
    expect(await post(server, { origin: new URL(server.url).origin })).toBe(200);
    expect(await post(server)).toBe(200);
    const preflight = await request(`${server.url}/events`, {
      method: "OPTIONS",
      headers: { origin: "https://shop.example", "access-control-request-method": "POST" },
      dispatcher,
    });
    expect(preflight.headers["access-control-allow-origin"]).toBe("https://shop.example");
  });

  it("names a refused site once in the log, with the option to set", async () => {
    const server = await serve(OPEN);
    for (let times = 0; times < 3; times++) await post(server, { origin: "https://forgotten.example" });
    server.signal("SIGTERM");
    const { stderr } = await server.ended;
    expect(stderr.split("https://forgotten.example")).toHaveLength(2);
  });
});

it("uses libsql where this Node has no node:sqlite, or says what to install", async () => {
  const file = join(folder, "by-libsql.db");
  const args = ["--storage", `sqlite:${file}`, ...OPEN];
  const server = await serve(args, { node: ["--no-experimental-sqlite"] });
  expect(await post(server)).toBe(200);
  server.signal("SIGTERM");
  expect((await server.ended).code).toBe(0);
  // It is the same file.
  const again = await serve(args);
  const answer = await request(`${again.url}/api/sessions/session-1`, { dispatcher });
  await answer.body.dump();
  expect(answer.statusCode).toBe(200);
  const missing = await run(["serve", "--storage", `sqlite:${join(folder, "never.db")}`], {
    node: ["--no-experimental-sqlite", ...withoutPackage("@libsql/client")],
  });
  expect(missing).toMatchObject({ code: 2, stdout: "" });
  expect(missing.stderr).toMatch(/needs node:sqlite.*npm install @libsql\/client/);
});

it("serves from memory where this Node has no node:sqlite", async () => {
  const server = await serve(OPEN, { node: ["--no-experimental-sqlite"] });
  expect(await post(server)).toBe(200);
});
