import { UsageError } from "./usage-error.ts";

/**
 * Days after which recordings are removed, from the option or the environment; undefined: never.
 * @throws UsageError for anything but a positive number of days.
 */
export function parseRetention(value: string | undefined, env: NodeJS.ProcessEnv): number | undefined {
  const text = value ?? env.SENTIERO_RETENTION_DAYS;
  if (text === undefined || text === "") return undefined;
  if (!/^[1-9]\d{0,5}$/.test(text)) {
    throw new UsageError(`--retention-days ${text} is not a number of days`);
  }
  return Number(text);
}
