// `npm run bench NAME`: measures one thing and prints the figures. A bench never passes or fails by time.
import process from "node:process";

const BENCHES: Readonly<Record<string, { about: string; run: (args: readonly string[]) => Promise<void> }>> = {
  adapter: {
    about: "what sentiero/node adds to a batch in process, beside sentiero.fetch",
    run: async (args) => (await import("./adapter.ts")).adapter(args),
  },
  ingest: {
    about: "the events lane on memory and SQLite, beside a bare Node server",
    run: async (args) => (await import("./ingest.ts")).ingest(args),
  },
  list: {
    about: "pages of the list of sessions, small and large stores, while batches come in",
    run: async (args) => (await import("./list.ts")).list(args),
  },
  recorder: {
    about: "what recording costs a page in Chromium, beside rrweb alone and no recorder",
    run: async (args) => (await import("./recorder.ts")).recorder(args),
  },
  rest: {
    about: "bytes at rest on SQLite, before and after settling",
    run: async (args) => (await import("./rest.ts")).rest(args),
  },
};

const [name = "", ...args] = process.argv.slice(2);
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;

if (bench) {
  await bench.run(args);
} else {
  if (name !== "") console.error(`There is no bench called ${name}.`);
  console.log("npm run bench <name>\n");
  for (const [known, { about }] of Object.entries(BENCHES)) console.log(`  ${known.padEnd(10)} ${about}`);
  process.exitCode = name === "" ? 0 : 2;
}
