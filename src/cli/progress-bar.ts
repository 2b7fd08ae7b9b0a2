import type { WriteStream } from "node:tty";
import { formatBytes, formatCount } from "./numbers.ts";

/** Shows how far something is. */
export interface ProgressBar {
  update(done: number, bytes?: number): void;
  /** Ends the bar with its last state. */
  end(): void;
}

/** A terminal is written to this often, a file or a pipe so often. */
const TERMINAL_MS = 100;
const LINES_MS = 5_000;

const WIDTH = 24;

/**
 * A bar with rate and time left on a terminal, a line now and then elsewhere. Written to standard error, because standard
 * output may be the result. `total` is null where it is not known.
 */
export function createProgressBar(
  label: string,
  total: number | null,
  stream: NodeJS.WriteStream | WriteStream = process.stderr,
): ProgressBar {
  const startedAt = performance.now();
  let drawnAt = startedAt;
  let state = { done: 0, bytes: 0 };
  let drawn = "";

  function draw(): void {
    drawnAt = performance.now();
    const text = format(label, state, total, (drawnAt - startedAt) / 1000);
    if (text === drawn) return;
    drawn = text;
    if (stream.isTTY) stream.write(`\r\x1b[K${text.slice(0, Math.max(20, (stream.columns || 80) - 1))}`);
    else stream.write(`${text}\n`);
  }

  return {
    update(done, bytes = 0) {
      state = { done, bytes };
      if (performance.now() - drawnAt >= (stream.isTTY ? TERMINAL_MS : LINES_MS)) draw();
    },
    end() {
      draw();
      if (stream.isTTY) stream.write("\n");
    },
  };
}

function format(
  label: string,
  { done, bytes }: { done: number; bytes: number },
  total: number | null,
  seconds: number,
): string {
  const perSecond = seconds > 0 ? done / seconds : 0;
  const parts = [`${formatCount(done)}${total === null ? "" : ` of ${formatCount(Math.max(total, done))}`} sessions`];
  if (bytes > 0) parts.push(formatBytes(bytes));
  if (seconds >= 1) parts.push(`${formatCount(perSecond)}/s`);
  const left = total === null || perSecond === 0 ? 0 : (total - done) / perSecond;
  if (left >= 1) parts.push(`${formatDuration(left)} left`);
  return `${label} ${total === null ? "" : `${drawBar(total === 0 ? 1 : done / total)} `}${parts.join(" · ")}`;
}

function drawBar(share: number): string {
  const full = Math.round(Math.min(1, share) * WIDTH);
  return "█".repeat(full) + "░".repeat(WIDTH - full);
}

function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
