import type { DocumentStore, PageQuery, StoredDocument } from "./documents.ts";

/** The symbol for "data link escape": ids and terms of people hardly ever hold it. */
const ESCAPE = "\u2410";
const UNSAFE = /[\p{Surrogate}\0\ufeff\u2410]/u;

/**
 * An id or term as every database keeps it: PostgreSQL refuses NUL, SQLite's clients end a text there, halves of
 * surrogate pairs have no UTF-8 and all become the same replacement character, and PGlite swallows a byte order mark.
 * Documents need nothing: JSON escapes the first two, and begins with something else.
 */
export function encodeText(text: string): string {
  if (!UNSAFE.test(text)) return text;
  const all = new RegExp(UNSAFE, "gu");
  return text.replace(all, (unit) => ESCAPE + unit.charCodeAt(0).toString(16).padStart(4, "0"));
}

/** The text before `encodeText`. */
export function decodeText(text: string): string {
  if (!text.includes(ESCAPE)) return text;
  return text.replace(/\u2410([0-9a-f]{4})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** Documents whose ids and terms reach a database as `encodeText` makes them. */
export function encodeIds(documents: DocumentStore): DocumentStore {
  return {
    get: async <T>(collection: string, id: string) => decodeId(await documents.get<T>(collection, encodeText(id))),
    getMany: async <T>(collection: string, ids: readonly string[]) =>
      (await documents.getMany<T>(collection, ids.map(encodeText))).map(decodeId),
    put: (collection, id, doc, options) =>
      documents.put(collection, encodeText(id), doc, { ...options, terms: options.terms?.map(encodeText) }),
    remove: (collection, id) => documents.remove(collection, encodeText(id)),
    async page<T>(collection: string, query: PageQuery) {
      const after = query.after && { ...query.after, id: encodeText(query.after.id) };
      const { items, cursor } = await documents.page<T>(collection, { ...encodeTerm(query), after });
      return {
        items: items.map((stored) => decodeId(stored)!),
        cursor: cursor && { ...cursor, id: decodeText(cursor.id) },
      };
    },
    count: (collection, query) => documents.count(collection, encodeTerm(query)),
  };
}

function decodeId<T>(stored: StoredDocument<T> | null): StoredDocument<T> | null {
  return stored && { ...stored, id: decodeText(stored.id) };
}

function encodeTerm<T extends { readonly term?: string }>(query: T): T {
  return query.term === undefined ? query : { ...query, term: encodeText(query.term) };
}
