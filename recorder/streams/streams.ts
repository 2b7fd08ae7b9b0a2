import { captureClicks } from "./clicks.ts";
import { captureErrors, type CaptureException } from "./errors.ts";
import { captureForms } from "./forms.ts";
import { watchHistory } from "./history.ts";
import { captureNavigation } from "./navigation.ts";
import { loadStreams } from "./on-demand.ts";
import type { StreamContext } from "./stream.ts";
import { captureTracking } from "./tracking.ts";
import { captureWebVitals } from "./vitals.ts";

/** What the page's API needs of the streams. */
export interface Streams {
  readonly captureException: CaptureException;
}

/**
 * Starts every stream that the configuration turns on, until the signal. Clicks, errors and changes of the address are watched
 * even where they are not recorded, because activity and triggers depend on them. Throws nothing.
 */
export function startStreams(context: StreamContext): Streams {
  const { config, signal } = context;
  captureClicks(context);
  captureForms(context);
  const onMove = captureNavigation(context);
  if (onMove) watchHistory(signal, onMove);
  if (config.trackCustomEvents) captureTracking(context);
  if (config.captureWebVitals) captureWebVitals(context);
  loadStreams(context);
  return { captureException: captureErrors(context) };
}
