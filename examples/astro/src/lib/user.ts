import { hash, timingSafeEqual } from "node:crypto";

const USER = process.env.SENTIERO_USER ?? "ada";
const PASSWORD = process.env.SENTIERO_PASSWORD ?? "lovelace";

/** Whether these are the user and the password; takes the same time for all wrong ones. */
export function isUser(user: unknown, password: unknown): boolean {
  const [given, right] = [
    [user, password],
    [USER, PASSWORD],
  ].map((pair) => hash("sha256", JSON.stringify(pair), "buffer"));
  return timingSafeEqual(given!, right!);
}
