import { SentieroError } from "../errors.ts";
import type { BlobPage } from "./blobs.ts";
import { toUnavailable } from "./sql-errors.ts";

/** What is used of the options of unstorage's s3 driver. */
export interface S3Options {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly endpoint: string;
  readonly region: string;
  readonly bucket?: string;
  /** False where the server does not know DeleteObjects. */
  readonly bulkDelete?: boolean;
}

/**
 * Objects by their keys, in the place of unstorage's s3 driver: that one lists the first thousand keys only, asks once,
 * and takes a bucket that is not there for an object that is not there, so that a write into it seems to succeed.
 * What fails for the moment is asked again; then it is 503.
 */
export interface S3Bucket {
  get(key: string): Promise<Uint8Array | null>;
  set(key: string, bytes: Uint8Array): Promise<void>;
  has(key: string): Promise<boolean>;
  remove(key: string): Promise<void>;
  list(prefix: string, cursor: string | null): Promise<BlobPage>;
  /** At most 1,000 keys. */
  removeMany(keys: string[]): Promise<void>;
}

interface Signer {
  /** Signs a request and sends it once. */
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

/** Every request may be sent again: objects are written as a whole, and removing twice is removing. */
const TRIES = 3;

/** The second try comes within this, the third within twice as long; at random, so that not all come back at once. */
const RETRY_MS = 200;

/** An answer, with all tries and the whole of its body, takes no longer: what hangs would hold its request for minutes. */
const ANSWER_TIMEOUT_MS = 30_000;

/** A bucket by the options of the driver; requests are signed by aws4fetch, which the driver needs anyway. */
export function createS3Bucket(options: S3Options): S3Bucket {
  const bucketUrl = `${options.endpoint.replace(/\/$/, "")}/${options.bucket ?? ""}`;
  let signer: Promise<Signer> | null = null;
  let isBulk = options.bulkDelete !== false;

  /** @throws HTTPError 503 when S3 cannot be reached, is overloaded or fails, again and again. */
  async function send(url: string, init: RequestInit = {}): Promise<Response> {
    const { fetch } = await (signer ??= createSigner(options));
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    for (let tries = 1; ; tries++) {
      const answer = await fetch(url, { ...init, signal }).catch((error: unknown) => error as Error);
      if (answer instanceof Response && answer.status < 500 && answer.status !== 429) return answer;
      if (tries === TRIES) {
        const what = `${init.method ?? "GET"} ${url}`;
        throw toUnavailable(answer instanceof Response ? await toError(answer, what) : answer);
      }
      if (answer instanceof Response) await answer.body?.cancel();
      await new Promise((resolve) => setTimeout(resolve, Math.random() * RETRY_MS * tries));
    }
  }

  /** An answer about one object; null where there is none. */
  async function ask(method: string, key: string, bytes?: Uint8Array): Promise<Response | null> {
    const url = `${bucketUrl}/${key.split(":").map(encodeURIComponent).join("/")}`;
    const response = await send(url, { method, ...(bytes && { body: bytes as BodyInit }) });
    if (response.ok) return response;
    // What is not there is fine but for a write, which finds no bucket.
    if (response.status !== 404 || method === "PUT") throw await toError(response, `${method} ${url}`);
    const text = await response.text();
    if (text.includes("<Code>NoSuchBucket<")) throw new Error(`[sentiero] S3 has no bucket at ${bucketUrl}`);
    return null;
  }

  /** Who is not read to its end keeps a connection. */
  async function askOnly(method: string, key: string, bytes?: Uint8Array): Promise<boolean> {
    const response = await ask(method, key, bytes);
    await response?.body?.cancel();
    return response !== null;
  }

  /** @returns false where the server does not take such a request. */
  async function removeInBulk(keys: readonly string[]): Promise<boolean> {
    const objects = keys.map((key) => `<Object><Key>${escapeXml(key.replaceAll(":", "/"))}</Key></Object>`);
    const body = `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>${objects.join("")}</Delete>`;
    const response = await send(`${bucketUrl}?delete`, {
      method: "POST",
      headers: { "content-type": "application/xml", "x-amz-checksum-sha256": await sha256Base64(body) },
      body,
    });
    const text = await response.text();
    if (response.ok && !text.includes("<Error>")) return true;
    // Other stores that speak S3 leave this out, or want another checksum.
    if (response.status >= 400 && response.status < 500 && response.status !== 403) return false;
    throw new Error(`[sentiero] S3 did not remove ${keys.length} objects: ${response.status} ${text.slice(0, 300)}`);
  }

  return {
    async get(key) {
      const response = await ask("GET", key);
      return response && new Uint8Array(await whole(response.arrayBuffer()));
    },
    set: async (key, bytes) => void (await askOnly("PUT", key, bytes)),
    has: (key) => askOnly("HEAD", key),
    remove: async (key) => void (await askOnly("DELETE", key)),
    async list(prefix, cursor) {
      const query = new URLSearchParams({ "list-type": "2", "max-keys": "1000", prefix: prefix.replaceAll(":", "/") });
      if (cursor !== null) query.set("continuation-token", cursor);
      // aws4fetch signs %20 and not the plus of form encoding.
      const url = `${bucketUrl}?${query.toString().replaceAll("+", "%20")}`;
      const response = await send(url);
      if (!response.ok) throw await toError(response, `GET ${url}`);
      const text = await whole(response.text());
      const keys = [...text.matchAll(/<Contents>[\s\S]*?<Key>([\s\S]*?)<\/Key>/g)].map(([, key]) => unescapeXml(key!));
      const next = /<NextContinuationToken>([\s\S]*?)<\/NextContinuationToken>/.exec(text)?.[1];
      return {
        keys: keys.map((key) => key.replaceAll("/", ":")).filter((key) => key.startsWith(prefix)),
        cursor: next === undefined ? null : unescapeXml(next),
      };
    },
    async removeMany(keys) {
      if (keys.length === 0) return;
      isBulk &&= await removeInBulk(keys);
      if (!isBulk) await Promise.all(keys.map((key) => askOnly("DELETE", key)));
    },
  };
}

async function createSigner({ accessKeyId, secretAccessKey, region }: S3Options): Promise<Signer> {
  const { AwsClient } = await import("aws4fetch").catch((cause: unknown) => {
    throw new SentieroError("STORAGE_UNSUPPORTED", "S3 needs the package aws4fetch: npm install aws4fetch", { cause });
  });
  const client = new AwsClient({ service: "s3", accessKeyId, secretAccessKey, region, retries: 0 });
  return { fetch: (url, init) => client.fetch(url, init) };
}

/** A body that is cut off is no fault of ours either. */
function whole<T>(body: Promise<T>): Promise<T> {
  return body.catch((error: unknown) => {
    throw toUnavailable(error);
  });
}

async function toError(response: Response, what: string): Promise<Error> {
  return new Error(`[sentiero] S3 answered ${response.status} to ${what}: ${(await response.text()).slice(0, 300)}`);
}

async function sha256Base64(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function unescapeXml(text: string): string {
  return text
    .replaceAll(/&#(x?)([0-9a-f]+);/gi, (_, hex: string, code: string) =>
      String.fromCodePoint(Number.parseInt(code, hex ? 16 : 10)),
    )
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}
