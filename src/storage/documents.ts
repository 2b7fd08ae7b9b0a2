/**
 * The one storage port that sentiero defines: small JSON documents with a version and a score. A document changes only
 * by compare-and-set; `update.ts` is the way to do it. `collection` starts with the project, as in `main/sessions`.
 */
export interface DocumentStore {
  get<T>(collection: string, id: string): Promise<StoredDocument<T> | null>;
  /** At most 200 ids; answers in their order. */
  getMany<T>(collection: string, ids: readonly string[]): Promise<(StoredDocument<T> | null)[]>;
  /**
   * Writes a document whose version is still `expectedVersion` (0: it must not exist yet); its next version is one more.
   * @returns false when somebody else was first; nothing is written then.
   */
  put(collection: string, id: string, doc: unknown, options: PutOptions): Promise<boolean>;
  /** Removes a document and its terms; unknown ids are fine. */
  remove(collection: string, id: string): Promise<void>;
  /** One page by (score, id). The cursor names the last item, so items that move or go between two pages shift nothing. */
  page<T>(collection: string, query: PageQuery): Promise<DocumentPage<T>>;
  /** How many documents match; counting stops at `max`. */
  count(collection: string, query: CountQuery): Promise<number>;
}

/** A document as it was read. */
export interface StoredDocument<T> {
  readonly id: string;
  readonly doc: T;
  readonly version: number;
  readonly score: number;
}

export interface PutOptions {
  /** What `page` sorts by: a safe integer, mostly epoch ms. */
  readonly score: number;
  /** At most 8 short words for exact look-ups; added to those it has. */
  readonly terms?: readonly string[];
  readonly expectedVersion: number;
}

/** A range of scores (inclusive), and a word that the documents must have. */
export interface CountQuery {
  readonly term?: string;
  readonly from?: number;
  readonly to?: number;
  readonly max: number;
}

export interface PageQuery {
  readonly term?: string;
  readonly from?: number;
  readonly to?: number;
  readonly after?: Cursor;
  readonly limit: number;
  readonly order: "ascending" | "descending";
}

/** The place of a document in its collection. */
export interface Cursor {
  readonly score: number;
  readonly id: string;
}

export interface DocumentPage<T> {
  readonly items: readonly StoredDocument<T>[];
  /** Where the next page begins; null when this was the last. */
  readonly cursor: Cursor | null;
}
