import type { Cursor, DocumentPage, DocumentStore } from "../storage/documents.ts";

/** Behind every id of a score. */
const LAST_ID = "\uffff";

/**
 * A page of a collection, oldest first, of which a document that is no JSON does not hold up the others: it is stepped
 * over, with those of the very same score.
 */
export async function pageReadable<T>(
  documents: DocumentStore,
  collection: string,
  after: Cursor | null,
  limit: number,
  onError: (error: unknown) => void,
): Promise<DocumentPage<T>> {
  const read = (size: number, to?: number) =>
    documents.page<T>(collection, {
      limit: size,
      order: "ascending",
      ...(after && { after }),
      ...(to !== undefined && { to }),
    });
  for (let size = limit; ; size = 1) {
    try {
      return await read(size);
    } catch (error) {
      // A database that is away is another matter.
      if (!(error instanceof SyntaxError)) throw error;
      if (size > 1) continue;
      onError(error);
      return { items: [], cursor: { score: await findScore((to) => read(1, to)), id: LAST_ID } };
    }
  }
}

/** The lowest score up to which reading fails. */
async function findScore(read: (to: number) => Promise<unknown>): Promise<number> {
  let low = Number.MIN_SAFE_INTEGER;
  let high = Number.MAX_SAFE_INTEGER;
  while (low < high) {
    const middle = Math.floor(low / 2 + high / 2);
    const fails = await read(middle).then(
      () => false,
      () => true,
    );
    if (fails) high = middle;
    else low = middle + 1;
  }
  return low;
}
