import type { QueuedCall, SentieroApi, StartOptions } from "./api.ts";
import { isAllowed, storeOptIn, storeOptOut, toConsentRules, type ConsentRules } from "./consent.ts";
import { removeIdCookies } from "./cookies.ts";
import { decideEarly } from "./early-sampling.ts";
import { resolveEventsUrl } from "./loader-config.ts";
import { createPageApi, type PageApi } from "./page-api.ts";
import type { startRecorder } from "./recorder.ts";
import type { Sampling } from "./sampling.ts";
import { createSafeStorage } from "./storage.ts";

/** The part that is loaded once it may record. */
export interface RecorderModule {
  readonly startRecorder: typeof startRecorder;
}

/** Where the configuration doesn't say it, or cannot. */
export interface BootOptions {
  readonly config: Readonly<Record<string, unknown>>;
  /** Null where it is not known. */
  readonly eventsUrl: string | null;
  load(eventsUrl: string): Promise<RecorderModule>;
}

/** Joins the page's API, the person's choice and the recorder. Nothing is kept or loaded before `start`. */
export function boot({ config, eventsUrl: fallback, load }: BootOptions): PageApi {
  let given: StartOptions = config;
  /** What the person chose on this page, where the browser keeps nothing. */
  let hasAgreed = false;
  let sampling: Sampling | null = null;

  function rules(): ConsentRules {
    const resolved = toConsentRules(given);
    return hasAgreed ? { ...resolved, requireConsent: false } : resolved;
  }

  function eventsUrl(): string | null {
    return resolveEventsUrl(given.eventsUrl, document.baseURI) ?? fallback;
  }

  return createPageApi({
    configure: (options) => void (given = { ...given, ...options }),
    isAllowed() {
      if (!isAllowed(window, rules())) return false;
      if (given.parentOrigin || eventsUrl() !== null) return true;
      console.warn("[sentiero] no eventsUrl: add #sentiero-config, or load the recorder from its server");
      return false;
    },
    storeOptOut() {
      hasAgreed = false;
      storeOptOut(window, toConsentRules(given));
    },
    storeOptIn() {
      storeOptIn(window, toConsentRules(given));
      hasAgreed = !isAllowed(window, { ...toConsentRules(given), optOutName: null, respectGpc: false });
    },
    isLeftOut() {
      // The session is that of the page around it.
      if (given.parentOrigin) return false;
      const storage = createSafeStorage(() =>
        given.crossTabSessions === false ? window.sessionStorage : window.localStorage,
      );
      sampling = decideEarly(storage, { ...given }, Date.now(), Math.random);
      // The names of a session before this one.
      if (sampling === "none") removeIdCookies(window);
      return sampling === "none";
    },
    async load() {
      const url = eventsUrl() ?? "";
      const { startRecorder } = await load(url);
      return startRecorder(
        { ...given, eventsUrl: url },
        {
          isAllowed: () => isAllowed(window, rules()),
          sampling,
        },
      );
    },
  });
}

/** Puts the API into the page, and makes the calls that waited for it. */
export function publish(api: SentieroApi): void {
  // An array then.
  const early = window.Sentiero?.q as unknown as readonly QueuedCall[] | undefined;
  window.Sentiero = api;
  api.q.push(...(early ?? []));
}
