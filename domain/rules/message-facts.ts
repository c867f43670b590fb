export type Channel = 'email' | 'sms' | 'whatsapp' | 'webhook';

/** A message as the rules see it: already decoded, no HTML. */
export type MessageFacts = {
  channel: Channel;
  sender: { address: string | null; name: string | null; phone: string | null };
  /** Addresses or numbers, to and cc. */
  recipients: string[];
  subject: string;
  /** The whole text, quotes included. */
  text: string;
  /** The text without quotes and signature. */
  newText: string;
  /** 'fr', 'en', ... or null when unknown. */
  language: string | null;
  hasAttachment: boolean;
  /** The client's own attributes, as the tenant named them. */
  client: Record<string, string>;
};
