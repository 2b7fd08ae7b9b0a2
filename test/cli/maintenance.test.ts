import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { readSessions } from "../support/house.ts";
import { MAIN, killAll, run, serve } from "./cli.ts";
import { countSessions, listSessions, seed, withStore } from "./seed.ts";

let folder = "";
let files = 0;

beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "sentiero-cli-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(killAll);

const NOW = Date.UTC(2026, 4, 4, 12);

const newFile = (name: string): string => join(folder, `${files++}-${name}`);

/** A SQLite file with so many sessions of 2026-05-04. */
async function seeded(sessions: number): Promise<string> {
  const storage = `sqlite:${newFile("store.db")}`;
  await seed(storage, { sessions, now: NOW });
  return storage;
}

const MISTAKES: [string, string[], RegExp][] = [
  ["purge without a date", ["purge"], /purge needs --before DATE/],
  ["a date that is none", ["purge", "--before", "yesterday"], /--before yesterday is not a date/],
  ["a day that there is not", ["purge", "--before", "2026-02-30"], /--before 2026-02-30 is not a date/],
  ["erase without a selection", ["erase", "--yes"], /erase needs --session, --user/],
  ["an id that is none", ["erase", "--session", "../x"], /--session \.\.\/x is not the id of a session/],
  ["metadata without a value", ["erase", "--meta", "plan"], /--meta plan is not key=value/],
  ["a range from back to front", ["erase", "--from", "2026-05-05", "--to", "2026-05-04"], /--from is later than --to/],
  ["export without a file", ["export"], /export needs a FILE/],
  ["import without a file", ["import"], /import needs a FILE/],
  ["a file that is not there", ["import", "/nowhere/a.ndjson"], /\/nowhere\/a\.ndjson: there is no such file/],
  ["to go on with a person's export", ["export", "a", "--user", "u", "--resume"], /--resume goes on with a file/],
  ["to go on with standard output", ["export", "-", "--resume"], /--resume goes on with a file/],
  ["an unknown option", ["reindex", "--fast"], /Unknown option '--fast'/],
  ["an argument too many", ["doctor", "me"], /Unexpected argument 'me'/],
  ["a store that is not there", ["doctor", "--storage", "sqlite:/nowhere/x.db"], /there is no such file/],
  ["a folder that is not there", ["doctor", "--storage", "fs:/nowhere/x"], /there is no such folder/],
  ["no store", ["doctor"], /give --storage, or set SENTIERO_STORAGE/],
  ["memory", ["reindex", "--storage", "memory"], /memory goes with its process/],
];

it.each(MISTAKES)("%s is a mistake that is told in one line", async (_, args, message) => {
  const { code, stdout, stderr } = await run(args);
  expect(stderr).toMatch(message);
  expect(stderr).toMatch(new RegExp(`^\\[sentiero\\] .*\\nTry: sentiero help ${args[0]}\\n$`));
  expect([code, stdout]).toEqual([2, ""]);
});

