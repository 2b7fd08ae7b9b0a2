import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** How many ports above the wanted one are tried. */
const tries = 20;

/**
 * Lets `server` listen on `port` or, where that is taken, on the next free one; each taken port is given to `onTaken`
 * with the one tried next. Port 0 means any free one. Resolves to the port.
 * @throws Error in plain words when the host isn't this machine's, the port isn't allowed, or twenty in a row are taken.
 */
export async function listen(
  server: Server,
  port: number,
  host: string,
  onTaken: (taken: number, next: number) => void,
): Promise<number> {
  for (let at = port; at < port + tries && at <= 65_535; at++) {
    const code = await attempt(server, at, host);
    if (code === undefined) return (server.address() as AddressInfo).port;
    if (code === "EACCES") throw new Error(`Port ${at} needs more rights than you have. Take one above 1023.`);
    if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND" || code === "EAI_AGAIN") {
      throw new Error(`${host} is not an address of this machine.`);
    }
    if (code !== "EADDRINUSE") throw new Error(`Port ${at} on ${host} can't be opened (${code}).`);
    if (at + 1 < port + tries && at < 65_535) onTaken(at, at + 1);
  }
  throw new Error(`Ports ${port} to ${Math.min(port + tries - 1, 65_535)} are all taken. Choose another with --port.`);
}

/** Undefined, or the code of the error. */
function attempt(server: Server, port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      server.off("listening", onListening);
      resolve(error.code ?? error.message);
    };
    const onListening = (): void => {
      server.off("error", onError);
      resolve(undefined);
    };
    server.once("error", onError);
    server.once("listening", onListening);
    server.listen(port, host);
  });
}
