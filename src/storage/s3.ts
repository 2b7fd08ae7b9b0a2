import { SentieroError } from "../errors.ts";
import type { BlobPage } from "./blobs.ts";

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

/** What unstorage's s3 driver cannot do: list behind the first thousand keys, list a prefix, remove some keys at once. */
export interface S3Bucket {
  list(prefix: string, cursor: string | null): Promise<BlobPage>;
  /** At most 1,000 keys. */
  removeMany(keys: string[]): Promise<void>;
}

interface Signer {
  fetch(url: string, init?: RequestInit): Promise<Response>;
}

/** A bucket by the options of the driver; requests are signed by aws4fetch, which the driver needs anyway. */
export function createS3Bucket(options: S3Options): S3Bucket {
  const bucketUrl = `${options.endpoint.replace(/\/$/, "")}/${options.bucket ?? ""}`;
  let signer: Promise<Signer> | null = null;
  let isBulk = options.bulkDelete !== false;

  async function send(url: string, init?: RequestInit): Promise<Response> {
    const { fetch } = await (signer ??= createSigner(options));
    return fetch(url, init);
  }

  async function removeOne(key: string): Promise<void> {
    const url = `${bucketUrl}/${key.split(":").map(encodeURIComponent).join("/")}`;
    const response = await send(url, { method: "DELETE" });
    if (!response.ok && response.status !== 404) throw await toError(response, `DELETE ${url}`);
    await response.body?.cancel();
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
    async list(prefix, cursor) {
      const query = new URLSearchParams({ "list-type": "2", "max-keys": "1000", prefix: prefix.replaceAll(":", "/") });
      if (cursor !== null) query.set("continuation-token", cursor);
      // aws4fetch signs %20 and not the plus of form encoding.
      const url = `${bucketUrl}?${query.toString().replaceAll("+", "%20")}`;
      const response = await send(url);
      if (!response.ok) throw await toError(response, `GET ${url}`);
      const text = await response.text();
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
      if (!isBulk) await Promise.all(keys.map(removeOne));
    },
  };
}

async function createSigner({ accessKeyId, secretAccessKey, region }: S3Options): Promise<Signer> {
  const { AwsClient } = await import("aws4fetch").catch((cause: unknown) => {
    throw new SentieroError("STORAGE_UNSUPPORTED", "S3 needs the package aws4fetch: npm install aws4fetch", { cause });
  });
  // Of ten retries, the default, the last come after half a minute.
  const client = new AwsClient({ service: "s3", accessKeyId, secretAccessKey, region, retries: 3 });
  return { fetch: (url, init) => client.fetch(url, init) };
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
