import {
  LitElement,
  css,
  html,
  nothing,
  type CSSResultGroup,
  type PropertyDeclarations,
  type TemplateResult,
} from "lit";
import { errorText } from "./api.ts";
import { baseStyles, buttonStyles, dialogStyles, surfaceStyles } from "./shared-styles.ts";

/** What is asked, and what is done about a yes. */
export interface Question {
  readonly title: string;
  readonly text: string;
  /** The word on the button, such as `Delete`. */
  readonly action: string;
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
  };

  declare private question: Question | null;
  declare private isRunning: boolean;
  declare private problem: string;

  constructor() {
    super();
    this.question = null;
    this.isRunning = false;
    this.problem = "";
  }

  /** Opens the dialog. */
  async ask(question: Question): Promise<void> {
    this.question = question;
    this.problem = "";
    this.isRunning = false;
    await this.updateComplete;
    this.#dialog?.showModal();
  }

  get #dialog(): HTMLDialogElement | null {
    return this.renderRoot.querySelector("dialog");
  }

  async #onYes(): Promise<void> {
    const { question } = this;
    if (!question || this.isRunning) return;
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
      ${this.problem ? html`<div class="notice danger" role="alert">${this.problem}</div>` : nothing}
      <div class="buttons">
        <button class="button" type="button" @click=${this.#onNo}>Cancel</button>
        <button class="button danger" type="button" ?disabled=${this.isRunning} @click=${this.#onYes}>
          ${question?.action}
        </button>
      </div>
    </dialog>`;
  }
}

customElements.define("sentiero-confirm", SentieroConfirm);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-confirm": SentieroConfirm;
  }
}
