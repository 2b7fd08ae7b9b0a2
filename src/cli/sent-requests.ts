import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from "node:zlib";
import type { Devtools } from "./devtools.ts";

/** A request, or a message of a WebSocket, that left a page. */
export interface SentRequest {
  readonly url: string;
  /** The body as it was sent and as what it may be: inflated, or the text of base64. */
  readonly texts: readonly string[];
}

/** Keeps what leaves a page. */
export interface SentRequests {
  all(): readonly SentRequest[];
  /** Addresses to which a body went that could not be read. */
  unread(): readonly string[];
}

interface Sent {
  readonly url: string;
  readonly texts: string[];
  isUnread: boolean;
}

interface PostData {
  readonly url: string;
  readonly hasPostData?: boolean;
  readonly postData?: string;
  readonly postDataEntries?: readonly { readonly bytes?: string }[];
}

/** The name under which a page tells of bodies that the browser does not tell of: blobs. */
const BINDING = "__sentieroVerifyBody";

/** Bodies up to this size are told with their request, in bytes. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** What gzip begins with, in base64 in JSON, or in a form. */
const GZIP_IN_BASE64 = /H4sI(?:[\w+/=-]|%2[BbFf]|%3[Dd]){20,}/g;

const MAX_INFLATED_BYTES = 256 * 1024 * 1024;

/** Runs in every document before its own scripts. */
const TELL_BLOBS = `(() => {
  const tell = globalThis.${BINDING};
  if (typeof tell !== "function") return;
  const read = (url, body) => {
    if (!(body instanceof Blob)) return;
    const reader = new FileReader();
    reader.onload = () => tell(JSON.stringify({ url: new URL(url, document.baseURI).href, bytes: String(reader.result).split(",")[1] || "" }));
    reader.readAsDataURL(body);
  };
  const { sendBeacon } = Navigator.prototype;
  Navigator.prototype.sendBeacon = function (url, body) { read(url, body); return sendBeacon.apply(this, arguments); };
  const { fetch } = window;
  window.fetch = function (input, init) { if (init && init.body) read(input && input.url || input, init.body); return fetch.apply(this, arguments); };
  const { open, send } = XMLHttpRequest.prototype;
  const urls = new WeakMap();
  XMLHttpRequest.prototype.open = function (method, url) { urls.set(this, url); return open.apply(this, arguments); };
  XMLHttpRequest.prototype.send = function (body) { read(urls.get(this), body); return send.apply(this, arguments); };
})()`;

/** Keeps all requests of a page, of its frames and of its workers, to whomever they go. */
export async function watchRequests(devtools: Devtools, sessionId: string): Promise<SentRequests> {
  const requests: Sent[] = [];
  const sockets = new Map<string, string>();

  function add(url: string): Sent {
    const sent: Sent = { url, texts: [], isUnread: false };
    requests.push(sent);
    return sent;
  }

  async function addRequest(request: PostData, requestId: string, session: string | undefined): Promise<void> {
    const sent = add(request.url);
    if (!request.hasPostData) return;
    const entries = request.postDataEntries ?? [];
    const bytes = entries.map((entry) => Buffer.from(entry.bytes ?? "", "base64"));
    if (entries.length > 0 && entries.every((entry) => entry.bytes)) {
      sent.texts.push(...textsOf(Buffer.concat(bytes)));
      return;
    }
    if (request.postData !== undefined) return void sent.texts.push(request.postData);
    sent.isUnread = true;
    try {
      const answer = await devtools.send("Network.getRequestPostData", { requestId }, session);
      if (!answer.postData) return;
      sent.texts.push(...textsOf(Buffer.from(String(answer.postData), answer.base64Encoded ? "base64" : "utf8")));
      sent.isUnread = false;
    } catch {
      // A blob: the page tells it.
    }
  }

  async function watch(session: string): Promise<void> {
    await devtools.send("Network.enable", { maxPostDataSize: MAX_BODY_BYTES }, session);
    await devtools.send(
      "Target.setAutoAttach",
      { autoAttach: true, waitForDebuggerOnStart: true, flatten: true },
      session,
    );
  }

  async function watchChild(session: string): Promise<void> {
    // Not every kind of child knows all of it.
    await watch(session).catch(() => {});
    await tellBlobs(session).catch(() => {});
    await devtools.send("Runtime.runIfWaitingForDebugger", {}, session).catch(() => {});
  }

  async function tellBlobs(session: string): Promise<void> {
    await devtools.send("Runtime.addBinding", { name: BINDING }, session);
    await devtools.send("Page.enable", {}, session);
    await devtools.send("Page.addScriptToEvaluateOnNewDocument", { source: TELL_BLOBS }, session);
  }

  devtools.onEvent(({ method, params, sessionId: session }) => {
    switch (method) {
      case "Target.attachedToTarget":
        void watchChild(String(params.sessionId));
        break;
      case "Network.requestWillBeSent":
        void addRequest(params.request as PostData, String(params.requestId), session);
        break;
      case "Network.webSocketCreated":
        sockets.set(String(params.requestId), String(params.url));
        break;
      case "Network.webSocketFrameSent": {
        const { opcode, payloadData } = params.response as { opcode: number; payloadData: string };
        const bytes = Buffer.from(payloadData, opcode === 1 ? "utf8" : "base64");
        add(sockets.get(String(params.requestId)) ?? "a WebSocket").texts.push(...textsOf(bytes));
        break;
      }
      case "Runtime.bindingCalled": {
        if (params.name !== BINDING) break;
        const { url, bytes } = JSON.parse(String(params.payload)) as { url: string; bytes: string };
        add(url).texts.push(...textsOf(Buffer.from(bytes, "base64")));
      }
    }
  });
  await watch(sessionId);
  await tellBlobs(sessionId);

  return {
    all: () => requests,
    unread() {
      const told = new Map<string, number>();
      for (const { url, isUnread, texts } of requests) {
        const change = isUnread ? 1 : texts.length > 0 ? -1 : 0;
        told.set(url, (told.get(url) ?? 0) + change);
      }
      return [...told].filter(([, balance]) => balance > 0).map(([url]) => url);
    },
  };
}

/** A body as bytes, as text, inflated, and what was compressed before it became base64 in it. */
function textsOf(bytes: Buffer): string[] {
  const texts = [bytes.toString("latin1"), bytes.toString("utf8")];
  const inflated = inflate(bytes);
  if (inflated) texts.push(inflated.toString("utf8"));
  for (const [base64] of texts.at(-1)!.matchAll(GZIP_IN_BASE64)) {
    const inner = inflate(Buffer.from(decodeURIComponent(base64), "base64"));
    if (inner) texts.push(inner.toString("utf8"));
  }
  return texts;
}

function inflate(bytes: Buffer): Buffer | null {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const ways = isGzip ? [gunzipSync] : [inflateSync, brotliDecompressSync, inflateRawSync];
  for (const way of ways) {
    try {
      return way(bytes, { maxOutputLength: MAX_INFLATED_BYTES });
    } catch {
      // Not compressed, or not so.
    }
  }
  return null;
}
