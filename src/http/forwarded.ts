/** The value that the nearest proxy added to a header; what stands before it may come from the client. */
export function lastValue(request: Request, name: string): string | undefined {
  return request.headers.get(name)?.split(",").at(-1)?.trim() || undefined;
}
