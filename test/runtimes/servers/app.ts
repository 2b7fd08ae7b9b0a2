/** What every server of the contract serves, by the built package; and what the contract asks of it besides. */
import { createStorage, type Storage } from "unstorage";
import { createSentiero, type Sentiero } from "../../../dist/src/index.js";

/** Where it is mounted, in all of them. */
export const BASE_PATH = "/app/sentiero";

/** A body may have as many bytes. */
export const MAX_BODY_BYTES = 1_000_000;

const CHUNK = new Uint8Array(65_536);

/**
 * A sentiero over memory behind a proxy, whose `authorize` answers paths under `/api/test`: what of a request arrives, and
 * answers of kinds that the product has only for large recordings.
 */
export function createContractSentiero(storage: Storage = createStorage()): Sentiero {
  const stream = { pulled: 0, cancelled: 0 };

  function answer(what: string, request: Request, ip: string | null): unknown {
    if (what === "client") return Response.json({ ip, url: request.url, method: request.method });
    if (what === "stream-counts") return Response.json(stream);
    if (what === "cookies") {
      const headers = new Headers();
      headers.append("set-cookie", "a=1; Path=/");
      headers.append("set-cookie", "b=2; Expires=Wed, 21 Oct 2037 07:28:00 GMT");
      return new Response("two", { headers });
    }
    if (what !== "stream") return true;
    return new Response(
      new ReadableStream({
        pull(controller) {
          stream.pulled++;
          controller.enqueue(CHUNK);
        },
        cancel() {
          stream.cancelled++;
        },
      }),
    );
  }

  return createSentiero({
    basePath: BASE_PATH,
    storage,
    trustProxy: true,
    limits: { maxBodyBytes: MAX_BODY_BYTES },
    authorize: (request, { ip }) => answer(new URL(request.url).pathname.split("/api/test/")[1] ?? "", request, ip),
  });
}

/** Tells the test where the server listens. */
export function announce(port: number): void {
  console.log(JSON.stringify({ port }));
}
