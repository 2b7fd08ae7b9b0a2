import {
  LitElement,
  css,
  html,
  nothing,
  type CSSResultGroup,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import { live } from "lit/directives/live.js";
import { errorText } from "./api.ts";
import { baseStyles, buttonStyles, dialogStyles, fieldStyles, surfaceStyles } from "./shared-styles.ts";

/** What is asked, and what is done about a yes. */
export interface Question {
  readonly title: string;
  readonly text: string;
  /** The word on the button, such as `Delete`. */
  readonly action: string;
  /** What has to be typed before the button works. Digits may be grouped. @default nothing has to be typed */
  readonly typed?: string;
  /** Runs while the dialog stays open; what it throws is shown there. */
  run(): Promise<void>;
}

/** Asks before something that can't be undone. */
export class SentieroConfirm extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    buttonStyles,
    surfaceStyles,
    dialogStyles,
    fieldStyles,
    css`
      p {
        margin-top: var(--s-2);
        color: var(--s-text-2);
        font-size: var(--s-text-md);
        overflow-wrap: anywhere;
      }
      .notice {
        margin-top: var(--s-4);
      }
      label {
        display: grid;
        gap: var(--s-1);
        margin-top: var(--s-4);
        font-size: var(--s-text-sm);
      }
      label b {
        font-family: var(--s-font-mono);
        font-weight: 600;
        user-select: all;
      }
      .buttons {
        display: flex;
        justify-content: flex-end;
        gap: var(--s-2);
        margin-top: var(--s-6);
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    question: { state: true },
    isRunning: { state: true },
    problem: { state: true },
    answer: { state: true },
  };

  declare private question: Question | null;
  declare private isRunning: boolean;
  declare private problem: string;
  declare private answer: string;

  constructor() {
    super();
    this.question = null;
    this.isRunning = false;
    this.problem = "";
    this.answer = "";
  }

  /** Opens the dialog. */
  async ask(question: Question): Promise<void> {
    this.question = question;
    this.problem = "";
    this.answer = "";
    this.isRunning = false;
    await this.updateComplete;
    this.#dialog?.showModal();
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector("dialog");
  }

  get #isAllowed(): boolean {
    const typed = this.question?.typed;
    return !this.isRunning && (typed === undefined || toPlain(this.answer) === toPlain(typed));
  }

  #onInput(event: InputEvent): void {
    this.answer = (event.target as HTMLInputElement).value;
  }

  async #onYes(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { question } = this;
    if (!question || !this.#isAllowed) return;
    this.isRunning = true;
    this.problem = "";
    try {
      await question.run();
      this.#dialog?.close();
    } catch (error) {
      this.problem = errorText(error);
    }
    this.isRunning = false;
  }

  #onNo(): void {
    this.#dialog?.close();
  }

  override render(): TemplateResult {
    const { question } = this;
    return html`<dialog aria-labelledby="title" aria-describedby="text">
      <h2 id="title">${question?.title}</h2>
      <p id="text">${question?.text}</p>
      <form @submit=${this.#onYes}>
        ${
          question?.typed === undefined
            ? nothing
            : html`<label>
                <span>Type <b>${question.typed}</b> to confirm</span>
                <input
                  class="field"
                  type="text"
                  autocomplete="off"
                  autocapitalize="off"
                  spellcheck="false"
                  .value=${live(this.answer)}
                  @input=${this.#onInput}
                />
              </label>`
        }
        ${this.problem ? html`<div class="notice danger" role="alert">${this.problem}</div>` : nothing}
        <div class="buttons">
          <button class="button" type="button" @click=${this.#onNo}>Cancel</button>
          <button class="button danger" type="submit" ?disabled=${!this.#isAllowed}>${question?.action}</button>
        </div>
      </form>
    </dialog>`;
  }
}

/** `1,204` and `1 204` are what `1204` is. */
function toPlain(text: string): string {
  return text.toLowerCase().replace(/[\s,.']/g, "");
}

customElements.define("sentiero-confirm", SentieroConfirm);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-confirm": SentieroConfirm;
  }
}
