import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { gunzipSync, gzipSync } from "node:zlib";
import { Agent, request } from "undici";
import { afterEach, describe, expect, it, vi } from "vitest";
import { toNodeHandler, type NodeHandler } from "../../adapters/node.ts";
import type { BatchList, Connection, Sentiero, SentieroOptions, SessionList } from "../../src/index.ts";
import { batch, createTestSentiero } from "../support/sentiero.ts";

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Site {
  readonly sentiero: Sentiero;
  readonly origin: string;
  readonly port: number;
  readonly agent: Agent;
  /** What the host would have logged. */
  readonly errors: unknown[];
}

/** A real server, and a client that keeps its connections. `mount` stands between the two as a framework would. */
async function start(
  options: Partial<SentieroOptions> = {},
  mount: (handle: NodeHandler) => (message: IncomingMessage, response: ServerResponse) => void = (handle) => (m, r) =>
    handle(m, r),
  change: (sentiero: Sentiero) => Sentiero = (sentiero) => sentiero,
): Promise<Site> {
  const errors: unknown[] = [];
  const onError = (error: unknown) => void errors.push(error);
  const sentiero = createTestSentiero({ onError, ...options } as SentieroOptions);
  const server = createServer(mount(toNodeHandler(change(sentiero))));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const agent = new Agent({ connections: 8 });
  closers.push(async () => {
    await agent.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { sentiero, origin: `http://127.0.0.1:${port}`, port, agent, errors };
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly bytes: Buffer;
  readonly text: string;
}

async function ask(site: Site, path: string, options: Parameters<typeof request>[1] = {}): Promise<Answer> {
  const { statusCode, headers, body } = await request(site.origin + path, { dispatcher: site.agent, ...options });
  const bytes = Buffer.from(await body.arrayBuffer());
  return { status: statusCode, headers, bytes, text: bytes.toString() };
}

function post(site: Site, body: string | Uint8Array | AsyncIterable<Uint8Array>, headers: Record<string, string> = {}) {
  return ask(site, "/sentiero/events", { method: "POST", headers, body: body as Buffer });
}

/** Writes to a plain socket, for what no client would send; resolves with all that came when the server closes. */
function raw(site: Site, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(site.port, "127.0.0.1", () => socket.write(text, "latin1"));
    let answer = "";
    socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
    // A reset ends the answer like any other close.
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
  });
}

