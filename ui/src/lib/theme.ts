// Light, dark, or as the system says. Kept in a cookie, so that the server can write it into the page.
import { browser } from '$app/env';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const THEME_COOKIE = 'relais_theme';
const A_YEAR_SECONDS = 365 * 24 * 3600;

export function themeOf(cookie: string | undefined): Theme {
  return THEMES.find((theme) => theme === cookie) ?? 'system';
}

export function currentTheme(): Theme {
  return browser ? themeOf(document.documentElement.dataset.theme) : 'system';
}

export function setTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser yet
  document.cookie = `${THEME_COOKIE}=${theme}; path=/; max-age=${A_YEAR_SECONDS}; samesite=lax`;
}
