import { createRandom, type Random } from "./random.ts";

/** What a drawing shows; the same landscape is drawn in several lights. */
export interface Landscape {
  /** Shapes the ridges. */
  readonly seed: number;
  readonly ground: "meadow" | "lake" | "rock" | "glacier";
  readonly trees: "fir" | "larch" | "none";
  readonly hut: "wide" | "long" | "small" | "none";
}

/** The colours are CSS classes (`scene-dawn` …), so that a dark page can have its own. */
export type Light = "dawn" | "noon" | "night";

interface Point {
  readonly x: number;
  readonly y: number;
}

const HEIGHT = 400;

/** The drawing's own units. */
export interface Format {
  readonly width: number;
  /** Empty sky above the 400 units that hold the mountains. */
  readonly sky: number;
}

/** An inline SVG of mountains, ground, trees and a hut, about fifteen elements. Without a label it is mere decoration. */
export function drawScene(
  landscape: Landscape,
  light: Light,
  label = "",
  { width, sky }: Format = { width: 640, sky: 0 },
): string {
  const random = createRandom(landscape.seed);
  const far = ridge(random, width, 5, 95, 215);
  const near = ridge(random, width, 4, 205, 285);
  const hutX = width * random.between(0.56, 0.68);

  // The sun keeps away from the hut, or from what a page writes on the left of a drawing without one.
  const sunX = width * random.between(0.2, 0.4) + (landscape.hut === "none" ? width * 0.3 : 0);

  const layers = [
    light === "night" ? `<path class="stars" d="${stars(random, width)}"/>` : "",
    `<circle class="sun" cx="${round(sunX)}" cy="${round(random.between(80, 130) - sky / 2)}" r="${light === "night" ? 20 : 28}"/>`,
    `<path class="far" d="${area(far, width)}"/><path class="shade" d="${shade(far)}"/><path class="snow" d="${snow(far, 0.34)}"/>`,
    `<path class="near" d="${area(near, width)}"/><path class="shade" d="${shade(near)}"/>`,
    landscape.ground === "glacier" ? `<path class="snow" d="${snow(near, 0.6)}"/>` : "",
    ground(landscape.ground, width),
    landscape.trees === "none" ? "" : `<path class="${landscape.trees}" d="${trees(random, width, hutX)}"/>`,
    landscape.hut === "none" ? "" : hut(landscape.hut, hutX),
  ];
  const name = label === "" ? 'aria-hidden="true"' : `role="img" aria-label="${label}"`;
  return `<svg class="scene scene-${light} ground-${landscape.ground}" viewBox="0 ${-sky} ${width} ${HEIGHT + sky}" preserveAspectRatio="xMidYMax slice" ${name}>${layers.join("")}</svg>`;
}

/** Valley, peak, valley, peak … from the left edge to the right one. */
function ridge(random: Random, width: number, peaks: number, top: number, bottom: number): Point[] {
  const step = width / (peaks * 2);
  const points: Point[] = [];
  for (let index = -1; index <= peaks * 2 + 1; index++) {
    const isPeak = index % 2 !== 0;
    const y = isPeak ? random.between(top, top + (bottom - top) * 0.55) : random.between(bottom - 25, bottom + 10);
    points.push({ x: round(step * (index + random.between(-0.3, 0.3))), y: round(y) });
  }
  return points;
}

function area(points: readonly Point[], width: number): string {
  return `M-60 ${HEIGHT}${points.map(({ x, y }) => `L${x} ${y}`).join("")}L${width + 60} ${HEIGHT}Z`;
}

/** The side of each peak that the light doesn't reach. */
function shade(points: readonly Point[]): string {
  return peaksOf(points)
    .map(({ peak, right }) => {
      const foot = `${round(peak.x + (right.x - peak.x) * 0.5)} ${HEIGHT}L${round(peak.x - 14)} ${HEIGHT}`;
      const kink = `${round(peak.x + (right.x - peak.x) * 0.12)} ${round(peak.y + (right.y - peak.y) * 0.55)}`;
      return `M${peak.x} ${peak.y}L${right.x} ${right.y}L${foot}L${kink}Z`;
    })
    .join("");
}

