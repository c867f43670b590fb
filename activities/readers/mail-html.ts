// Makes a mail's HTML safe to keep. It is shown later in a sandboxed frame without scripts; this is the first fence.
// Remote images keep their address under data-remote-src, so that a screen can load them when an agent asks.
import sanitizeHtml from 'sanitize-html';
import { attributeText } from '#domain/rules/html-attribute.ts';
import { isTooDeep } from './html-text.ts';

/** Beyond this a mail is shown as text only. */
const LONGEST_HTML = 2_000_000;

const STYLES = {
  '*': Object.fromEntries(
    [
      'color',
      'background-color',
      'font-weight',
      'font-style',
      'font-size',
      'font-family',
      'text-align',
      'text-decoration',
      'line-height',
      'width',
      'max-width',
      'height',
      'border',
      'border-collapse',
      'border-left',
      'padding',
      'padding-left',
      'margin',
      'margin-left',
      'vertical-align',
      'white-space',
    ].map((property) => [property, [/^(?!.*(?:url|expression|javascript|@import)\s*[(:]).{1,200}$/i]]),
  ),
};

/** @returns null when it is longer, or nested deeper, than a letter is */
export function sanitiseMailHtml(html: string): string | null {
  if (html.length > LONGEST_HTML || isTooDeep(html)) return null;
  return sanitizeHtml(html, {
    allowedTags: [
      ...sanitizeHtml.defaults.allowedTags,
      'img',
      'font',
      'center',
      'u',
      's',
      'del',
      'ins',
      'details',
      'summary',
    ],
    allowedAttributes: {
      '*': ['style', 'align', 'valign', 'dir', 'lang', 'title', 'width', 'height', 'bgcolor', 'color', 'class'],
      a: ['href', 'name', 'target', 'rel'],
      img: ['src', 'alt', 'data-remote-src', 'data-content-id'],
      font: ['face', 'size'],
      td: ['colspan', 'rowspan', 'nowrap'],
      th: ['colspan', 'rowspan', 'nowrap'],
      table: ['cellpadding', 'cellspacing', 'border'],
    },
    allowedStyles: STYLES,
    nonTextTags: ['script', 'style', 'textarea', 'option', 'noscript', 'title', 'xml'],
    allowedSchemes: ['http', 'https', 'mailto', 'tel'],
    allowedSchemesByTag: { img: ['cid', 'data'] },
    allowProtocolRelative: false,
    transformTags: {
      a: (tagName, attributes) => ({
        tagName,
        attribs: { ...linkAttributes(attributes), target: '_blank', rel: 'noopener noreferrer nofollow' },
      }),
      img: (tagName, attributes) => ({ tagName, attribs: imageAttributes(attributes) }),
    },
    nestingLimit: 100,
  });
}

// A relative address would lead into Relais itself.
function linkAttributes(attributes: Record<string, string>): Record<string, string> {
  const { href = '', ...rest } = attributes;
  return /^\s*(https?:\/\/|mailto:|tel:)/i.test(href) ? { ...rest, href: href.trim() } : rest;
}

/** RFC 2392: within a URL, a content id is percent-encoded. */
function plainId(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

/** @param html sanitised */
export function shownContentIds(html: string): Set<string> {
  return new Set([...html.matchAll(/data-content-id="([^"]*)"/g)].map(([, id]) => attributeText(id!)));
}

function imageAttributes(attributes: Record<string, string>): Record<string, string> {
  // Our own attributes are ours to set.
  const { src = '', 'data-remote-src': _remote, 'data-content-id': _content, ...rest } = attributes;
  const address = src.trim();
  if (/^cid:/i.test(address)) return { ...rest, 'data-content-id': plainId(address.slice(4)) };
  if (/^data:image\/(png|gif|jpe?g|webp);base64,/i.test(address)) return { ...rest, src: address };
  if (/^https?:\/\//i.test(address)) return { ...rest, 'data-remote-src': address };
  if (address.startsWith('//')) return { ...rest, 'data-remote-src': `https:${address}` };
  return rest;
}
