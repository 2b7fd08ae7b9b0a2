import { hash, timingSafeEqual } from "node:crypto";
import type { H3Event } from "h3";

const USER = process.env.SENTIERO_USER ?? "ada";
const PASSWORD = process.env.SENTIERO_PASSWORD ?? "lovelace";
const SECRET = process.env.SESSION_SECRET ?? "only for this example: 32 characters or more";

/** Whether these are the user and the password; takes the same time for all wrong ones. */
export function isUser(user: unknown, password: unknown): boolean {
  const [given, right] = [
    [user, password],
    [USER, PASSWORD],
  ].map((pair) => hash("sha256", JSON.stringify(pair), "buffer"));
  return timingSafeEqual(given!, right!);
}

/** The visitor's session, sealed in a cookie by h3. */
export function openSession(event: H3Event) {
  return useSession<{ user?: string }>(event, {
    password: SECRET,
    maxAge: 8 * 3600,
    cookie: { sameSite: "lax", secure: getRequestProtocol(event) === "https" },
  });
}

export async function isSignedIn(event: H3Event): Promise<boolean> {
  return (await openSession(event)).data.user !== undefined;
}
