import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Sentiero } from "../src/sentiero.ts";
import { nodePlatform } from "./node-platform.ts";

export { nodePlatform } from "./node-platform.ts";

/** A request listener of `node:http`. With `next`, requests outside `basePath` go on to it. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse, next?: () => void) => void;

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
  const { basePath, onError } = sentiero.options;

  async function serve(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await toRequest(message);
    await send(await sentiero.fetch(request), response);
  }

  return (message, response, next) => {
    // Frameworks that strip a mount's prefix keep the full path beside it.
    const url = (message as { originalUrl?: string }).originalUrl ?? message.url ?? "/";
    const path = url.split("?", 1)[0]!;
    if (next && path !== basePath && !path.startsWith(`${basePath}/`)) return next();
    serve(message, response).catch((error: unknown) => {
      // The client went away in the middle of an answer or a body: nobody is left to tell.
      if (response.destroyed || message.destroyed) return;
      onError(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  };
}

/** Bodies up to this size are read before the Request is made, which halves its cost; larger ones are streamed. */
const BUFFERED_BYTES = 512 * 1024;

async function toRequest(message: IncomingMessage): Promise<Request> {
  const { method = "GET", rawHeaders } = message;
  const headers = new Headers();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    // HTTP/2 pseudo-headers are not headers.
    if (!rawHeaders[index]!.startsWith(":")) headers.append(rawHeaders[index]!, rawHeaders[index + 1]!);
  }
  const url = (message as { originalUrl?: string }).originalUrl ?? message.url ?? "/";
  const scheme = "encrypted" in message.socket && message.socket.encrypted ? "https" : "http";
  const init: RequestInit & { duplex?: "half" } = { method, headers };
  if (method !== "GET" && method !== "HEAD") {
    const length = Number(message.headers["content-length"] ?? NaN);
    if (length <= BUFFERED_BYTES) init.body = (await readAll(message)) as BodyInit;
    else Object.assign(init, { body: Readable.toWeb(message), duplex: "half" });
  }
  const request = new Request(toUrl(url, scheme, message.headers.host ?? "localhost"), init);
  Object.defineProperty(request, "ip", { value: message.socket.remoteAddress });
  return request;
}

function toUrl(url: string, scheme: string, host: string): string {
  // A Host header that is none would make the URL invalid, or move the path into it.
  const authority = /^[A-Za-z0-9.-]+(:\d+)?$|^\[[0-9A-Fa-f:.]+\](:\d+)?$/.test(host) ? host : "localhost";
  return url.startsWith("/") ? `${scheme}://${authority}${url}` : `${scheme}://${authority}/`;
}

async function readAll(message: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
}

async function send(answer: Response, response: ServerResponse): Promise<void> {
  const headers: string[] = [];
  for (const [name, value] of answer.headers) headers.push(name, value);
  response.writeHead(answer.status, headers);
  if (!answer.body) {
    response.end();
    return;
  }
  const length = Number(answer.headers.get("content-length") ?? NaN);
  if (length <= BUFFERED_BYTES) {
    response.end(new Uint8Array(await answer.arrayBuffer()));
    return;
  }
  // Waits where the client reads slowly, and stops reading where it goes away.
  await pipeline(Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]), response);
}
