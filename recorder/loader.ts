import { boot, publish, type RecorderModule } from "./boot.ts";
import { readConfig } from "./loader-config.ts";
import { addressesOf } from "./script-address.ts";

// Only valid while the script runs for the first time.
const script = document.currentScript;

try {
  // Included twice, or a second copy: the first one stays.
  if (typeof window.Sentiero?.optOut !== "function") install(script instanceof HTMLScriptElement ? script : null);
} catch (error) {
  console.warn("[sentiero] the recorder stays off", error);
}

function install(script: HTMLScriptElement | null): void {
  const own = addressesOf(script?.src ?? "", __SENTIERO_RECORDER__);
  // A library that makes elements may move this one to before the other.
  const text = script?.dataset.sentieroConfig ?? document.getElementById("sentiero-config")?.textContent;
  const { api, start } = boot({
    config: readConfig(text, (message) => console.warn(message)) ?? {},
    eventsUrl: own?.eventsUrl ?? null,
    // A loader bundled or inlined by the page has no address of its own; the recorder then lies in the mount of the events.
    load: (eventsUrl) =>
      import(own?.recorderUrl ?? new URL(`assets/${__SENTIERO_RECORDER__}`, eventsUrl).href) as Promise<RecorderModule>,
  });
  publish(api);
  start();
}
