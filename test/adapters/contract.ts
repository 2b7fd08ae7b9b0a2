import { connect, type Socket } from "node:net";
import { Readable } from "node:stream";
import { gunzipSync, gzipSync } from "node:zlib";
import { Agent, request, type Dispatcher } from "undici";
import { expect, vi } from "vitest";
import { BASE_PATH, MAX_BODY_BYTES } from "../runtimes/servers/app.ts";
import type { SessionList } from "../../src/index.ts";
import { batch } from "../support/sentiero.ts";

/** A server of `test/runtimes/servers` that listens. */
export interface Server {
  readonly port: number;
  stop(): Promise<void>;
}

/** In what a runtime differs on purpose. */
export interface Differences {
  /** Whether a connection may be closed unanswered where a thousand are opened at once. @default false */
  readonly dropsConnections?: boolean;
  /** Whether the runtime says when a client went away. @default true */
  readonly tellsDisconnects?: boolean;
}

/** Chunks of 64 KiB that may be made ahead of a client that does not read: 10 MiB, in buffers of ours and of the system. */
const CHUNKS_AHEAD = 160;

/** One case of the contract. */
export interface Case {
  readonly name: string;
  run(server: Server, differences: Differences): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData["headers"];
  readonly bytes: Buffer;
  readonly text: string;
}

type Ask = Parameters<typeof request>[1] & { readonly agent?: Agent };

const shared = new Agent({ connections: 16 });

async function ask({ port }: Server, path: string, { agent = shared, ...options }: Ask = {}): Promise<Answer> {
  const answer = await request(`http://127.0.0.1:${port}${path}`, { dispatcher: agent, ...options });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  return { status: answer.statusCode, headers: answer.headers, bytes, text: bytes.toString() };
}

async function json<T>(server: Server, path: string, options: Ask = {}): Promise<T> {
  const { status, headers, bytes } = await ask(server, `${BASE_PATH}/api${path}`, options);
  expect(status).toBe(200);
  return JSON.parse((headers["content-encoding"] === "gzip" ? gunzipSync(bytes) : bytes).toString()) as T;
}

let sessions = 0;

/** A batch of a session of its own, as text. */
function body(fields: Record<string, unknown> = {}): { id: string; text: string } {
  const id = `session-${sessions++}`;
  return { id, text: JSON.stringify(batch({ sessionId: id, ...fields })) };
}

function post(server: Server, payload: string | Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  return ask(server, `${BASE_PATH}/events`, { method: "POST", headers, body: payload as Buffer });
}

/** Whether a session has been stored, with so many events. */
async function expectEvents(server: Server, id: string, events: number): Promise<void> {
  expect(await json(server, `/sessions/${id}`)).toMatchObject({ session: { id, eventCount: events } });
}

/** A connection to which a test writes, and from which it reads, what it likes. */
async function open({ port }: Server): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  return socket;
}

