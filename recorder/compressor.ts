import { gzip } from "./gzip.ts";

/** A worker that hasn't answered by then is taken for one that never will: its script may be blocked without a word. */
const ANSWER_WITHIN_MS = 5_000;
/** A page that sends nothing for this long needs no thread of its own. */
const IDLE_MS = 60_000;

/**
 * Makes a function that compresses off the page's thread, in one worker for the page; it is made by the first upload and
 * ended when it has been idle for a minute. Where there can't be a worker (another origin, the page's policy, an old
 * browser, a failure of any kind) the text is compressed on the page's thread from then on, quietly.
 * @param workerUrl Address of the worker's script; a function, because making it may throw.
 * @returns gzip bytes, or null where the browser can't compress at all.
 */
export function createCompressor(workerUrl: () => URL): (text: string) => Promise<Uint8Array<ArrayBuffer> | null> {
  let worker: Worker | null = null;
  let isBroken = false;
  let isBusy = false;
  let timer: ReturnType<typeof setTimeout>;
  let answer: (bytes: Uint8Array<ArrayBuffer> | null) => void;
  let fail: () => void;

  function end(): void {
    worker?.terminate();
    worker = null;
  }

  function ask(text: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return new Promise((resolve, reject) => {
      worker ??= start();
      answer = resolve;
      fail = reject;
      timer = setTimeout(reject, ANSWER_WITHIN_MS);
      worker.postMessage(text, []);
    });
  }

  function start(): Worker {
    const url = workerUrl();
    // A browser writes what it refuses into the page's console, so it isn't even tried.
    if (url.origin !== location.origin) throw url;
    const started = new Worker(url);
    started.addEventListener("message", (event) => answer(event.data as Uint8Array<ArrayBuffer> | null));
    started.addEventListener("error", (event) => {
      event.preventDefault();
      fail();
    });
    return started;
  }

  return async (text) => {
    // There is one upload at a time; a second text would be taken for the answer to the first.
    if (isBroken || isBusy) return gzip(text);
    isBusy = true;
    clearTimeout(timer);
    try {
      return await ask(text);
    } catch {
      isBroken = true;
      end();
      return await gzip(text);
    } finally {
      isBusy = false;
      clearTimeout(timer);
      timer = setTimeout(end, IDLE_MS);
    }
  };
}
