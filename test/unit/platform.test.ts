import {
  brotliCompressSync,
  constants,
  crc32,
  createBrotliCompress,
  createGzip,
  deflateRawSync,
  gzipSync,
} from "node:zlib";
import { Readable } from "node:stream";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { countTurns } from "../support/turns.ts";
import { nodePlatform } from "../../adapters/node.ts";
import { collect, createWebPlatform, type Platform } from "../../src/platform.ts";

const web = createWebPlatform();
const node: Platform = { ...web, ...nodePlatform };
const MEGABYTE = 1024 * 1024;

/** A gigabyte of zeros in about one megabyte. */
let bomb: Uint8Array;

/** The same in brotli, in less than two thousand bytes. */
let brotliBomb: Uint8Array;

beforeAll(async () => {
  const zeros = Buffer.alloc(8 * MEGABYTE);
  const gigabyte = () => Readable.from(Array.from({ length: 128 }, () => zeros));
  const read = async (stream: Readable) => Buffer.concat((await stream.toArray()) as Buffer[]);
  bomb = await read(gigabyte().pipe(createGzip({ level: 6 })));
  brotliBomb = toStored(await read(gigabyte().pipe(createBrotliCompress(FAST))), 0);
});

const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };

const hello = gzipSync("hello");
const zlibHead = (flags: number) => Uint8Array.of(0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3);
const join = (...parts: (Uint8Array | string)[]) =>
  new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))));

/** Mark, checksum and stream, as brotli is stored. */
function toStored(stream: Uint8Array, checksum: number): Uint8Array {
  const head = Buffer.from([0xce, 0xb2, 0x62, 0x72, 0, 0, 0, 0]);
  head.writeUInt32LE(checksum, 4);
  return join(head, stream);
}

function brotli(text: string): Uint8Array {
  return toStored(brotliCompressSync(text, FAST), crc32(text));
}

/** With the lowest bit of one byte turned. */
function flip(bytes: Uint8Array, at: number): Uint8Array {
  return Uint8Array.from(bytes, (byte, index) => (index === (at + bytes.length) % bytes.length ? byte ^ 1 : byte));
}

/** Gzip bodies, and what they hold or that they are corrupt. */
const BODIES: Readonly<Record<string, [Uint8Array, string]>> = {
  "one member": [hello, "hello"],
  "nothing in it": [gzipSync(""), ""],
  "a file name in its header": [join(zlibHead(8), "name\0", deflateRawSync("hello"), hello.subarray(-8)), "hello"],
  "a comment in its header": [join(zlibHead(16), "note\0", deflateRawSync("hello"), hello.subarray(-8)), "hello"],
  "two members": [join(hello, hello), "corrupt"],
  "an empty member before it": [join(gzipSync(""), hello), "corrupt"],
  "an empty member behind it": [join(hello, gzipSync("")), "corrupt"],
  "zeros behind it": [join(hello, new Uint8Array(8)), "corrupt"],
  "text behind it": [join(hello, "trailing"), "corrupt"],
  "text and its own length behind it": [join(hello, "\0trailing", Uint8Array.of(5, 0, 0, 0)), "corrupt"],
  "a broken member behind it": [join(hello, Uint8Array.of(0x1f, 0x8b, 8, 0), "broken"), "corrupt"],
  "its end cut off": [hello.subarray(0, -3), "corrupt"],
  "its middle cut off": [hello.subarray(0, 14), "corrupt"],
  "only the magic": [hello.subarray(0, 2), "corrupt"],
  "a wrong checksum": [
    Uint8Array.from(hello, (byte, index) => (index === hello.length - 6 ? byte ^ 1 : byte)),
    "corrupt",
  ],
  "a wrong length": [
    Uint8Array.from(hello, (byte, index) => (index === hello.length - 4 ? byte ^ 1 : byte)),
    "corrupt",
  ],
  "a wrong method": [Uint8Array.from(hello, (byte, index) => (index === 2 ? 9 : byte)), "corrupt"],
  "noise inside": [join(zlibHead(0), new Uint8Array(50).fill(0xff)), "corrupt"],
};

