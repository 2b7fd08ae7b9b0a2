import type { RecorderConfig } from "./config.ts";
import { isAllowed, removeOptOut, storeOptOut, toConsentRules } from "./consent.ts";
import { readConfig, resolveEventsUrl } from "./loader-config.ts";
import { createPageApi } from "./page-api.ts";
import type { startRecorder } from "./recorder.ts";
import { addressesOf } from "./script-address.ts";

// Only valid while the script runs for the first time.
const script = document.currentScript;

try {
  // Included twice, or a second copy: the first one stays.
  if (typeof window.Sentiero?.optOut !== "function") boot(script instanceof HTMLScriptElement ? script.src : "");
} catch (error) {
  warn("[sentiero] the recorder stays off", error);
}

function boot(scriptUrl: string): void {
  const given = readConfig(document.getElementById("sentiero-config")?.textContent, warn) ?? {};
  const own = addressesOf(scriptUrl, __SENTIERO_RECORDER__);
  const eventsUrl = resolveEventsUrl(given.eventsUrl, document.baseURI) ?? own?.eventsUrl;
  // A loader bundled or inlined by the page has no address of its own; the recorder then lies in the mount of the events.
  const recorderUrl = own?.recorderUrl ?? (eventsUrl && new URL(`assets/${__SENTIERO_RECORDER__}`, eventsUrl).href);
  const rules = toConsentRules(given);
  const allowed = (): boolean => isAllowed(window, rules);

  const page = createPageApi({
    isAllowed: () => eventsUrl !== undefined && allowed(),
    storeOptOut: () => storeOptOut(window, rules),
    removeOptOut: () => removeOptOut(window, rules),
    load: async () => {
      const recorder = (await import(recorderUrl!)) as { startRecorder: typeof startRecorder };
      return recorder.startRecorder({ ...given, eventsUrl: eventsUrl! } satisfies RecorderConfig, {
        isAllowed: allowed,
      });
    },
  });
  window.Sentiero = page.api;
  if (eventsUrl === undefined)
    warn("[sentiero] no eventsUrl: add #sentiero-config, or load the recorder from its server");
  page.start();
}

function warn(...message: unknown[]): void {
  console.warn(...message);
}
