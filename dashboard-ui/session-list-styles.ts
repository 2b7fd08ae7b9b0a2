import { css, type CSSResult } from "lit";

/** How `<sentiero-session-list>` looks: a table on wide screens, cards on narrow ones. */
export const sessionListStyles: CSSResult = css`
  :host {
    padding: var(--s-6) var(--s-6) var(--s-12);
  }
  header {
    display: flex;
    flex-wrap: wrap;
    gap: var(--s-2) var(--s-4);
    align-items: center;
    justify-content: space-between;
    min-height: 40px;
    margin-bottom: var(--s-4);
  }
  h1 {
    font-size: var(--s-text-xl);
    font-weight: 600;
    letter-spacing: -0.01em;
  }
  form {
    position: relative;
    width: min(300px, 100%);
  }
  form .icon {
    position: absolute;
    top: 50%;
    left: 10px;
    color: var(--s-text-3);
    pointer-events: none;
    transform: translateY(-50%);
  }
  input {
    width: 100%;
    height: 34px;
    padding: 0 var(--s-3) 0 34px;
    border: 1px solid var(--s-control);
    border-radius: var(--s-radius-sm);
    background: var(--s-surface);
    color: var(--s-text);
    font: inherit;
    font-size: var(--s-text-sm);
  }
  input::placeholder {
    color: var(--s-text-3);
    opacity: 1;
  }
  .jump-problem {
    position: absolute;
    top: calc(100% + 4px);
    right: 0;
    z-index: 2;
    padding: 4px 10px;
    border-radius: var(--s-radius-sm);
    background: var(--s-danger-soft);
    color: var(--s-danger);
    font-size: var(--s-text-xs);
    box-shadow: var(--s-shadow);
  }
  .newer {
    display: flex;
    justify-content: center;
    width: 100%;
    margin-bottom: var(--s-3);
    border-color: transparent;
    background: var(--s-accent-soft);
    color: var(--s-accent);
  }
  .table {
    overflow: hidden;
  }
  .row {
    position: relative;
    display: grid;
    grid-template-columns: 148px minmax(0, 1fr) 92px 64px 64px 72px 56px 190px 40px;
    gap: 0 var(--s-3);
    align-items: center;
    min-height: 60px;
    padding: var(--s-2) var(--s-2) var(--s-2) var(--s-4);
    font-size: var(--s-text-sm);
  }
  .row + .row {
    border-top: 1px solid var(--s-border);
  }
  .row.head {
    min-height: 40px;
    border-bottom: 1px solid var(--s-border);
    color: var(--s-text-3);
    font-size: var(--s-text-xs);
    font-weight: 500;
  }
  .body .row:hover {
    background: var(--s-surface-hover);
  }
  .row:has(a:focus-visible) {
    outline: 2px solid var(--s-focus);
    outline-offset: -2px;
  }
  .row a {
    color: var(--s-text);
    font-size: var(--s-text-md);
    font-weight: 500;
    text-decoration: none;
    outline: none;
  }
  .row a::after {
    content: "";
    position: absolute;
    inset: 0;
  }
  .number {
    text-align: end;
  }
  .faint {
    color: var(--s-text-3);
    font-size: var(--s-text-xs);
  }
  .when {
    display: grid;
  }
  .when .line {
    display: flex;
    align-items: center;
    gap: 6px;
    font-weight: 500;
  }
  .dot {
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: var(--s-success);
    box-shadow: 0 0 0 3px var(--s-success-soft);
  }
  .pages {
    display: grid;
    min-width: 0;
  }
  .to {
    display: flex;
    gap: 4px;
    min-width: 0;
  }
  .device {
    display: flex;
    align-items: center;
    gap: 6px;
    padding-left: var(--s-4);
    color: var(--s-text-2);
  }
  .client {
    display: grid;
    min-width: 0;
  }
  .head .device {
    color: inherit;
  }
  .device .icon {
    color: var(--s-text-3);
  }
  .button.delete {
    position: relative;
    z-index: 1;
    color: var(--s-text-3);
  }
  .button.delete:hover {
    color: var(--s-danger);
  }
  @media (hover: hover) {
    .row:not(:hover, :focus-within) .delete {
      opacity: 0;
    }
  }
  .word {
    display: none;
  }
  footer {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: var(--s-2);
    margin-top: var(--s-4);
    color: var(--s-text-3);
    font-size: var(--s-text-sm);
  }
  .bone {
    height: 14px;
  }
  .bone.short {
    width: 60%;
  }
  .bone.end {
    justify-self: end;
    width: 36px;
  }
  @media (max-width: 1240px) {
    .row {
      grid-template-columns: 132px minmax(0, 1fr) 80px 56px 56px 64px 40px;
    }
    .tabs,
    .device {
      display: none;
    }
  }
  @media (max-width: 760px) {
    :host {
      padding: var(--s-4) var(--s-4) var(--s-8);
    }
    form {
      width: 100%;
    }
    .table {
      overflow: visible;
      border: 0;
      background: none;
      box-shadow: none;
    }
    .head {
      display: none !important;
    }
    .body {
      display: grid;
      gap: var(--s-2);
    }
    .row,
    .row + .row {
      display: flex;
      flex-wrap: wrap;
      gap: 2px var(--s-3);
      min-height: 108px;
      padding: var(--s-3) var(--s-4);
      border: 1px solid var(--s-border);
      border-radius: var(--s-radius);
      background: var(--s-surface);
      box-shadow: var(--s-shadow);
    }
    .pages {
      order: -1;
      width: calc(100% - 48px);
    }
    .when {
      display: flex;
      align-items: baseline;
      gap: var(--s-2);
      width: 100%;
    }
    .number {
      order: 1;
    }
    .delete-cell {
      position: absolute;
      top: var(--s-2);
      right: var(--s-2);
    }
    .word {
      display: inline;
      color: var(--s-text-3);
    }
    .number {
      text-align: start;
    }
    .row .device {
      display: flex;
      order: 2;
      width: 100%;
      padding: 0;
    }
    .row .client {
      display: flex;
      gap: var(--s-2);
      align-items: baseline;
    }
    .bone {
      width: 60%;
    }
  }
  @media print {
    form,
    .delete-cell,
    footer,
    .newer {
      display: none;
    }
  }
`;
