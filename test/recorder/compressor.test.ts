import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createCompressor } from "../../recorder/compressor.ts";

const ORIGIN = "https://site.example";
const URL_OF_WORKER = new URL(`${ORIGIN}/sentiero/assets/compress-worker-X.js`);

/** What a worker does with a text that it was sent. */
let behaviour: (worker: FakeWorker, text: string) => void;
let workers: FakeWorker[];

class FakeWorker extends EventTarget {
  isEnded = false;
  readonly url: URL;
  constructor(url: URL) {
    super();
    this.url = url;
    workers.push(this);
  }
  postMessage(text: string): void {
    behaviour(this, text);
  }
  answer(data: Uint8Array | null): void {
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }
  terminate(): void {
    this.isEnded = true;
  }
}

beforeEach(() => {
  workers = [];
  behaviour = (worker, text) => queueMicrotask(() => worker.answer(gzipSync(text)));
  vi.stubGlobal("Worker", FakeWorker);
  vi.stubGlobal("location", { origin: ORIGIN });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const read = (bytes: Uint8Array | null): string => gunzipSync(bytes!).toString();

describe("compressing in a worker", () => {
  test("makes one at the first upload, and keeps it", async () => {
    const compress = createCompressor(() => URL_OF_WORKER);
    expect(workers).toHaveLength(0);
    expect(read(await compress("eins"))).toBe("eins");
    expect(read(await compress("zwei"))).toBe("zwei");
    expect(workers.map(({ url }) => url)).toEqual([URL_OF_WORKER]);
  });

  test("ends it after a minute without uploads, and makes another when one is needed", async () => {
    vi.useFakeTimers();
    const compress = createCompressor(() => URL_OF_WORKER);
    await compress("a");
    vi.advanceTimersByTime(59_999);
    await compress("b");
    vi.advanceTimersByTime(59_999);
    expect(workers[0]!.isEnded).toBe(false);
    vi.advanceTimersByTime(1);
    expect(workers[0]!.isEnded).toBe(true);
    expect(read(await compress("c"))).toBe("c");
    expect(workers).toHaveLength(2);
  });

  test("says nothing where the worker can't compress", async () => {
    behaviour = (worker) => queueMicrotask(() => worker.answer(null));
    expect(await createCompressor(() => URL_OF_WORKER)("a")).toBeNull();
  });

  test("does not mix up two texts", async () => {
    behaviour = (worker, text) => void sleep(20).then(() => worker.answer(gzipSync(text)));
    const compress = createCompressor(() => URL_OF_WORKER);
    const both = await Promise.all([compress("eins"), compress("zwei")]);
    expect(both.map(read)).toEqual(["eins", "zwei"]);
  });
});

describe("without a worker the page compresses itself, and does not try again", () => {
  test.each<[string, () => void]>([
    ["the worker's script can't be loaded", () => (behaviour = (worker) => worker.dispatchEvent(new Event("error")))],
    [
      "making it throws",
      () =>
        vi.stubGlobal("Worker", function (this: FakeWorker) {
          workers.push(this);
          throw new DOMException("refused", "SecurityError");
        }),
    ],
    [
      "posting to it throws",
      () =>
        (behaviour = () => {
          throw new Error("ended");
        }),
    ],
  ])("when %s", async (_, prepare) => {
    prepare();
    const compress = createCompressor(() => URL_OF_WORKER);
    expect(read(await compress("eins"))).toBe("eins");
    expect(read(await compress("zwei"))).toBe("zwei");
    expect(workers).toHaveLength(1);
  });

  test("when it never answers", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    behaviour = () => {};
    const compress = createCompressor(() => URL_OF_WORKER);
    const first = compress("eins");
    vi.advanceTimersByTime(5_000);
    expect(read(await first)).toBe("eins");
    expect(workers[0]!.isEnded).toBe(true);
    expect(read(await compress("zwei"))).toBe("zwei");
    expect(workers).toHaveLength(1);
  });

  test.each<[string, () => URL]>([
    ["the script is another origin's", () => new URL("https://cdn.example/worker.js")],
    [
      "its address is not known",
      () => {
        throw new ReferenceError("not built");
      },
    ],
  ])("when %s", async (_, workerUrl) => {
    expect(read(await createCompressor(workerUrl)("a"))).toBe("a");
    expect(workers).toHaveLength(0);
  });

  test("and sends plain text where it can't compress either", async () => {
    vi.stubGlobal("Worker", undefined);
    vi.stubGlobal("CompressionStream", undefined);
    expect(await createCompressor(() => URL_OF_WORKER)("a")).toBeNull();
  });
});
