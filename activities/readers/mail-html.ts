// Makes a mail's HTML safe to keep. It is shown later in a sandboxed frame without scripts; this is the first fence.
// Remote images keep their address under data-remote-src, so that a screen can load them when an agent asks.
import sanitizeHtml from 'sanitize-html';

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

export function sanitiseMailHtml(html: string): string | null {
  if (html.length > LONGEST_HTML) return null;
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
    allowedSchemes: ['http', 'https', 'mailto', 'tel'],
    allowedSchemesByTag: { img: ['cid', 'data'] },
    allowProtocolRelative: false,
    transformTags: {
      a: (tagName, attributes) => ({
        tagName,
        attribs: { ...attributes, target: '_blank', rel: 'noopener noreferrer nofollow' },
      }),
      img: (tagName, attributes) => ({ tagName, attribs: imageAttributes(attributes) }),
    },
    nestingLimit: 100,
  });
}

function imageAttributes(attributes: Record<string, string>): Record<string, string> {
  const { src = '', ...rest } = attributes;
  if (/^cid:/i.test(src)) return { ...rest, 'data-content-id': src.slice(4) };
  if (/^data:image\/(png|gif|jpe?g|webp);base64,/i.test(src)) return { ...rest, src };
  if (/^https?:/i.test(src)) return { ...rest, 'data-remote-src': src };
  return rest;
}
