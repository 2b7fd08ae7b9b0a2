import type { StreamContext } from "./stream.ts";
import type { StreamParts } from "./stream-parts.ts";

/** Pictures a second, at most. */
const MAX_FPS = 4;
/** A picture that is bigger as base64 is taken anew with half the width, down to an eighth. */
const MAX_PICTURE_CHARS = 200_000;
const MIN_SCALE = 1 / 8;
/** Of all canvases of a page together, in a minute of the clock. */
const MAX_CHARS_A_MINUTE = 3_000_000;
/** A walk through all elements finds shadow roots and frames. */
const SEARCH_EVERY_MS = 5_000;
/** Sizes of which it is known what an empty picture looks like. */
const MAX_BLANKS = 50;

/** How pictures are taken. */
interface Rules {
  readonly intervalMs: number;
  readonly quality: number;
  /** In px of the picture. */
  readonly maxWidth: number;
}

/** What the recording knows of a canvas. */
interface Shown {
  picture: string;
  layout: string;
  /** The page's own `style` then: a new one may have taken the picture out of the recording. */
  style: string | null;
}

type Style = Record<string, readonly [value: string, priority: "important"] | string | false>;

/**
 * Pictures of the canvases that are seen, as changes of their style: a background is what a canvas can show where no scripts
 * run. None of a canvas that is blocked, masked or holds pictures of other origins.
 */
export function captureCanvas(context: StreamContext, { unpatched }: Pick<StreamParts, "unpatched">): void {
  const { config, signal } = context;
  const rules = toRules(config.captureCanvas ?? {});
  /** Those in view; the one that waits longest first. */
  const seen = new Set<HTMLCanvasElement>();
  const shown = new Map<HTMLCanvasElement, Shown>();
  const watched = new Set<HTMLCanvasElement>();
  const scales = new WeakMap<HTMLCanvasElement, number>();
  const unreadable = new WeakSet<HTMLCanvasElement>();
  /** A picture of them is under way. */
  const busy = new WeakSet<HTMLCanvasElement>();
  const blanks = new Map<string, string>();
  const observer = new IntersectionObserver(onSeen);
  let roots: readonly ParentNode[] = [document];
  let searchedAt = -Infinity;
  let minute = 0;
  let charsLeft = MAX_CHARS_A_MINUTE;
  /** What pictures are drawn on; no part of the page. */
  let copy: HTMLCanvasElement | null = null;

  function onSeen(entries: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of entries) {
      const canvas = target as HTMLCanvasElement;
      if (isIntersecting) seen.add(canvas);
      else seen.delete(canvas);
      // Hidden perhaps, which the style that shows its picture would undo.
      const known = shown.get(canvas);
      if (!isIntersecting && known) quietly(() => show(canvas, known.picture));
    }
  }

  function search(): void {
    const now = performance.now();
    if (now - searchedAt >= SEARCH_EVERY_MS) {
      searchedAt = now;
      roots = rootsIn(document);
    }
    for (const root of roots) for (const canvas of root.querySelectorAll("canvas")) watch(canvas);
    for (const canvas of watched) {
      if (canvas.isConnected) continue;
      observer.unobserve(canvas);
      for (const list of [watched, seen, shown]) list.delete(canvas);
    }
  }

  function watch(canvas: HTMLCanvasElement): void {
    if (watched.has(canvas)) return;
    watched.add(canvas);
    observer.observe(canvas);
  }

  /** Runs in an animation frame, behind what the page draws there: later a WebGL canvas is empty. */
  function takePictures(): void {
    const end = performance.now() + config.taskBudgetMs;
    // A copy: who had a turn goes to the end.
    const turns = [...seen];
    for (const canvas of turns) {
      if (performance.now() > end) break;
      seen.delete(canvas);
      seen.add(canvas);
      quietly(() => take(canvas));
    }
  }

  function take(canvas: HTMLCanvasElement): void {
    if (unreadable.has(canvas) || busy.has(canvas) || !isOpen(canvas) || spent()) return;
    const scale = scales.get(canvas) ?? 1;
    const width = Math.round(Math.min(canvas.width, rules.maxWidth) * scale);
    const height = Math.round((canvas.height * width) / canvas.width);
    if (!(width > 0 && height > 0)) return;
    busy.add(canvas);
    try {
      encode(canvas, width, height, (picture) => {
        busy.delete(canvas);
        if (picture.length > MAX_PICTURE_CHARS) scales.set(canvas, Math.max(scale / 2, MIN_SCALE));
        else withBlank(width, height, (blank) => (picture === blank ? showBlank : show)(canvas, picture));
      });
    } catch {
      // Tainted by a picture of another origin, which does not end.
      unreadable.add(canvas);
    }
  }

  /** Calls back later, unless the browser can't make a picture or recording ends. Throws where it may not be read. */
  function encode(
    source: HTMLCanvasElement | null,
    width: number,
    height: number,
    done: (picture: string) => void,
  ): void {
    const target = copy ?? document.createElement("canvas");
    // One that is tainted is not used again.
    copy = null;
    // Empties it, too.
    target.width = width;
    target.height = height;
    if (source) target.getContext("2d")!.drawImage(source, 0, 0, width, height);
    target.toBlob(
      (blob) => blob && read(blob, (picture) => signal.aborted || done(picture)),
      "image/webp",
      rules.quality,
    );
    copy = target;
  }

  /** Hands over what an empty canvas of this size looks like. */
  function withBlank(width: number, height: number, run: (blank: string) => void): void {
    const size = `${width} ${height}`;
    const known = blanks.get(size);
    if (known !== undefined) return run(known);
    encode(null, width, height, (blank) => {
      if (blanks.size >= MAX_BLANKS) blanks.clear();
      blanks.set(size, blank);
      run(blank);
    });
  }

  /** Most often it is the buffer of a WebGL canvas that was drawn before this frame. One that is drawn on in 2D was cleared. */
  function showBlank(canvas: HTMLCanvasElement, picture: string): void {
    // Where something was drawn there is a context, so this makes none.
    if (shown.has(canvas) && canvas.getContext("2d")) show(canvas, picture);
  }

  function show(canvas: HTMLCanvasElement, picture: string): void {
    const style = canvas.getAttribute("style");
    const layout = layoutOf(canvas);
    const layoutText = JSON.stringify(layout);
    const before = shown.get(canvas);
    const isNew = before?.picture !== picture || before.style !== style;
    if (!isNew && before.layout === layoutText) return;
    const isRecorded = put(canvas, isNew ? { ...backgroundOf(canvas, picture), ...layout } : layout);
    if (!isRecorded) return;
    shown.set(canvas, { picture, layout: layoutText, style });
    if (isNew) charsLeft -= picture.length;
  }

  /** Whether the recording has the canvas now. */
  function put(canvas: HTMLCanvasElement, style: Style): boolean {
    let isRecorded = false;
    context.change(() => {
      const id = context.idOf(canvas);
      isRecorded = id > 0 && isOpen(canvas);
      if (!isRecorded) return null;
      return { source: 0, texts: [], attributes: [{ id, attributes: { style } }], removes: [], adds: [] };
    });
    return isRecorded;
  }

  function showAll(): void {
    if (signal.aborted) return;
    const known = [...shown];
    shown.clear();
    for (const [canvas, { picture }] of known) quietly(() => show(canvas, picture));
  }

  function isOpen(canvas: HTMLCanvasElement): boolean {
    return canvas.isConnected && context.hiddenBy(canvas) === null;
  }

  function spent(): boolean {
    const now = Math.floor(Date.now() / 60_000);
    if (now !== minute) charsLeft = MAX_CHARS_A_MINUTE;
    minute = now;
    return charsLeft <= 0;
  }

  function tick(): void {
    if (signal.aborted) return;
    quietly(search);
    takePictures();
    wait();
  }

  /** Past zone.js, for which every timer of ours would be a reason to look for changes. No frame comes while nobody looks. */
  function wait(): void {
    unpatched(window, "setTimeout").call(
      window,
      () => void unpatched(window, "requestAnimationFrame").call(window, tick),
      rules.intervalMs,
    );
  }

  // A snapshot has no pictures. What rrweb does with it isn't over yet.
  context.onSnapshot(() => void unpatched(window, "setTimeout").call(window, showAll));
  signal.addEventListener("abort", () => {
    observer.disconnect();
    for (const list of [watched, seen, shown, blanks]) list.clear();
    copy = null;
    roots = [];
  });
  unpatched(window, "requestAnimationFrame").call(window, tick);
}

