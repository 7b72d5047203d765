import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { sidebar } from '../dist/sidebar.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const docs = resolve(repository, 'docs');
const HOME = 'https://github.com/redkeep/redkeep';

const page = (text: string, link: string) => ({ text, link: `/${link}` });

export default defineConfig({
  title: 'Redkeep',
  description: 'The secure way to run Redis, Valkey and Dragonfly from Node.js',
  lang: 'en',
  srcDir: docs,
  outDir: resolve(repository, 'site/.vitepress/dist'),
  // Pages are files: nothing has to be configured where they are served from.
  cleanUrls: false,
  // A placeholder: build.ts makes every address relative, so that the site works from any folder.
  base: '/__base__/',
  head: [['link', { rel: 'icon', href: '/__base__/favicon.svg', type: 'image/svg+xml' }]],
  lastUpdated: false,
  markdown: {
    // As GitHub makes them, so that one link works in both places.
    anchor: {
      slugify: (title) =>
        title
          .toLowerCase()
          .replace(/[^\p{L}\p{N}\s_-]/gu, '')
          .trim()
          .replace(/\s/g, '-'),
    },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    languageAlias: { caddyfile: 'nginx', mjs: 'js', promql: 'text' },
    config(md) {
      // A heading cell without text is not a heading.
      md.core.ruler.push('empty-headings', (state) => {
        for (const [at, token] of state.tokens.entries()) {
          if (token.type !== 'th_open' || state.tokens[at + 1]?.content !== '') continue;
          token.tag = 'td';
          state.tokens[at + 2]!.tag = 'td';
        }
      });
      // A link out of docs/ is a link into the repository.
      md.core.ruler.push('links-out', (state) => {
        const { relativePath } = state.env as { relativePath: string };
        for (const token of state.tokens.flatMap(({ children }) => children ?? [])) {
          const href = token.type === 'link_open' ? token.attrGet('href') : null;
          if (href === null || /^[a-z]+:|^#|^\//.test(href)) continue;
          const [path = '', anchor] = href.split('#');
          const target = resolve(docs, relativePath, '..', decodeURI(path));
          if (!relative(docs, target).startsWith('..')) continue;
          token.attrSet('href', `${HOME}/blob/main/${relative(repository, target)}${anchor ? `#${anchor}` : ''}`);
        }
      });
    },
  },
  themeConfig: {
    search: {
      provider: 'local',
      options: { translations: { button: { buttonText: 'Search', buttonAriaLabel: 'Search' } } },
    },
    outline: [2, 3],
    nav: [
      page('Get started', 'get-started'),
      page('Client', 'client'),
      page('Guard', 'guard'),
      page('Deployments', 'deployments'),
      page('Audit', 'audit'),
      { text: 'Reference', link: '/reference/options' },
    ],
    editLink: { pattern: `${HOME}/edit/main/docs/:path`, text: 'Edit this page' },
    socialLinks: [{ icon: 'github', link: HOME }],
    sidebar: sidebar.map(({ text, items }) => ({ text, items: [...items] })),
  },
});
