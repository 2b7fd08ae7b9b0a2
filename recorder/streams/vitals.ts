import { atEnd, listen } from "./listen.ts";
import type { StreamContext } from "./stream.ts";

/**
 * Up to the first a value is "good", above the second it is "poor", as https://web.dev/articles/vitals and the metrics' own
 * pages there publish them; ms, but for CLS.
 */
const BOUNDS = {
  LCP: [2_500, 4_000],
  CLS: [0.1, 0.25],
  INP: [200, 500],
  FCP: [1_800, 3_000],
  TTFB: [800, 1_800],
} as const;

type Metric = keyof typeof BOUNDS;

/** https://web.dev/articles/cls: shifts less than 1 s apart are one window, of 5 s at most; the worst window counts. */
const SHIFT_GAP_MS = 1_000;
const SHIFT_WINDOW_MS = 5_000;

/** https://web.dev/articles/inp: the worst interaction, leaving out one of every 50. Shorter ones are not looked at. */
const INTERACTIONS_PER_OUTLIER = 50;
const MAX_INTERACTIONS = 10;
const MIN_INTERACTION_MS = 40;

/** As much as is read of the entries that TypeScript's library leaves out. */
interface Entry extends PerformanceEntry {
  readonly value: number;
  readonly hadRecentInput: boolean;
  readonly interactionId?: number;
}

/** What was told of this page load; another recording of it goes on from here. */
let told: { [metric in Metric]?: number } = {};

/**
 * `__perf`: the web vitals of a page load, at the address that was loaded: LCP, FCP and TTFB at the first input or when the page
 * is left, CLS and INP when it is left, and again where they have grown by the next time. A return from the back/forward cache
 * counts as a page load.
 */
export function captureWebVitals(context: StreamContext): void {
  try {
    measure(context);
  } catch {
    // A page may have broken what the browser measures with.
  }
}

function measure(context: StreamContext): void {
  const drains: (() => void)[] = [];
  const url = context.cutUrl(location.href);
  let values: { [metric in Metric]?: number } = {};
  /** Whether the browser's entries for painting still are those of this page load. */
  let isLoading = true;
  let shifts = { value: 0, firstAt: 0, lastAt: 0 };
  let interactions = new Map<number, number>();
  let interactionsBefore = 0;

  const [navigation] = performance.getEntriesByType("navigation") as (PerformanceNavigationTiming & {
    readonly activationStart?: number;
  })[];
  // Of a page that was loaded ahead, only what follows its showing counts.
  const startedAt = () => navigation?.activationStart ?? 0;
  // Nothing is painted on a hidden page.
  let hiddenAt =
    performance
      .getEntriesByType("visibility-state")
      .find(({ name, startTime }) => name === "hidden" && startTime >= startedAt())?.startTime ??
    (document.visibilityState === "hidden" ? 0 : Infinity);

  function observe(type: string, take: (entry: Entry) => void): boolean {
    try {
      if (!PerformanceObserver.supportedEntryTypes.includes(type)) return false;
      const takeAll = (entries: PerformanceEntryList) => (entries as Entry[]).forEach(take);
      const observer = new PerformanceObserver((list) => takeAll(list.getEntries()));
      observer.observe({ type, buffered: true, durationThreshold: MIN_INTERACTION_MS } as PerformanceObserverInit);
      drains.push(() => takeAll(observer.takeRecords()));
      atEnd(context.signal, () => observer.disconnect());
      return true;
    } catch {
      return false;
    }
  }

  function onPaint({ name, entryType, startTime }: Entry): void {
    const metric = entryType === "paint" ? "FCP" : "LCP";
    if (isLoading && name !== "first-paint" && startTime < hiddenAt) {
      values[metric] = Math.max(0, startTime - startedAt());
    }
  }

  function onShift({ startTime, value, hadRecentInput }: Entry): void {
    if (hadRecentInput) return;
    const isSame = startTime - shifts.lastAt < SHIFT_GAP_MS && startTime - shifts.firstAt < SHIFT_WINDOW_MS;
    shifts = {
      value: value + (isSame ? shifts.value : 0),
      firstAt: isSame ? shifts.firstAt : startTime,
      lastAt: startTime,
    };
    values.CLS = Math.max(values.CLS!, shifts.value);
  }

  function onInteraction({ interactionId, duration }: Entry): void {
    if (!interactionId) return;
    interactions.set(interactionId, Math.max(duration, interactions.get(interactionId) ?? 0));
    const longest = [...interactions].sort((one, other) => other[1] - one[1]).slice(0, MAX_INTERACTIONS);
    interactions = new Map(longest);
    const outliers = Math.floor((countInteractions() - interactionsBefore) / INTERACTIONS_PER_OUTLIER);
    values.INP = longest[Math.min(outliers, longest.length - 1)]![1];
  }

  function tell(metrics: readonly Metric[]): void {
    for (const drain of drains) drain();
    for (const metric of metrics) {
      const value = Math.round(values[metric]! * 10_000) / 10_000;
      // Not measured, or told already. A page that never was painted had nothing that could shift.
      if (!(value > (told[metric] ?? -1)) || (metric === "CLS" && values.FCP === undefined)) continue;
      told[metric] = value;
      const [good, poor] = BOUNDS[metric];
      const rating = value > poor ? "poor" : value > good ? "needs-improvement" : "good";
      context.emit("__perf", { metric, value, rating, url });
    }
  }

  function onInput(event: Event): void {
    if (!isLoading || !event.isTrusted) return;
    tell(["LCP", "FCP", "TTFB"]);
    isLoading = false;
  }

  function onShow({ persisted, timeStamp }: PageTransitionEvent): void {
    if (!persisted) return;
    told = {};
    values = { TTFB: 0, ...(canShift && { CLS: 0 }) };
    shifts.lastAt = -SHIFT_GAP_MS;
    isLoading = false;
    hiddenAt = Infinity;
    interactions.clear();
    interactionsBefore = countInteractions();
    requestAnimationFrame(() => requestAnimationFrame(() => (values.LCP = values.FCP = performance.now() - timeStamp)));
  }

  for (const type of ["paint", "largest-contentful-paint"]) observe(type, onPaint);
  for (const type of ["event", "first-input"]) observe(type, onInteraction);
  const canShift = observe("layout-shift", onShift);
  if (canShift) values.CLS ??= 0;
  // Some browsers hide the times of some pages behind a 0.
  if (navigation?.responseStart) values.TTFB = Math.max(0, navigation.responseStart - startedAt());
  for (const type of ["click", "keydown"]) listen(window, type, context, onInput);
  listen(window, "pageshow", context, onShow);
  context.onLeave(() => {
    hiddenAt = Math.min(hiddenAt, performance.now());
    tell(Object.keys(BOUNDS) as Metric[]);
  });
}

function countInteractions(): number {
  return (performance as { readonly interactionCount?: number }).interactionCount ?? 0;
}
