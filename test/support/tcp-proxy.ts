import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A way to a server that can be closed and opened again. */
export interface TcpProxy {
  readonly port: number;
  /** Refuses who comes and cuts off who is there, as a stopped server does. */
  close(): Promise<void>;
  open(): Promise<void>;
}

/** Makes a way to a server on this machine, closed at first. */
export async function createProxy(host: string, port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, host);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  const listen = (at: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(at, "127.0.0.1", resolve);
    });
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  await listen(0);
  const own = (server.address() as AddressInfo).port;
  await close();
  return { port: own, close, open: () => listen(own) };
}
