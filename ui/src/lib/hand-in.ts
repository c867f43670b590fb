// Sends one file up. Only XMLHttpRequest tells how far it is.
import { RefusedByApi, type UploadView } from './api.ts';

type Watch = { onProgress: (share: number) => void; signal: AbortSignal };

/** @throws RefusedByApi, or TypeError when the connection was lost */
export function handIn(file: File, { onProgress, signal }: Watch): Promise<UploadView> {
  const request = new XMLHttpRequest();
  const body = new FormData();
  body.set('file', file);
  return new Promise((resolve, reject) => {
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onload = () => {
      if (request.status === 201) resolve(request.response as UploadView);
      else if (request.response) reject(new RefusedByApi(request.response));
      else reject(new TypeError(`The upload was answered ${request.status}.`));
    };
    request.onerror = () => reject(new TypeError('The connection was lost.'));
    request.onabort = () => reject(new TypeError('The upload was stopped.'));
    signal.addEventListener('abort', () => request.abort());
    request.open('POST', '/inbox/uploads');
    request.responseType = 'json';
    request.send(body);
  });
}
