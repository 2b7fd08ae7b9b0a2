import { css, type CSSResult } from "lit";

/** How `<sentiero-activity-list>` looks. */
export const activityListStyles: CSSResult = css`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 0;
    overflow: hidden;
    border: 1px solid var(--s-border);
    border-radius: var(--s-radius);
    background: var(--s-surface);
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--s-2);
    padding: 10px var(--s-4);
    border-bottom: 1px solid var(--s-border);
  }
  h2 {
    font-size: var(--s-text-md);
    font-weight: 600;
  }
  .count {
    color: var(--s-text-3);
    font-size: var(--s-text-xs);
  }
  header .field {
    flex: 1;
    width: auto;
    min-width: 80px;
    min-height: 28px;
    padding: 2px var(--s-2);
    border-color: var(--s-border-strong);
  }
  .chips {
    display: flex;
    flex-wrap: wrap;
    gap: 4px;
    width: 100%;
  }
  .chip {
    display: inline-flex;
    gap: 5px;
    align-items: center;
    min-height: 24px;
    padding: 0 8px;
    border: 1px solid var(--s-border-strong);
    border-radius: var(--s-radius-full);
    background: none;
    color: var(--s-text-2);
    font: inherit;
    font-size: var(--s-text-xs);
    cursor: pointer;
  }
  .chip:hover {
    background: var(--s-surface-2);
  }
  .chip span {
    color: var(--s-text-3);
  }
  .chip[aria-pressed="true"] {
    border-color: var(--s-accent);
    background: var(--s-accent-soft);
    color: var(--s-text);
  }
  .chip[aria-pressed="true"] span {
    color: var(--s-text-2);
  }
  .rows {
    position: relative;
    flex: 1;
    min-height: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
    padding: var(--s-2) 0;
  }
  li {
    position: relative;
  }
  .row {
    position: relative;
    display: grid;
    grid-template-columns: 44px 16px minmax(0, 1fr);
    gap: 0 10px;
    align-items: start;
    width: 100%;
    padding: 7px var(--s-4) 7px var(--s-2);
    border: 0;
    background: none;
    color: inherit;
    font: inherit;
    font-size: var(--s-text-sm);
    line-height: 20px;
    text-align: start;
    cursor: pointer;
  }
  .opens .row {
    padding-inline-end: 40px;
  }
  .row:hover {
    background: var(--s-surface-hover);
  }
  .row:focus-visible,
  .open:focus-visible {
    outline-offset: -2px;
  }
  .row[aria-current] {
    background: var(--s-accent-soft);
  }
  .row[aria-current]::before {
    content: "";
    position: absolute;
    inset: 0 auto 0 0;
    width: 3px;
    background: var(--s-accent);
  }
  .open {
    position: absolute;
    top: 3px;
    right: 6px;
    display: grid;
    place-items: center;
    width: 28px;
    height: 28px;
    padding: 0;
    border: 0;
    border-radius: var(--s-radius-sm);
    background: none;
    color: var(--s-text-3);
    cursor: pointer;
  }
  .open:hover {
    background: var(--s-surface-2);
    color: var(--s-text);
  }
  .open[aria-expanded="true"] .icon {
    transform: rotate(90deg);
  }
  pre {
    max-height: 240px;
    margin: 0 var(--s-3) var(--s-2);
    padding: var(--s-2) var(--s-3);
    overflow: auto;
    border-radius: var(--s-radius-sm);
    background: var(--s-surface-2);
    font-family: var(--s-font-mono);
    font-size: var(--s-text-xs);
    line-height: 1.5;
    overflow-wrap: anywhere;
    white-space: pre-wrap;
  }
  time {
    color: var(--s-text-3);
    text-align: end;
  }
  .row .icon {
    margin-top: 2px;
    color: var(--s-kind-quiet);
  }
  .page .row .icon {
    color: var(--s-kind-page);
  }
  .click .row .icon {
    color: var(--s-kind-click);
  }
  .input .row .icon {
    color: var(--s-kind-input);
  }
  .custom .row .icon,
  .form .row .icon,
  .resource .row .icon {
    color: var(--s-kind-custom);
  }
  .error .row .icon,
  .error .label,
  .error .detail {
    color: var(--s-kind-error);
  }
  .text {
    overflow-wrap: anywhere;
    display: -webkit-box;
    overflow: hidden;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 2;
  }
  .error .text,
  .recorder .text {
    -webkit-line-clamp: 3;
  }
  .label {
    color: var(--s-text-2);
  }
  .page .detail,
  .custom .label,
  .vital .detail,
  .error .label {
    font-weight: 500;
  }
  .custom .detail,
  .recorder .detail {
    color: var(--s-text-2);
  }
  .word {
    padding: 0 6px;
    border-radius: 4px;
    background: var(--s-surface-2);
    color: var(--s-text-2);
    font-size: var(--s-text-xs);
  }
  .word.good {
    background: var(--s-success-soft);
    color: var(--s-success);
  }
  .word.fair {
    background: var(--s-warning-soft);
    color: var(--s-warning);
  }
  .word.bad {
    background: var(--s-danger-soft);
    color: var(--s-danger);
  }
  .idle {
    display: flex;
    align-items: center;
    gap: var(--s-2);
    padding: 4px var(--s-4);
    color: var(--s-text-3);
    font-size: var(--s-text-xs);
  }
  .idle::before,
  .idle::after {
    content: "";
    flex: 1;
    border-top: 1px dashed var(--s-border-strong);
  }
  .none {
    padding: var(--s-8) var(--s-4);
    color: var(--s-text-3);
    font-size: var(--s-text-sm);
    text-align: center;
  }
  .none .button {
    display: flex;
    margin: var(--s-3) auto 0;
  }
  @media (pointer: coarse) {
    .chip {
      min-height: 32px;
    }
    .open {
      width: 34px;
      height: 34px;
      top: 0;
      right: 2px;
    }
  }
  @media print {
    :host,
    .rows {
      overflow: visible;
    }
    .chips,
    header .field {
      display: none;
    }
  }
`;
