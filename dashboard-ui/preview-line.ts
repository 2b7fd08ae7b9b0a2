import { html, type TemplateResult } from "lit";
import { previewWords } from "./maintenance-words.ts";
import type { PreviewState } from "./selection-preview.ts";

/** What a selection holds, read out when it is known. `none` stands before one is made, `empty` where it holds nothing. */
export function renderPreview(
  state: PreviewState,
  words: { readonly none: string; readonly empty: string },
): TemplateResult {
  return html`<p class="preview ${state.name}" role="status" aria-busy=${state.name === "waiting"}>
    ${wordsOf(state, words)}
  </p>`;
}

function wordsOf(state: PreviewState, { none, empty }: { readonly none: string; readonly empty: string }): string {
  switch (state.name) {
    case "none":
      return none;
    case "waiting":
      return "Counting…";
    case "failed":
      return state.problem;
    case "known":
      return state.preview.sessions === 0 && state.preview.isComplete ? empty : previewWords(state.preview);
  }
}
