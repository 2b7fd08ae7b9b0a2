import { captureClicks } from "./clicks.ts";
import { captureErrors, type CaptureException } from "./errors.ts";
import { captureForms } from "./forms.ts";
import { listen, pathOf } from "./listen.ts";
import { captureNavigation } from "./navigation.ts";
import type { StreamContext } from "./stream.ts";
import { matchesUrl } from "./url-pattern.ts";

/** What the page's API needs of the streams. */
export interface Streams {
  readonly captureException: CaptureException;
}

/**
 * Starts every stream that the configuration turns on, until the signal. Clicks, errors and changes of the address are watched
 * even where they are not recorded, because activity and triggers depend on them. Throws nothing.
 */
export function startStreams(context: StreamContext): Streams {
  captureClicks(context);
  captureForms(context);
  const onMove = captureNavigation(context);
  import("./later.ts")
    .then(({ startLaterStreams }) => {
      if (!context.signal.aborted) startLaterStreams(context, { listen, pathOf, matchesUrl, onMove });
    })
    .catch((error: unknown) => console.warn("[sentiero]", error));
  return { captureException: captureErrors(context) };
}
