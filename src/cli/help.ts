const STORE = `  --storage STORAGE         memory | sqlite:FILE | libsql:FILE-or-URL | fs:DIR | redis://… | postgres://…
                            | mysql://… | s3://BUCKET?endpoint=…&region=… (keys from AWS_ACCESS_KEY_ID and
                            AWS_SECRET_ACCESS_KEY)
  --batches STORAGE         keeps recordings elsewhere than what is known of them
`;

const ENV = "Also from the environment: SENTIERO_STORAGE, SENTIERO_BATCHES.\n";

const SELECTION = `  --session ID              a session; repeat it for more
  --user U                  sessions whose metadata says userId (or user_id) U
  --meta KEY=VALUE          sessions with this metadata; repeat it for more
  --from DATE, --to DATE    sessions whose last recording came then (UTC, both inclusive)
`;

const YES = "  --yes                     goes on without asking\n";

/** What each command says of itself. The first line of each stands in the list of all. */
export const HELP: Readonly<Record<string, { readonly summary: string; readonly text: string }>> = {
  serve: {
    summary: "answer recorders and show the dashboard",
    text: `sentiero serve [options]

  --port 4747               port to listen on
  --host 127.0.0.1          address to listen on
  --base-path /sentiero     path under which everything is served
${STORE}  --retention-days N        removes recordings after so many days
  --durability power        power | process: what an answered recording survives, on SQLite and PostgreSQL
  --user U --password P     who may open the dashboard (HTTP Basic)
  --password-file FILE      reads the password from a file instead
  --insecure-dashboard      opens the dashboard to everyone; on a loopback host only
  --cors ORIGIN             a site whose pages may send recordings; repeat it for more
  --public-url URL          the address under which browsers reach this server
  --trust-proxy             believe X-Forwarded-* (only behind a proxy that sets them)
  --opt-out                 let visitors opt out

Also from the environment: SENTIERO_PORT, SENTIERO_HOST, SENTIERO_STORAGE, SENTIERO_BATCHES, SENTIERO_RETENTION_DAYS,
SENTIERO_USER, SENTIERO_PASSWORD.
`,
  },
  purge: {
    summary: "remove recordings by age",
    text: `sentiero purge --before DATE [options]

Removes every session whose last recording came before a date, such as 2026-05-04 (UTC), after a look at what that is.

  --before DATE             the day, or a time such as 2026-05-04T12:00Z
${YES}${STORE}
${ENV}`,
  },
  erase: {
    summary: "remove a person's recordings, or some sessions",
    text: `sentiero erase --user U | --session ID | … [options]

Removes the selected sessions for ever, after a look at what they are. What is given must hold together. Recordings that
still arrive for them are refused.

${SELECTION}${YES}${STORE}
${ENV}`,
  },
  export: {
    summary: "write a whole store, or a person's recordings, to a file",
    text: `sentiero export FILE|- [options]

Writes everything to an archive that sentiero import takes into any other storage. A name that ends with .gz is
compressed. With a selection it writes a person's recordings instead, as lines of JSON to be read.

  --resume                  goes on with an export of a whole store that was cut
  --force                   replaces a file that is there
${SELECTION}${STORE}
${ENV}`,
  },
  import: {
    summary: "take an archive into a store",
    text: `sentiero import FILE|- [options]

Takes what sentiero export has written into another storage. Doing it again changes nothing that is there, so an import
that was cut is simply begun again. Sessions that were erased here stay erased.

${STORE}
${ENV}`,
  },
  reindex: {
    summary: "derive what is known of sessions from their recordings again",
    text: `sentiero reindex [options]

Reads every recording and derives lists, counts and indexes from it again; finds sessions whose entry was lost, and removes
what a crash has left behind. Servers may go on meanwhile.

${STORE}
${ENV}`,
  },
  doctor: {
    summary: "say what is wrong with a store, and what to run",
    text: `sentiero doctor [options]

Looks for what is wrong and says what to run or set. Ends with 1 when something is wrong.

  --json                    as JSON
  --retention-days N        as the server has it
${STORE}
${ENV}`,
  },
  "verify-privacy": {
    summary: "try on a page whether what is typed leaves it",
    text: `sentiero verify-privacy URL [options]

Opens a page in a Chromium of this machine, puts words into its fields and into fields of every kind that it adds, and looks
for them in everything that the page sends to anyone. Forms of the page are filled and not sent; still, use a test site, as
a page may save what is typed. Ends with 0 when no word is found, with 1 when one is, with 2 when that can't be told, as
without a recorder on the page.

  --strict                  expects privacy: "strict": no word of the page itself may leave it
  --chromium PATH           the Chromium, Chrome or Edge to use (also from SENTIERO_CHROMIUM)
  --timeout 30              how long to wait for the page and for its recorder, in seconds
  --header 'NAME: VALUE'    a header for the page's own server; repeat it for more
  --json                    as JSON
`,
  },
};

/** The list of all commands. */
export function listCommands(): string {
  const lines = Object.entries(HELP).map(([name, { summary }]) => `  ${name.padEnd(14)}  ${summary}`);
  return `sentiero <command>\n\n${lines.join("\n")}\n\nsentiero help COMMAND says more.\n`;
}
