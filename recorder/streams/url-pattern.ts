/** Whether an address matches a pattern in which `*` stands for anything; a pattern without `?` or `#` asks for what is before them. */
export function matchesUrl(url: string, pattern: string): boolean {
  const source = pattern.split("*").map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${source.join(".*")}$`).test(/[?#]/.test(pattern) ? url : url.split(/[?#]/, 1)[0]!);
}
