// The page already speaks the visitor's language and wears their theme before any script has run.
import type { Handle } from '@sveltejs/kit/hooks';
import { THEME_COOKIE, themeOf } from '#lib/theme.ts';
import { paraglideMiddleware } from '#paraglide/server.js';

export const handle: Handle = ({ event, resolve }) =>
  paraglideMiddleware(event.request, ({ locale }) =>
    resolve(event, {
      transformPageChunk: ({ html }) =>
        html.replace('%lang%', locale).replace('%theme%', themeOf(event.cookies.get(THEME_COOKIE))),
    }),
  );
