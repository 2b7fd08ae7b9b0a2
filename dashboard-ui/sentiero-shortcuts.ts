import { LitElement, css, html, type CSSResultGroup, type TemplateResult } from "lit";
import { baseStyles, buttonStyles, dialogStyles } from "./shared-styles.ts";

const groups: readonly { readonly title: string; readonly keys: readonly (readonly [keys: string, what: string])[] }[] =
  [
    {
      title: "Everywhere",
      keys: [["?", "Show this help"]],
    },
    {
      title: "Sessions",
      keys: [
        ["j k", "Next, previous session"],
        ["Enter", "Open the session"],
        ["/", "Open a session by its id"],
      ],
    },
    {
      title: "Maintenance",
      keys: [
        ["r", "Look again"],
        ["c", "Check the store"],
      ],
    },
    {
      title: "Replay",
      keys: [
        ["Space", "Play, pause"],
        ["← →", "5 seconds back, on"],
        ["↑ ↓", "Faster, slower"],
        ["f", "Full screen"],
      ],
    },
  ];

/** The keys of the dashboard. */
export class SentieroShortcuts extends LitElement {
  static override styles: CSSResultGroup = [
    baseStyles,
    buttonStyles,
    dialogStyles,
    css`
      h3 {
        margin-top: var(--s-5);
        color: var(--s-text-3);
        font-size: var(--s-text-xs);
        font-weight: 600;
      }
      dl {
        display: grid;
        gap: 6px;
        margin-top: var(--s-2);
        font-size: var(--s-text-md);
      }
      dt {
        display: flex;
        gap: 4px;
      }
      .pair {
        display: flex;
        flex-direction: row-reverse;
        justify-content: space-between;
      }
      kbd {
        min-width: 24px;
        padding: 1px 6px;
        border: 1px solid var(--s-border-strong);
        border-radius: 4px;
        background: var(--s-surface-2);
        font: inherit;
        font-size: var(--s-text-xs);
        text-align: center;
      }
      .buttons {
        display: flex;
        justify-content: flex-end;
        margin-top: var(--s-6);
      }
    `,
  ];

  /** Opens the dialog, or closes it when it is open. */
  toggle(): void {
    const dialog = this.renderRoot.querySelector("dialog");
    if (dialog?.open) dialog.close();
    else dialog?.showModal();
  }

  override render(): TemplateResult {
    return html`<dialog aria-labelledby="title">
      <h2 id="title">Keyboard shortcuts</h2>
      ${groups.map(
        (group) =>
          html`<h3>${group.title}</h3>
            <dl>
              ${group.keys.map(
                ([keys, what]) =>
                  html`<div class="pair">
                    <dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd>`)}</dt>
                    <dd>${what}</dd>
                  </div>`,
              )}
            </dl>`,
      )}
      <div class="buttons"><button class="button" type="button" @click=${this.toggle}>Close</button></div>
    </dialog>`;
  }
}

customElements.define("sentiero-shortcuts", SentieroShortcuts);

declare global {
  interface HTMLElementTagNameMap {
    "sentiero-shortcuts": SentieroShortcuts;
  }
}