/** A plain request whose connection ends with the answer. */
function rawGet(site: Site, target: string, host = "127.0.0.1", method = "GET"): Promise<string> {
  return raw(site, `${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
}

async function countSessions(site: Site): Promise<number> {
  return (JSON.parse((await ask(site, "/sentiero/api/sessions?limit=100")).text) as SessionList).sessions.length;
}

/** Chunks of a body whose length is not told. */
async function* chunked(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A batch that is larger than what is read in one piece, and does not compress away. */
function largeBatch(bytes: number): string {
  let state = 1;
  const noise = Array.from({ length: bytes / 4 }, () => (state = (state * 48_271) % 0x7fffffff).toString(36).slice(-4));
  return JSON.stringify(batch({ events: [{ type: 3, data: { text: noise.join("") }, timestamp: 1_700_000_000_000 }] }));
}

const text = JSON.stringify(batch());
const okay = '{"status":"ok"}';

describe("a body", () => {
  it("is inflated when its header says gzip", async () => {
    const site = await start();
    const answer = await post(site, gzipSync(text), { "content-encoding": "gzip", "content-type": "application/json" });
    expect([answer.status, answer.text]).toEqual([200, okay]);
    expect(await countSessions(site)).toBe(1);
  });

  it("is inflated when its first bytes say gzip, under any content type", async () => {
    const site = await start();
    const answer = await post(site, gzipSync(text), { "content-type": "text/plain" });
    expect([answer.status, answer.text]).toEqual([200, okay]);
  });

  it("is taken plain", async () => {
    const site = await start();
    expect((await post(site, text)).status).toBe(200);
  });

  it("is taken in chunks of unknown number, gzip and plain", async () => {
    const site = await start();
    expect((await post(site, chunked(Buffer.from(text), 7))).status).toBe(200);
    expect((await post(site, chunked(gzipSync(JSON.stringify(batch({ sessionId: "other" }))), 5))).status).toBe(200);
    expect(await countSessions(site)).toBe(2);
  });

  it("is stored as it came when it is larger than what is read in one piece", async () => {
    const site = await start();
    const body = gzipSync(largeBatch(2_000_000));
    expect(body.length).toBeGreaterThan(600_000);
    expect((await post(site, body)).status).toBe(200);
    const path = "/sentiero/api/sessions/session-1/windows/window-1/batches";
    const { batches } = JSON.parse((await ask(site, path)).text) as BatchList;
    const stored = await ask(site, `${path}/${batches[0]!.key}`, { headers: { "accept-encoding": "gzip" } });
    expect(stored.headers["content-encoding"]).toBe("gzip");
    expect(stored.bytes.equals(body)).toBe(true);
  });

  it("that is corrupt gzip answers 400", async () => {
    const site = await start();
    const body = gzipSync(text);
    body[15]! ^= 0xff;
    expect((await post(site, body)).status).toBe(400);
    expect(site.errors).toEqual([]);
  });

  it("that is missing answers 400", async () => {
    const site = await start();
    expect((await ask(site, "/sentiero/events", { method: "POST" })).status).toBe(400);
  });
});

describe("a body over the limit", () => {
  const limits = { maxBodyBytes: 100_000 };

  it.each([
    ["small enough to be read whole", 200_000],
    ["read as a stream", 3_000_000],
  ])("with a Content-Length answers 413 and stores nothing: %s", async (_, size) => {
    const site = await start({ limits });
    const answer = await post(site, Buffer.alloc(size, "x"));
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.text)).toEqual({ error: "body too large" });
    expect((await post(site, text)).status).toBe(200);
    expect(site.errors).toEqual([]);
  });

  it("without a Content-Length answers 413 and stores nothing", async () => {
    const site = await start({ limits });
    const answer = await post(site, chunked(Buffer.alloc(150_000, "x"), 50_000));
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.text)).toEqual({ error: "body too large" });
    expect((await post(site, text)).status).toBe(200);
    expect(site.errors).toEqual([]);
  });

  it("that never ends is told so, and the server goes on", async () => {
    const site = await start({ limits });
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const head = "POST /sentiero/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    const status = await new Promise<string>((resolve) => {
      let answer = "";
      let writing: ReturnType<typeof setInterval>;
      const socket = connect(site.port, "127.0.0.1", () => {
        socket.write(head);
        writing = setInterval(() => void socket.write(chunk), 1);
      });
      socket.on("data", (data) => {
        answer += data.toString("latin1");
        socket.destroy();
      });
      socket.on("error", () => {});
      socket.on("close", () => {
        clearInterval(writing);
        resolve(answer.slice(0, 12));
      });
    });
    expect(status).toBe("HTTP/1.1 413");
    expect((await post(site, text)).status).toBe(200);
    expect(site.errors).toEqual([]);
  });

  it("leaves the connection usable when the client waits for 100 Continue or sends it all", async () => {
    const site = await start({ limits });
    const body = "x".repeat(200_000);
    const big = `POST /sentiero/events HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const next = `POST /sentiero/events HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
    const answers = await raw(site, big + next);
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 413", "HTTP/1.1 200"]);
  });
});

describe("a request", () => {
  it("by HEAD is answered without a body", async () => {
    const site = await start();
    const page = await ask(site, "/sentiero/", { method: "HEAD" });
    expect([page.status, page.bytes.length]).toEqual([200, 0]);
    const asset = await ask(site, "/sentiero/recorder.js", { method: "HEAD" });
    expect([asset.status, asset.bytes.length]).toEqual([200, 0]);
    expect(Number(asset.headers["content-length"])).toBeGreaterThan(0);
    expect((await ask(site, "/sentiero/api/sessions", { method: "HEAD" })).bytes.length).toBe(0);
    expect((await ask(site, "/sentiero/nothing", { method: "HEAD" })).status).toBe(404);
  });

  it.each([
    "evil.example/path@other",
    "a b",
    "a:b:c",
    "[::1",
    "",
    // These look like hosts, but no URL can have them.
    "a:99999",
    "999.1.1.1",
    "1.2.3.4.5",
    "[::::]",
  ])("with the Host header %j gets an answer that is not a failure of ours", async (host) => {
    const site = await start();
    const answer = await rawGet(site, "/sentiero/api/sessions", host);
    expect(answer).toMatch(/^HTTP\/1\.1 (200|400) /);
    expect(site.errors).toEqual([]);
  });

  it("with a Host header that has an underscore comes from its own origin", async () => {
    const site = await start();
    const head = `Host: my_app:8080\r\nOrigin: http://my_app:8080\r\nConnection: close\r\nContent-Length: ${text.length}`;
    expect(await raw(site, `POST /sentiero/events HTTP/1.1\r\n${head}\r\n\r\n${text}`)).toMatch(/^HTTP\/1\.1 200 /);
  });

  it("cannot move into basePath by its Host header", async () => {
    const site = await start();
    expect(await rawGet(site, "/elsewhere", "127.0.0.1/sentiero/api/sessions?")).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  it("in absolute form is answered as the path it names", async () => {
    // A server must take it (RFC 9112, 3.2.2); proxies send it.
    const site = await start();
    const answer = await rawGet(site, `${site.origin}/sentiero/api/sessions?limit=1`);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(await rawGet(site, `${site.origin}/other`)).toMatch(/^HTTP\/1\.1 404 /);
  });

  it.each([
    ["GET", "//evil.example/sentiero/api/sessions"],
    ["GET", "/sentiero/%ff%00%2e%2e%2f"],
    ["GET", "/sentiero\\..\\x"],
    ["GET", "/sentiero/../../etc/passwd"],
    ["GET", "/sentiero/assets/..%2f..%2fpackage.json"],
    ["GET", "/sentierological"],
    ["OPTIONS", "*"],
    ["GET", `/sentiero/${"a/".repeat(3000)}`],
  ])("for the target %s %.60s answers 404", async (method, target) => {
    const site = await start();
    expect(await rawGet(site, target, "127.0.0.1", method)).toMatch(/^HTTP\/1\.1 404 /);
    expect(site.errors).toEqual([]);
  });

  it.each(["TRACE", "PROPFIND", "PURGE"])("by %s is refused as the client's mistake", async (method) => {
    const site = await start();
    expect(await rawGet(site, "/sentiero/", "127.0.0.1", method)).toMatch(/^HTTP\/1\.1 (405|501) /);
    expect(site.errors).toEqual([]);
  });

  it("gets 304 when it has the file already", async () => {
    const site = await start();
    const first = await ask(site, "/sentiero/recorder.js", { headers: { "accept-encoding": "gzip" } });
    expect(first.headers["content-encoding"]).toBe("gzip");
    expect(gunzipSync(first.bytes).length).toBeGreaterThan(100);
    const headers = { "accept-encoding": "gzip", "if-none-match": first.headers.etag as string };
    const again = await ask(site, "/sentiero/recorder.js", { headers });
    expect([again.status, again.bytes.length, again.headers.etag]).toEqual([304, 0, first.headers.etag]);
  });

  it("gets the plain file when it takes no gzip", async () => {
    const site = await start();
    const { headers, text } = await ask(site, "/sentiero/recorder.js");
    expect(headers["content-encoding"]).toBeUndefined();
    expect(Number(headers["content-length"])).toBe(Buffer.byteLength(text));
  });

  it("tells its own address to the handler", async () => {
    let ip: unknown;
    const authorize = (incoming: Request) => ((ip = (incoming as { ip?: string }).ip), true);
    const site = await start({ authorize });
    await ask(site, "/sentiero/api/sessions");
    expect(ip).toBe("127.0.0.1");
  });

  it("is answered beside two hundred others", async () => {
    const site = await start();
    const bodies = Array.from({ length: 200 }, (_, index) =>
      JSON.stringify(batch({ sessionId: `s${index % 50}`, windowId: `w${index}` })),
    );
    const answers = await Promise.all(bodies.map((body, index) => post(site, index % 2 ? gzipSync(body) : body)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await countSessions(site)).toBe(50);
  });
});

describe("next", () => {
  const mount = (handle: NodeHandler) => (message: IncomingMessage, response: ServerResponse) =>
    handle(message, response, () => response.end(`host: ${message.url}`));

  it("gets what is outside basePath, untouched", async () => {
    const site = await start({}, mount);
    for (const path of ["/", "/sentierological", "/other?to=/sentiero/", "/Sentiero/"]) {
      expect((await ask(site, path)).text).toBe(`host: ${path}`);
    }
  });

  it("is not called inside basePath, even for what is not there", async () => {
    const site = await start({}, mount);
    expect((await ask(site, "/sentiero/nothing")).status).toBe(404);
    expect((await ask(site, "/sentiero?x=1")).status).toBe(200);
    expect((await post(site, text)).status).toBe(200);
  });

  it("is absent: what is outside basePath gets 404", async () => {
    expect((await ask(await start(), "/")).status).toBe(404);
  });
});

it("serves where a framework cut the mount's prefix off and keeps the whole path as originalUrl", async () => {
  const site = await start({ basePath: "/app/sentiero" }, (handle) => (message, response) => {
    const { url } = message;
    Object.assign(message, { originalUrl: url, url: url!.slice("/app/sentiero".length) || "/" });
    handle(message, response, () => response.end("next"));
  });
  expect((await ask(site, "/app/sentiero/events", { method: "POST", body: text })).text).toBe(okay);
  expect(await ask(site, "/app/sentiero")).toMatchObject({ status: 200 });
  expect((await ask(site, "/app/sentiero/recorder.js")).status).toBe(200);
  expect((await ask(site, "/elsewhere/than/here")).text).toBe("next");
});

describe("a body that was read before", () => {
  /** Reads the body as a parser does, and leaves `kept` of it behind. */
  const parse =
    (keep: (bytes: Buffer) => object) =>
    (handle: NodeHandler) =>
    (message: IncomingMessage, response: ServerResponse): void => {
      if (message.method !== "POST") return handle(message, response);
      const chunks: Buffer[] = [];
      message.on("data", (chunk: Buffer) => chunks.push(chunk));
      message.on("end", () => handle(Object.assign(message, keep(Buffer.concat(chunks))), response));
    };

  it.each([
    ["as it came", (bytes: Buffer) => ({ rawBody: bytes })],
    ["inflated", (bytes: Buffer) => ({ rawBody: gunzipSync(bytes) })],
    ["as bytes", (bytes: Buffer) => ({ body: gunzipSync(bytes) })],
    ["as a text", (bytes: Buffer) => ({ body: gunzipSync(bytes).toString() })],
    ["as what was parsed", (bytes: Buffer) => ({ body: JSON.parse(gunzipSync(bytes).toString()) as object })],
  ])("is taken %s", async (_, keep) => {
    const site = await start({}, parse(keep));
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    expect(await post(site, gzipSync(text), headers)).toMatchObject({ status: 200, text: okay });
    expect(await countSessions(site)).toBe(1);
  });

  it("and of which nothing was left answers 500, and the log says what to do", async () => {
    const site = await start(
      {},
      parse(() => ({})),
    );
    expect((await post(site, text)).status).toBe(500);
    expect(String(site.errors[0])).toContain("mount sentiero before whatever reads bodies");
  });
});

it("hands the framework's request, or what it is given instead, to `authorize`", async () => {
  const seen: unknown[] = [];
  const authorize = (_: Request, { ip, context }: { ip: string | null; context: unknown }) => {
    seen.push([ip, (context as { user?: string }).user]);
    return true;
  };
  const options = { authorize } as Partial<SentieroOptions>;
  const ofRequest = await start(options, (handle) => (m, r) => handle(Object.assign(m, { user: "ada" }), r));
  await ask(ofRequest, "/sentiero/");
  const ofFramework = await start(options, (handle) => (m, r) => handle(m, r, undefined, { user: "bob" }));
  await ask(ofFramework, "/sentiero/");
  expect(seen).toEqual([
    ["127.0.0.1", "ada"],
    ["127.0.0.1", "bob"],
  ]);
});

describe("a client that goes away", () => {
  it.each([
    ["of known length", `Content-Length: ${text.length + 50}\r\n\r\n${text}`],
    ["of known length, read as a stream", `Content-Length: 900000\r\n\r\n${text}`],
    ["in chunks", `Transfer-Encoding: chunked\r\n\r\n${text.length.toString(16)}\r\n${text}\r\n`],
  ])("in the middle of a body %s stores nothing and harms nobody", async (_, rest) => {
    const site = await start();
    await new Promise<void>((resolve) => {
      const socket = connect(site.port, "127.0.0.1", () => {
        socket.write(`POST /sentiero/events HTTP/1.1\r\nHost: a\r\n${rest}`, () =>
          setTimeout(() => socket.destroy(), 50),
        );
      });
      socket.on("close", () => resolve());
    });
    expect((await post(site, JSON.stringify(batch({ sessionId: "after" })))).status).toBe(200);
    expect(await countSessions(site)).toBe(1);
    expect(site.errors).toEqual([]);
  });

  it("while it reads a large answer ends the reading on our side too", async () => {
    let isCancelled: (() => void) | undefined;
    const cancelled = new Promise<void>((resolve) => (isCancelled = resolve));
    const endless = () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
          cancel: () => isCancelled!(),
        }),
      );
    const site = await start({}, undefined, (sentiero) => ({ ...sentiero, fetch: async () => endless() }));
    const { body } = await request(`${site.origin}/sentiero/`, { dispatcher: site.agent });
    for await (const _ of body) break;
    await cancelled;
    expect(site.errors).toEqual([]);
  });

  it("while a stored recording is sent to it leaves the server answering", async () => {
    const site = await start();
    for (let seq = 0; seq < 4; seq++) {
      const body = { ...(JSON.parse(largeBatch(1_000_000)) as object), run: "0".repeat(24), seq };
      expect((await post(site, gzipSync(JSON.stringify(body)))).status).toBe(200);
    }
    const path = "/sentiero/api/sessions/session-1/windows/window-1/events";
    for (let times = 0; times < 3; times++) {
      const { body } = await request(site.origin + path, { dispatcher: site.agent });
      for await (const _ of body) break;
    }
    const whole = await ask(site, path);
    expect((JSON.parse(whole.text) as unknown[]).length).toBe(4);
    expect(site.errors).toEqual([]);
  });
});

