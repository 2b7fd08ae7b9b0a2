// The other side of an ingest bench. It makes all bodies before the clock starts and sends them over plain sockets, so
// that it takes as little as possible of what is measured. Asked over IPC, it ends when the channel is closed.
import { connect, type Socket } from "node:net";
import process from "node:process";
import { gzipSync } from "node:zlib";
import { makeBatches } from "./batches.ts";
import { quantile } from "./figures.ts";

/** How sending one set of batches went. */
export interface LoadReport {
  readonly requests: number;
  /** Answers other than 200. */
  readonly failures: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

type Question =
  | { ask: "prepare"; visits: number; batchesPerVisit: number }
  | { ask: "send"; port: number; connections: number };

let packets: Buffer[] = [];

process.on("message", (question: Question) => {
  if (question.ask === "prepare") process.send!(prepare(question.visits, question.batchesPerVisit));
  else void send(question.port, question.connections).then((report) => process.send!(report));
});

/** Makes a new set of requests. Mean sizes are of bodies, in bytes. */
function prepare(visits: number, batchesPerVisit: number): { meanJson: number; meanGzip: number } {
  packets = [];
  let json = 0;
  let gzip = 0;
  for (const batch of makeBatches(visits, batchesPerVisit)) {
    const text = JSON.stringify(batch);
    const body = gzipSync(text);
    json += Buffer.byteLength(text);
    gzip += body.length;
    packets.push(Buffer.concat([Buffer.from(toHead(body.length)), body]));
  }
  return { meanJson: json / packets.length, meanGzip: gzip / packets.length };
}

function toHead(length: number): string {
  const lines = ["POST /sentiero/events HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"];
  return [...lines, "Content-Encoding: gzip", `Content-Length: ${length}`, "", ""].join("\r\n");
}

/** Each connection takes the next request as soon as its last one is answered. */
async function send(port: number, connections: number): Promise<LoadReport> {
  const latencies = new Float64Array(packets.length);
  let next = 0;
  let failures = 0;
  const sockets = await Promise.all(Array.from({ length: connections }, () => open(port)));
  const started = performance.now();
  await Promise.all(
    sockets.map(async (socket) => {
      const answers = readAnswers(socket);
      while (next < packets.length) {
        const index = next++;
        const from = performance.now();
        socket.write(packets[index]!);
        const { value: status } = await answers.next();
        latencies[index] = performance.now() - from;
        if (status !== 200) failures++;
        if (status === undefined) break;
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  for (const socket of sockets) socket.destroy();
  // What a closed connection left unsent counts as failed.
  failures += packets.length - next;
  const [p50Ms, p99Ms] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  return { requests: packets.length, failures, seconds, p50Ms, p99Ms };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });
}

/** The status of each answer, as soon as it is there whole. Both servers send a Content-Length with each. */
async function* readAnswers(socket: Socket): AsyncGenerator<number, undefined> {
  let text = "";
  for await (const chunk of socket) {
    text += (chunk as Buffer).toString("latin1");
    const end = text.indexOf("\r\n\r\n");
    if (end < 0) continue;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0);
    if (text.length < end + 4 + length) continue;
    yield Number(text.slice(9, 12));
    text = "";
  }
}
