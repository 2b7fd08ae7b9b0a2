/** A box in place of an image that could not be had: at most this much text. */
const MAX_LABEL = 40;
/** Smaller boxes get no text. */
const MIN_LABELLED_PX = 48;

/**
 * Puts a labelled box of the image's size in place of an image that fails to load, so that the page around it stays
 * where it was. An image whose size nobody wrote down is left to the browser.
 */
export function watchImage(image: HTMLImageElement): void {
  image.addEventListener("error", () => replaceImage(image), { once: true });
}

function replaceImage(image: HTMLImageElement): void {
  const width = sizeOf(image.getAttribute("width")) || Math.round(image.clientWidth);
  const height = sizeOf(image.getAttribute("height")) || Math.round(image.clientHeight);
  if (width < 4 || height < 4) return;
  const label = image.alt || fileName(image.getAttribute("src") ?? "");
  image.removeAttribute("srcset");
  image.src = `data:image/svg+xml,${encodeURIComponent(box(width, height, label))}`;
}

function box(width: number, height: number, label: string): string {
  const text =
    width >= MIN_LABELLED_PX && height >= 16 && label
      ? `<text x="50%" y="50%" dy=".35em" text-anchor="middle" font-family="sans-serif" font-size="11" fill="#6b7280">${escape(cut(label, width))}</text>`
      : "";
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
    `<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" fill="#eef0f2" stroke="#c3c8ce" stroke-dasharray="4 3"/>${text}</svg>`
  );
}

function cut(label: string, width: number): string {
  const max = Math.min(MAX_LABEL, Math.floor(width / 6.5));
  return label.length > max ? `${label.slice(0, Math.max(1, max - 1))}…` : label;
}

function escape(text: string): string {
  return text.replace(/[^\w\s.,:()-]/g, (character) => `&#${character.codePointAt(0)};`);
}

function fileName(source: string): string {
  if (source.startsWith("data:")) return "image";
  return source.split(/[?#]/, 1)[0]!.split("/").pop() ?? "";
}

function sizeOf(value: string | null): number {
  return value !== null && /^\d{1,5}$/.test(value) ? Number(value) : 0;
}
