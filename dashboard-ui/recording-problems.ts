import type { BatchSummary, Gap, WindowSummary } from "../src/types.ts";
import { formatNumberOf, formatTime } from "./formats.ts";

const reasons: Record<Gap["reason"], string> = {
  overflow: "the browser's buffer was full",
  rejected: "the server refused them",
  network: "they could not be sent",
  unload: "the page was closed before they could be sent",
};

/**
 * What is missing from a window's recording, a sentence each. `batches` tells when missing uploads were due; without
 * it the sentences have no times.
 */
export function problemsOf(window: WindowSummary, batches: readonly BatchSummary[] = []): string[] {
  const problems: string[] = [];
  // A segment holds batches of several numbers, so it says nothing about when one of them was due.
  const uploads = batches.filter((batch) => !batch.key.startsWith("segment-"));
  for (const { run, from, to } of joined(untold(window))) {
    const before = uploads.findLast((batch) => batch.run === run && batch.seq < from);
    const after = uploads.find((batch) => batch.run === run && batch.seq > to);
    const when =
      before || after ? `, ${span(before?.lastAt ?? window.firstEventAt, after?.firstAt ?? window.lastEventAt)}` : "";
    problems.push(`${formatNumberOf(to - from + 1, "upload")} never arrived${when}.`);
  }
  for (const gap of window.gaps) {
    const lost = gap.events > 0 ? formatNumberOf(gap.events, "event") : "Events";
    problems.push(`${lost} lost, ${span(gap.from, gap.to)}: ${reasons[gap.reason] ?? "the recorder gave them up"}.`);
  }
  if (window.conflictCount > 0) {
    problems.push(
      `${formatNumberOf(window.conflictCount, "upload")} came twice with different content; the first is played.`,
    );
  }
  return problems;
}

/** Missing uploads that no gap names: each is told once. */
function untold({ missing, gaps }: WindowSummary): WindowSummary["missing"] {
  return missing.flatMap(({ run, from, to }) => {
    const named = gaps.filter((gap) => gap.run === run).map(({ seq }) => seq!);
    const ends = [...new Set(named)].filter((seq) => from <= seq && seq <= to).sort((a, b) => a - b);
    const starts = [from, ...ends.map((seq) => seq + 1)];
    return starts
      .map((start, index) => ({ run, from: start, to: (ends[index] ?? to + 1) - 1 }))
      .filter((range) => range.from <= range.to);
  });
}

/** Neighbouring numbers of a run, told as one. */
function joined(missing: WindowSummary["missing"]): WindowSummary["missing"] {
  const ranges: { run: string; from: number; to: number }[] = [];
  for (const range of missing) {
    const last = ranges.at(-1);
    if (last && last.run === range.run && last.to + 1 === range.from) last.to = range.to;
    else ranges.push({ ...range });
  }
  return ranges;
}

function span(from: number, to: number): string {
  const [start, end] = [formatTime(from), formatTime(to)];
  return start === end ? start : `${start}–${end}`;
}
