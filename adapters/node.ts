import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Connection } from "../src/http/connection.ts";
import type { Sentiero } from "../src/sentiero.ts";
import { isMounted } from "./mount.ts";
import { nodePlatform } from "./node-platform.ts";

export { nodePlatform } from "./node-platform.ts";

/**
 * A request listener of `node:http`. With `next`, requests outside `basePath` go on to it. `context` is handed to the
 * `authorize` option: what a framework knows of the request, by default the request itself.
 */
export type NodeHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: () => void,
  context?: unknown,
) => void;

/**
 * Serves a sentiero from `node:http`, and gives it Node's own zlib and crypto.
 *
 * ```ts
 * const sentiero = createSentiero({ basicAuth: { user: "ada", password: "…" } });
 * const handle = toNodeHandler(sentiero);
 * createServer((request, response) => handle(request, response, () => myApp(request, response))).listen(3000);
 * ```
 */
export function toNodeHandler(sentiero: Sentiero): NodeHandler {
  Object.assign(sentiero.platform, nodePlatform);
  const { onError } = sentiero.options;

  async function serve(message: IncomingMessage, response: ServerResponse, url: URL, context: unknown): Promise<void> {
    // What neither Request nor any lane of ours knows, such as TRACE.
    if (!METHODS.has(message.method ?? "")) return void response.writeHead(405).end();
    const answer = await sentiero.fetch(await toRequest(message, url, context));
    // What of the body was not wanted is not waited for.
    if (!message.complete) response.setHeader("connection", "close");
    await send(answer, response);
  }

  return (message, response, next, context = message) => {
    const url = toUrl(message);
    if (next && !isMounted(sentiero, url.pathname)) return next();
    serve(message, response, url, context).catch((error: unknown) => {
      // The client went away in the middle of its body or of an answer: nobody is left to tell, and nobody is to blame.
      if (isAbort(error) && (message.destroyed || response.destroyed)) return;
      onError(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  };
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** What Node says when the other side has closed the connection. */
function isAbort(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ERR_STREAM_PREMATURE_CLOSE" || code === "ECONNRESET" || code === "EPIPE";
}

/** Bodies up to this size are read before the Request is made, which halves its cost; larger ones are streamed. */
const BUFFERED_BYTES = 512 * 1024;

async function toRequest(message: IncomingMessage, url: URL, context: unknown): Promise<Request> {
  const { method = "GET" } = message;
  const hasBody = method !== "GET" && method !== "HEAD";
  // What was read before us is inflated, and has another length.
  const isRead = hasBody && message.readableDidRead;
  const headers: Record<string, string> = {};
  for (const name in message.headers) {
    // HTTP/2 pseudo-headers are not headers.
    if (!name.startsWith(":") && !(isRead && OF_BODY.has(name))) headers[name] = String(message.headers[name]);
  }
  const init: RequestInit & { duplex?: "half" } = { method, headers };
  let bodyBytes: Uint8Array | undefined;
  if (isRead) bodyBytes = toBody(message);
  else if (hasBody && Number(message.headers["content-length"] ?? NaN) <= BUFFERED_BYTES)
    bodyBytes = await readAll(message);
  else if (hasBody) Object.assign(init, { body: toStream(message), duplex: "half" });
  const request = bodyBytes ? new BufferedRequest(url, init, bodyBytes) : new Request(url, init);
  const connection: Connection = { ip: toIp(message), context };
  return Object.assign(request, connection);
}

/**
 * A request whose body was read. It is wrapped in a stream, which costs more than all else here, only for those who ask for
 * it. Who makes a `Request` of this one asks by `clone()`.
 */
class BufferedRequest extends Request {
  readonly bodyBytes: Uint8Array;
  #whole: Request | undefined;

  constructor(url: URL, init: RequestInit, bodyBytes: Uint8Array) {
    super(url, init);
    this.bodyBytes = bodyBytes;
  }

  get #request(): Request {
    const { method, headers, bodyBytes } = this;
    return (this.#whole ??= new Request(this.url, { method, headers, body: bodyBytes as BodyInit }));
  }
  override get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#request.body;
  }
  override get bodyUsed(): boolean {
    return this.#whole?.bodyUsed ?? false;
  }
  override arrayBuffer(): Promise<ArrayBuffer> {
    return this.#request.arrayBuffer();
  }
  override blob(): Promise<Blob> {
    return this.#request.blob();
  }
  override bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#request.bytes();
  }
  override clone(): Request {
    return this.#request.clone();
  }
  override formData(): Promise<FormData> {
    return this.#request.formData();
  }
  override json(): Promise<unknown> {
    return this.#request.json();
  }
  override text(): Promise<string> {
    return this.#request.text();
  }
}

/** Express knows it behind proxies, where the app says which ones it trusts. */
function toIp(message: IncomingMessage): string | undefined {
  return (message as { ip?: string }).ip ?? message.socket.remoteAddress;
}

const OF_BODY: ReadonlySet<string> = new Set(["content-encoding", "content-length"]);

/** A body that a parser of the framework has read: as it came (`rawBody`), or what was made of it (`body`). */
function toBody(message: IncomingMessage): Uint8Array {
  const { rawBody, body } = message as { rawBody?: unknown; body?: unknown };
  const read = rawBody ?? body;
  if (read instanceof Uint8Array) return read;
  if (read !== undefined && read !== null) return Buffer.from(typeof read === "string" ? read : JSON.stringify(read));
  throw new Error(
    `[sentiero] the body of ${message.method} ${message.url} was read before sentiero got it, and nothing was left of it: ` +
      "mount sentiero before whatever reads bodies",
  );
}

/** The full address of a request: frameworks that strip a mount's prefix keep the original beside it. */
function toUrl(message: IncomingMessage): URL {
  const target = (message as { originalUrl?: string }).originalUrl ?? message.url ?? "/";
  const scheme = "encrypted" in message.socket && message.socket.encrypted ? "https" : "http";
  const { host = "" } = message.headers;
  const path = target.startsWith("/") ? target : toPath(target);
  // A Host with a slash or an @ in it would move the path, or another host, into the URL.
  const known = /^[\w.:[\]-]+$/.test(host) ? host : "localhost";
  try {
    return new URL(`${scheme}://${known}${path}`);
  } catch {
    // Such as a port that there is not.
    return new URL(`${scheme}://localhost${path}`);
  }
}

/** A client may name the whole address (RFC 9112, 3.2.2); "*" and other forms are nobody's path. */
function toPath(target: string): string {
  if (!URL.canParse(target)) return "/";
  const { pathname, search } = new URL(target);
  return pathname.startsWith("/") ? pathname + search : "/";
}

/** A body as it comes. Who stops reading it can still be answered: `Readable.toWeb` would cut the connection then. */
function toStream(message: IncomingMessage): ReadableStream<Uint8Array> {
  const chunks = message.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array>;
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return?.();
    },
  });
}

