import process from "node:process";

/** Where progress is written; `process.stdout` fits. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** Shows how far a long task is. */
export interface Progress {
  /** `note` stands behind the numbers. */
  update(done: number, note?: string): void;
  /** Ends the display; the last line stays. */
  end(): void;
}

/** A terminal is drawn at most this often. */
const frameMs = 80;

/** A bar that draws itself again on a terminal; elsewhere one plain line for every tenth of `total`. */
export function createProgress(label: string, total: number, output: ProgressOutput = process.stdout): Progress {
  let drawnAt = 0;
  let tenth = 0;
  let last = "";

  const draw = (done: number, note: string): void => {
    const numbers = `${done} of ${total}${note === "" ? "" : `, ${note}`}`;
    const room = Math.min(30, (output.columns ?? 80) - label.length - numbers.length - 4);
    const filled = Math.max(0, Math.round((room * done) / total));
    const bar = room > 5 ? `${"█".repeat(filled)}${"░".repeat(room - filled)} ` : "";
    last = `${label} ${bar}${numbers}`;
    output.write(`\r\x1b[2K${last.slice(0, (output.columns ?? 80) - 1)}`);
  };

  return {
    update(done, note = "") {
      if (output.isTTY) {
        const now = performance.now();
        if (done < total && now - drawnAt < frameMs) return;
        drawnAt = now;
        draw(done, note);
        return;
      }
      const reached = Math.floor((done * 10) / total);
      if (reached <= tenth) return;
      tenth = reached;
      output.write(`${label} ${done} of ${total}${note === "" ? "" : `, ${note}`}\n`);
    },
    end() {
      if (last !== "") output.write("\n");
      last = "";
    },
  };
}
