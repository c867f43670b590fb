// Leaves for Google or Microsoft, to let Relais into a mailbox; the browser comes back to the wizard.
import { type Asked, api } from './api.ts';
import { refused } from './toasts.ts';

/** @returns only when it did not work: then the reader has been told */
export async function goToConsent(asked: Asked<'requestConsent'>['body']): Promise<void> {
  try {
    const { url } = await api.requestConsent({ body: asked });
    window.location.assign(url);
    // The page is on its way out: what waits for this must not look finished.
    await new Promise(() => {});
  } catch (error) {
    refused(error);
  }
}
