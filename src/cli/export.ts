import { once } from "node:events";
import { existsSync } from "node:fs";
import { exportStore, type ArchivePlace } from "../maintenance/archive.ts";
import type { Sentiero } from "../sentiero.ts";
import { openArchiveFile } from "./archive-file.ts";
import { SELECTION_OPTIONS, STORE_OPTIONS, parseOptions } from "./arguments.ts";
import { formatBytes, formatSessions } from "./numbers.ts";
import { openStored } from "./open-sentiero.ts";
import { createProgressBar } from "./progress-bar.ts";
import { PROJECT } from "./project.ts";
import { toSelection } from "./selection.ts";
import { CommandError, UsageError } from "./usage-error.ts";

/** Counting for the bar ends here: counting all of a large store takes long. */
const MAX_COUNTED = 2_000_000;

/**
 * `sentiero export FILE`: a whole store as an archive, or with a selection one person's recordings to read.
 * @throws UsageError when the arguments cannot work, CommandError when it was stopped.
 */
export async function exportTo(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const { values, positionals } = parseOptions(
    args,
    { ...STORE_OPTIONS, ...SELECTION_OPTIONS, resume: { type: "boolean" }, force: { type: "boolean" } },
    1,
  );
  const [file] = positionals;
  if (file === undefined) throw new UsageError("export needs a FILE, or - for standard output");
  const selection = toSelection(values);
  const isPerson = Object.keys(selection).length > 0;
  if (values.resume && (file === "-" || isPerson)) {
    throw new UsageError("--resume goes on with a file of a whole store only");
  }
  if (file !== "-" && existsSync(file) && !values.force) {
    throw new UsageError(`${file} is there already: give another name, or --force to replace it`);
  }
  const { sentiero, close } = await openStored({ values, env, mustExist: true });
  try {
    if (isPerson) await writePerson(sentiero.store.exportPerson(selection), file);
    else await writeStore(sentiero, file, values.resume ?? false);
  } finally {
    await close();
  }
}

async function writePerson(lines: ReadableStream<Uint8Array>, file: string): Promise<void> {
  const target = file === "-" ? toStandardOutput() : await openArchiveFile(file, { resume: false });
  let last: Uint8Array = new Uint8Array();
  for await (const line of lines) {
    last = line;
    await target.write(line);
  }
  await target.finish();
  const end = JSON.parse(new TextDecoder().decode(last)) as { sessions: number; complete: boolean; unreadable: number };
  console.error(`exported ${formatSessions(end.sessions)}`);
  if (!end.complete) {
    throw new CommandError(`${end.unreadable} recordings could not be read; the file names them: run sentiero doctor`);
  }
}

async function writeStore(sentiero: Sentiero, file: string, resume: boolean): Promise<void> {
  const store = sentiero.store.ports;
  const { clock, platform } = sentiero.options;
  const target = file === "-" ? toStandardOutput() : await openArchiveFile(file, { resume });
  const total = await store.documents.count(`${PROJECT}/sessions`, { max: MAX_COUNTED });
  const bar = createProgressBar("export", total === MAX_COUNTED ? null : total);
  let place = target.from;
  let isStopped = false;
  const stop = (): void => void (isStopped = true);
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);

  async function onPlace(next: ArchivePlace): Promise<void> {
    place = next;
    bar.update(next.counts.sessions, next.counts.bytes);
    await target.reach(next, isStopped);
    if (isStopped) throw new Stopped();
  }

  try {
    const lines = exportStore(store, { project: PROJECT, platform, clock, from: target.from, onPlace });
    for await (const line of lines) await target.write(line);
    await target.finish();
  } catch (error) {
    await target.close();
    if (!(error instanceof Stopped)) throw error;
    throw new CommandError(`stopped: go on with sentiero export ${file} --resume`);
  } finally {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
    bar.end();
  }
  const { sessions = 0, bytes = 0, missing = 0 } = place?.counts ?? {};
  console.error(`exported ${formatSessions(sessions)}, ${formatBytes(bytes)} of recordings`);
  if (missing > 0)
    throw new CommandError(`${missing} recordings that sessions name are not there: run sentiero doctor`);
}

class Stopped extends Error {}

/** Standard output as a file that can't be gone on with. */
function toStandardOutput(): Awaited<ReturnType<typeof openArchiveFile>> {
  return {
    from: null,
    async write(bytes) {
      if (!process.stdout.write(bytes)) await once(process.stdout, "drain");
    },
    reach: async () => {},
    finish: async () => {},
    close: async () => {},
  };
}
