#!/usr/bin/env node
import { serve } from "./serve.ts";
import { UsageError } from "./usage-error.ts";

const HELP = `sentiero <command>

  serve   answer recorders and show the dashboard

sentiero serve [options]

  --port 4747               port to listen on
  --host 127.0.0.1          address to listen on
  --base-path /sentiero     path under which everything is served
  --storage memory          memory | sqlite:FILE
  --user U --password P     who may open the dashboard (HTTP Basic)
  --password-file FILE      reads the password from a file instead
  --insecure-dashboard      opens the dashboard to everyone; on a loopback host only
  --cors ORIGIN             a site whose pages may send recordings; repeat it for more
  --public-url URL          the address under which browsers reach this server
  --trust-proxy             believe X-Forwarded-* (only behind a proxy that sets them)
  --opt-out                 let visitors opt out

Also from the environment: SENTIERO_PORT, SENTIERO_HOST, SENTIERO_STORAGE, SENTIERO_USER, SENTIERO_PASSWORD.
`;

const [command, ...args] = process.argv.slice(2);

try {
  if (command === "serve" && !args.includes("--help")) await serve(args);
  else if (command === undefined || command === "help" || process.argv.includes("--help")) console.log(HELP);
  else throw new UsageError(`there is no command ${command}`);
} catch (error) {
  // A wrong option is told in a line; anything else is a fault whose stack is wanted.
  const isUsage =
    error instanceof UsageError || (error instanceof Error && "code" in error && error.name === "SentieroError");
  console.error(isUsage ? `${error.message.replace(/^(?!\[)/, "[sentiero] ")}\nTry: sentiero --help` : error);
  process.exitCode = isUsage ? 2 : 1;
}