/**
 * The whole of a small body; by events, which cost a third of an iterator. In bytes of its own: a chunk may be a view of a larger
 * buffer (of HTTP/2, 64 KB), which would live for as long as the recording is kept in memory.
 */
function readAll(message: IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    message.on("data", (chunk: Buffer) => chunks.push(chunk));
    message.once("end", () => {
      const [only] = chunks;
      const isOwn = chunks.length === 1 && only!.byteLength === only!.buffer.byteLength;
      resolve(isOwn ? only! : new Uint8Array(Buffer.concat(chunks)));
    });
    message.once("error", reject);
  });
}

const ONE_PIECE_BYTES = 4 * 1024;

async function send(answer: Response, response: ServerResponse): Promise<void> {
  if (response.destroyed) return answer.body?.cancel();
  const headers: string[] = [];
  for (const [name, value] of answer.headers) headers.push(name, value);
  response.writeHead(answer.status, headers);
  if (!answer.body) {
    response.end();
    return;
  }
  const length = Number(answer.headers.get("content-length") ?? NaN);
  if (length <= BUFFERED_BYTES) {
    const bytes = Buffer.from(await answer.arrayBuffer());
    // As text of single bytes, Node sends a small body in one piece with its head.
    if (length <= ONE_PIECE_BYTES) response.end(bytes.toString("latin1"), "latin1");
    else response.end(bytes);
    return;
  }
  // Waits where the client reads slowly, and stops reading where it goes away.
  await pipeline(Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]), response);
}
