import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import type { Sentiero } from "../../../src/index.ts";

/** A server that keeps every byte that it gets. */
export interface Collector {
  readonly url: string;
  /** Addresses, headers and bodies, as they came and inflated. */
  received(): string;
  close(): Promise<void>;
}

/** Puts a sentiero behind a server that keeps what it gets. Any other address is answered with nothing. */
export async function openCollector(createSentiero: (url: string) => Sentiero): Promise<Collector> {
  const received: string[] = [];
  let sentiero: Sentiero | undefined;
  const server = createServer((request, response) => {
    void (async () => {
      const body = await readBody(request);
      received.push(request.url ?? "", JSON.stringify(request.headers), ...textsOf(body));
      const url = `http://${request.headers.host}${request.url}`;
      const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
        typeof value === "string" ? [[name, value]] : [],
      );
      const { method } = request;
      const hasBody = method === "POST";
      const answer = url.includes("/sentiero/")
        ? await sentiero!.fetch(
            new Request(url, { method: method!, headers, body: hasBody ? new Uint8Array(body) : null }),
          )
        : new Response(null, { status: 204, headers: { "access-control-allow-origin": "*" } });
      response.writeHead(answer.status, Object.fromEntries(answer.headers));
      response.end(new Uint8Array(await answer.arrayBuffer()));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  sentiero = createSentiero(url);
  return {
    url,
    received: () => received.join("\n"),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A body byte by byte, and inflated where it is compressed. */
function textsOf(body: Buffer): string[] {
  const isGzip = body[0] === 0x1f && body[1] === 0x8b;
  return [body.toString("latin1"), body.toString("utf8"), ...(isGzip ? [gunzipSync(body).toString("utf8")] : [])];
}
