// The document that shows a recording. It runs under a policy of its own, talks to the page around it over one
// MessagePort, and lets rrweb rebuild the recorded page in an inner iframe that can't run scripts.
import { Player } from "rrweb-player";
import { EventType, IncrementalSource, eventData } from "../src/rrweb/events.ts";
import { watchImage } from "./missing-images.ts";
import { playableEvents, type PlayableEvent } from "./playable-events.ts";
import { CONNECT, type ReplayCommand, type ReplayReport } from "./replay-messages.ts";

type Replayer = ReturnType<Player["getReplayer"]>;

/** rrweb stops at an exception of its own. It is set going again this often, each time behind the bad event. */
const MAX_RESTARTS = 20;
/** A full snapshot that comes later than this after its page's first event is not waited for. */
const MAX_SNAPSHOT_DELAY_MS = 1000;
/** The page that embeds the frame is told the time this often while it plays. */
const TIME_REPORT_MS = 50;

window.addEventListener("message", function connect(event: MessageEvent) {
  const port = event.ports[0];
  if (event.source !== window.parent || event.origin !== location.origin || event.data !== CONNECT || !port) return;
  window.removeEventListener("message", connect);
  serve(port);
});

function serve(port: MessagePort): void {
  let startAt = 0;
  let speed = 1;
  let replayer: Replayer | null = null;
  let state: "playing" | "paused" | "ended" = "paused";
  let isDrawn = false;
  let restarts = 0;
  let ticking = 0;
  let reportedAt = 0;
  /** Came while the replay could not take them in without drawing them out of order. */
  let waiting: PlayableEvent[] = [];
  /** Where each event's batch stands: events of one millisecond stay in this order. */
  const places = new WeakMap<object, number>();
  let lastPlace = -1;
  const size = { width: 1024, height: 768 };

  port.addEventListener("message", (event: MessageEvent<ReplayCommand>) => run(event.data));
  port.start();
  window.addEventListener("resize", fit);
  window.addEventListener("error", (event) => recover(event.message));
  report({ type: "ready" });

  function run(command: ReplayCommand): void {
    switch (command.type) {
      case "start":
        startAt = command.startAt;
        break;
      case "events":
        take(command.index, playableEvents(command.events));
        break;
      case "seek":
        seek(command.timeMs, command.play);
        break;
      case "pause":
        replayer?.pause();
        enter("paused");
        // Playing on from an older time would build the page anew.
        reportTime();
        break;
      case "speed":
        speed = command.speed;
        // rrweb's timer takes the new speed from its next tick on.
        replayer?.setConfig({ speed });
        break;
    }
  }

  function take(place: number, events: PlayableEvent[]): void {
    for (const event of events) places.set(event, place);
    const inOrder = place > lastPlace && waiting.length === 0;
    lastPlace = Math.max(lastPlace, place);
    const last = replayer ? known(replayer).at(-1) : undefined;
    if (replayer && state === "playing" && inOrder && (events[0]?.timestamp ?? 0) >= (last?.timestamp ?? 0)) {
      for (const event of events) replayer.addEvent(event as never);
    } else {
      waiting = waiting.concat(events);
    }
  }

  function seek(timeMs: number, play: boolean): void {
    try {
      replayer ??= create();
      if (!replayer) return reportProblem("nothing to draw");
      settle(replayer);
      const events = known(replayer);
      const offset = drawableAt(events, startAt + timeMs) - events[0]!.timestamp;
      if (play) replayer.play(offset);
      else replayer.pause(offset);
      placeMouse(replayer, events[0]!.timestamp + offset);
    } catch (error) {
      reportProblem(String(error));
    }
    enter(play ? "playing" : "paused");
    reportTime();
  }

  function create(): Replayer | null {
    const events = sorted(waiting);
    // rrweb wants two events at least, and draws nothing before a full snapshot.
    if (events.length < 2) return null;
    waiting = [];
    const player = new Player({
      target: document.body,
      props: {
        events: events as never,
        showController: false,
        autoPlay: false,
        skipInactive: false,
        speed: 1,
        speedOption: [1],
        showWarning: false,
        // Focus would leave the dashboard's controls for the recorded page.
        triggerFocus: false,
        mouseTail: { strokeStyle: "#1f7a5a", lineWidth: 2, duration: 450 },
        plugins: [{ onBuild: (node) => isImage(node) && watchImage(node) }],
      },
    });
    const made = player.getReplayer();
    made.setConfig({ speed });
    made.on("resize", (dimension) => {
      const { width, height } = dimension as { width: number; height: number };
      if (width > 0 && height > 0) Object.assign(size, { width, height });
      report({ type: "viewport", ...size });
      fit();
    });
    made.on("fullsnapshot-rebuilded", () => {
      if (!isDrawn) report({ type: "drawn" });
      isDrawn = true;
    });
    // rrweb keeps the last scroll of a jump for the next one, which may end on another page.
    made.on("flush", () => (made.virtualDom.scrollData = null));
    made.on("finish", () => enter("ended"));
    return made;
  }

  /** Takes in what waited. rrweb reads its list of events anew at every seek, so before one it may be changed. */
  function settle(replayer: Replayer): void {
    if (waiting.length === 0) return;
    const events = known(replayer);
    const all = sorted([...events, ...waiting]);
    waiting = [];
    for (const [index, event] of all.entries()) events[index] = event;
  }

  function sorted(events: PlayableEvent[]): PlayableEvent[] {
    return events.sort((a, b) => a.timestamp - b.timestamp || (places.get(a) ?? 0) - (places.get(b) ?? 0));
  }

  /** Shows the recorded viewport whole, in the middle, and never larger than it was. */
  function fit(): void {
    if (!replayer) return;
    const scale = Math.min(1, window.innerWidth / size.width, window.innerHeight / size.height);
    const left = Math.max(0, Math.round((window.innerWidth - size.width * scale) / 2));
    const top = Math.max(0, Math.round((window.innerHeight - size.height * scale) / 2));
    replayer.wrapper.style.transform =
      scale === 1 ? `translate(${left}px, ${top}px)` : `translate(${left}px, ${top}px) scale(${scale})`;
  }

  function enter(next: typeof state): void {
    const changed = next !== state;
    state = next;
    if (changed) report({ type: "state", state });
    if (state === "playing" && !ticking) ticking = requestAnimationFrame(tick);
    if (state === "ended") reportTime();
  }

  function tick(now: number): void {
    ticking = state === "playing" ? requestAnimationFrame(tick) : 0;
    if (now - reportedAt < TIME_REPORT_MS) return;
    reportedAt = now;
    reportTime();
  }

  function reportTime(): void {
    if (!replayer) return;
    report({ type: "time", timeMs: known(replayer)[0]!.timestamp + replayer.getCurrentTime() - startAt });
  }

  function recover(message: string): void {
    reportProblem(message);
    if (!replayer || state !== "playing" || ++restarts > MAX_RESTARTS) return;
    replayer.play(replayer.getCurrentTime() + 1);
  }

  function reportProblem(message: string): void {
    report({ type: "problem", message, isFatal: !isDrawn });
  }

  function report(message: ReplayReport): void {
    port.postMessage(message);
  }
}

