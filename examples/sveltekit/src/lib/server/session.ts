import { createHmac, hash, timingSafeEqual } from "node:crypto";

const USER = process.env.SENTIERO_USER ?? "ada";
const PASSWORD = process.env.SENTIERO_PASSWORD ?? "lovelace";
const SECRET = process.env.SESSION_SECRET ?? "only for this example";

export const SESSION_COOKIE = "session";
export const SESSION_SECONDS = 8 * 3600;

/** Whether these are the user and the password; takes the same time for all wrong ones. */
export function isUser(user: unknown, password: unknown): boolean {
  return isSame(JSON.stringify([user, password]), JSON.stringify([USER, PASSWORD]));
}

/** What a browser that signed in carries: until when that holds (epoch ms), and the server's signature. */
export function createSession(): string {
  const until = String(Date.now() + SESSION_SECONDS * 1000);
  return `${until}.${sign(until)}`;
}

export function isSession(cookie: string = ""): boolean {
  const [until = "", signature = ""] = cookie.split(".");
  return isSame(signature, sign(until)) && Number(until) > Date.now();
}

function sign(text: string): string {
  return createHmac("sha256", SECRET).update(text).digest("hex");
}

function isSame(a: string, b: string): boolean {
  return timingSafeEqual(hash("sha256", a, "buffer"), hash("sha256", b, "buffer"));
}
