// What clients sent, as bytes: the HTML of a mail, its attachments, its raw form. None of it may ever act in our
// document: it is served sandboxed, never sniffed, and files only as downloads (pictures that mails show inline apart).
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import { type Response, Router } from 'express';
import { isMissing } from '#domain/attachments/attachment-store.ts';
import { Conversation } from '#domain/conversations/conversation.ts';
import { Attachment, Message } from '#domain/conversations/message.ts';
import { openAttachment } from '#domain/conversations/open-attachment.ts';
import { NotFound } from '#domain/errors.ts';
import { Receipt } from '#domain/integrations/receipt.ts';
import { isKeptBack } from '#domain/rules/file-verdict.ts';
import { attributeText } from '#domain/rules/html-attribute.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { hasPreview, Previews } from '../previews.ts';
import { principalOf } from '../principal.ts';

/** Types a browser shows as a picture and never runs. */
const SHOWN_INLINE = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp']);

export function contentRoutes(dependencies: ApiDependencies): Router {
  const { database, attachments } = dependencies;
  const previews = new Previews(attachments);
  const router = Router();

  router.get('/messages/:id/body', async (request, response) => {
    const { tenantId } = await principalOf(dependencies, request);
    const { html, files } = await database.inTenant(tenantId, async (em) => {
      const message = await shownMessage(em, uuid(request.params.id));
      const files = message ? await em.find(Attachment, { messageId: message.id, contentId: { $ne: null } }) : [];
      return { html: message?.html ?? null, files };
    });
    if (html === null) throw new NotFound('message.no-html', 'This message has no formatted body.');
    const remote = request.query.images === 'remote';
    sandbox(response, remote);
    response.type('html').send(mailPage(html, files, remote));
  });

  router.get('/messages/:id/source', async (request, response) => {
    const { tenantId } = await principalOf(dependencies, request);
    const raw = await database.inTenant(tenantId, async (em) => {
      const message = await shownMessage(em, uuid(request.params.id));
      const receipt = message?.receiptId
        ? await em.findOne(Receipt, { id: message.receiptId }, { populate: ['raw'] })
        : null;
      return receipt?.raw ?? null;
    });
    if (!raw) throw new NotFound('message.no-source', 'The original of this message is no longer kept.');
    asDownload(response, 'message.eml', 'message/rfc822');
    response.send(Buffer.from(raw));
  });

  router.get('/attachments/:id', async (request, response) => {
    const principal = await principalOf(dependencies, request);
    const { tenantId } = principal;
    const anyway = request.query.anyway !== undefined;
    const file = await database.inTenant(tenantId, (em) =>
      openAttachment(em, principal, uuid(request.params.id), anyway),
    );
    const bytes = await opened(file, () => attachments.read(tenantId, file.sha256));
    if (request.query.inline !== undefined && SHOWN_INLINE.has(file.type) && !isKeptBack(file.verdict)) {
      sandbox(response, false);
      response.type(file.type);
    } else {
      asDownload(response, file.name, file.type);
    }
    // Tomorrow the scanner may know more.
    const lasting = file.verdict === 'clean' ? 'private, max-age=86400' : 'private, no-store';
    response.set('Cache-Control', lasting);
    await send(bytes, response);
  });

  router.get('/attachments/:id/preview', async (request, response) => {
    const principal = await principalOf(dependencies, request);
    const { tenantId } = principal;
    const file = await database.inTenant(tenantId, (em) =>
      openAttachment(em, principal, uuid(request.params.id), false),
    );
    const preview = hasPreview(file.type) ? await opened(file, () => previews.of(tenantId, file.sha256)) : null;
    if (!preview) throw new NotFound('attachment.no-preview', 'This file cannot be shown: download it.');
    sandbox(response, false);
    response.type('image/webp').set('Cache-Control', 'private, max-age=86400');
    await send(preview, response);
  });

  return router;
}

// What cannot be read is refused before an answer has begun, and with headers of its own.
async function opened<Bytes extends Readable | null>(
  { name }: Attachment,
  open: () => Bytes | Promise<Bytes>,
): Promise<Bytes> {
  try {
    const bytes = await open();
    if (bytes) await once(bytes, 'readable');
    return bytes;
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new NotFound('attachment.lost', `The file store no longer has “${name}”: bring it back from a backup.`);
  }
}

// A file that breaks off breaks the connection, so that nobody takes a part of it for the whole; whoever goes away is
// no fault.
function send(bytes: Readable, response: Response): Promise<void> {
  return pipeline(bytes, response).catch(() => {});
}

/** Null when its conversation was deleted. */
async function shownMessage(em: EntityManager, id: string): Promise<Message | null> {
  const message = await em.findOne(Message, { id }, { populate: ['html'] });
  const isShown = message && (await em.count(Conversation, { id: message.conversationId, deletedAt: null })) > 0;
  return isShown ? message : null;
}

function uuid(value: unknown): string {
  if (typeof value === 'string' && /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(value)) return value;
  throw new NotFound('not-found', 'There is nothing at this address.');
}

function sandbox(response: Response, remoteImages: boolean): void {
  response.set({
    'Content-Security-Policy': [
      // Its own origin, so that its pictures come with the session; no scripts, ever.
      'sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox',
      "default-src 'none'",
      `img-src 'self' data:${remoteImages ? ' https: http:' : ''}`,
      "style-src 'unsafe-inline'",
      "frame-ancestors 'self'",
    ].join('; '),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'private, no-store',
  });
}

function asDownload(response: Response, name: string, type: string): void {
  response.set({
    'Content-Type': type.startsWith('text/') ? 'text/plain; charset=utf-8' : type,
    'Content-Disposition': `attachment; filename*=UTF-8''${encodeURIComponent(name)}`,
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
  });
}

// Inline pictures are ours to serve; remote ones stay away until an agent asks for them, because they tell the sender
// when and where a mail was opened.
function mailPage(html: string, files: Attachment[], remoteImages: boolean): string {
  const body = html
    .replace(/data-content-id="([^"]*)"/g, (whole, contentId: string) => {
      const file = files.find((candidate) => candidate.contentId === attributeText(contentId));
      return file ? `src="/inbox/attachments/${file.id}?inline"` : whole;
    })
    .replace(/data-remote-src="([^"]*)"/g, (whole, address: string) => (remoteImages ? `src="${address}"` : whole));
  return `<!doctype html><html><head><meta charset="utf-8"><base target="_blank"><style>
    body { font: 15px/1.55 system-ui, sans-serif; margin: 0; color: #1c1b1a; overflow-wrap: anywhere; background: #fff; }
    img { max-width: 100%; height: auto; } table { max-width: 100%; } blockquote { margin: 0 0 0 .5em; padding-left: .75em; border-left: 2px solid #ccc; color: #555; }
  </style></head><body>${body}</body></html>`;
}
