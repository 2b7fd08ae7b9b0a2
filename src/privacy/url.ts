/** The address up to `?` or `#`: what follows may hold names, mail addresses and tokens. */
export function cutUrl(url: string): string {
  const end = url.search(/[?#]/);
  return end < 0 ? url : url.slice(0, end);
}
