import { createInterface } from "node:readline/promises";
import { CommandError, UsageError } from "./usage-error.ts";

/**
 * Lets a person type a word before something is removed for ever.
 * @throws UsageError where there is no terminal to ask on, CommandError where another word came.
 */
export async function confirm(word: string, isYes: boolean | undefined): Promise<void> {
  if (isYes) return;
  if (!process.stdin.isTTY)
    throw new UsageError("there is no terminal to ask on: give --yes to go on without being asked");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ended = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([terminal.question(`Type ${word} to go on: `), ended]);
    if (answer.trim() !== word) throw new CommandError("nothing was removed");
  } finally {
    terminal.close();
  }
}