const CASES: Readonly<Record<string, Case["run"]>> = {
  async "sees the whole address that a browser asked for, under its mount"(server) {
    const path = `${BASE_PATH}/api/test/client?a=1&b=%2F`;
    const { url, method } = await json<{ url: string; method: string }>(server, path.slice(`${BASE_PATH}/api`.length));
    expect([new URL(url).pathname + new URL(url).search, method]).toEqual([path, "GET"]);
    expect(new URL(url).host).toBe(`127.0.0.1:${server.port}`);
  },

  async "takes a body of JSON"(server) {
    const { id, text } = body();
    expect(await post(server, text, { "content-type": "application/json" })).toMatchObject({
      status: 200,
      text: '{"status":"ok"}',
    });
    await expectEvents(server, id, 1);
  },

  async "takes a body of gzip by its header, and without one as beacons send it"(server) {
    const named = body();
    const headers = { "content-type": "application/json", "content-encoding": "gzip" };
    expect((await post(server, gzipSync(named.text), headers)).status).toBe(200);
    await expectEvents(server, named.id, 1);
    const beacon = body();
    const answer = await post(server, gzipSync(beacon.text), { "content-type": "application/octet-stream" });
    expect(answer.status).toBe(200);
    await expectEvents(server, beacon.id, 1);
  },

  async "takes a body in chunks, and one of half a megabyte"(server) {
    const chunked = body();
    const halves = [chunked.text.slice(0, 20), chunked.text.slice(20)].map((half) => Buffer.from(half));
    const stream = Readable.from(halves);
    const options = { method: "POST", headers: { "content-type": "application/json" }, body: stream } as const;
    expect((await ask(server, `${BASE_PATH}/events`, options)).status).toBe(200);
    await expectEvents(server, chunked.id, 1);
    const large = body({ events: [{ type: 2, data: { text: "x".repeat(500_000) }, timestamp: 1_700_000_000_000 }] });
    expect((await post(server, large.text, { "content-type": "application/json" })).status).toBe(200);
    await expectEvents(server, large.id, 1);
  },

  async "answers 413 to a body over the limit, and goes on"(server) {
    const { id } = body();
    const text = JSON.stringify(batch({ sessionId: id, metadata: { text: "x".repeat(MAX_BODY_BYTES) } }));
    // Where it is refused by its length, the connection may be closed while the client is still sending.
    const status = await post(server, text, { "content-type": "application/octet-stream" }).then(
      (answer) => answer.status,
      (error: NodeJS.ErrnoException) => error.code,
    );
    expect([413, "EPIPE", "ECONNRESET", "UND_ERR_SOCKET"]).toContain(status);
    expect((await ask(server, `${BASE_PATH}/api/sessions/${id}`)).status).toBe(404);
    expect((await post(server, body().text)).status).toBe(200);
  },

  async "answers 400 to what is no batch"(server) {
    const answer = await post(server, "[]", { "content-type": "application/json" });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toHaveProperty("error");
  },

  async "hands both of two cookies on"(server) {
    const { headers } = await ask(server, `${BASE_PATH}/api/test/cookies`);
    expect(headers["set-cookie"]).toEqual(["a=1; Path=/", "b=2; Expires=Wed, 21 Oct 2037 07:28:00 GMT"]);
  },

  async "knows the client's address, and behind a proxy that of the nearest one's word"(server) {
    expect(await json(server, "/test/client")).toMatchObject({ ip: "127.0.0.1" });
    const headers = { "x-forwarded-for": "192.0.2.1, 203.0.113.9" };
    expect(await json(server, "/test/client", { headers })).toMatchObject({ ip: "203.0.113.9" });
  },

  async "answers HEAD with headers alone"(server) {
    for (const path of ["", "/recorder.js", "/nothing"]) {
      const [get, head] = [
        await ask(server, BASE_PATH + path),
        await ask(server, BASE_PATH + path, { method: "HEAD" }),
      ];
      expect([head.status, head.bytes.length]).toEqual([get.status, 0]);
      expect(head.headers["content-type"]).toBe(get.headers["content-type"]);
    }
  },

  async "answers a part of a file with all of it, or with that part"(server) {
    const whole = await ask(server, `${BASE_PATH}/recorder.js`);
    const part = await ask(server, `${BASE_PATH}/recorder.js`, { headers: { range: "bytes=10-19" } });
    expect([200, 206]).toContain(part.status);
    expect(part.text).toBe(part.status === 200 ? whole.text : whole.text.slice(10, 20));
  },

  async "says that a file is unchanged"(server) {
    const { headers } = await ask(server, `${BASE_PATH}/recorder.js`);
    const again = await ask(server, `${BASE_PATH}/recorder.js`, {
      headers: { "if-none-match": String(headers.etag) },
    });
    expect([again.status, again.bytes.length]).toEqual([304, 0]);
  },

  async "leaves what is not under its mount to the host, and answers 404 to what is"(server) {
    for (const path of ["/", "/app", `${BASE_PATH}s`, "/app/other?x=1"]) {
      expect(await ask(server, path)).toMatchObject({ status: 200, text: "next" });
    }
    const missing = await ask(server, `${BASE_PATH}/nothing`);
    expect([missing.status, JSON.parse(missing.text)]).toEqual([404, { error: "not found" }]);
  },

  async "makes no more of an answer than its client reads, and stops when the client goes away"(
    server,
    { tellsDisconnects = true },
  ) {
    const counts = () => json<{ pulled: number; cancelled: number }>(server, "/test/stream-counts");
    const before = await counts();
    const socket = await open(server);
    socket.pause();
    socket.write(`GET ${BASE_PATH}/api/test/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    let last = -1;
    // All that fits between the two is full once the count stands still.
    await vi.waitUntil(
      async () => {
        const { pulled } = await counts();
        const isStill = pulled === last && pulled > before.pulled;
        last = pulled;
        return isStill;
      },
      { timeout: 20_000, interval: 300 },
    );
    expect(last - before.pulled).toBeLessThanOrEqual(CHUNKS_AHEAD);
    socket.destroy();
    if (!tellsDisconnects) return;
    await vi.waitUntil(async () => (await counts()).cancelled > before.cancelled, { timeout: 20_000, interval: 50 });
  },

  async "keeps nothing of a body whose client goes away, and goes on"(server) {
    const { id, text } = body();
    const socket = await open(server);
    const head = `POST ${BASE_PATH}/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n`;
    await new Promise<void>((resolve) =>
      socket.write(`${head}Content-Length: ${text.length + 50}\r\n\r\n${text}`, () => resolve()),
    );
    socket.destroy();
    const after = body();
    expect((await post(server, after.text)).status).toBe(200);
    await expectEvents(server, after.id, 1);
    expect((await ask(server, `${BASE_PATH}/api/sessions/${id}`)).status).toBe(404);
  },

  async "takes a thousand bodies at once, and those it has no room for when they come again"(
    server,
    { dropsConnections = false },
  ) {
    const agent = new Agent({ connections: 1_000 });
    try {
      const marks = await Promise.all(Array.from({ length: 1_000 }, () => send(body(), agent)));
      expect(marks).toHaveLength(1_000);
      let count = 0;
      const ids = new Set(marks);
      for (let cursor = ""; ;) {
        const page = await json<SessionList>(server, `/sessions?limit=100${cursor}`);
        for (const session of page.sessions) if (ids.has(session.id)) count++;
        if (!page.cursor) break;
        cursor = `&cursor=${encodeURIComponent(page.cursor)}`;
      }
      expect(count).toBe(1_000);
    } finally {
      await agent.destroy();
    }

    async function send({ id, text }: { id: string; text: string }, agent: Agent): Promise<string> {
      const headers = { "content-type": "application/json" };
      const options = { method: "POST", headers, body: text, agent } as const;
      let status = 0;
      await vi.waitUntil(
        async () => {
          // A recorder sends it again then, too.
          status = await ask(server, `${BASE_PATH}/events`, options).then(
            (answer) => answer.status,
            (error: unknown) => {
              if (dropsConnections) return 503;
              throw error;
            },
          );
          return status !== 503;
        },
        { timeout: 60_000, interval: 100 },
      );
      expect(status).toBe(200);
      return id;
    }
  },

  async "counts each of a hundred batches of one session that come at once"(server) {
    const { id } = body();
    const statuses = await Promise.all(
      Array.from({ length: 100 }, async (_, seq) => {
        const text = JSON.stringify(batch({ sessionId: id, run: "0".repeat(24), seq }));
        let status = 0;
        await vi.waitUntil(
          async () => {
            status = (await post(server, text, { "content-type": "application/json" })).status;
            return status !== 503;
          },
          { timeout: 60_000, interval: 100 },
        );
        return status;
      }),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    await expectEvents(server, id, 100);
  },
};

/** What every adapter does, in every runtime. */
export const ADAPTER_CONTRACT: readonly Case[] = Object.entries(CASES).map(([name, run]) => ({ name, run }));
