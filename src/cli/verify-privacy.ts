import { parseOptions } from "./arguments.ts";
import { visit, type KindResult, type VisitResult } from "./canary-visit.ts";
import { findChromium } from "./chromium.ts";
import { openChromium } from "./devtools.ts";
import { keepSecret, redact } from "./secrets.ts";
import { CommandError, UsageError } from "./usage-error.ts";

/**
 * `sentiero verify-privacy`: opens a page, puts words into fields of every kind, and looks for them in what leaves it. Ends
 * with 0 when none is found, with 1 when one is, and with 2 when that can't be told.
 * @throws UsageError when the arguments cannot work.
 */
export async function verifyPrivacy(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const { values, positionals } = parseOptions(
    args,
    {
      strict: { type: "boolean" },
      chromium: { type: "string" },
      timeout: { type: "string" },
      json: { type: "boolean" },
      header: { type: "string", multiple: true },
    },
    1,
  );
  const url = toUrl(positionals[0]);
  const isStrict = values.strict === true;
  const options = { url, isStrict, headers: (values.header ?? []).map(toHeader), timeoutMs: toTimeout(values.timeout) };
  try {
    const devtools = await openChromium(findChromium(values.chromium, env));
    try {
      const result = await visit(devtools, options);
      if (values.json)
        console.log(JSON.stringify({ url, rules: isStrict ? "strict" : "balanced", ...result }, null, 2));
      else console.log(describe(result));
      process.exitCode = judge(result, options.timeoutMs);
    } finally {
      await devtools.close();
    }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // 1 says that something leaked.
    console.error(`[sentiero] ${redact(error.message)}`);
    process.exitCode = 2;
  }
}

function judge({ kinds, isRecorded, unread }: VisitResult, timeoutMs: number): 0 | 1 | 2 {
  if (kinds.some(isLeak)) return 1;
  if (!isRecorded) {
    console.error(
      `[sentiero] no recorder was seen: the control word did not leave the page within ${timeoutMs / 1000} s. ` +
        "Is the script on this page, allowed by its content security policy, and every session recorded?",
    );
    return 2;
  }
  if (unread.length > 0) {
    console.error(`[sentiero] what was sent to ${unread.join(", ")} could not be read`);
    return 2;
  }
  return 0;
}

function isLeak({ isClean, isUnmasked }: KindResult): boolean {
  return !isClean && !isUnmasked;
}

function describe({ kinds, requests }: VisitResult): string {
  const width = Math.max(...kinds.map(({ kind }) => kind.length));
  const lines = kinds.map((result) => {
    const { kind, isClean, to, moments } = result;
    const what = isLeak(result) ? "LEAKED" : "shown, as the page wants,";
    return `${kind.padEnd(width)}  ${isClean ? "clean" : `${what} to ${to.join(", ")} (${moments.join(", ")})`}`;
  });
  const leaked = kinds.filter(isLeak).length;
  return [...lines, "", `${leaked} of ${kinds.length} kinds leaked; ${requests} requests read`].join("\n");
}

function toUrl(text: string | undefined): string {
  if (text === undefined) throw new UsageError("give the address of a page, such as https://shop.example/checkout");
  if (!URL.canParse(text) || !/^https?:/i.test(text)) throw new UsageError(`${text} is not the address of a page`);
  return new URL(text).href;
}

function toHeader(text: string): [string, string] {
  const [, name, value] = /^([\w!#$%&'*+.^`|~-]+):\s*(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new UsageError("--header takes one such as 'Name: value'");
  keepSecret(value);
  return [name, value];
}

function toTimeout(text = "30"): number {
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 600)) throw new UsageError(`--timeout ${text} is not a number of seconds up to 600`);
  return seconds * 1000;
}
