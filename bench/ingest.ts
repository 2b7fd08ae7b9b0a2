import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { BIG_EVERY, EVENTS_PER_BATCH } from "./batches.ts";
import type { LoadReport } from "./client.ts";
import { findCores, startChild, type Child } from "./child.ts";
import { median, table, toCount } from "./figures.ts";

/** The servers under test. The first is what the others are divided by. */
const KINDS = ["bare", "memory", "sqlite"] as const;
type Kind = (typeof KINDS)[number];

const CONNECTIONS = 8;
const BATCHES_PER_VISIT = 20;

/** A run gives up when it lasts longer than this. */
const MAX_SECONDS = 300;

/** What is wanted of our servers: rate as a part of the bare server's, and CPU. */
const WANTED: Readonly<Record<Kind, string>> = { bare: "", memory: ">= 0.60", sqlite: ">= 0.45, <= 0.75 ms" };

interface Round extends LoadReport {
  readonly cpuMsPerBatch: number;
}

/**
 * Measures the events lane: each round sends the same new batches to the bare server, to ours on memory and to ours on
 * SQLite, one after the other, so that what else the machine does falls on all three. Figures are medians over the
 * rounds; a ratio is the median of the ratios within a round.
 *
 * `--rounds N` (default 5), `--visits N` of 20 batches each a round (default 64), `--profile DIR` writes a CPU profile
 * of each server there.
 */
export async function ingest(args: readonly string[]): Promise<void> {
  const options = { rounds: { type: "string" }, visits: { type: "string" }, profile: { type: "string" } } as const;
  const { values } = parseArgs({ args: [...args], options });
  const rounds = toCount("--rounds", values.rounds ?? "5", 50);
  const visits = toCount("--visits", values.visits ?? "64", 256);
  const cores = findCores();
  const folder = mkdtempSync(join(tmpdir(), "sentiero-bench-"));
  const children: Child[] = [];
  // Ends a run that hangs or is interrupted: questions to a killed child are rejected, and the folder is removed.
  const killAll = (): void => {
    for (const child of children) child.kill();
  };
  const limit = setTimeout(killAll, MAX_SECONDS * 1000);
  process.once("SIGINT", killAll);
  try {
    const servers = new Map<Kind, Child>();
    for (const kind of KINDS) {
      const server = startChild("server.ts", [kind, folder], { core: cores?.server, profile: values.profile });
      children.push(server);
      servers.set(kind, server);
    }
    const client = startChild("client.ts", [], { core: cores?.client });
    children.push(client);

    const ports = new Map<Kind, number>();
    for (const [kind, server] of servers) ports.set(kind, (await server.ask<{ port: number }>({ ask: "port" })).port);
    const measured = new Map<Kind, Round[]>(KINDS.map((kind) => [kind, []]));
    let sizes = { meanJson: 0, meanGzip: 0 };
    // Round 0 warms up the servers and the client and is not counted.
    for (let round = 0; round <= rounds; round++) {
      sizes = await client.ask({ ask: "prepare", visits, batchesPerVisit: BATCHES_PER_VISIT });
      for (const kind of KINDS) {
        const server = servers.get(kind)!;
        const before = await server.ask<{ cpuMs: number }>({ ask: "cpu" });
        const load = await client.ask<LoadReport>({ ask: "send", port: ports.get(kind), connections: CONNECTIONS });
        const after = await server.ask<{ cpuMs: number }>({ ask: "cpu" });
        if (load.failures > 0) throw new Error(`${kind} did not answer 200 to ${load.failures} of ${load.requests}`);
        if (round > 0)
          measured.get(kind)!.push({ ...load, cpuMsPerBatch: (after.cpuMs - before.cpuMs) / load.requests });
      }
      process.stderr.write(round === 0 ? "warmed up" : `, round ${round} of ${rounds}`);
    }
    process.stderr.write("\n\n");
    const pinned = cores
      ? `servers pinned to core ${cores.server}, client to core ${cores.client}`
      : "not pinned: there is no taskset here, or one core only";
    console.log(
      `Events lane: ${CONNECTIONS} connections, gzip batches of ${EVENTS_PER_BATCH} events, every ${BIG_EVERY}th with a ` +
        `200 KiB snapshot;\nmean body ${kb(sizes.meanJson)} JSON, ${kb(sizes.meanGzip)} gzip; ${visits} visits of ` +
        `${BATCHES_PER_VISIT} batches a round, ${rounds} rounds.\n` +
        `Node ${process.versions.node}, ${availableParallelism()} cores, ${pinned}.\n`,
    );
    console.log(report(measured));
    for (const server of servers.values()) await server.stop();
    await client.stop();
  } finally {
    clearTimeout(limit);
    process.off("SIGINT", killAll);
    killAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

function report(measured: ReadonlyMap<Kind, readonly Round[]>): string {
  const bare = measured.get("bare")!;
  const rows = KINDS.map((kind) => {
    const rounds = measured.get(kind)!;
    const of = (pick: (round: Round) => number) => median(rounds.map(pick));
    const ratio = median(rounds.map(({ seconds }, index) => bare[index]!.seconds / seconds));
    const cpuRatio = median(rounds.map(({ cpuMsPerBatch }, index) => bare[index]!.cpuMsPerBatch / cpuMsPerBatch));
    const rate = of(({ requests, seconds }) => requests / seconds);
    return [
      NAMES[kind],
      rate.toFixed(0),
      (rate * EVENTS_PER_BATCH).toFixed(0),
      of(({ p50Ms }) => p50Ms).toFixed(1),
      of(({ p99Ms }) => p99Ms).toFixed(1),
      of(({ cpuMsPerBatch }) => cpuMsPerBatch).toFixed(2),
      ratio.toFixed(2),
      cpuRatio.toFixed(2),
      WANTED[kind],
    ];
  });
  return table(
    ["server", "requests/s", "events/s", "p50 ms", "p99 ms", "CPU ms", "rate/bare", "bare CPU/CPU", "wanted"],
    [
      ...rows,
      // Another machine: the original's figures show the order of size only.
      ["Ruby original, memory *", "996", "49812", "3.2", "97", "0.87", "", "", ""],
      ["Ruby original, SQLite *", "606", "30274", "9.3", "45", "1.22", "", "", ""],
    ],
    "CPU ms is the server process's, all threads, a batch.\n* measured on another machine (Ruby 3.3, YJIT, puma, one core).",
  );
}

const NAMES: Readonly<Record<Kind, string>> = {
  bare: "bare: gunzip, parse, append",
  memory: "sentiero on memory",
  sqlite: "sentiero on SQLite",
};

function kb(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}
