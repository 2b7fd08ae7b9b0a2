import { css, type CSSResult } from "lit";

/** A section of the maintenance page: a card with a heading, sentences and a row of buttons. */
export const sectionStyles: CSSResult = css`
  /* As high as the card beside it. */
  :host {
    display: grid;
    grid-template-rows: 1fr auto;
  }
  .section {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--s-3);
    align-content: start;
    padding: var(--s-5);
  }
  h2 {
    font-size: var(--s-text-lg);
    font-weight: 600;
    line-height: 1.25;
  }
  .text {
    max-width: 72ch;
    color: var(--s-text-2);
    font-size: var(--s-text-md);
  }
  .quiet {
    color: var(--s-text-3);
    font-size: var(--s-text-sm);
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s-2);
    align-items: center;
  }
  .label {
    display: grid;
    gap: var(--s-1);
    color: var(--s-text-2);
    font-size: var(--s-text-sm);
    font-weight: 500;
  }
  .preview {
    min-height: 44px;
    padding: 10px var(--s-3);
    border-radius: var(--s-radius-sm);
    background: var(--s-surface-2);
    color: var(--s-text-2);
    font-size: var(--s-text-md);
  }
  .preview b {
    color: var(--s-text);
    font-weight: 600;
  }
  .preview.failed {
    background: var(--s-danger-soft);
    color: var(--s-text);
  }
  .code {
    display: inline-flex;
    gap: 2px;
    align-items: center;
    max-width: 100%;
    padding-left: var(--s-2);
    border: 1px solid var(--s-border);
    border-radius: var(--s-radius-sm);
    background: var(--s-surface-2);
    color: var(--s-text);
    vertical-align: middle;
  }
  .code code {
    font-family: var(--s-font-mono);
    font-size: var(--s-text-sm);
    overflow-wrap: anywhere;
  }
  @media (max-width: 760px) {
    .section {
      padding: var(--s-4);
    }
  }
`;
