import { css, type CSSResult } from "lit";

/** What every element of the dashboard starts from. */
export const baseStyles: CSSResult = css`
  :host {
    display: block;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }
  h1,
  h2,
  h3,
  p,
  dl,
  dd,
  ul,
  ol {
    margin: 0;
    padding: 0;
  }
  ul,
  ol {
    list-style: none;
  }
  a {
    color: inherit;
  }
  :focus {
    outline: none;
  }
  :focus-visible {
    outline: 2px solid var(--s-focus);
    outline-offset: 2px;
  }
  .icon {
    display: block;
    flex: none;
    width: 16px;
    height: 16px;
    fill: none;
    stroke: currentColor;
    stroke-width: 1.5;
    stroke-linecap: round;
    stroke-linejoin: round;
  }
  .icon .fill {
    fill: currentColor;
    stroke: none;
  }
  .mono {
    font-family: var(--s-font-mono);
    font-size: 0.93em;
  }
  /* Recorded text may hold characters that turn the direction of what follows. */
  .recorded {
    unicode-bidi: isolate;
  }
  .cut {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .only-read {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      animation-duration: 1ms !important;
      animation-iteration-count: 1 !important;
      transition-duration: 1ms !important;
      scroll-behavior: auto !important;
    }
  }
`;

/** Buttons, and links that look like one. */
export const buttonStyles: CSSResult = css`
  .button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    min-height: 32px;
    padding: 0 var(--s-3);
    border: 1px solid var(--s-border-strong);
    border-radius: var(--s-radius-sm);
    background: var(--s-surface);
    color: var(--s-text);
    font: inherit;
    font-size: var(--s-text-sm);
    font-weight: 500;
    line-height: 1;
    text-decoration: none;
    white-space: nowrap;
    cursor: pointer;
    transition: background-color 120ms;
  }
  .button:hover {
    background: var(--s-surface-2);
  }
  .button:disabled,
  .button[aria-disabled="true"] {
    opacity: 0.5;
    cursor: default;
    pointer-events: none;
  }
  .button.primary {
    border-color: transparent;
    background: var(--s-accent);
    color: var(--s-on-accent);
  }
  .button.primary:hover {
    background: var(--s-accent-hover);
  }
  .button.danger {
    border-color: transparent;
    background: var(--s-danger);
    color: var(--s-on-danger);
  }
  .button.danger:hover {
    background: var(--s-danger-hover);
  }
  .button.plain {
    border-color: transparent;
    background: none;
    color: var(--s-text-2);
  }
  .button.plain:hover {
    background: var(--s-surface-2);
    color: var(--s-text);
  }
  .button.square {
    width: 32px;
    padding: 0;
  }
  @media (pointer: coarse) {
    .button {
      min-height: 40px;
    }
    .button.square {
      width: 40px;
    }
  }
`;

/** Cards, badges and notices. */
export const surfaceStyles: CSSResult = css`
  .card {
    border: 1px solid var(--s-border);
    border-radius: var(--s-radius);
    background: var(--s-surface);
    box-shadow: var(--s-shadow);
  }
  .badge {
    display: inline-flex;
    align-items: center;
    gap: 5px;
    padding: 1px 8px;
    border-radius: var(--s-radius-full);
    background: var(--s-surface-2);
    color: var(--s-text-2);
    font-size: var(--s-text-xs);
    font-weight: 500;
    white-space: nowrap;
  }
  .badge.live {
    background: var(--s-success-soft);
    color: var(--s-success);
  }
  .badge.live::before {
    content: "";
    width: 6px;
    height: 6px;
    border-radius: 50%;
    background: currentColor;
  }
  .notice {
    display: flex;
    align-items: flex-start;
    gap: var(--s-2);
    padding: 10px var(--s-3);
    border-radius: var(--s-radius);
    background: var(--s-info-soft);
    color: var(--s-text);
    font-size: var(--s-text-sm);
  }
  .notice > .icon {
    margin-top: 2px;
    color: var(--s-info);
  }
  .notice.warning {
    background: var(--s-warning-soft);
  }
  .notice.warning > .icon {
    color: var(--s-warning);
  }
  .notice.danger {
    background: var(--s-danger-soft);
  }
  .notice.danger > .icon {
    color: var(--s-danger);
  }
  .bone {
    border-radius: 4px;
    background: var(--s-border);
    animation: bone 1.4s ease-in-out infinite alternate;
  }
  @keyframes bone {
    to {
      opacity: 0.45;
    }
  }
`;

/** A modal dialog and its heading. */
export const dialogStyles: CSSResult = css`
  dialog {
    width: min(420px, calc(100vw - 32px));
    padding: var(--s-6);
    border: 1px solid var(--s-border);
    border-radius: var(--s-radius);
    background: var(--s-surface);
    color: var(--s-text);
    box-shadow: var(--s-shadow-lg);
  }
  dialog::backdrop {
    background: var(--s-backdrop);
  }
  h2 {
    font-size: var(--s-text-lg);
    font-weight: 600;
  }
`;

/** What fills a page or a card that has nothing else to show: an icon, a sentence, a way on. */
export const centerStyles: CSSResult = css`
  .center {
    display: grid;
    gap: var(--s-4);
    justify-items: center;
    padding: 12vh var(--s-4);
    color: var(--s-text-2);
    text-align: center;
  }
  .center .icon {
    width: 28px;
    height: 28px;
    color: var(--s-text-3);
  }
`;

/** Fields to type into, and their labels. */
export const fieldStyles: CSSResult = css`
  .field {
    width: 100%;
    min-height: 34px;
    padding: 6px var(--s-3);
    border: 1px solid var(--s-control);
    border-radius: var(--s-radius-sm);
    background: var(--s-surface);
    color: var(--s-text);
    font: inherit;
    font-size: var(--s-text-sm);
  }
  .field::placeholder {
    color: var(--s-text-3);
    opacity: 1;
  }
  @media (pointer: coarse) {
    .field {
      min-height: 40px;
      /* Smaller text makes iOS zoom in. */
      font-size: 16px;
    }
  }
`;
