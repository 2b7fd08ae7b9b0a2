import { LitElement, css, html, type CSSResultGroup, type PropertyDeclarations, type TemplateResult } from "lit";
import type { Job } from "../src/types.ts";
import { formatDay, formatNumberOf } from "./formats.ts";
import { startJob } from "./maintenance-api.ts";
import { sectionStyles } from "./maintenance-styles.ts";
import { confirmationOf } from "./maintenance-words.ts";
import { renderPreview } from "./preview-line.ts";
import { SelectionPreview } from "./selection-preview.ts";
import "./sentiero-confirm.ts";
import { baseStyles, buttonStyles, fieldStyles, surfaceStyles } from "./shared-styles.ts";

/**
 * Deletes what is older than a day, after a look at what that is.
 *
 * @fires sentiero-job - `Job`, when one began
 */
export class SentieroPurge extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    buttonStyles,
    surfaceStyles,
    fieldStyles,
    sectionStyles,
    css`
      .field {
        width: 180px;
        max-width: 100%;
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    isBusy: { type: Boolean, attribute: "busy" },
    day: { state: true },
  };

  /** The day before which everything goes, `2026-05-04`; empty where none is chosen. */
  declare private day: string;

  /** A job runs already. */
  declare isBusy: boolean;

  #preview: SelectionPreview = new SelectionPreview(this);

  constructor() {
    super();
    this.isBusy = false;
    this.day = "";
  }

  /** Counts again. */
  refresh(): void {
    this.#preview.refresh();
  }

  #onInput(event: InputEvent): void {
    this.day = (event.target as HTMLInputElement).value;
    const at = Date.parse(this.day);
    // While a year is being typed, it has few digits for a moment.
    const isDay = Number.isFinite(at) && at > Date.UTC(2000, 0);
    this.#preview.show(isDay ? { to: at - 1 } : null);
  }

  #onPurge(): void {
    const { state } = this.#preview;
    if (state.name !== "known" || state.selection.to === undefined) return;
    const { selection, preview } = state;
    const before = formatDay(state.selection.to + 1);
    void this.renderRoot.querySelector("sentiero-confirm")?.ask({
      title: `Delete ${preview.isComplete ? formatNumberOf(preview.sessions, "session") : "all sessions"} from before ${before}?`,
      text: "Their recordings and everything known of them will be gone for good.",
      action: "Purge",
      typed: confirmationOf("purge", preview),
      run: async () => {
        const job = await startJob("purge", selection);
        this.dispatchEvent(new CustomEvent<Job>("sentiero-job", { detail: job }));
      },
    });
  }

  override render(): TemplateResult {
    const { state } = this.#preview;
    const isReady = state.name === "known" && state.preview.sessions > 0 && !this.isBusy;
    return html`<section class="card section" aria-labelledby="title">
        <h2 id="title">Purge before a date</h2>
        <p class="text">Deletes every session whose last upload came before this day began, at 00:00 UTC.</p>
        <label class="label">
          Before (UTC)
          <input class="field" type="date" min="2000-01-01" max="9999-12-31" @input=${this.#onInput} />
        </label>
        ${renderPreview(state, {
          none: "Choose a day to see what would be deleted.",
          empty: "No session is that old.",
        })}
        <div class="buttons">
          <button class="button danger" type="button" ?disabled=${!isReady} @click=${this.#onPurge}>Purge…</button>
          ${this.isBusy ? html`<span class="quiet">Possible when the running job has ended.</span>` : ""}
        </div>
      </section>
      <sentiero-confirm></sentiero-confirm>`;
  }
}

customElements.define("sentiero-purge", SentieroPurge);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-purge": SentieroPurge;
  }
}
