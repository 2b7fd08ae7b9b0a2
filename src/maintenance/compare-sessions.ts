import type { SessionDocument, WindowEntry } from "../sessions/document.ts";

/**
 * How what a document holds stands to what another one of the same session holds: the `same` batches (settled or not),
 * `more`, `less`, or `other` ones, so that neither holds all.
 */
export function compareSessions(a: SessionDocument, b: SessionDocument): "same" | "more" | "less" | "other" {
  if (a.createdAt !== b.createdAt || a.keyHash !== b.keyHash) return "other";
  const isInB = isContained(a, b);
  const isInA = isContained(b, a);
  if (isInA && isInB) return "same";
  return isInA ? "more" : isInB ? "less" : "other";
}

/** Whether the one holds all batches of the other: by name while the rows stand in both documents, else by number. */
function isContained(a: SessionDocument, b: SessionDocument): boolean {
  if (a.indexPages.length === 0 && b.indexPages.length === 0) {
    const names = new Set(namesIn(b));
    return namesIn(a).every((name) => names.has(name));
  }
  return a.windows.every((window) => {
    const other = b.windows.find(({ id }) => id === window.id);
    return other !== undefined && isWindowContained(window, other);
  });
}

function namesIn({ windows }: SessionDocument): string[] {
  return windows.flatMap((window) =>
    window.runs.flatMap(({ id, rows }) =>
      rows.filter((row) => !row[7]).map(([seq, hash]) => `${window.id}/${id}/${seq}/${hash}`),
    ),
  );
}

/** Batches without a number are only counted. */
function isWindowContained(a: WindowEntry, b: WindowEntry): boolean {
  const isSmaller =
    a.batches === b.batches ? a.events === b.events && a.bytes === b.bytes : a.batches < b.batches && a.bytes < b.bytes;
  return (
    isSmaller &&
    a.runs.every(({ id, seqs }) => {
      const other = b.runs.find((run) => run.id === id)?.seqs;
      return (
        other !== undefined && seqs.every(([from, to]) => other.some((range) => range[0] <= from && to <= range[1]))
      );
    })
  );
}
