import type { Sentiero } from "../src/sentiero.ts";

/** Whether a path is sentiero's to answer. */
export function isMounted({ options: { basePath } }: Sentiero, pathname: string): boolean {
  return pathname === basePath || pathname.startsWith(`${basePath}/`);
}
