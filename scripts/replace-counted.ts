/**
 * Replaces every place of a text; `$1` in `replacement` means what it means for a pattern.
 * @throws Error when there are more or fewer places than expected: rrweb is not what the replacement was made for.
 */
export function replaceCounted(
  text: string,
  why: string,
  find: string | RegExp,
  replacement: string,
  times: number,
): string {
  const pattern = typeof find === "string" ? find : new RegExp(find.source, `${find.flags.replace("g", "")}g`);
  const found = typeof find === "string" ? text.split(find).length - 1 : [...text.matchAll(pattern as RegExp)].length;
  if (found !== times)
    throw new Error(`@rrweb/record changed: ${why}, but ${find} is there ${found} times, not ${times}`);
  return typeof pattern === "string" ? text.replaceAll(pattern, () => replacement) : text.replace(pattern, replacement);
}
