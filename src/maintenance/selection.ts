import type { Platform } from "../platform.ts";
import type { SessionDocument } from "../sessions/document.ts";
import { toUserTerm } from "../sessions/user.ts";
import type { Cursor, DocumentStore } from "../storage/documents.ts";
import type { Selection } from "../types.ts";

/**
 * Where a walk stands: behind a document, behind so many of the given ids, within a listing of a kind of blobs (so many of
 * whose page nothing could be done for), or behind a document that was counted (null: at the start).
 */
export type SelectionCursor =
  | { readonly after: Cursor }
  | { readonly given: number }
  | { readonly kind: string; readonly listing: string | null; readonly hopeless?: number }
  | { readonly counted: Cursor | null };

/** A piece of a selection. */
export interface SelectionPage {
  /** Those that match. */
  readonly sessions: readonly SessionDocument[];
  /** How many were looked at. */
  readonly seen: number;
  /** Null at the end. */
  readonly cursor: SelectionCursor | null;
}

/** So many sessions are looked at in one step. */
const PAGE_SIZE = 50;

/**
 * Walks over the sessions that are meant, oldest first. A session that gets a batch meanwhile moves to the end and is
 * met there, so none is missed.
 */
export async function readSelection(
  documents: DocumentStore,
  { project, platform }: { project: string; platform: Pick<Platform, "sha256"> },
  selection: Selection,
  cursor: SelectionCursor | null,
): Promise<SelectionPage> {
  const collection = `${project}/sessions`;
  const matches = (document: SessionDocument) => isSelected(document, selection, term);
  const term = selection.user === undefined ? null : await toUserTerm(selection.user, platform);
  if (selection.ids) {
    const start = cursor && "given" in cursor ? cursor.given : 0;
    const ids = selection.ids.slice(start, start + PAGE_SIZE);
    const found = await documents.getMany<SessionDocument>(collection, ids);
    const sessions = found.flatMap((stored) => (stored ? [stored.doc] : [])).filter(matches);
    const end = start + ids.length;
    return { sessions, seen: ids.length, cursor: end < selection.ids.length ? { given: end } : null };
  }
  const page = await documents.page<SessionDocument>(collection, {
    limit: PAGE_SIZE,
    order: "ascending",
    ...(term && { term }),
    // A session stands at most a minute before its last batch, so nothing behind `to` can be meant.
    ...(selection.to !== undefined && { to: selection.to }),
    ...(cursor && "after" in cursor && { after: cursor.after }),
  });
  const sessions = page.items.map(({ doc }) => doc).filter(matches);
  return { sessions, seen: page.items.length, cursor: page.cursor && { after: page.cursor } };
}

/** Whether nothing is given, which would mean everything. */
export function isEmptySelection({ ids, from, to, user, metadata }: Selection): boolean {
  return [ids, from, to, user].every((part) => part === undefined) && Object.keys(metadata ?? {}).length === 0;
}

function isSelected(document: SessionDocument, { from, to, metadata }: Selection, term: string | null): boolean {
  if (from !== undefined && document.updatedAt < from) return false;
  if (to !== undefined && document.updatedAt > to) return false;
  if (term !== null && !document.terms.includes(term)) return false;
  const kept = new Map(document.metadata.map(([key, value]) => [key, String(value)]));
  return Object.entries(metadata ?? {}).every(([key, value]) => kept.get(key) === value);
}