/** Bytes that were stored, and what they hold or that they are corrupt. */
const STORED: Readonly<Record<string, [Uint8Array, string]>> = {
  ...Object.fromEntries(Object.entries(BODIES).map(([name, body]) => [`gzip with ${name}`, body])),
  brotli: [brotli("hello"), "hello"],
  "brotli with nothing in it": [brotli(""), ""],
  "brotli without a mark": [brotli("hello").subarray(8), "corrupt"],
  "brotli with another mark": [flip(brotli("hello"), 3), "corrupt"],
  "brotli with a wrong checksum": [flip(brotli("hello"), 5), "corrupt"],
  "brotli with a bit flipped inside that still inflates": [flip(brotli("hello"), -2), "corrupt"],
  "brotli with its end cut off": [brotli("hello").subarray(0, -2), "corrupt"],
  "brotli with text behind it": [join(brotli("hello"), "trailing"), "corrupt"],
  "two of brotli": [join(brotli("hello"), brotli("hello")), "corrupt"],
  "only the mark of brotli": [brotli("hello").subarray(0, 4), "corrupt"],
  "mark and checksum of brotli": [brotli("hello").subarray(0, 8), "corrupt"],
  "noise behind the mark of brotli": [toStored(new Uint8Array(50).fill(0xff), 0), "corrupt"],
  nothing: [new Uint8Array(), "corrupt"],
  text: [join('{"events":[]}'), "corrupt"],
};

describe.each([
  ["Web", web],
  ["Node", node],
])("the %s platform", (_name, platform) => {
  test.each(Object.entries(BODIES))("inflates gzip with %s, or calls it corrupt", async (_body, [bytes, expected]) => {
    const inflated = await platform.gunzip(bytes, 1000);
    expect(typeof inflated === "string" ? inflated : new TextDecoder().decode(inflated)).toBe(expected);
  });

  test("stops at the limit: exactly at it is fine, one more byte is not", async () => {
    expect(await platform.gunzip(hello, 5)).toHaveLength(5);
    expect(await platform.gunzip(hello, 4)).toBe("too-large");
    const large = gzipSync(Buffer.alloc(3 * MEGABYTE, "abc"));
    expect(await platform.gunzip(large, Infinity)).toHaveLength(3 * MEGABYTE);
    expect(await platform.gunzip(large, 3 * MEGABYTE)).toHaveLength(3 * MEGABYTE);
    expect(await platform.gunzip(large, 3 * MEGABYTE - 1)).toBe("too-large");
  });

  test("cuts a bomb off soon after the limit instead of inflating all of it", async () => {
    expect(bomb.byteLength).toBeLessThan(1.2 * MEGABYTE);
    const before = process.memoryUsage().rss;
    let peak = before;
    const watching = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 2);
    expect(await platform.gunzip(bomb, 16 * MEGABYTE)).toBe("too-large");
    // What goes on inflating behind the answer would show now.
    await new Promise((resolve) => setTimeout(resolve, 300));
    clearInterval(watching);
    expect((Math.max(peak, process.memoryUsage().rss) - before) / MEGABYTE).toBeLessThan(250);
  });

  test.each(Object.entries(STORED))("inflates what was stored: %s", async (_stored, [bytes, expected]) => {
    for (const offset of [0, 3]) {
      // Drivers hand out parts of larger buffers.
      const part = join(new Uint8Array(offset), bytes).subarray(offset);
      const inflated = await platform.inflate(part, 1000);
      expect(typeof inflated === "string" ? inflated : new TextDecoder().decode(inflated)).toBe(expected);
    }
  });

  test("stops at the limit with what was stored as well", async () => {
    expect(await platform.inflate(hello, 5)).toHaveLength(5);
    expect(await platform.inflate(hello, 4)).toBe("too-large");
    expect(await platform.inflate(brotli("hello"), 5)).toHaveLength(5);
    expect(await platform.inflate(brotli("hello"), 4)).toBe("too-large");
    const large = brotli("abc".repeat(MEGABYTE));
    expect(await platform.inflate(large, Infinity)).toHaveLength(3 * MEGABYTE);
    expect(await platform.inflate(large, 3 * MEGABYTE)).toHaveLength(3 * MEGABYTE);
    expect(await platform.inflate(large, 3 * MEGABYTE - 1)).toBe("too-large");
  });

  test("cuts a bomb of brotli off as soon", async () => {
    expect(brotliBomb.byteLength).toBeLessThan(0.1 * MEGABYTE);
    const before = process.memoryUsage().rss;
    let peak = before;
    const watching = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 2);
    expect(await platform.inflate(brotliBomb, 16 * MEGABYTE)).toBe("too-large");
    await new Promise((resolve) => setTimeout(resolve, 300));
    clearInterval(watching);
    expect((Math.max(peak, process.memoryUsage().rss) - before) / MEGABYTE).toBeLessThan(250);
  });

  test("what it makes as small as it can, every platform inflates", async () => {
    for (const size of [0, 1, 1000, 3 * MEGABYTE]) {
      const bytes = Uint8Array.from({ length: size }, (_, index) => (index * index) & 0xff);
      const small = await platform.compress(bytes);
      for (const other of [platform, node, web]) {
        const inflated = await other.inflate(small, size + 1);
        expect(Buffer.compare(inflated as Uint8Array, bytes)).toBe(0);
      }
    }
  });

  test("what it compresses, it inflates", async () => {
    for (const size of [0, 1, 1000, 200_000]) {
      const bytes = Uint8Array.from({ length: size }, (_, index) => (index * 7) & 0xff);
      const gzip = await platform.gzip(bytes);
      expect([...gzip.subarray(0, 2)]).toEqual([0x1f, 0x8b]);
      const inflated = await platform.gunzip(gzip, size + 1);
      expect(inflated).toHaveLength(size);
      expect(Buffer.compare(inflated as Uint8Array, bytes)).toBe(0);
    }
  });

  test("digests bytes and text", async () => {
    const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    expect(await platform.sha256("")).toBe(empty);
    expect(await platform.sha256(new Uint8Array())).toBe(empty);
    for (const text of ["abc", "é😀", "a\0b", "\ud800", "x".repeat(100_000)]) {
      expect(await platform.sha256(text)).toBe(await web.sha256(new TextEncoder().encode(text)));
    }
  });

  test("defers a task behind what is already waiting", async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      platform.defer(() => {
        order.push("task");
        resolve();
      });
      void Promise.resolve().then(() => order.push("promise"));
      order.push("now");
    });
    expect(order).toEqual(["now", "promise", "task"]);
  });
});

