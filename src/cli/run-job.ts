import { HTTPError } from "../errors.ts";
import type { Sentiero } from "../sentiero.ts";
import type { Job, Selection } from "../types.ts";
import { createProgressBar } from "./progress-bar.ts";
import { CommandError } from "./usage-error.ts";

/** A piece of work, after which the bar is drawn anew. */
const PIECE_MS = 250;

/** While another process does the work, it is asked this often. */
const LOOK_MS = 200;

interface RunOptions {
  readonly kind: Job["kind"];
  readonly selection: Selection;
}

/**
 * Begins a job, or goes on with the one that was begun with the same words, and stays until it is done. The job is kept
 * in the store: where another process has the right to work on it, that one does.
 * @throws CommandError when it fails, is stopped, or another one is running.
 */
export async function runJob(sentiero: Sentiero, { kind, selection }: RunOptions): Promise<Job> {
  const { maintenance } = sentiero.store;
  let job = await startJob(sentiero, kind, selection);
  const bar = createProgressBar(kind, job.total);
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  try {
    while (job.state === "running" && !stopped.signal.aborted) {
      const before = job.seen;
      await sentiero.maintain(PIECE_MS);
      job = (await maintenance.job(job.id)) ?? job;
      bar.update(job.seen);
      if (job.state === "running" && job.seen === before) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    bar.end();
  }
  if (job.state === "running") {
    throw new CommandError(
      `stopped after ${job.seen} sessions: \`sentiero serve\` goes on with it, and so does the same command`,
    );
  }
  if (job.state !== "done") throw new CommandError(`the job was ${job.state}${job.error ? `: ${job.error}` : ""}`);
  return job;
}

async function startJob(sentiero: Sentiero, kind: Job["kind"], selection: Selection): Promise<Job> {
  const { maintenance } = sentiero.store;
  try {
    return await maintenance.startJob(kind, selection);
  } catch (error) {
    if (!(error instanceof HTTPError && error.status === 409)) throw error;
    const running = (await maintenance.overview()).jobs.find(({ state }) => state === "running");
    const isSame = running?.kind === kind && JSON.stringify(running.selection) === JSON.stringify(selection);
    if (isSame) return running;
    if (!running) throw error;
    throw new CommandError(
      `another job is running (${running.kind}, ${running.seen} sessions so far): ` +
        "let it end, or cancel it on the Maintenance page",
    );
  }
}
