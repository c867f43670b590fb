import Mail from '@lucide/svelte/icons/mail';
import MessageCircle from '@lucide/svelte/icons/message-circle';
import MessageSquareText from '@lucide/svelte/icons/message-square-text';
import Webhook from '@lucide/svelte/icons/webhook';

export const CHANNEL_ICONS = { email: Mail, sms: MessageSquareText, whatsapp: MessageCircle, webhook: Webhook };