describe("help", () => {
  it.each([[["--help"]], [["-h"]], [["help"]], [[]]])("lists the commands for %j", async (args) => {
    const { code, stdout, stderr } = await run(args);
    expect([code, stderr]).toEqual([0, ""]);
    for (const name of ["serve", "purge", "erase", "export", "import", "reindex", "doctor"]) {
      expect(stdout).toMatch(new RegExp(`^  ${name} +\\w`, "m"));
    }
  });

  it.each(["serve", "purge", "erase", "export", "import", "reindex", "doctor"])("says more of %s", async (name) => {
    const { code, stdout } = await run(["help", name]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^sentiero ${name} `));
    expect(stdout).toContain("--storage STORAGE");
    expect((await run([name, "--help"])).stdout).toBe(stdout);
  });

  it("does not know other commands", async () => {
    expect(await run(["help", "me"])).toMatchObject({ code: 2, stderr: expect.stringContaining("no command me") });
  });
});

describe("purge", () => {
  it("removes what is older than a date, and tells before what that is", async () => {
    const storage = await seeded(3);
    await seed(storage, { sessions: 1, now: NOW + 86_400_000 });
    const ended = await run(["purge", "--before", "2026-05-05", "--storage", storage, "--yes"]);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(
      /^purge: 2 sessions, 4 events, .* from 2026-05-04 12:00 to 2026-05-04 12:00 \(UTC\)$/m,
    );
    expect(ended.stdout).toContain("removed 2 sessions");
    // The first one got its last recording a day later.
    expect(await listSessions(storage)).toEqual(["session-0"]);
  });

  it("refuses without --yes where nobody can be asked", async () => {
    const storage = await seeded(2);
    const { code, stderr } = await run(["purge", "--before", "2030-01-01", "--storage", storage]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("give --yes")]);
    expect(await countSessions(storage)).toBe(2);
  });

  it("has nothing to ask when nothing is selected", async () => {
    const storage = await seeded(1);
    const ended = await run(["purge", "--before", "2026-05-04", "--storage", storage]);
    expect(ended).toMatchObject({ code: 0, stdout: "no session is selected\n" });
  });
});

const hasScript = await promisify(execFile)("script", ["--version"]).then(
  () => true,
  () => false,
);

describe.skipIf(!hasScript)(`on a terminal${hasScript ? "" : " (the program script is missing)"}`, () => {
  /** Runs a command on a terminal of its own, and types. */
  async function onTerminal(args: readonly string[], typed: string): Promise<{ code: unknown; output: string }> {
    const command = [process.execPath, MAIN, ...args].map((part) => `'${part}'`).join(" ");
    const child = promisify(execFile)("script", ["-qec", command, "/dev/null"]);
    let isTyped = false;
    child.child.stdout!.on("data", (chunk) => {
      if (isTyped || !String(chunk).includes("to go on:")) return;
      isTyped = true;
      child.child.stdin!.write(typed);
    });
    return child.then(
      ({ stdout }) => ({ code: 0, output: stdout }),
      ({ code, stdout }: { code: unknown; stdout: string }) => ({ code, output: stdout }),
    );
  }

  it("purge goes on when its name is typed, and shows a bar", async () => {
    const storage = await seeded(2);
    const { code, output } = await onTerminal(["purge", "--before", "2030-01-01", "--storage", storage], "purge\n");
    expect(code).toBe(0);
    expect(output).toContain("2 sessions, 4 events");
    expect(output).toMatch(/purge █+ 2 of 2 sessions/);
    expect(await countSessions(storage)).toBe(0);
  });

  it.each(["y\n", "erase all\n", "\u0004"])("erase removes nothing when %j is typed", async (typed) => {
    const storage = await seeded(2);
    const { code, output } = await onTerminal(["erase", "--user", "user-1", "--storage", storage], typed);
    expect([code, output]).toEqual([1, expect.stringContaining("nothing was removed")]);
    expect(await countSessions(storage)).toBe(2);
  });
});

describe("erase", () => {
  it.each<[string[], number[]]>([
    [
      ["--user", "user-1"],
      [0, 2, 3],
    ],
    [
      ["--session", "session-1", "--session", "session-3"],
      [0, 2],
    ],
    [
      ["--meta", "plan=pro"],
      [2, 3],
    ],
    [
      ["--meta", "plan=pro", "--user", "user-1"],
      [0, 2, 3],
    ],
    [["--from", "2026-05-04", "--to", "2026-05-04"], []],
    [
      ["--to", "2026-05-04T11:59Z"],
      [0, 1, 2, 3],
    ],
    [
      ["--user", "nobody"],
      [0, 1, 2, 3],
    ],
  ])("of %j leaves the others", async (selection, left) => {
    const storage = await seeded(4);
    expect((await run(["erase", ...selection, "--yes", "--storage", storage])).code).toBe(0);
    expect(await listSessions(storage)).toEqual(left.map((session) => `session-${session}`));
  });

  it("goes on with a job that was begun with the same words, and refuses another one", async () => {
    const storage = await seeded(3);
    await withStore(storage, ({ store }) => store.maintenance.startJob("erase", { user: "user-1" }));
    const other = await run(["erase", "--user", "user-2", "--yes", "--storage", storage]);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining("another job is running (erase")]);
    const same = await run(["erase", "--user", "user-1", "--yes", "--storage", storage]);
    expect([same.code, same.stdout]).toEqual([0, expect.stringContaining("removed 1 session")]);
    expect(await listSessions(storage)).toEqual(["session-0", "session-2"]);
  });

  it("is done by a server that has the store open, and by itself on a file", async () => {
    const storage = await seeded(3);
    const server = await serve(["--storage", storage, "--insecure-dashboard"]);
    expect((await run(["erase", "--user", "user-1", "--yes", "--storage", storage], { limitMs: 30_000 })).code).toBe(0);
    server.signal("SIGTERM");
    await server.ended;
    expect(await listSessions(storage)).toEqual(["session-0", "session-2"]);
  });

  it("does not write beside a server where the storage takes one writing process", async () => {
    const storage = `fs:${newFile("files")}`;
    await seed(storage, { sessions: 2, now: NOW });
    const server = await serve(["--storage", storage, "--insecure-dashboard"]);
    await expect
      .poll(() => withStore(storage, ({ store }) => store.ports.documents.get("main/leases", "maintenance")))
      .not.toBe(null);
    const args = ["erase", "--user", "user-1", "--yes", "--storage", storage];
    const refused = await run(args);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("another one has it open")]);
    server.signal("SIGTERM");
    expect((await server.ended).code).toBe(0);
    expect((await run(args)).code).toBe(0);
    expect(await listSessions(storage)).toEqual(["session-0"]);
  });
});

describe("export and import", () => {
  it.each(["store.ndjson", "store.ndjson.gz"])("move a whole store by %s into another storage", async (name) => {
    const storage = await seeded(5);
    const file = newFile(name);
    const exported = await run(["export", file, "--storage", storage]);
    expect([exported.code, exported.stdout]).toEqual([0, ""]);
    expect(exported.stderr).toContain("exported 5 sessions");
    expect(existsSync(`${file}.part`) || existsSync(`${file}.part.state`)).toBe(false);
    const target = `fs:${newFile("files")}`;
    const batches = `sqlite:${newFile("blobs.db")}`;
    const imported = await run(["import", file, "--storage", target, "--batches", batches]);
    expect(imported).toMatchObject({ code: 0, stdout: expect.stringContaining("5 sessions added") });
    const before = await withStore(storage, ({ store }) => readSessions(store.ports));
    const after = await withStore(target, ({ store }) => readSessions(store.ports), { batches });
    expect(after).toEqual(before);
    const again = await run(["import", file, "--storage", target, "--batches", batches]);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("0 sessions added, 5 there already") });
    expect((await run(["doctor", "--storage", target, "--batches", batches])).code).toBe(0);
  });

  it("go through pipes", async () => {
    const storage = await seeded(3);
    const { code, stdout } = await run(["export", "-", "--storage", storage]);
    expect(code).toBe(0);
    const target = `sqlite:${newFile("piped.db")}`;
    expect((await run(["import", "-", "--storage", target], { input: stdout })).code).toBe(0);
    expect(await listSessions(target)).toEqual(await listSessions(storage));
  });

  it("go on after they were killed", async () => {
    const storage = await seeded(900);
    const file = newFile("killed.ndjson.gz");
    const args = ["export", file, "--storage", storage];
    await run(args, {
      onStart: (child) => {
        const look = setInterval(() => existsSync(`${file}.part.state`) && child.kill("SIGKILL"), 1);
        child.once("close", () => clearInterval(look));
      },
    });
    expect(existsSync(`${file}.part.state`)).toBe(true);
    const noted = JSON.parse(readFileSync(`${file}.part.state`, "utf8")) as { place: { counts: { sessions: number } } };
    expect(noted.place.counts.sessions).toBeGreaterThan(0);
    expect((await run([...args, "--resume"])).code).toBe(0);
    const whole = newFile("whole.ndjson");
    await run(["export", whole, "--storage", storage]);
    const withoutTime = (text: string) => text.split("\n").slice(1);
    expect(withoutTime(gunzipSync(readFileSync(file)).toString("utf8"))).toEqual(
      withoutTime(readFileSync(whole, "utf8")),
    );

    const target = `sqlite:${newFile("target.db")}`;
    await run(["import", file, "--storage", target], {
      onStart: (child) => void setTimeout(() => child.kill("SIGKILL"), 700),
    });
    expect((await run(["import", file, "--storage", target])).code).toBe(0);
    expect(await countSessions(target)).toBe(900);
    expect((await run(["doctor", "--storage", target])).code).toBe(0);
  });

  it("say where an archive is cut or damaged, in one line", async () => {
    const storage = await seeded(3);
    const file = newFile("whole.ndjson");
    await run(["export", file, "--storage", storage]);
    const lines = readFileSync(file, "utf8").split("\n");
    writeFileSync(file, lines.slice(0, -3).join("\n"));
    const target = `sqlite:${newFile("cut.db")}`;
    const cut = await run(["import", file, "--storage", target]);
    expect(cut.stderr).toMatch(
      /\[sentiero\] .*whole\.ndjson, line \d+: the archive is cut here; everything before is in/,
    );
    expect(cut.stderr).not.toMatch(/\n\s+at /);
    expect(cut.code).toBe(1);
    expect(await listSessions(target)).toEqual(["session-0", "session-1"]);
    writeFileSync(file, "not an archive\n");
    expect((await run(["import", file, "--storage", target])).stderr).toContain(
      "line 1: this is no archive of sentiero",
    );
  });

  it("leave a session with other content, tell it and end with 1", async () => {
    const storage = await seeded(2);
    const file = newFile("two.ndjson");
    await run(["export", file, "--storage", storage]);
    const target = `sqlite:${newFile("other.db")}`;
    await seed(target, { sessions: 1, now: NOW + 1 });
    const { code, stdout, stderr } = await run(["import", file, "--storage", target]);
    expect([code, stdout]).toEqual([1, expect.stringContaining("1 session added")]);
    expect(stderr).toContain("1 session with other content under the same id, left as they are: session-0");
  });

  it("do not replace a file unless they are told to", async () => {
    const storage = await seeded(1);
    const file = newFile("there.ndjson");
    writeFileSync(file, "mine");
    const refused = await run(["export", file, "--storage", storage]);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining("is there already")]);
    expect(readFileSync(file, "utf8")).toBe("mine");
    expect((await run(["export", file, "--storage", storage, "--force"])).code).toBe(0);
  });

  it("of a person writes what can be read, and of nobody else", async () => {
    const storage = await seeded(4);
    const file = newFile("person.ndjson");
    const { code, stderr } = await run(["export", file, "--user", "user-1", "--storage", storage]);
    expect([code, stderr]).toEqual([0, "exported 1 session\n"]);
    const text = readFileSync(file, "utf8");
    expect(text).toContain("words of 1");
    expect(text).not.toContain("words of 2");
    expect(JSON.parse(text.trim().split("\n").at(-1)!)).toMatchObject({ type: "end", batches: 2, complete: true });
  });
});

it("reindex brings back what was lost", async () => {
  const storage = await seeded(3);
  await withStore(storage, ({ store }) => store.ports.documents.remove("main/sessions", "session-1"));
  const { code, stdout } = await run(["reindex", "--storage", storage]);
  expect([code, stdout]).toEqual([0, "looked at 3 sessions, changed 1 session\n"]);
  expect(await listSessions(storage)).toEqual(["session-0", "session-1", "session-2"]);
});

describe("doctor", () => {
  it("ends with 0 and says so when nothing is wrong", async () => {
    const storage = `sqlite:${newFile("well.db")}`;
    await seed(storage, { sessions: 2 });
    const { code, stdout, stderr } = await run(["doctor", "--retention-days", "30", "--storage", storage]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^store: SQLite; .*\nnothing is wrong\n$/);
  });

  it("ends with 1 and says what to run when something is", async () => {
    const storage = `sqlite:${newFile("ill.db")}`;
    await seed(storage, { sessions: 2 });
    await withStore(storage, ({ store }) => store.ports.blobs.removeAll("batches:main:session-1:"));
    const { code, stdout } = await run(["doctor", "--storage", storage]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^error: 1 of 2 sessions .*\n {2}.*sentiero reindex/m);
    const json = await run(["doctor", "--json", "--storage", storage]);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toContainEqual({
      level: "error",
      what: expect.stringContaining("1 of 2 sessions"),
      remedy: expect.stringContaining("sentiero reindex"),
    });
  });
});
