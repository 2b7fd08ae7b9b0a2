// Compresses uploads off the page's thread; served by the assets lane, so that no `blob:` is needed in the page's policy.
import { gzip } from "./gzip.ts";

/** The global of a dedicated worker, as far as it is used; the library of the DOM knows only the window's. */
interface WorkerScope {
  addEventListener(type: "message", listener: (event: MessageEvent<string>) => void): void;
  postMessage(message: Uint8Array<ArrayBuffer> | null, transfer: Transferable[]): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.addEventListener("message", (event) => {
  void gzip(event.data).then((bytes) => scope.postMessage(bytes, bytes ? [bytes.buffer] : []));
});