describe("a small body, which is here before its request is made", () => {
  const ways: Record<string, (request: Request) => Promise<string>> = {
    text: (request) => request.text(),
    json: async (request) => JSON.stringify(await request.json()),
    arrayBuffer: async (request) => new TextDecoder().decode(await request.arrayBuffer()),
    bytes: async (request) => new TextDecoder().decode(await request.bytes()),
    blob: async (request) => (await request.blob()).text(),
    body: (request) => new Response(request.body).text(),
    clone: (request) => request.clone().text(),
  };

  it.each(Object.keys(ways))("is given to who asks for it by %s, and taken by sentiero all the same", async (way) => {
    const told: unknown[] = [];
    const site = await start({}, undefined, (sentiero) => ({
      ...sentiero,
      async fetch(received) {
        told.push(received.bodyUsed, await ways[way]!(received), received.bodyUsed);
        return sentiero.fetch(received);
      },
    }));
    expect((await post(site, text)).status).toBe(200);
    expect(told).toEqual([false, text, way !== "clone"]);
  });

  it("that comes in pieces is held in bytes of its own, not in a view of a buffer that others share", async () => {
    let received: Connection | undefined;
    const site = await start({}, undefined, (sentiero) => ({
      ...sentiero,
      fetch: async (request) => ((received = request as Connection), new Response()),
    }));
    await new Promise<void>((resolve) => {
      const socket = connect(site.port, "127.0.0.1");
      socket.write("POST /sentiero/events HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc");
      setTimeout(() => socket.write("def"), 50);
      socket.once("data", () => resolve(void socket.destroy()));
    });
    expect(new TextDecoder().decode(received!.bodyBytes)).toBe("abcdef");
    expect(received!.bodyBytes!.buffer.byteLength).toBe(6);
  });

  it("that is a form is given as one", async () => {
    let form: FormData | undefined;
    const site = await start({}, undefined, (sentiero) => ({
      ...sentiero,
      async fetch(received) {
        form = await received.formData();
        return new Response();
      },
    }));
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    await ask(site, "/sentiero/events", { method: "POST", headers, body: "a=1&b=2" });
    expect([...form!]).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
  });
});

