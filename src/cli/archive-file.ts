import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { ArchivePlace } from "../maintenance/archive.ts";

const compress = promisify(gzip);

/** So much is written at once, and is a gzip member of its own, so that the file can be cut behind it. */
const CHUNK_BYTES = 1024 * 1024;

/** The place is noted behind so many sessions, or after so long. */
const SESSIONS_PER_NOTE = 200;
const NOTE_MS = 2_000;

/** A file that is written beside its final name, and can be gone on with after a crash. */
export interface ArchiveFile {
  /** Where it was left; null at the start. */
  readonly from: ArchivePlace | null;
  write(bytes: Uint8Array): Promise<void>;
  /** Told behind each session; now and then what was written is noted as safe. `isLast`: at once. */
  reach(place: ArchivePlace, isLast?: boolean): Promise<void>;
  /** Everything is there: gives the file its name. */
  finish(): Promise<void>;
  /** Leaves what is there to be gone on with. */
  close(): Promise<void>;
}

interface Note {
  readonly bytes: number;
  readonly place: ArchivePlace;
}

/** Opens `FILE.part`, to go on where `FILE.part.state` says or from the start. A name that ends with `.gz` is compressed. */
export async function openArchiveFile(file: string, { resume }: { resume: boolean }): Promise<ArchiveFile> {
  const part = `${file}.part`;
  const state = `${part}.state`;
  const note = resume ? readNote(part, state) : null;
  const handle: FileHandle = await open(part, note ? "r+" : "w");
  let position = note?.bytes ?? 0;
  await handle.truncate(position);
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let sessions = 0;
  let notedAt = performance.now();

  async function flush(): Promise<void> {
    if (waitingBytes === 0) return;
    const bytes = Buffer.concat(waiting);
    waiting = [];
    waitingBytes = 0;
    const stored = file.endsWith(".gz") ? await compress(bytes) : bytes;
    await handle.write(stored, 0, stored.byteLength, position);
    position += stored.byteLength;
  }

  async function write(bytes: Uint8Array): Promise<void> {
    waiting.push(bytes);
    waitingBytes += bytes.byteLength;
    if (waitingBytes >= CHUNK_BYTES) await flush();
  }

  return {
    from: note?.place ?? null,
    write,
    async reach(place, isLast = false) {
      sessions++;
      if (!isLast && sessions < SESSIONS_PER_NOTE && performance.now() - notedAt < NOTE_MS) return;
      await flush();
      await handle.datasync();
      const text: Note = { bytes: position, place };
      // A name that is put over the old one is there as a whole or not at all.
      writeFileSync(`${state}.new`, JSON.stringify(text));
      renameSync(`${state}.new`, state);
      sessions = 0;
      notedAt = performance.now();
    },
    async finish() {
      await flush();
      await handle.sync();
      await handle.close();
      renameSync(part, file);
      rmSync(state, { force: true });
    },
    close: () => handle.close(),
  };
}

/** The note of an export that was cut, where there is one and its file is as long as it says. */
function readNote(part: string, state: string): Note | null {
  if (!existsSync(part) || !existsSync(state)) return null;
  const note = JSON.parse(readFileSync(state, "utf8")) as Note;
  return statSync(part).size >= note.bytes ? note : null;
}