/**
 * The first time from `at` on with a page to show: between a page's first event and its full snapshot, a few ms later,
 * rrweb would go on showing the page before. It applies what is earlier than a time, hence the millisecond more.
 */
function drawableAt(events: readonly PlayableEvent[], at: number): number {
  const wanted = Math.max(at, events[0]!.timestamp) + 1;
  let index = events.length - 1;
  while (index > 0 && !(events[index]!.type === EventType.Meta && events[index]!.timestamp < wanted)) index--;
  const snapshot = events.find((event, place) => place >= index && event.type === EventType.FullSnapshot);
  return snapshot && snapshot.timestamp - wanted < MAX_SNAPSHOT_DELAY_MS
    ? Math.max(wanted, snapshot.timestamp + 1)
    : wanted;
}

/** rrweb leaves the mouse where it was when what it pointed at is gone by then: a menu that closed, a button that changed. */
function placeMouse(replayer: Replayer, at: number): void {
  const events = known(replayer);
  let index = events.length - 1;
  while (index > 0 && events[index]!.timestamp >= at) index--;
  for (; index >= 0 && events[index]!.type !== EventType.FullSnapshot; index--) {
    const position = lastPosition(events[index]!);
    if (!position) continue;
    const mouse = replayer.wrapper.querySelector<HTMLElement>(".replayer-mouse");
    if (!mouse || replayer.getMirror().getNode(position.id)) return;
    mouse.style.left = `${position.x}px`;
    mouse.style.top = `${position.y}px`;
    return;
  }
}

function lastPosition(event: PlayableEvent): { x: number; y: number; id: number } | null {
  const data = event.type === EventType.Incremental ? eventData(event) : null;
  if (data?.source === IncrementalSource.MouseMove)
    return (data.positions as { x: number; y: number; id: number }[]).at(-1)!;
  const isPressed =
    data?.source === IncrementalSource.MouseInteraction && typeof data.x === "number" && typeof data.y === "number";
  return isPressed ? { x: data.x as number, y: data.y as number, id: data.id as number } : null;
}

/** rrweb's own list of events, in the order of time. */
function known(replayer: Replayer): PlayableEvent[] {
  return replayer.service.state.context.events as unknown as PlayableEvent[];
}

function isImage(node: unknown): node is HTMLImageElement {
  return (node as Node | null)?.nodeName === "IMG";
}
