/**
 * Whether a request takes an answer in a coding such as `gzip`: by name first, then by `*`; a weight of 0 is a no
 * (RFC 9110, 12.5.3). One that names none gets none, because such a client seldom decodes.
 */
export function acceptsEncoding(request: Request, name: string): boolean {
  const codings = (request.headers.get("accept-encoding") ?? "")
    .toLowerCase()
    .split(",")
    .map((coding) => coding.trim().split(/\s*;\s*/));
  const coding = codings.find(([named]) => named === name) ?? codings.find(([named]) => named === "*");
  return coding !== undefined && !coding.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
}
