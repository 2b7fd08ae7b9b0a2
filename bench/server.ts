// One server under test: `server.ts bare|memory|sqlite FOLDER`. It runs what users get: the built dist/.
// Over IPC it tells its port and the CPU time that it has used, and ends when the channel is closed.
import { createWriteStream } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { gunzipSync } from "node:zlib";

const [kind, folder] = process.argv.slice(2) as ["bare" | "memory" | "sqlite", string];

const server = createServer(
  kind === "bare" ? bare() : await sentiero(kind === "memory" ? kind : `sqlite:${folder}/bench.db`),
);
server.listen(0, "127.0.0.1", () => {
  process.on("message", ({ ask }: { ask: "port" | "cpu" }) => {
    const { user, system } = process.cpuUsage();
    process.send!(
      ask === "port" ? { port: (server.address() as AddressInfo).port } : { cpuMs: (user + system) / 1000 },
    );
  });
});
process.on("disconnect", () => {
  server.close();
  server.closeAllConnections();
});

async function sentiero(storage: string): Promise<RequestListener> {
  const [{ createSentiero }, { toNodeHandler }, { openStorage }] = await Promise.all([
    import("../dist/src/index.js"),
    import("../dist/adapters/node.js"),
    import("../dist/src/cli/storage.js"),
  ]);
  return toNodeHandler(createSentiero({ storage: await openStorage(storage) }));
}

/** The least that an events lane could do: inflate, parse, append the body as received, answer when it is written. */
function bare(): RequestListener {
  const file = createWriteStream(join(folder, "bare.log"), { flags: "a" });
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      JSON.parse(gunzipSync(body).toString());
      file.write(body, () => {
        response.writeHead(200, { "content-type": "application/json", "content-length": 15 });
        response.end('{"status":"ok"}');
      });
    });
  };
}
