import { toPreview } from "./preview.ts";
import { createQuota } from "./quota.ts";
import type { StreamContext } from "./stream.ts";
import type { StreamParts } from "./stream-parts.ts";

const LEVELS = ["debug", "log", "info", "warn", "error"] as const;
const MAX_ARGUMENTS = 10;
const MAX_A_MINUTE = 100;
const MAX_STACK_CHARS = 4_096;

/** `record`, the function around the console's, and the proxy's. */
const OWN_FRAMES = 3;

/**
 * `__console`: `level` and `args`, up to 10 texts of at most 1,024 characters; `stack` for errors. 100 a minute at most, and how many
 * were left out is told by the next one, as `dropped`.
 */
export function captureConsole(context: StreamContext, { wrapMethod }: StreamParts): void {
  const { config, signal, emit } = context;
  const quota = createQuota(MAX_A_MINUTE);
  let isBusy = false;

  function record(level: string, args: readonly unknown[]): void {
    if (!quota.take()) return;
    emit("__console", {
      level,
      args: args.slice(0, MAX_ARGUMENTS).map(toPreview),
      stack: level === "error" ? stackOf(new Error("console")) : undefined,
      dropped: quota.takeDropped(),
    });
  }

  for (const level of LEVELS) {
    if (!config.captureConsole.includes(level)) continue;
    wrapMethod(console, level, signal, (call, args) => {
      // What is recorded may itself write to the console: a warning of ours, a proxy of the page.
      if (!isBusy) {
        isBusy = true;
        try {
          record(level, args);
        } catch {
          // The page gets its line all the same.
        } finally {
          isBusy = false;
        }
      }
      return call();
    });
  }
}

/** The frames of the page: past the line of the error itself, which not every engine writes, and our own. */
function stackOf({ stack }: Error): string | undefined {
  const frames = stack?.split("\n").filter((line) => /:\d+:\d+/.test(line)) ?? [];
  return frames.slice(OWN_FRAMES).join("\n").slice(0, MAX_STACK_CHARS) || undefined;
}
