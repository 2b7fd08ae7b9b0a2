import { StorageKey } from "./keys.ts";

const YEAR_SECONDS = 31_536_000;

/** The browser as far as consent is concerned; any access may throw. */
export interface ConsentBrowser {
  readonly document: { cookie: string };
  readonly navigator: { readonly globalPrivacyControl?: boolean };
  readonly localStorage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  readonly sessionStorage: Pick<Storage, "removeItem">;
}

/** What keeps the recorder off. */
export interface ConsentRules {
  /** Cookie and localStorage item of the opt-out; null where opting out is not offered. */
  readonly optOutName: string | null;
  readonly respectGpc: boolean;
}

/** Reads the two consent keys of a configuration. */
export function toConsentRules(config: { optOutCookieName?: unknown; respectGpc?: unknown }): ConsentRules {
  const name = config.optOutCookieName;
  return { optOutName: typeof name === "string" && name !== "" ? name : null, respectGpc: config.respectGpc !== false };
}

/** Whether the person agreed, or at least didn't object. */
export function isAllowed(browser: ConsentBrowser, rules: ConsentRules): boolean {
  if (rules.respectGpc && attempt(() => browser.navigator.globalPrivacyControl)) return false;
  const name = rules.optOutName;
  if (name === null) return true;
  return (
    !isTruthy(attempt(() => readCookie(browser.document.cookie, name))) &&
    !isTruthy(attempt(() => browser.localStorage.getItem(name)))
  );
}

/** Remembers the objection and forgets the session. */
export function storeOptOut(browser: ConsentBrowser, rules: ConsentRules): void {
  const name = rules.optOutName;
  if (name !== null) {
    attempt(() => (browser.document.cookie = `${name}=1; path=/; max-age=${YEAR_SECONDS}; SameSite=Lax`));
    attempt(() => browser.localStorage.setItem(name, "1"));
  }
  forgetIdentity(browser);
}

/** Removes everything the recorder keeps in the browser. */
export function forgetIdentity(browser: Pick<ConsentBrowser, "localStorage" | "sessionStorage">): void {
  for (const key of Object.values(StorageKey)) {
    attempt(() => browser.localStorage.removeItem(key));
    attempt(() => browser.sessionStorage.removeItem(key));
  }
}

/** Forgets the objection. */
export function removeOptOut(browser: ConsentBrowser, rules: ConsentRules): void {
  const name = rules.optOutName;
  if (name === null) return;
  attempt(() => (browser.document.cookie = `${name}=; path=/; max-age=0; SameSite=Lax`));
  attempt(() => browser.localStorage.removeItem(name));
}

function readCookie(cookies: string, name: string): string | null {
  for (const part of cookies.split(";")) {
    const at = part.indexOf("=");
    if (at >= 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return null;
}

// Read as written, without decoding: a malformed escape must not throw, and any text but these means "out".
function isTruthy(value: string | null | undefined): boolean {
  return value !== null && value !== undefined && value !== "" && value !== "0" && value !== "false";
}

function attempt<T>(access: () => T): T | undefined {
  try {
    return access();
  } catch {
    return undefined;
  }
}
