/** `system` follows the operating system. */
export type Theme = "system" | "light" | "dark";

const KEY = "sentiero-theme";

/** What the viewer chose on this machine; `system` where nothing is kept or keeping is not allowed. */
export function storedTheme(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

/** Shows the page in a theme and keeps the choice. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // A viewer without storage chooses again on the next visit.
  }
}
