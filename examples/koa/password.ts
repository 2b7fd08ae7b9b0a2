import { hash, timingSafeEqual } from "node:crypto";

const PASSWORD = process.env.SENTIERO_PASSWORD ?? "lovelace";

/** Whether this is the password; takes the same time for every wrong one. */
export function isPassword(given: string): boolean {
  const [a, b] = [given, PASSWORD].map((text) => hash("sha256", text, "buffer"));
  return timingSafeEqual(a!, b!);
}
