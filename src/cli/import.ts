import { createReadStream, existsSync } from "node:fs";
import { Readable, pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { importStore, type ImportResult } from "../maintenance/archive-import.ts";
import { ArchiveError } from "../maintenance/archive-lines.ts";
import { STORE_OPTIONS, parseOptions } from "./arguments.ts";
import { formatBytes, formatCount, formatSessions } from "./numbers.ts";
import { needOneWriter } from "./one-writer.ts";
import { openStored } from "./open-sentiero.ts";
import { createProgressBar } from "./progress-bar.ts";
import { PROJECT } from "./project.ts";
import { CommandError, UsageError } from "./usage-error.ts";

/**
 * `sentiero import FILE`: takes an archive of another store in. Doing it again goes on where it was cut.
 * @throws UsageError when the arguments cannot work, CommandError for an archive that can't be read to its end.
 */
export async function importFrom(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const { values, positionals } = parseOptions(args, STORE_OPTIONS, 1);
  const [file] = positionals;
  if (file === undefined) throw new UsageError("import needs a FILE, or - for standard input");
  if (file !== "-" && !existsSync(file)) throw new UsageError(`${file}: there is no such file`);
  const { sentiero, close } = await openStored({ values, env });
  const bar = createProgressBar("import", null);
  try {
    await needOneWriter(sentiero);
    const { clock, platform, onError } = sentiero.options;
    const source = await openArchive(file);
    const result = await importStore(sentiero.store.ports, source, {
      project: PROJECT,
      platform,
      clock,
      onError,
      onProgress: (so) => bar.update(so.added + so.present + so.updated + so.differing + so.erased, so.bytes),
    }).catch((error: unknown) => {
      throw toCommandError(file, error);
    });
    bar.end();
    report(result);
  } finally {
    await close();
  }
}

function report({ added, present, updated, differing, differingIds, erased, bytes, archive }: ImportResult): void {
  const parts = [`${formatSessions(added)} added`];
  if (updated > 0) parts.push(`${formatCount(updated)} completed`);
  if (present > 0) parts.push(`${formatCount(present)} there already`);
  if (erased > 0) parts.push(`${formatCount(erased)} left out because they were erased here`);
  console.log(`${parts.join(", ")}; ${formatBytes(bytes)} of recordings`);
  if (archive.missing > 0) console.error(`the archive lacks ${archive.missing} recordings that its sessions name`);
  if (differing === 0) return;
  throw new CommandError(
    `${formatSessions(differing)} with other content under the same id, left as they are: ${differingIds.join(", ")}`,
  );
}

function toCommandError(file: string, error: unknown): unknown {
  const again = "everything before is in the store; importing again goes on from there";
  if (error instanceof ArchiveError) return new CommandError(`${file}, ${error.message}; ${again}`, { cause: error });
  const { code } = error as NodeJS.ErrnoException;
  // zlib's codes.
  if (code?.startsWith("Z_")) return new CommandError(`${file} is cut or damaged; ${again}`, { cause: error });
  return error;
}

/** The bytes of an archive, inflated where they are gzip. */
async function openArchive(file: string): Promise<AsyncIterable<Uint8Array>> {
  const source: AsyncIterator<Buffer> = (file === "-" ? process.stdin : createReadStream(file))[Symbol.asyncIterator]();
  const first = await source.next();
  async function* all(): AsyncGenerator<Buffer> {
    if (first.done) return;
    yield first.value;
    for (;;) {
      const { done, value } = await source.next();
      if (done) return;
      yield value;
    }
  }
  const isGzip = !first.done && first.value[0] === 0x1f && first.value[1] === 0x8b;
  if (!isGzip) return all();
  // The iterator throws what failed; nobody else needs to be told.
  return pipeline(Readable.from(all()), createGunzip(), () => {});
}
