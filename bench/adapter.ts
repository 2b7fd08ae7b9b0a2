import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import process from "node:process";
import { Writable } from "node:stream";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { createStorage } from "unstorage";
import { makeBatches } from "./batches.ts";
import { median, table, toCount } from "./figures.ts";

const BATCHES_PER_VISIT = 20;
const VISITS = 16;

/**
 * Measures what `sentiero/node` adds to a batch: bodies go into `sentiero.fetch` as Requests, and twins of them, which differ
 * only by ids, into the adapter as what `node:http` gives, without a network in between. What `node:http` itself takes for a
 * request is measured beside it. One sentiero serves both, so that what it holds weighs on both. The ways take turns body by
 * body; a round's figure is the thread's CPU time a batch, the share the median over the rounds.
 *
 * `--rounds N` (default 40) of 320 bodies each way.
 */
export async function adapter(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { rounds: { type: "string" } } });
  const rounds = toCount("--rounds", values.rounds ?? "40", 200);
  const [{ createSentiero }, { toNodeHandler }] = await Promise.all([
    import("../dist/src/index.js"),
    import("../dist/adapters/node.js"),
  ]);

  const shares: number[] = [];
  const costs: Record<Way, number[]> = { bare: [], direct: [], adapted: [] };
  // Round 0 warms up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const sentiero = createSentiero({ storage: createStorage(), maintenance: false });
    const handle = toNodeHandler(sentiero);
    const [bodies, twins] = [makeBodies(), makeBodies()];
    const cpu: Record<Way, number> = { bare: 0, direct: 0, adapted: 0 };
    for (const [index, body] of bodies.entries()) {
      const ways = [
        ["bare", () => handleOne(answerBare, body)],
        ["direct", () => fetchOne(sentiero, body)],
        ["adapted", () => handleOne(handle, twins[index]!)],
      ] as const;
      for (const [name, run] of index % 2 === 0 ? ways : [...ways].reverse()) {
        const before = process.threadCpuUsage();
        await run();
        const { user, system } = process.threadCpuUsage(before);
        cpu[name] += (user + system) / 1000;
      }
    }
    if (round === 0) continue;
    for (const name of WAYS) costs[name].push(cpu[name] / bodies.length);
    shares.push((cpu.adapted - cpu.bare) / cpu.direct - 1);
  }
  console.log(
    table(
      ["in process, gzip batches on memory", "CPU ms a batch", "more than both", "wanted"],
      [
        ["node:http reads and answers", median(costs.bare).toFixed(3), "", ""],
        ["sentiero.fetch(request)", median(costs.direct).toFixed(3), "", ""],
        [
          "sentiero/node, with both",
          median(costs.adapted).toFixed(3),
          `${(median(shares) * 100).toFixed(1)} %`,
          "<= 5 %",
        ],
      ],
      `Median of ${rounds} rounds of ${VISITS * BATCHES_PER_VISIT} batches each way, in turns. Node ${process.versions.node}.`,
    ),
  );
}

function makeBodies(): Uint8Array[] {
  return [...makeBatches(VISITS, BATCHES_PER_VISIT)].map((batch) => gzipSync(JSON.stringify(batch)));
}

async function fetchOne(sentiero: { fetch(request: Request): Promise<Response> }, body: Uint8Array): Promise<void> {
  const request = new Request("http://localhost/sentiero/events", {
    method: "POST",
    headers: HEADERS,
    body: body as BodyInit,
  });
  const answer = await sentiero.fetch(request);
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`sentiero.fetch answered ${answer.status}`);
}

const HEADERS = {
  host: "localhost",
  "content-type": "application/json",
  "content-encoding": "gzip",
  origin: "http://localhost",
  "user-agent": "bench",
};

type Way = "bare" | "direct" | "adapted";
const WAYS: readonly Way[] = ["bare", "direct", "adapted"];

/** The least that a server on `node:http` does. */
const answerBare: Handle = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    Buffer.concat(chunks);
    response.writeHead(200, { "content-type": "application/json", "content-length": 15 });
    response.end('{"status":"ok"}');
  });
};

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** One request as `node:http` would make it of what came over a connection, and its answer to the last byte. */
function handleOne(handle: Handle, body: Uint8Array): Promise<void> {
  const message = new IncomingMessage(new Socket());
  const headers: Record<string, string> = { ...HEADERS, "content-length": String(body.byteLength) };
  Object.assign(message, {
    method: "POST",
    url: "/sentiero/events",
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    complete: true,
  });
  for (const [name, value] of Object.entries(headers)) {
    message.rawHeaders.push(name, value);
    message.headers[name] = value;
  }
  message.push(body);
  message.push(null);
  const response = new ServerResponse(message);
  response.assignSocket(new Writable({ write: (_chunk, _encoding, done) => done() }) as unknown as Socket);
  return new Promise((resolve, reject) => {
    response.once("finish", () => {
      if (response.statusCode === 200) resolve();
      else reject(new Error(`sentiero/node answered ${response.statusCode}`));
    });
    handle(message, response);
  });
}
