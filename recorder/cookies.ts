/** Where the ids lie for the server; any access may throw. */
export interface CookieJar {
  readonly document: { cookie: string };
  readonly location: { readonly protocol: string };
}

/** Names that the server knows. */
const SESSION = "sentiero_sid";
const WINDOW = "sentiero_wid";

/** Writes the ids of this tab for the requests that the page makes by itself, for so many seconds. */
export function writeIdCookies(jar: CookieJar, sessionId: string, windowId: string, maxAgeSeconds: number): void {
  write(jar, SESSION, sessionId, maxAgeSeconds);
  write(jar, WINDOW, windowId, maxAgeSeconds);
}

/** Takes them away. */
export function removeIdCookies(jar: CookieJar): void {
  writeIdCookies(jar, "", "", 0);
}

function write(jar: CookieJar, name: string, value: string, maxAgeSeconds: number): void {
  try {
    const secure = jar.location.protocol === "https:" ? "; Secure" : "";
    jar.document.cookie = `${name}=${value}; path=/; max-age=${Math.round(maxAgeSeconds)}; SameSite=Lax${secure}`;
  } catch {
    // Blocked: the server then knows nothing of the session, and the recording goes on.
  }
}
