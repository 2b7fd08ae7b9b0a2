import {
  LitElement,
  css,
  html,
  nothing,
  type CSSResultGroup,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import type { DoctorAnswer, Job } from "../src/types.ts";
import { errorText, isAbort } from "./api.ts";
import { formatTime } from "./formats.ts";
import { icon } from "./icons.ts";
import { isTyping } from "./keys.ts";
import { fetchDoctor, startJob } from "./maintenance-api.ts";
import { sectionStyles } from "./maintenance-styles.ts";
import "./sentiero-notices.ts";
import { baseStyles, buttonStyles, surfaceStyles } from "./shared-styles.ts";

/**
 * Looks for what is wrong with the store, and says what to do about it.
 *
 * @fires sentiero-job - `Job`, when a reindex began
 */
export class SentieroDoctor extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    buttonStyles,
    surfaceStyles,
    sectionStyles,
    css`
      .result {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: var(--s-3);
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    isBusy: { type: Boolean, attribute: "busy" },
    answer: { state: true },
    isChecking: { state: true },
    isStarting: { state: true },
    problem: { state: true },
  };

  declare private answer: DoctorAnswer | null;
  declare private isChecking: boolean;
  declare private isStarting: boolean;
  declare private problem: string;

  /** A job runs already. */
  declare isBusy: boolean;

  #abort: AbortController | null = null;

  constructor() {
    super();
    this.isBusy = false;
    this.answer = null;
    this.isChecking = false;
    this.isStarting = false;
    this.problem = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.#onPageKey);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("keydown", this.#onPageKey);
    this.#abort?.abort();
  }

  #onPageKey = (event: KeyboardEvent): void => {
    if (event.key === "c" && !isTyping(event)) void this.#onCheck();
  };

  async #onCheck(): Promise<void> {
    if (this.isChecking) return;
    const { signal } = (this.#abort = new AbortController());
    this.isChecking = true;
    this.problem = "";
    try {
      this.answer = await fetchDoctor(signal);
    } catch (error) {
      if (!isAbort(error)) this.problem = errorText(error);
    }
    this.isChecking = false;
  }

  async #onReindex(): Promise<void> {
    this.isStarting = true;
    this.problem = "";
    try {
      this.dispatchEvent(new CustomEvent<Job>("sentiero-job", { detail: await startJob("reindex", {}) }));
    } catch (error) {
      this.problem = errorText(error);
    }
    this.isStarting = false;
  }

  #renderResult({ notices, checkedAt }: DoctorAnswer): TemplateResult {
    return html`<p class="text">
        ${notices.length === 0 ? "Nothing is wrong." : notices.length === 1 ? "One thing was found." : `${notices.length} things were found.`}
        <span class="quiet">Checked at ${formatTime(checkedAt)}.</span>
      </p>
      ${notices.length > 0 ? html`<sentiero-notices .notices=${notices}></sentiero-notices>` : nothing}`;
  }

  override render(): TemplateResult {
    return html`<section class="card section" aria-labelledby="title">
      <h2 id="title">Doctor</h2>
      <div class="result" role="status" aria-busy=${this.isChecking}>
        ${
          this.answer
            ? this.#renderResult(this.answer)
            : html`<p class="text">Looks for what is wrong with the store and its settings. It changes nothing.</p>`
        }
      </div>
      ${this.problem ? html`<div class="notice danger" role="alert">${icon("warning")}${this.problem}</div>` : nothing}
      <div class="buttons">
        <button class="button" type="button" ?disabled=${this.isChecking} @click=${this.#onCheck}>
          ${this.isChecking ? "Checking…" : this.answer ? "Check again" : "Check now"}
        </button>
        <button
          class="button plain"
          type="button"
          title="Derives what is listed from the recordings again. Nothing is lost by it."
          ?disabled=${this.isBusy || this.isStarting}
          @click=${this.#onReindex}
        >
          Reindex
        </button>
      </div>
    </section>`;
  }
}

customElements.define("sentiero-doctor", SentieroDoctor);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-doctor": SentieroDoctor;
  }
}
