import { LitElement, css, html, type CSSResultGroup, type PropertyDeclarations, type TemplateResult } from "lit";
import { icon, type IconName } from "./icons.ts";
import { baseStyles, buttonStyles } from "./shared-styles.ts";

const DONE_MS = 1600;

/** Copies a text and says so. */
export class SentieroCopyButton extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    buttonStyles,
    css`
      @media (max-width: 900px) {
        :host([collapses]) .button {
          width: 40px;
          padding: 0;
        }
        :host([collapses]) span {
          position: absolute;
          width: 1px;
          height: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
      }
    `,
  ];

  static override properties: PropertyDeclarations = {
    text: { attribute: false },
    label: { type: String },
    icon: { type: String },
    isPlain: { type: Boolean, attribute: "plain" },
    isSquare: { type: Boolean, attribute: "square" },
    collapses: { type: Boolean, reflect: true },
    state: { state: true },
  };

  declare private state: "idle" | "done" | "failed";

  /** What is copied; a function is asked when the button is pressed. */
  declare text: string | (() => string);
  /** What the button says. */
  declare label: string;
  /** What it shows. */
  declare icon: IconName;
  /** Without a border. */
  declare isPlain: boolean;
  /** Without the word, which is read out all the same. */
  declare isSquare: boolean;
  /** As `isSquare`, on narrow screens only. */
  declare collapses: boolean;

  #timer = 0;

  constructor() {
    super();
    this.text = "";
    this.label = "Copy";
    this.icon = "copy";
    this.isPlain = false;
    this.isSquare = false;
    this.collapses = false;
    this.state = "idle";
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.#timer);
  }

  async #onClick(event: Event): Promise<void> {
    // The button may stand inside of a link.
    event.preventDefault();
    try {
      await navigator.clipboard.writeText(typeof this.text === "function" ? this.text() : this.text);
      this.state = "done";
    } catch {
      this.state = "failed";
    }
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => (this.state = "idle"), DONE_MS);
  }

  override render(): TemplateResult {
    const words = { idle: this.label, done: "Copied", failed: "Could not copy" }[this.state];
    return html`<button
      class="button ${this.isPlain ? "plain" : ""} ${this.isSquare ? "square" : ""}"
      type="button"
      title=${this.label}
      @click=${this.#onClick}
    >
      ${icon(this.state === "done" ? "check" : this.icon)}
      <span class=${this.isSquare ? "only-read" : ""} role="status">${words}</span>
    </button>`;
  }
}

customElements.define("sentiero-copy-button", SentieroCopyButton);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-copy-button": SentieroCopyButton;
  }
}
