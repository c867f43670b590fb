// Files agents hand in for their answers: streamed into the store, judged by their content, and kept as a row of the
// company until an answer takes them.
import type { Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { fileTypeFromFile } from 'file-type';
import multer, { MulterError } from 'multer';
import type { AttachmentStore, ReceivedFile } from '#domain/attachments/attachment-store.ts';
import { UPLOAD_LIFETIME_MS, Upload } from '#domain/conversations/upload.ts';
import { Invalid, NotFound } from '#domain/errors.ts';
import { safeFileName } from '#domain/rules/file-name.ts';
import { isBlockedFile, MOST_BYTES } from '#domain/rules/outgoing-files.ts';
import type { uploads } from '../contract/uploads.ts';
import type { ApiDependencies } from '../dependencies.ts';
import type { Handlers } from '../mount.ts';
import { uploadViewOf } from '../views/upload-view.ts';

export function uploadRoutes({ database, attachments }: ApiDependencies): Handlers<typeof uploads> {
  return {
    keepUpload: async ({ principal, request, response }) => {
      const file = await receivedFile(attachments, principal.tenantId, request, response);
      try {
        const { name, type } = await judged(file);
        await file.keep();
        return await database.inTenant(principal.tenantId, async (em) => {
          const { sha256, size } = file;
          const expiresAt = new Date(Date.now() + UPLOAD_LIFETIME_MS);
          const upload = em.create(Upload, { createdById: principal.userId, name, type, size, sha256, expiresAt });
          await em.flush();
          return uploadViewOf(upload);
        });
      } finally {
        await file.discard();
      }
    },

    dropUpload: ({ principal, params }) =>
      database.inTenant(principal.tenantId, async (em) => {
        // Its bytes go with the others whose time is over.
        const mine = { id: params.id, createdById: principal.userId, messageId: null };
        const dropped = await em.nativeUpdate(Upload, mine, { expiresAt: new Date() });
        if (dropped === 0) throw new NotFound('upload.not-found', 'This file is not waiting for an answer any more.');
        return undefined;
      }),
  };
}

type NamedFile = ReceivedFile & { originalname: string; mimetype: string };

/** The one file of a multipart request, written while it comes. */
function receivedFile(
  store: AttachmentStore,
  tenantId: string,
  request: Request,
  response: Response,
): Promise<NamedFile> {
  const upload = multer({
    storage: storageIn(store, tenantId),
    limits: { files: 1, fields: 5, fileSize: MOST_BYTES },
    // What browsers send; multer's default mangles every accent.
    defParamCharset: 'utf8',
  }).single('file');
  return new Promise((resolve, reject) => {
    upload(request, response, (error?: unknown) => {
      if (error) reject(error instanceof MulterError ? refusalOf(error) : error);
      else if (request.file) resolve(request.file as unknown as NamedFile);
      else reject(new Invalid('upload.no-file', 'Send one file, as the field “file” of a multipart/form-data body.'));
    });
  });
}

function storageIn(store: AttachmentStore, tenantId: string): multer.StorageEngine {
  return {
    _handleFile: (_request, file, done) => {
      store.receive(tenantId, file.stream as Readable).then(
        (received) => done(null, received as unknown as Partial<Express.Multer.File>),
        (error) => done(error),
      );
    },
    _removeFile: (_request, file, done) => {
      (file as unknown as ReceivedFile).discard().then(() => done(null), done);
    },
  };
}

function refusalOf(error: MulterError): Invalid {
  if (error.code === 'LIMIT_FILE_SIZE') {
    const megabytes = MOST_BYTES / 1_000_000;
    return new Invalid('upload.too-large', `A file may have ${megabytes} MB: send a link to a larger one.`);
  }
  return new Invalid('upload.no-file', 'Send one file, as the field “file” of a multipart/form-data body.');
}

/** @throws Invalid for what mail providers do not take */
async function judged(file: NamedFile): Promise<{ name: string; type: string }> {
  const name = safeFileName(file.originalname) ?? 'file';
  const detected = await fileTypeFromFile(file.path).catch(() => undefined);
  const claimed = /^[\w!#$&^.+-]{1,60}\/[\w!#$&^.+-]{1,59}$/.test(file.mimetype)
    ? file.mimetype
    : 'application/octet-stream';
  const type = detected?.mime ?? claimed;
  if (isBlockedFile(name, type)) {
    throw new Invalid(
      'upload.blocked',
      `“${name}” is a program: mail providers refuse it. Send a link, or another kind of file.`,
      { name },
    );
  }
  if (file.size === 0) throw new Invalid('upload.empty', `“${name}” is empty: choose another file.`, { name });
  return { name, type };
}
