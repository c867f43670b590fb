import { readFileSync } from 'node:fs';
import { paraglideVitePlugin } from '@inlang/paraglide-js';
import adapter from '@sveltejs/adapter-node';
import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig, type Plugin } from 'vite';

/** Where `vite dev` finds a running Relais. */
const RELAIS_URL = process.env.RELAIS_URL ?? 'http://127.0.0.1:3000';

export default defineConfig({
  plugins: [
    sameWords(),
    routesOnly(),
    paraglideVitePlugin({
      project: './project.inlang',
      outdir: './src/paraglide',
      strategy: ['cookie', 'preferredLanguage', 'baseLocale'],
    }),
    sveltekit({
      adapter: adapter({ out: '../build/ui', precompress: true }),
      csp: {
        mode: 'auto',
        directives: {
          'default-src': ['self'],
          'script-src': ['self'],
          'style-src': ['self', 'unsafe-inline'],
          'img-src': ['self', 'data:'],
          'connect-src': ['self'],
          'frame-src': ['self'],
          'frame-ancestors': ['none'],
          'base-uri': ['self'],
          'form-action': ['self'],
          'object-src': ['none'],
        },
      },
    }),
  ],
  server: { proxy: { '/inbox': { target: RELAIS_URL, changeOrigin: true, headers: { origin: RELAIS_URL } } } },
});

/** The screens call routes by method and path; the schemas of the contract (and zod with them) stay on the server. */
function routesOnly(): Plugin {
  const name = 'virtual:routes';
  return {
    name: 'relais-routes',
    resolveId: (id) => (id === name ? `\0${name}` : null),
    async load(id) {
      if (id !== `\0${name}`) return null;
      const { contract } = await import('../api/contract/contract.ts');
      const routes = Object.entries(contract).map(([route, { method, path }]) => [route, { method, path }]);
      return `export const routes = ${JSON.stringify(Object.fromEntries(routes))};`;
    },
  };
}

/** A text that one language lacks would be shown as its key: better no build. */
function sameWords(): Plugin {
  return {
    name: 'relais-words',
    buildStart() {
      const [french, english] = ['fr', 'en'].map((locale) =>
        Object.keys(JSON.parse(readFileSync(`./messages/${locale}.json`, 'utf8'))),
      );
      const lacking = [
        ...english!.filter((key) => !french!.includes(key)).map((key) => `fr: ${key}`),
        ...french!.filter((key) => !english!.includes(key)).map((key) => `en: ${key}`),
      ];
      if (lacking.length > 0) this.error(`These texts are missing: ${lacking.join(', ')}`);
    },
  };
}
