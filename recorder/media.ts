/** Records what images show and which fonts scripts load: off by default, and therefore in a file of their own. */

/** Of `dataURLOptions`: as `HTMLCanvasElement.toDataURL` takes them. */
interface ImageFormat {
  readonly type?: string;
  readonly quality?: number;
}

/** A font that a script adds, as rrweb's event says it. */
interface FontFields {
  readonly family: string;
  /** Whether `fontSource` is the JSON of bytes, instead of CSS. */
  readonly buffer: boolean;
  readonly descriptors: FontFaceDescriptors | undefined;
  readonly fontSource: string;
}

/** What rrweb hands to its observers, as far as fonts go. */
interface FontOptions {
  readonly doc: Document;
  fontCb(font: FontFields): void;
}

/**
 * Adds to the recorded attributes what the image shows, as a data URL, now or when it has loaded. One of another origin is
 * loaded once more, with CORS, because its contents can't be read otherwise.
 */
export function recordImage(
  image: HTMLImageElement,
  attributes: Record<string, unknown>,
  { type, quality }: ImageFormat = {},
): void {
  const { crossOrigin } = image;

  function read(): void {
    image.removeEventListener("load", read);
    try {
      // A new one each time: an image that may not be read spoils it for all others.
      const canvas = document.createElement("canvas");
      canvas.width = image.naturalWidth;
      canvas.height = image.naturalHeight;
      canvas.getContext("2d")!.drawImage(image, 0, 0);
      attributes.rr_dataURL = canvas.toDataURL(type, quality);
    } catch {
      if (image.crossOrigin !== "anonymous") {
        image.crossOrigin = "anonymous";
        return readLoaded();
      }
    }
    if (image.crossOrigin !== "anonymous") return;
    if (crossOrigin) attributes.crossOrigin = crossOrigin;
    else image.removeAttribute("crossorigin");
  }

  function readLoaded(): void {
    if (image.complete && image.naturalWidth > 0) read();
    else image.addEventListener("load", read);
  }

  readLoaded();
}

/** Tells of fonts that scripts add to a document, until the function that it returns is called. */
export function observeFonts({ doc, fontCb }: FontOptions): () => void {
  const view = doc.defaultView as Window & typeof globalThis;
  const { FontFace } = view;
  const { add } = doc.fonts;
  const known = new WeakMap<FontFace, FontFields>();
  view.FontFace = class extends FontFace {
    constructor(family: string, source: string | BufferSource, descriptors?: FontFaceDescriptors) {
      super(family, source, descriptors);
      const buffer = typeof source !== "string";
      known.set(this, { family, buffer, descriptors, fontSource: buffer ? toJson(source) : source });
    }
  };
  doc.fonts.add = function (face) {
    const fields = known.get(face);
    known.delete(face);
    // After the page's own work. What the recorder throws stays here.
    if (fields) setTimeout(() => fontCb(fields));
    return add.call(this, face);
  };
  return () => {
    view.FontFace = FontFace;
    doc.fonts.add = add;
  };
}

function toJson(source: BufferSource): string {
  const bytes = ArrayBuffer.isView(source)
    ? source.buffer.slice(source.byteOffset, source.byteOffset + source.byteLength)
    : source;
  return JSON.stringify(Array.from(new Uint8Array(bytes)));
}