/** A cap down to `depth` (0–1) of each peak's sides, with a ragged edge. */
function snow(points: readonly Point[], depth: number): string {
  return peaksOf(points)
    .map(({ left, peak, right }) => {
      const from = along(peak, left, depth);
      const to = along(peak, right, depth * 0.85);
      const edge = [0.25, 0.45, 0.7].map((t, index) => {
        const point = along(to, from, t);
        return `L${point.x} ${round(point.y + (index === 1 ? -9 : 9))}`;
      });
      return `M${peak.x} ${peak.y}L${to.x} ${to.y}${edge.join("")}L${from.x} ${from.y}Z`;
    })
    .join("");
}

function peaksOf(points: readonly Point[]): { left: Point; peak: Point; right: Point }[] {
  return points.flatMap((peak, index) => {
    const left = points[index - 1];
    const right = points[index + 1];
    return left && right && peak.y < left.y && peak.y < right.y ? [{ left, peak, right }] : [];
  });
}

function ground(kind: Landscape["ground"], width: number): string {
  const back = `<path class="hill" d="M0 318Q${width * 0.3} 286 ${width * 0.55} 312T${width} 296V400H0Z"/>`;
  const front = `<path class="turf" d="M0 352Q${width * 0.25} 336 ${width * 0.5} 344T${width} 336V400H0Z"/>`;
  if (kind !== "lake") return back + front;
  const water = `<path class="lake" d="M0 336Q${width * 0.5} 326 ${width} 336V400H0Z"/>`;
  const glints = `<path class="glint" d="M${width * 0.12} 356h70M${width * 0.3} 372h46M${width * 0.62} 366h84M${width * 0.8} 384h50"/>`;
  return back + water + glints;
}

function trees(random: Random, width: number, hutX: number): string {
  const shapes: string[] = [];
  for (let index = 0; index < width / 26; index++) {
    const x = round(random.between(0, width));
    const tall = round(random.between(24, 46));
    const y = round(322 + random.between(-8, 16));
    // The hut keeps its view.
    if (Math.abs(x - hutX) < 74) continue;
    shapes.push(`M${x} ${round(y - tall)}l${round(tall * 0.26)} ${tall}h-${round(tall * 0.52)}Z`);
  }
  return shapes.join("");
}

function hut(kind: "wide" | "long" | "small", x: number): string {
  const half = { wide: 40, long: 56, small: 24 }[kind];
  const wall = { wide: 30, long: 24, small: 20 }[kind];
  const rise = { wide: 26, long: 20, small: 16 }[kind];
  const base = 330;
  const top = base - wall - 8;
  const panes = { wide: [-26, -6, 14], long: [-44, -24, 10, 30], small: [-12] }[kind];
  const at = (dx: number): number => round(x + dx);
  const windows = panes.map((dx) => `M${at(dx)} ${top + 7}h9v10h-9Z`).join("");
  const shutters = panes.map((dx) => `M${at(dx - 4)} ${top + 7}h3v10h-3ZM${at(dx + 10)} ${top + 7}h3v10h-3Z`).join("");
  return (
    `<g class="hut"><path class="stone" d="M${at(-half)} ${base - 10}h${half * 2}v14h${-half * 2}Z"/>` +
    `<path class="wood" d="M${at(-half)} ${base - 10}V${top}L${at(0)} ${top - rise + 4}L${at(half)} ${top}V${base - 10}Z"/>` +
    `<path class="roof" d="M${at(half * 0.5)} ${top - rise}h8v16h-8ZM${at(-half - 9)} ${top + 4}L${at(0)} ${top - rise}L${at(half + 9)} ${top + 4}l-4 4L${at(0)} ${top - rise + 9}L${at(-half - 5)} ${top + 8}Z"/>` +
    `<path class="pane" d="${windows}"/><path class="shutter" d="${shutters}"/></g>`
  );
}

function stars(random: Random, width: number): string {
  // A line of no length with round ends is a dot: one element for all of them.
  return Array.from(
    { length: width / 16 },
    () => `M${round(random.between(0, width))} ${round(random.between(5, 190))}h.01`,
  ).join("");
}

function along(from: Point, to: Point, t: number): Point {
  return { x: round(from.x + (to.x - from.x) * t), y: round(from.y + (to.y - from.y) * t) };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
