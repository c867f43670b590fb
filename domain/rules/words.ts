// The closed lists of words that tables, types, API and screens share.

export const CHANNELS = ['email', 'sms', 'whatsapp', 'webhook'] as const;

/** How a folder answers: not at all, by itself, or with an agent's validation. */
export const REPLY_MODES = ['off', 'automatic', 'validation'] as const;
export type ReplyMode = (typeof REPLY_MODES)[number];

/** What happens to a draft that nobody decided in time. */
export const DEADLINE_ACTIONS = ['remind', 'escalate', 'send', 'discard'] as const;
export type DeadlineAction = (typeof DEADLINE_ACTIONS)[number];

/** What a folder does when the client stays silent after a reply. */
export const FOLLOW_UP_MODES = ['off', 'remind', 'send'] as const;
export type FollowUpMode = (typeof FOLLOW_UP_MODES)[number];

/** Who put a conversation into its folder; a person's choice is never overridden. */
export const SORTERS = ['rule', 'model', 'person'] as const;
export type Sorter = (typeof SORTERS)[number];

/** How Vonage signs the webhooks of its SMS API, as its dashboard names it: `md5hash` is its default and weak. */
export const SIGNATURE_ALGORITHMS = ['md5hash', 'md5', 'sha1', 'sha256', 'sha512'] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** Why a call of Vonage was not let in. */
export const QUARANTINE_REASONS = ['unsigned', 'wrong-signature', 'too-old', 'unknown-number'] as const;
export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];

/** Where a mailbox can be opened by consent instead of a password. */
export const OAUTH_PROVIDERS = ['google', 'microsoft'] as const;
export type OAuthProviderName = (typeof OAUTH_PROVIDERS)[number];
export const OAUTH_LABELS: Record<OAuthProviderName, string> = { google: 'Google', microsoft: 'Microsoft' };

export const LOCALES = ['fr', 'en'] as const;
export type Locale = (typeof LOCALES)[number];

/** The end of one reply's way, and every state before it. */
export const REPLY_STATES = ['approved', 'sending', 'sent', 'unknown', 'failed', 'cancelled'] as const;
export type ReplyState = (typeof REPLY_STATES)[number];

/** Who said where the servers of a mailbox are. */
export const MAIL_SERVER_SOURCES = ['preset', 'autoconfig', 'srv', 'mx', 'guess'] as const;
export type MailServerSource = (typeof MAIL_SERVER_SOURCES)[number];
