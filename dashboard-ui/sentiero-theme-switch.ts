import { LitElement, css, html, type CSSResultGroup, type PropertyDeclarations, type TemplateResult } from "lit";
import { icon } from "./icons.ts";
import { baseStyles } from "./shared-styles.ts";
import { applyTheme, storedTheme, type Theme } from "./theme.ts";

const choices: readonly { readonly theme: Theme; readonly label: string }[] = [
  { theme: "system", label: "As the system" },
  { theme: "light", label: "Light" },
  { theme: "dark", label: "Dark" },
];

/** Light, dark, or as the operating system has it. */
export class SentieroThemeSwitch extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    css`
      fieldset {
        display: flex;
        gap: 2px;
        width: max-content;
        margin: 0;
        padding: 2px;
        border: 0;
        border-radius: var(--s-radius-sm);
        background: var(--s-surface-2);
      }
      label {
        position: relative;
        display: grid;
        place-items: center;
        width: 30px;
        height: 28px;
        border-radius: 5px;
        color: var(--s-text-3);
        cursor: pointer;
      }
      label:hover {
        color: var(--s-text);
      }
      label:has(:checked) {
        background: var(--s-raised);
        box-shadow: var(--s-shadow);
        color: var(--s-text);
      }
      label:has(:focus-visible) {
        outline: 2px solid var(--s-focus);
      }
      input {
        position: absolute;
        inset: 0;
        margin: 0;
        opacity: 0;
        cursor: pointer;
      }
    `,
  ];

  static override properties: PropertyDeclarations = { theme: { state: true } };

  declare private theme: Theme;

  constructor() {
    super();
    this.theme = storedTheme();
  }

  #onChange(event: Event): void {
    this.theme = (event.target as HTMLInputElement).value as Theme;
    applyTheme(this.theme);
  }

  override render(): TemplateResult {
    return html`<fieldset @change=${this.#onChange}>
      <legend class="only-read">Colours</legend>
      ${choices.map(
        ({ theme, label }) =>
          html`<label title=${label}>
            <input type="radio" name="theme" value=${theme} .checked=${theme === this.theme} aria-label=${label} />
            ${icon(theme)}
          </label>`,
      )}
    </fieldset>`;
  }
}

customElements.define("sentiero-theme-switch", SentieroThemeSwitch);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-theme-switch": SentieroThemeSwitch;
  }
}