test("a small bomb is inflated beside the event loop, not in it", async () => {
  const small = gzipSync(Buffer.alloc(60 * MEGABYTE), { level: 9 });
  expect(small.byteLength).toBeLessThan(64 * 1024);
  const turns = countTurns();
  expect(await node.gunzip(small, 64 * MEGABYTE)).toHaveLength(60 * MEGABYTE);
  expect(turns()).toBeGreaterThan(0);
});

test("Node makes brotli beside the event loop, which tells a page by the one before it", async () => {
  const noise = Buffer.from(Array.from({ length: 300_000 }, () => Math.floor(Math.random() * 256)));
  const bytes = Buffer.concat([noise, noise, noise, noise]);
  const turns = countTurns();
  const small = await node.compress(bytes);
  expect(turns()).toBeGreaterThan(0);
  expect([...small.subarray(0, 4)]).toEqual([0xce, 0xb2, 0x62, 0x72]);
  expect(small.byteLength).toBeLessThan(noise.byteLength * 1.1);
  const again = countTurns();
  expect(await node.inflate(small, Infinity)).toHaveLength(bytes.byteLength);
  expect(again()).toBeGreaterThan(0);
});

describe("the Web platform of a runtime without brotli", () => {
  afterEach(() => void vi.unstubAllGlobals());

  test("writes and reads gzip, and says of brotli what it needs instead of calling it corrupt", async () => {
    const { DecompressionStream } = globalThis;
    vi.stubGlobal(
      "DecompressionStream",
      class extends DecompressionStream {
        constructor(format: CompressionFormat) {
          if (!["gzip", "deflate", "deflate-raw"].includes(format)) throw new TypeError(`no ${format}`);
          super(format);
        }
      },
    );
    expect(await web.inflate(await web.compress(Buffer.from("hello")), 5)).toHaveLength(5);
    expect(await web.inflate(hello, 5)).toHaveLength(5);
    await expect(web.inflate(brotli("hello"), 5)).rejects.toThrow(/runtime with brotli.*node:zlib.*nodejs_compat/);
    expect(await web.inflate(brotli("hello").subarray(8), 5)).toBe("corrupt");
  });
});

describe("collecting a stream", () => {
  const streamOf = (...chunks: number[][]) =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        for (const chunk of chunks) controller.enqueue(Uint8Array.from(chunk));
        controller.close();
      },
    });

  test("joins its pieces", async () => {
    expect(await collect(streamOf(), 5)).toEqual(new Uint8Array());
    expect(await collect(streamOf([1]), 5)).toEqual(Uint8Array.of(1));
    expect(await collect(streamOf([1, 2], [], [3]), 3)).toEqual(Uint8Array.of(1, 2, 3));
  });

  test("stops reading above the limit, and lets the stream go", async () => {
    let pulled = 0;
    let isCancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulled++;
        controller.enqueue(new Uint8Array(100));
      },
      cancel() {
        isCancelled = true;
      },
    });
    expect(await collect(endless, 350)).toBeNull();
    expect(pulled).toBeLessThan(8);
    expect(isCancelled).toBe(true);
  });

  test("fails as the stream fails", async () => {
    const broken = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("cut")),
    });
    await expect(collect(broken, 10)).rejects.toThrow("cut");
  });
});
