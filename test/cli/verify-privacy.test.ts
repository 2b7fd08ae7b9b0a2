import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, inject, it } from "vitest";
import { createSite } from "../../examples/demo/site-handler.ts";
import type { Sentiero, SentieroOptions } from "../../src/index.ts";
import { describeBrowser, serveSite, type Site } from "../browser/support/browser.ts";
import { createTestSentiero } from "../support/sentiero.ts";
import { killAll, run, type Ended } from "./cli.ts";

const LIMIT_MS = 60_000;

let site: Site | undefined;

afterEach(async () => {
  await killAll();
  await site?.close();
  site = undefined;
});

/** Serves a page under a sentiero of these options. */
async function open(
  page: (sentiero: Sentiero) => (request: Request) => Response | Promise<Response>,
  options: SentieroOptions = {},
): Promise<string> {
  const sentiero = createTestSentiero(options);
  site = await serveSite(sentiero, page(sentiero));
  return site.url;
}

const html = (text: string, headers: Record<string, string> = {}): Response =>
  new Response(`<!doctype html><html lang="en">${text}</html>`, {
    headers: { "content-type": "text/html", ...headers },
  });

function verify(url: string, ...args: string[]): Promise<Ended> {
  const env = { SENTIERO_CHROMIUM: inject("chromium")! };
  return run(["verify-privacy", url, "--timeout", "8", ...args], { env, limitMs: LIMIT_MS });
}

/** rrweb as its manual shows it, sending each event in some way. */
function rawRecorder(send: string): string {
  const main = createRequire(import.meta.url).resolve("@rrweb/record");
  const script = readFileSync(join(dirname(main), "record.umd.min.cjs"), "utf8").replaceAll("</script", "<\\/script");
  return `<script>${script};addEventListener("load", () => rrwebRecord.record({ emit(event) { const body = JSON.stringify(event); ${send} } }));</script>`;
}

interface PlainServer {
  readonly server: Server;
  readonly url: string;
  /** What it answers to anything. */
  answer: string;
  /** Paths that were asked for, but for icons, and what `X-Stage` said. */
  readonly stages: unknown[][];
}

