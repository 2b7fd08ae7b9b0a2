import { css, type CSSResult } from "lit";

/** How `<sentiero-replay>` looks. Each colour has a fallback, for pages without the tokens of the dashboard. */
export const replayStyles: CSSResult = css`
  :host {
    display: flex;
    flex-direction: column;
    overflow: hidden;
    min-height: 280px;
    border: 1px solid var(--s-border, #e4e4dc);
    border-radius: var(--s-radius, 10px);
    background: var(--s-surface, #fff);
    color: var(--s-text, #1b1e1a);
    font-variant-numeric: tabular-nums;
  }
  :host(:fullscreen) {
    border: 0;
    border-radius: 0;
  }
  .stage {
    position: relative;
    flex: 1;
    min-height: 0;
    background: var(--s-stage, #e9eae4);
  }
  iframe {
    position: absolute;
    inset: 0;
    width: 100%;
    height: 100%;
    border: 0;
    /* A document of another colour scheme would get an opaque ground. */
    color-scheme: light;
  }
  .over {
    position: absolute;
    inset: 0;
    display: grid;
    place-items: center;
    padding: var(--s-4, 16px);
    text-align: center;
  }
  .over.solid {
    background: var(--s-stage, #e9eae4);
  }
  .over.veil {
    background: color-mix(in srgb, var(--s-stage, #e9eae4) 82%, transparent);
  }
  .message {
    display: grid;
    gap: var(--s-3, 12px);
    justify-items: center;
    max-width: 44ch;
    color: var(--s-text-2, #565c53);
    font-size: var(--s-text-md, 0.875rem);
  }
  .message .icon {
    width: 24px;
    height: 24px;
    color: var(--s-text-3, #646a60);
  }
  .big {
    display: grid;
    place-items: center;
    width: 68px;
    height: 68px;
    padding: 0 0 0 4px;
    border: 0;
    border-radius: 50%;
    background: var(--s-accent, #1f6b4f);
    color: var(--s-on-accent, #fff);
    box-shadow: 0 6px 24px rgb(0 0 0 / 28%);
    cursor: pointer;
    transition: transform 140ms;
  }
  .big:hover {
    transform: scale(1.05);
  }
  .big .icon {
    width: 28px;
    height: 28px;
  }
  .progress {
    width: min(240px, 60%);
    height: 4px;
    overflow: hidden;
    border-radius: 2px;
    background: var(--s-border-strong, #c9cac0);
  }
  .bar {
    width: var(--progress, 0%);
    height: 100%;
    background: var(--s-accent, #1f6b4f);
    transition: width 160ms;
  }
  .toast {
    position: absolute;
    bottom: 12px;
    left: 50%;
    padding: 4px 12px;
    border-radius: 99px;
    background: rgb(20 22 19 / 82%);
    color: #fff;
    font-size: var(--s-text-xs, 0.75rem);
    pointer-events: none;
    transform: translateX(-50%);
  }
  .controls {
    padding: 2px var(--s-3, 12px) var(--s-2, 8px);
    border-top: 1px solid var(--s-border, #e4e4dc);
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: var(--s-1, 4px) var(--s-2, 8px);
  }
  .time {
    margin-right: auto;
    font-size: var(--s-text-sm, 0.8125rem);
    white-space: nowrap;
  }
  .time span {
    color: var(--s-text-3, #646a60);
  }
  .part {
    color: var(--s-text-3, #646a60);
    font-size: var(--s-text-xs, 0.75rem);
  }
  .button[aria-pressed="true"] {
    border-color: transparent;
    background: var(--s-accent-soft, #e3f0e9);
    color: var(--s-accent, #1f6b4f);
  }
  select {
    min-width: 68px;
    appearance: auto;
    padding: 0 6px !important;
    border-color: var(--s-control, #8b8f84) !important;
  }
  @media (max-width: 480px) {
    .skip-word {
      position: absolute;
      width: 1px;
      height: 1px;
      overflow: hidden;
      clip-path: inset(50%);
    }
  }
  @media print {
    .controls {
      display: none;
    }
  }
`;
