import type { Platform } from "../platform.ts";

/** Metadata keys that name the person; the first that is there counts. */
const USER_KEYS = ["userId", "user_id"] as const;

/** Who a session belongs to, as the page said; null where it did not. */
export function userOf(metadata: Readonly<Record<string, unknown>>): string | null {
  for (const key of USER_KEYS) {
    const value = metadata[key];
    if ((typeof value === "string" && value !== "") || typeof value === "number") return String(value);
  }
  return null;
}

/** The word that finds the sessions of a person, who is not named in it. */
export async function toUserTerm(user: string, platform: Pick<Platform, "sha256">): Promise<string> {
  return `user:${(await platform.sha256(user)).slice(0, 24)}`;
}
