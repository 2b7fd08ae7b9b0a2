import { removeIdCookies } from "./cookies.ts";
import { StorageKey, UNSENT_DATABASE } from "./keys.ts";

const YEAR_SECONDS = 31_536_000;
/** Cookie and localStorage item of the consent, where it is required. */
const CONSENT_NAME = "sentiero_consent";

/** The browser as far as consent is concerned; any access may throw. */
export interface ConsentBrowser {
  readonly document: { cookie: string };
  readonly location: { readonly protocol: string };
  readonly navigator: { readonly globalPrivacyControl?: boolean };
  readonly localStorage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  readonly sessionStorage: Pick<Storage, "removeItem">;
  readonly indexedDB?: Pick<IDBFactory, "deleteDatabase">;
}

/** What keeps the recorder off. */
export interface ConsentRules {
  /** Cookie and localStorage item of the opt-out; null where opting out is not offered. */
  readonly optOutName: string | null;
  readonly respectGpc: boolean;
  /** Whether the person has to agree first. */
  readonly requireConsent: boolean;
}

/** Reads the consent keys of a configuration. */
export function toConsentRules(config: {
  optOutCookieName?: unknown;
  respectGpc?: unknown;
  requireConsent?: unknown;
}): ConsentRules {
  const name = config.optOutCookieName;
  return {
    optOutName: typeof name === "string" && name !== "" ? name : null,
    respectGpc: config.respectGpc !== false,
    requireConsent: config.requireConsent === true,
  };
}

/** Whether the person agreed, or at least didn't object where that is enough. Reads only. */
export function isAllowed(browser: ConsentBrowser, rules: ConsentRules): boolean {
  if (rules.respectGpc && attempt(() => browser.navigator.globalPrivacyControl)) return false;
  if (rules.optOutName !== null && isNoted(browser, rules.optOutName)) return false;
  return !rules.requireConsent || isNoted(browser, CONSENT_NAME);
}

/** Remembers the objection and forgets the session. */
export function storeOptOut(browser: ConsentBrowser, rules: ConsentRules): void {
  if (rules.optOutName !== null) note(browser, rules.optOutName, true);
  if (rules.requireConsent) note(browser, CONSENT_NAME, false);
  forgetIdentity(browser);
}

/** Removes everything the recorder keeps in the browser. */
export function forgetIdentity(
  browser: Pick<ConsentBrowser, "document" | "location" | "localStorage" | "sessionStorage" | "indexedDB">,
): void {
  removeIdCookies(browser);
  attempt(() => browser.indexedDB?.deleteDatabase(UNSENT_DATABASE));
  for (const key of Object.values(StorageKey)) {
    attempt(() => browser.localStorage.removeItem(key));
    attempt(() => browser.sessionStorage.removeItem(key));
  }
}

/** Forgets the objection, and remembers the consent where it is required. */
export function storeOptIn(browser: ConsentBrowser, rules: ConsentRules): void {
  if (rules.optOutName !== null) note(browser, rules.optOutName, false);
  if (rules.requireConsent) note(browser, CONSENT_NAME, true);
}

/** Remembers or forgets a choice for a year; in two places, since either may be blocked or cleared. */
function note(browser: ConsentBrowser, name: string, isOn: boolean): void {
  const maxAge = isOn ? YEAR_SECONDS : 0;
  attempt(() => (browser.document.cookie = `${name}=${isOn ? 1 : ""}; path=/; max-age=${maxAge}; SameSite=Lax`));
  attempt(() => (isOn ? browser.localStorage.setItem(name, "1") : browser.localStorage.removeItem(name)));
}

function isNoted(browser: ConsentBrowser, name: string): boolean {
  return (
    isTruthy(attempt(() => readCookie(browser.document.cookie, name))) ||
    isTruthy(attempt(() => browser.localStorage.getItem(name)))
  );
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
