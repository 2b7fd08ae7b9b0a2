import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";

/** A rectangle in CSS pixels of the viewport. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Share of pixels, 0 to 1, in which two pictures of one size differ, smoothed edges of letters included; `boxes` are
 * left out. `threshold` is how far apart two colours have to be, 0 to 1.
 */
export function difference(a: Buffer, b: Buffer, boxes: readonly Box[] = [], threshold = 0.05): number {
  const [left, right] = [PNG.sync.read(a), PNG.sync.read(b)];
  if (left.width !== right.width || left.height !== right.height) return 1;
  for (const picture of [left, right]) for (const box of boxes) blacken(picture, box);
  const pixels = pixelmatch(left.data, right.data, undefined, left.width, left.height, { threshold, includeAA: true });
  return pixels / (left.width * left.height);
}

/** A white picture of the same size. */
export function blank(like: Buffer): Buffer {
  const { width, height } = PNG.sync.read(like);
  const picture = new PNG({ width, height });
  picture.data.fill(255);
  return PNG.sync.write(picture);
}

function blacken(picture: PNG, box: Box): void {
  const right = Math.min(picture.width, Math.ceil(box.x + box.width));
  const bottom = Math.min(picture.height, Math.ceil(box.y + box.height));
  for (let y = Math.max(0, Math.floor(box.y)); y < bottom; y++) {
    for (let x = Math.max(0, Math.floor(box.x)); x < right; x++) {
      picture.data.set([0, 0, 0, 255], (y * picture.width + x) * 4);
    }
  }
}
