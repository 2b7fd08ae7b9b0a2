import type { BlobStore } from "./blobs.ts";
import type { DocumentStore, StoredDocument } from "./documents.ts";
import type { Store } from "./store.ts";

/**
 * Turns bytes into what is kept, and back: the seam for encryption at rest and for keys that are destroyed to erase.
 * It sees every blob, and the part of every document that tells what was recorded. Identity when none is given.
 */
export interface Codec {
  encode(bytes: Uint8Array, context: CodecContext): Promise<Uint8Array> | Uint8Array;
  /** @throws when the bytes are not what `encode` gave, or their key is gone: the caller answers 500, nothing is changed. */
  decode(bytes: Uint8Array, context: CodecContext): Promise<Uint8Array> | Uint8Array;
}

/** Which bytes a codec has before it. */
export interface CodecContext {
  readonly project: string;
  /** The session, as keys have it: its id, or a digest of it where the id is long or has capitals. */
  readonly session: string;
  /** `batches`, `segments`, `indexes` or `sessions` (the private part of a session's document). */
  readonly kind: string;
}

/** Fields of a document that stay readable for the store and for sweeps; everything else goes through the codec. */
const OPEN_FIELDS: ReadonlySet<string> = new Set(["v", "id", "createdAt", "updatedAt", "settledAt", "terms"]);

interface SealedDocument {
  readonly sealed: string;
  readonly [field: string]: unknown;
}

/** A store whose blobs, and whose documents of sessions, go through a codec. `toPart` makes a session's id part of a key. */
export function encodeStore(store: Store, codec: Codec, toPart: (id: string) => Promise<string>): Store {
  const { documents, putWithBlobs } = store;

  async function encodeBlob(key: string, bytes: Uint8Array): Promise<Uint8Array> {
    return codec.encode(bytes, toContext(key));
  }

  const blobs: BlobStore = {
    ...pick(store.blobs),
    create: async (key, bytes) => store.blobs.create(key, await encodeBlob(key, bytes)),
    async get(key) {
      const bytes = await store.blobs.get(key);
      return bytes && codec.decode(bytes, toContext(key));
    },
  };

  async function seal(collection: string, id: string, doc: unknown): Promise<unknown> {
    if (!isSealed(collection)) return doc;
    const open: Record<string, unknown> = {};
    const hidden: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(doc as object)) (OPEN_FIELDS.has(name) ? open : hidden)[name] = value;
    const bytes = new TextEncoder().encode(JSON.stringify(hidden));
    return { ...open, sealed: toBase64(await codec.encode(bytes, await documentContext(collection, id))) };
  }

  async function unseal<T>(collection: string, stored: StoredDocument<T>): Promise<StoredDocument<T>> {
    const { sealed, ...open } = stored.doc as SealedDocument;
    if (!isSealed(collection) || typeof sealed !== "string") return stored;
    const bytes = await codec.decode(fromBase64(sealed), await documentContext(collection, stored.id));
    const hidden = JSON.parse(new TextDecoder().decode(bytes)) as object;
    return { ...stored, doc: { ...open, ...hidden } as T };
  }

  async function documentContext(collection: string, id: string): Promise<CodecContext> {
    const [project = "", kind = ""] = collection.split("/");
    return { project, kind, session: await toPart(id) };
  }

  const sealedDocuments: DocumentStore = {
    async get<T>(collection: string, id: string) {
      const stored = await documents.get<T>(collection, id);
      return stored && unseal(collection, stored);
    },
    async getMany<T>(collection: string, ids: readonly string[]) {
      const found = await documents.getMany<T>(collection, ids);
      return Promise.all(found.map((stored) => stored && unseal(collection, stored)));
    },
    put: async (collection, id, doc, options) =>
      documents.put(collection, id, await seal(collection, id, doc), options),
    remove: (collection, id) => documents.remove(collection, id),
    async page<T>(collection: string, query: Parameters<DocumentStore["page"]>[1]) {
      const page = await documents.page<T>(collection, query);
      return { ...page, items: await Promise.all(page.items.map((stored) => unseal(collection, stored))) };
    },
    count: (collection, query) => documents.count(collection, query),
  };

  return {
    ...store,
    documents: sealedDocuments,
    blobs,
    ...(putWithBlobs && {
      putWithBlobs: async (collection, id, doc, options, named) => {
        const encoded = new Map<string, Uint8Array>();
        for (const [key, bytes] of named) encoded.set(key, await encodeBlob(key, bytes));
        return putWithBlobs(collection, id, await seal(collection, id, doc), options, encoded);
      },
    }),
  };
}

/** Only documents of sessions tell what was recorded. */
function isSealed(collection: string): boolean {
  return collection.endsWith("/sessions");
}

function pick({ has, remove, removeAll, list }: BlobStore): Omit<BlobStore, "create" | "get"> {
  return { has, remove, removeAll, list };
}

/** `batches:main:0f3c:…` names kind, project and session. */
function toContext(key: string): CodecContext {
  const [kind = "", project = "", session = ""] = key.split(":");
  return { kind, project, session };
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
}