function toRules(given: Readonly<Record<string, unknown>>): Rules {
  const within = (value: unknown, min: number, max: number, fallback: number): number =>
    typeof value === "number" && value >= min && value <= max ? value : fallback;
  return {
    intervalMs: 1_000 / within(given.fps, 0.01, MAX_FPS, 1),
    quality: within(given.quality, 0, 1, 0.5),
    maxWidth: within(given.maxWidth, 1, Infinity, 1_000),
  };
}

/** The document, its open shadow roots and its frames of the same origin, and theirs. */
function rootsIn(root: ParentNode): ParentNode[] {
  const roots: ParentNode[] = [root];
  for (const element of root.querySelectorAll("*")) {
    const inner = element.shadowRoot ?? documentIn(element);
    if (inner) roots.push(...rootsIn(inner));
  }
  return roots;
}

function documentIn(element: Element): Document | null {
  return element.localName === "iframe" ? (element as HTMLIFrameElement).contentDocument : null;
}

function read(blob: Blob, done: (picture: string) => void): void {
  const reader = new FileReader();
  reader.addEventListener("load", () => quietly(() => done(String(reader.result))));
  reader.readAsDataURL(blob);
}

/** The box of a canvas, for an element that is none. */
function layoutOf(canvas: HTMLCanvasElement): Style {
  const { display, width, height } = getComputedStyle(canvas);
  const own = canvas.style.getPropertyValue("display") || false;
  if (display === "none") return { display: own };
  return {
    display: display === "inline" ? ["inline-block", "important"] : own,
    width: [width, "important"],
    height: [height, "important"],
  };
}

function backgroundOf(canvas: HTMLCanvasElement, picture: string): Style {
  const { objectFit } = getComputedStyle(canvas);
  const isFitted = objectFit === "contain" || objectFit === "cover";
  return {
    "background-image": [`url("${picture}")`, "important"],
    "background-size": [isFitted ? objectFit : "100% 100%", "important"],
    "background-position": ["center", "important"],
    "background-repeat": ["no-repeat", "important"],
    "background-origin": ["content-box", "important"],
    "background-clip": ["content-box", "important"],
    // What is in it is for browsers without canvases, and would show.
    "content-visibility": ["hidden", "important"],
  };
}

function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // The page goes on; this picture is not recorded.
  }
}
