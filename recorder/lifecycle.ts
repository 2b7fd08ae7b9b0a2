import type { ResolvedConfig } from "./config.ts";
import { listen } from "./streams/listen.ts";

/** What counts as activity by default; `popstate` is the browser's own back and forward. */
const CLICKS = ["pointerdown", "click", "popstate"];
/** What a person does besides. */
const GESTURES = ["pointermove", "keydown", "wheel", "touchmove"];
/** Gestures come by the hundred. */
const GESTURE_EVERY_MS = 1_000;

/** What happens to a page. */
export interface Lifecycle {
  /** A person did something; `counts` when a stretch of recording goes on because of it. */
  onActivity(counts: boolean): void;
  /** The page is hidden or left; `isFinal` when it surely won't come back. */
  onHide(isFinal: boolean): void;
  /** It is about to be left, perhaps for the back/forward cache, or it stays after all. May be told more than once. */
  onLeave(): void;
  onShow(): void;
  /** It came back from the back/forward cache. */
  onReturn(): void;
  onFocus(): void;
}

/** Listens until the signal. What scripts do is no activity. */
export function watchLifecycle(
  { activity }: Pick<ResolvedConfig, "activity">,
  signal: AbortSignal,
  lifecycle: Lifecycle,
): void {
  const context = { signal };
  let lastAt = -Infinity;
  for (const type of CLICKS) listen(window, type, context, (event) => event.isTrusted && lifecycle.onActivity(true));
  for (const type of GESTURES) {
    listen(window, type, context, ({ isTrusted, timeStamp }) => {
      if (!isTrusted || timeStamp - lastAt < GESTURE_EVERY_MS) return;
      lastAt = timeStamp;
      lifecycle.onActivity(activity === "all");
    });
  }
  listen(document, "visibilitychange", context, () => {
    if (document.visibilityState === "hidden") return lifecycle.onHide(false);
    lifecycle.onShow();
    lifecycle.onFocus();
  });
  // A tab in the background may be thrown away after this, and says nothing more then.
  listen(document, "freeze", context, () => lifecycle.onHide(false));
  listen(window, "focus", context, (event) => event.target === window && lifecycle.onFocus());
  // Firefox decides by now whether a page is kept.
  listen(window, "beforeunload", context, () => lifecycle.onLeave());
  listen<PageTransitionEvent>(window, "pagehide", context, ({ persisted }) => {
    lifecycle.onHide(!persisted);
    lifecycle.onLeave();
  });
  listen<PageTransitionEvent>(window, "pageshow", context, ({ persisted }) => persisted && lifecycle.onReturn());
}
