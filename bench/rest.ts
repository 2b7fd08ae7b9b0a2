import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";
import { fillStore } from "../examples/demo/filler.ts";
import { readRecordings } from "../examples/demo/recordings.ts";
import { table, toCount } from "./figures.ts";

const HOUR = 3_600_000;

/** Wanted of the file, as a part of the request JSON: right after ingest, and after settling. */
const WANTED = { ingested: 0.28, settled: 0.21 };

/** The original's, on its own generated visits. */
const ORIGINAL = 1.55;

/** What a SQLite file holds, in bytes. */
interface Rest {
  /** The file with its log, as a disk shows it, and the file once the log is in it. */
  readonly live: number;
  readonly file: number;
  /** Pages of the file that hold something. */
  readonly used: number;
  /** A copy by `VACUUM INTO`. */
  readonly packed: number;
  /** Pages by table and by index. */
  readonly pages: ReadonlyMap<string, number>;
  /** Number and bytes of documents by collection, and of blobs by kind. */
  readonly content: readonly Content[];
}

interface Content {
  readonly name: string;
  readonly count: number;
  readonly bytes: number;
}

/**
 * Measures what visits take on the disk: the demo's generated visits are posted to a SQLite store, as browsers would
 * send them, and the file is looked into right after and once every session has settled.
 *
 * `--visits N` (default 1,000).
 */
export async function rest(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { visits: { type: "string" } } });
  const visits = toCount("--visits", values.visits ?? "1000", 100_000);
  const [{ createSentiero }, { nodePlatform }, { openStorage }] = await Promise.all([
    import("../dist/src/index.js"),
    import("../dist/adapters/node.js"),
    import("../dist/src/cli/storage.js"),
  ]);
  const folder = mkdtempSync(join(tmpdir(), "sentiero-bench-"));
  const path = join(folder, "rest.db");
  const storage = await openStorage(`sqlite:${path}`);
  const start = Date.now();
  const clock = { now: start };
  const sentiero = createSentiero({
    storage,
    platform: nodePlatform,
    clock: () => clock.now,
    maintenance: false,
    // What is measured is the size; nobody pulls the plug.
    durability: "process",
  });
  const sent = { json: 0, gzip: 0 };
  try {
    const origin = "http://127.0.0.1:4747";
    const filled = await fillStore({
      clock,
      recordings: readRecordings(origin),
      sessions: visits,
      origin,
      now: start,
      fetch: async (request) => {
        const json = gunzipSync(await request.arrayBuffer());
        // The level that browsers use; the filler's is a faster one.
        const body = new Uint8Array(gzipSync(json));
        sent.json += json.length;
        sent.gzip += body.length;
        return sentiero.handlers.events(new Request(request.url, { method: "POST", headers: request.headers, body }));
      },
      onSession: (done) => progress(`posted ${done} of ${visits} visits`),
    });
    const ingested = look(path, join(folder, "ingested.db"));
    clock.now = start + 2 * HOUR;
    for (let pieces = 1; !(await sentiero.maintain()); pieces++) progress(`settling, ${pieces} s`);
    const settled = look(path, join(folder, "settled.db"));
    progress("");

    console.log(
      `Bytes at rest on SQLite: ${filled.sessions} visits made from the demo's recordings, ${filled.batches} batches, ` +
        `${filled.events} events;\nrequest JSON ${megabytes(sent.json)}, as gzip ${megabytes(sent.gzip)} ` +
        `(${share(sent.gzip, sent.json)}). Node ${process.versions.node}.\n`,
    );
    console.log(report(sent.json, ingested, settled));
  } finally {
    await sentiero.store.close();
    await storage.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Looks into a file by a connection of its own, which also moves the log into it. */
function look(path: string, copy: string): Rest {
  const live = sizeOf(path) + sizeOf(`${path}-wal`);
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    database.exec(`VACUUM INTO '${copy.replaceAll("'", "''")}'`);
    const all = <T>(sql: string) => database.prepare(sql).all() as T[];
    const pragma = (name: string) => Object.values(all<Record<string, number>>(`PRAGMA ${name}`)[0]!)[0]!;
    const pages = all<{ name: string; bytes: number }>("SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name");
    return {
      live,
      file: sizeOf(path),
      used: (pragma("page_count") - pragma("freelist_count")) * pragma("page_size"),
      packed: sizeOf(copy),
      pages: new Map(pages.map(({ name, bytes }) => [name, bytes])),
      content: all<Content>(CONTENT),
    };
  } finally {
    database.close();
  }
}

const CONTENT = `
  SELECT 'document ' || collection AS name, count(*) AS count, sum(octet_length(doc)) AS bytes
    FROM sentiero_documents GROUP BY 1
  UNION ALL
  SELECT 'blob ' || substr(key, 1, instr(key, ':') - 1), count(*), sum(length(bytes)) FROM sentiero_blobs GROUP BY 1
  ORDER BY name`;

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function report(json: number, ingested: Rest, settled: Rest): string {
  const row = (name: string, pick: (rest: Rest) => number | undefined, wanted: string): string[] => [
    name,
    ...[ingested, settled].flatMap((rest) => {
      const bytes = pick(rest) ?? 0;
      return [megabytes(bytes), share(bytes, json)];
    }),
    wanted,
  ];
  const names = (pick: (rest: Rest) => Iterable<string>) => [...new Set([...pick(ingested), ...pick(settled)])].sort();
  const counts = ({ content }: Rest, name: string) => content.find((one) => one.name === name);
  const countsOf = (name: string) => [ingested, settled].map((rest) => counts(rest, name)?.count ?? 0).join(" -> ");
  const blank = ["", "", "", "", "", ""];
  return table(
    ["", "after ingest", "/JSON", "settled", "/JSON", "wanted, /JSON"],
    [
      row("file, its log moved in", ({ file }) => file, `<= ${WANTED.ingested}, <= ${WANTED.settled}`),
      row("  pages in use", ({ used }) => used, ""),
      row("  packed (VACUUM INTO)", ({ packed }) => packed, ""),
      row("file and log before that", ({ live }) => live, ""),
      blank,
      ...names(({ content }) => content.map(({ name }) => name)).map((name) =>
        row(`${name} (${countsOf(name)})`, (rest) => counts(rest, name)?.bytes, ""),
      ),
      blank,
      ...names(({ pages }) => pages.keys())
        .filter((name) => !name.startsWith("sqlite_schema"))
        .map((name) => row(`pages of ${name}`, ({ pages }) => pages.get(name), "")),
    ],
    "The file does not shrink: pages that settling leaves empty are used by what comes next.\n" +
      `The Ruby original keeps ${ORIGINAL} of the JSON of its own generated visits.`,
  );
}

function megabytes(bytes: number): string {
  return bytes < 100_000 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function share(bytes: number, of: number): string {
  return (bytes / of).toFixed(3);
}

/** One line that is written over. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text}`);
}
