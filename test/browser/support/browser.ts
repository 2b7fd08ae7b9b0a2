import { createServer } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser } from "playwright-core";
import { describe, inject } from "vitest";
import { toNodeHandler } from "../../../adapters/node.ts";
import { CHROMIUM_FLAGS } from "../../../scripts/chromium.ts";
import type { Sentiero } from "../../../src/index.ts";

/** Tests that need a Chromium; without one they are skipped by name. */
export const describeBrowser: typeof describe.skip = describe.skipIf(inject("chromium") === null);

/** A new Chromium. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: inject("chromium")!, args: [...CHROMIUM_FLAGS] });
}

/** A site with sentiero under it, on a loopback port. */
export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves pages by `site` and everything under `/sentiero` by `sentiero`. */
export async function serveSite(
  sentiero: Sentiero,
  site: (request: Request) => Response | Promise<Response>,
): Promise<Site> {
  const handle = toNodeHandler(sentiero);
  const server = createServer((request, response) =>
    handle(request, response, () => {
      void (async () => {
        const answer = await site(new Request(`http://${request.headers.host}${request.url}`));
        response.writeHead(answer.status, Object.fromEntries(answer.headers));
        response.end(new Uint8Array(await answer.arrayBuffer()));
      })();
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A folder that is gone after the test. */
export async function withFolder(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "sentiero-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