describe("a failure inside", () => {
  it("answers 500 without its text and is told to onError", async () => {
    const failure = new Error("secret of the house");
    const site = await start({}, undefined, (sentiero) => ({ ...sentiero, fetch: () => Promise.reject(failure) }));
    const answer = await ask(site, "/sentiero/");
    expect([answer.status, answer.text]).toEqual([500, ""]);
    expect(JSON.stringify(answer.headers)).not.toContain("secret");
    expect(site.errors).toEqual([failure]);
  });

  it("of the storage answers 500 without its text and is told to onError", async () => {
    const failure = new Error("disk 7 is on fire");
    const site = await start({
      // Timers ask for the time too.
      maintenance: false,
      clock: () => {
        throw failure;
      },
    });
    const answer = await post(site, text);
    expect(answer.status).toBe(500);
    expect(JSON.parse(answer.text)).toEqual({ error: "internal error" });
    expect(site.errors).toEqual([failure]);
  });

  it("in the middle of an answer cuts the connection and is told to onError", async () => {
    const failure = new Error("blob is gone");
    let pulls = 0;
    const broken = () =>
      new Response(
        new ReadableStream({
          pull(controller) {
            if (pulls++ < 3) controller.enqueue(new Uint8Array(1000));
            else controller.error(failure);
          },
        }),
      );
    const site = await start({}, undefined, (sentiero) => ({ ...sentiero, fetch: async () => broken() }));
    await expect(ask(site, "/sentiero/")).rejects.toThrow();
    await vi.waitFor(() => expect(site.errors).toEqual([failure]));
  });
});
