import { m } from '#paraglide/messages.js';
import type { Channel } from '../api.ts';

/** Of a conversation: an SMS has none, and is called by its channel. */
export function subjectWord({ subject, channel }: { subject: string; channel: Channel }): string {
  if (subject) return subject;
  return channel === 'sms' || channel === 'whatsapp' ? channelWord(channel) : m.no_subject();
}

export const CHANNELS: readonly Channel[] = ['email', 'sms', 'whatsapp', 'webhook'];

export function channelWord(channel: Channel): string {
  const words: Record<Channel, () => string> = {
    email: m.channel_email,
    sms: m.channel_sms,
    whatsapp: m.channel_whatsapp,
    webhook: m.channel_webhook,
  };
  return words[channel]();
}