async function openServer(): Promise<PlainServer> {
  const stages: unknown[][] = [];
  const server = createServer(({ url, headers }, response) => {
    if (url !== "/favicon.ico") stages.push([url, headers["x-stage"]]);
    response.setHeader("content-type", "text/html").end(plain.answer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const plain = { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, answer: "", stages };
  return plain;
}

describeBrowser("verify-privacy", () => {
  it(
    "ends with 0 on the demo with sentiero, its own fields included",
    async () => {
      const url = await open((sentiero) => createSite(sentiero.scriptTag()));
      const { code, stdout, stderr } = await verify(`${url}/join`);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^hidden input +clean$/m);
      expect(stdout).toMatch(/^field of the page: password +clean$/m);
      // The demo unmasks it to show how.
      expect(stdout).toMatch(/^unmasked field of the page: group +shown, as the page wants, to \S+ \(typed\)$/m);
      expect(stdout).toMatch(/^0 of \d+ kinds leaked; \d+ requests read$/m);
    },
    LIMIT_MS,
  );

  it(
    "ends with 1 on a page that rrweb alone records, and says what went where",
    async () => {
      const raw = rawRecorder(`fetch("/collect?x=1", { method: "POST", body })`);
      const url = await open(() => (request) => (request.url.includes("collect") ? new Response() : html(raw)));
      const { code, stdout } = await verify(url, "--json");
      expect(code).toBe(1);
      const { kinds, isRecorded, unread } = JSON.parse(stdout) as {
        kinds: { kind: string; isClean: boolean; to: string[]; moments: string[] }[];
        isRecorded: boolean;
        unread: string[];
      };
      expect({ isRecorded, unread }).toEqual({ isRecorded: true, unread: [] });
      expect(kinds.find(({ kind }) => kind === "hidden input")).toEqual({
        kind: "hidden input",
        isClean: false,
        isUnmasked: false,
        to: [`${url}/collect`],
        moments: ["at load", "later", "changed"],
      });
      expect(kinds.find(({ kind }) => kind === "text input")!.moments).toContain("typed");
      // What Sentiero heeds is nothing to rrweb.
      expect(kinds.find(({ kind }) => kind === "element with data-rr-block")!.isClean).toBe(false);
    },
    LIMIT_MS,
  );

  it.each([
    ["a beacon with a blob", `navigator.sendBeacon("/collect", new Blob([body]))`],
    ["a worker", `worker.postMessage(body)`],
    [
      "gzip",
      `new Response(new Blob([body]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer().then((b) => fetch("/collect", { method: "POST", body: b }))`,
    ],
    [
      "base64 in a form",
      `fetch("/collect", { method: "POST", body: new URLSearchParams({ data: btoa(unescape(encodeURIComponent(body))) }) })`,
    ],
  ])(
    "sees what leaves by %s",
    async (_, send) => {
      const worker = `<script>const worker = new Worker("/worker.js")</script>`;
      const script = `onmessage = ({ data }) => fetch("/collect", { method: "POST", body: data })`;
      const url = await open(() => (request) => {
        if (request.url.includes("collect")) return new Response();
        if (request.url.includes("worker"))
          return new Response(script, { headers: { "content-type": "text/javascript" } });
        return html(worker + rawRecorder(send));
      });
      const { code, stdout } = await verify(url);
      expect(stdout).toMatch(new RegExp(`^hidden input +LEAKED to ${url}/collect \\(at load, later, changed\\)$`, "m"));
      expect(code).toBe(1);
    },
    LIMIT_MS,
  );

  it(
    "ends with 2 on a page without a recorder",
    async () => {
      const url = await open(() => () => html("<p>Nothing here</p>"));
      const { code, stderr } = await verify(url, "--timeout", "1");
      expect(stderr).toContain("no recorder was seen");
      expect(code).toBe(2);
    },
    LIMIT_MS,
  );

  it(
    "ends with 1 on a balanced page where strict rules are expected",
    async () => {
      const url = await open((sentiero) => () => html(sentiero.scriptTag()));
      const { code, stdout } = await verify(url, "--strict");
      expect(stdout).toMatch(/^text +LEAKED to /m);
      expect(stdout).toMatch(/^hidden input +clean$/m);
      expect(code).toBe(1);
    },
    LIMIT_MS,
  );

  it(
    "ends with 0 on a strict page where strict rules are expected",
    async () => {
      const url = await open((sentiero) => () => {
        return html(sentiero.scriptTag().replace('{"eventsUrl"', '{"privacy":"strict","eventsUrl"'));
      });
      const { code, stdout, stderr } = await verify(url, "--strict");
      expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/^content: in CSS +clean$/m);
    },
    LIMIT_MS,
  );

  it(
    "gives headers to the page's own server and to nobody else",
    async () => {
      const [own, foreign] = await Promise.all([openServer(), openServer()]);
      own.answer = `<!doctype html><img src="${foreign.url}/p.png">`;
      const { code } = await verify(own.url, "--header", "X-Stage: word", "--timeout", "1");
      expect([code, own.stages, foreign.stages]).toEqual([2, [["/", "word"]], [["/p.png", undefined]]]);
      for (const { server } of [own, foreign]) server.close();
    },
    LIMIT_MS,
  );

  it(
    "ends with 2 when the page can't be opened, or there is no such browser",
    async () => {
      const closed = await verify("http://127.0.0.1:9/");
      expect(closed).toMatchObject({ code: 2, stderr: expect.stringContaining("can't be opened") });
      const missing = await verify("http://127.0.0.1:9/", "--chromium", "/nowhere/chromium");
      expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no file /nowhere/chromium") });
    },
    LIMIT_MS,
  );
});

describe("verify-privacy without a browser", () => {
  it.each([
    [[], "give the address of a page"],
    [["shop.example"], "shop.example is not the address of a page"],
    [["file:///etc/hosts"], "is not the address of a page"],
    [["http://a.example", "--timeout", "soon"], "--timeout soon"],
    [["http://a.example", "--header", "no"], "--header takes one such as"],
    [["http://a.example", "http://b.example"], "Unexpected argument"],
  ])("says what is wrong with %j", async (args, message) => {
    const { code, stderr } = await run(["verify-privacy", ...args]);
    expect(stderr).toContain(message);
    expect(stderr).toContain("Try: sentiero help verify-privacy");
    expect(code).toBe(2);
  });

  it("says what to install where there is no Chromium", async () => {
    const { code, stderr } = await run(["verify-privacy", "http://127.0.0.1:9/"], { env: { PATH: "/nowhere" } });
    // A machine may have one where none is told of.
    if (!stderr.includes("can't be opened")) expect(stderr).toContain("apt-get install chromium");
    expect(code).toBe(2);
  });
});
