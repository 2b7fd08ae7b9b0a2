#!/usr/bin/env node
import { inspect } from "node:util";
import { HELP, listCommands } from "./help.ts";
import { redact } from "./secrets.ts";
import { CommandError, UsageError } from "./usage-error.ts";

type Command = (args: readonly string[]) => Promise<void>;

/** Each is loaded when it is asked for. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import("./serve.ts")).serve,
  purge: async () => (await import("./purge.ts")).purge,
  erase: async () => (await import("./erase.ts")).erase,
  export: async () => (await import("./export.ts")).exportTo,
  import: async () => (await import("./import.ts")).importFrom,
  reindex: async () => (await import("./reindex.ts")).reindex,
  doctor: async () => (await import("./doctor.ts")).doctor,
  "verify-privacy": async () => (await import("./verify-privacy.ts")).verifyPrivacy,
};

const [command, ...args] = process.argv.slice(2);

try {
  await run(command, args);
} catch (error) {
  process.exitCode = tell(error);
}

async function run(name: string | undefined, rest: readonly string[]): Promise<void> {
  if (name === undefined || name === "--help" || name === "-h") return console.log(listCommands());
  if (name === "help") {
    const [topic] = rest;
    if (topic === undefined) return console.log(listCommands());
    return console.log(find(HELP, topic).text);
  }
  const load = find(COMMANDS, name);
  if (rest.includes("--help") || rest.includes("-h")) return console.log(HELP[name]!.text);
  const start = await load();
  await start(rest);
}

function find<T>(table: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(table, name)) return table[name]!;
  throw new UsageError(`there is no command ${name}`);
}

/** What was done wrong is told in a line; anything else is a fault whose stack is wanted. Gives the exit code. */
function tell(error: unknown): number {
  const isMisuse = error instanceof Error && "code" in error && error.name === "SentieroError";
  if (!(error instanceof UsageError || error instanceof CommandError || isMisuse)) {
    console.error(redact(inspect(error)));
    return 1;
  }
  const message = redact(error.message).replace(/^(?!\[)/, "[sentiero] ");
  if (error instanceof CommandError) {
    console.error(message);
    return 1;
  }
  const hint = command !== undefined && Object.hasOwn(HELP, command) ? `sentiero help ${command}` : "sentiero --help";
  console.error(`${message}\nTry: ${hint}`);
  return 2;
}
