import type { ResolvedConfig } from "./config.ts";
import type * as Media from "./media.ts";

let media: typeof Media | undefined;

/** Loads what recording images and fonts takes, where the configuration wants it; without it neither is recorded. */
export async function loadMedia({ captureFonts, captureImages }: ResolvedConfig): Promise<void> {
  if (!captureFonts && !captureImages) return;
  try {
    media = await import("./media.ts");
  } catch (error) {
    console.warn("[sentiero]", error);
  }
}

/** Options for rrweb: the functions that it calls where it had its own. */
export function toMediaOptions({ captureFonts, captureImages, privacy }: ResolvedConfig): object {
  return {
    collectFonts: captureFonts && media?.observeFonts,
    inlineImages: captureImages && privacy !== "strict" && media?.recordImage,
  };
}
