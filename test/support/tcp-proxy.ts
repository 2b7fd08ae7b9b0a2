import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** Where a POST is cut off: when its headers are through, when its body is, or when its answer begins to come back. */
export type Cut = "after the headers" | "after the body" | "before the answer";

/** A way to a server that can be closed and opened again. */
export interface TcpProxy {
  readonly port: number;
  /** How every POST that begins from now on ends; null lets it through. */
  cut: Cut | null;
  /** POSTs cut off so far. */
  readonly cutCount: number;
  /** Refuses who comes and cuts off who is there, as a stopped server does. */
  close(): Promise<void>;
  open(): Promise<void>;
}

/** Makes a way to a server on this machine, closed at first. */
export async function createProxy(host: string, port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let cut: Cut | null = null;
  let cutCount = 0;

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
    }
    const end = (): void => {
      cutCount++;
      client.destroy();
    };
    let isAnswerCut = false;
    const posts = createPostReader((at) => {
      if (at === "headers" && cut === "before the answer") isAnswerCut = true;
      return (at === "headers" && cut === "after the headers") || (at === "body" && cut === "after the body");
    });
    client.on("data", (chunk: Buffer) => {
      const length = posts.read(chunk);
      // Cut when the other side has what goes through.
      if (length !== null) return void upstream.write(chunk.subarray(0, length), end);
      if (upstream.write(chunk)) return;
      client.pause();
      upstream.once("drain", () => client.resume());
    });
    upstream.on("data", (chunk: Buffer) => {
      if (isAnswerCut) return end();
      if (client.write(chunk)) return;
      upstream.pause();
      client.once("drain", () => upstream.resume());
    });
    client.on("end", () => upstream.end());
    upstream.on("end", () => client.end());
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
  return {
    port: own,
    get cut() {
      return cut;
    },
    set cut(next) {
      cut = next;
    },
    get cutCount() {
      return cutCount;
    },
    close,
    open: () => listen(own),
  };
}

/** Follows one connection far enough to know where the headers and the body of a POST end. Anything else goes by unread. */
function createPostReader(isCutAt: (place: "headers" | "body") => boolean) {
  let head = "";
  let bodyLeft = 0;
  return {
    /** How much of a chunk goes through before the cut, or null where there is none. */
    read(chunk: Buffer): number | null {
      if (bodyLeft === 0) {
        const before = head.length;
        // Requests don't follow each other without an answer, so a chunk holds nothing of a second one.
        head += chunk.toString("latin1");
        if (!"POST ".startsWith(head.slice(0, 5)) && !head.startsWith("POST ")) head = "";
        const headEnd = head.indexOf("\r\n\r\n") + 4;
        if (headEnd < 4) return null;
        bodyLeft = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0) - (head.length - headEnd);
        head = "";
        if (isCutAt("headers")) return headEnd - before;
      } else {
        bodyLeft -= chunk.length;
      }
      return bodyLeft <= 0 && isCutAt("body") ? chunk.length : null;
    },
  };
}
