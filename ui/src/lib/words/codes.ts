// Stable codes of the server, said to people. A code nobody has words for yet is shown as it stands, never hidden.
import { m } from '#paraglide/messages.js';
import { getLocale } from '#paraglide/runtime.js';

type Words = Record<string, () => string>;

function said(words: Words, code: string): string {
  return words[code]?.() ?? code.replaceAll(/[-_.]/g, ' ');
}

/** newsletter, list, automatic, bounce, loop, spam */
export function kindWord(kind: string): string {
  return said(
    {
      personal: m.kind_personal,
      newsletter: m.kind_newsletter,
      list: m.kind_list,
      automatic: m.kind_automatic,
      bounce: m.kind_bounce,
      loop: m.kind_loop,
      spam: m.kind_spam,
    },
    kind,
  );
}

/** Why the filter said so (domain/rules/*-mail.ts). */
export function kindReason(code: string): string {
  return said(
    {
      'list-id': m.reason_list_id,
      'list-post': m.reason_list_post,
      'list-unsubscribe': m.reason_list_unsubscribe,
      'list-other': m.reason_list_other,
      'precedence-bulk': m.reason_precedence,
      'precedence-list': m.reason_precedence,
      'precedence-junk': m.reason_precedence,
      'one-click': m.reason_one_click,
      'feedback-id': m.reason_feedback_id,
      'campaign-mailer': m.reason_campaign_mailer,
      'newsletter-sender': m.reason_newsletter_sender,
      'unsubscribe-words': m.reason_unsubscribe_words,
      'web-version-words': m.reason_web_version,
      'auto-submitted': m.reason_auto_submitted,
      'auto-reply-header': m.reason_auto_reply_header,
      'empty-return-path': m.reason_empty_return_path,
      'absence-subject': m.reason_absence_subject,
      'read-receipt': m.reason_read_receipt,
      'feedback-report': m.reason_feedback_report,
      'delivery-status': m.reason_delivery_status,
      'failed-recipients': m.reason_failed_recipients,
      'failure-subject': m.reason_failure_words,
      'failure-text': m.reason_failure_words,
      'own-message-id': m.reason_own_message,
      'own-x-loop': m.reason_own_message,
      'own-automatic-mail': m.reason_own_message,
      'spam-header': m.reason_spam_header,
      'junk-folder': m.reason_junk_folder,
      'dmarc-fail': m.reason_dmarc_fail,
      'sender-blocked': m.reason_sender_blocked,
      'sender-allowed': m.reason_sender_allowed,
      'answers-us': m.reason_answers_us,
      'not-mail': m.reason_not_mail,
      'no-sign': m.reason_no_sign,
      corrected: m.reason_corrected,
    },
    code,
  );
}

/** Why a message is answered as it is, or not (domain/rules/anti-loop.ts). */
export function replyReason(code: string): string {
  if (code.startsWith('kind-')) return m.answer_kind({ kind: kindWord(code.slice('kind-'.length)) });
  return said(
    {
      'mode-off': m.answer_mode_off,
      backfill: m.answer_backfill,
      superseded: m.answer_superseded,
      validation: m.answer_validation,
      automatic: m.answer_automatic,
      ...CAUTIONS,
    },
    code,
  );
}

const CAUTIONS: Words = {
  'no-model': m.caution_no_model,
  'no-tenant-prompt': m.caution_no_prompt,
  suspicious: m.caution_suspicious,
  'second-automatic-reply': m.caution_second_automatic,
  'client-ceiling': m.caution_client_ceiling,
  'tenant-ceiling': m.caution_tenant_ceiling,
  'someone-just-replied': m.answer_someone_just_replied,
  'sender-does-not-want-it': m.caution_sender,
  'model-failed': m.caution_model_failed,
  'no-other-article': m.caution_no_other_article,
  'run-ended': m.caution_run_ended,
  'reply-to-differs': m.caution_reply_to,
  newcomer: m.caution_newcomer,
  'authentication-failed': m.caution_authentication_failed,
  'reply.no-return-address': m.caution_cannot_be_sent,
  'reply.no-account': m.caution_cannot_be_sent,
  'reply.whatsapp-window-closed': m.caution_whatsapp_window,
  'reply.too-long': m.refusal_too_long,
  'reply.no-number': m.refusal_no_number,
  'reply.no-return-number': m.refusal_no_return_number,
};

/** Why a draft waits although its folder answers by itself, or why it could not be written again. */
export function cautionWord(code: string): string {
  return said(CAUTIONS, code);
}

/** Why a reply did not leave, or did not arrive (activities/providers/smtp.ts, vonage.ts). */
export function failureWord(code: string): string {
  return said(
    {
      'credentials-refused': m.failure_credentials,
      'recipient-refused': m.failure_recipient,
      'message-refused': m.failure_message,
      'file-missing': m.failure_file_missing,
      'store-unavailable': m.failure_store_unavailable,
      'sending-limit': m.failure_sending_limit,
      'server-busy': m.failure_busy,
      'server-unreachable': m.failure_unreachable,
      'outcome-unknown': m.failure_unknown,
      interrupted: m.failure_interrupted,
      'taken-over': m.failure_interrupted,
      bounced: m.failure_bounced,
      'not-delivered': m.failure_not_delivered,
      'no-credit': m.failure_no_credit,
    },
    code,
  );
}

export function cancelReason(code: string): string {
  return said(
    {
      'client-answered': m.cancel_client_answered,
      deleted: m.cancel_deleted,
      'newer-reply': m.cancel_newer_reply,
      person: m.cancel_person,
      resolved: m.cancel_resolved,
    },
    code,
  );
}

export function intentWord(code: string): string {
  return said(
    {
      question: m.intent_question,
      complaint: m.intent_complaint,
      request: m.intent_request,
      appointment: m.intent_appointment,
      order: m.intent_order,
      thanks: m.intent_thanks,
      other: m.intent_other,
    },
    code,
  );
}

/** Why a call of Vonage was not let in. */
export function quarantineReason(code: string): string {
  return said(
    {
      unsigned: m.quarantine_unsigned,
      'wrong-signature': m.quarantine_wrong_signature,
      'too-old': m.quarantine_too_old,
      'unknown-number': m.quarantine_unknown_number,
    },
    code,
  );
}

/** Why a file is kept back, or opens after a warning (domain/rules/file-verdict.ts). */
export function fileReason(code: string): string {
  return said(
    {
      program: m.file_reason_program,
      script: m.file_reason_script,
      shortcut: m.file_reason_shortcut,
      'disk-image': m.file_reason_disk_image,
      macros: m.file_reason_macros,
      'double-extension': m.file_reason_double_extension,
      'archive-bomb': m.file_reason_archive_bomb,
      'archive-nested': m.file_reason_archive_nested,
      'archive-program': m.file_reason_archive_program,
      'archive-encrypted': m.file_reason_archive_encrypted,
      'archive-unreadable': m.file_reason_archive_unreadable,
      encrypted: m.file_reason_encrypted,
      'too-large': m.file_reason_too_large,
      'too-many': m.file_reason_too_many,
      'before-checks': m.file_reason_before_checks,
      'not-scanned': m.file_reason_not_scanned,
      'scan-refused': m.file_reason_scan_refused,
      virus: m.file_reason_virus,
    },
    code,
  );
}

export function roleWord(role: string): string {
  return said({ viewer: m.role_viewer, agent: m.role_agent, admin: m.role_admin, owner: m.role_owner }, role);
}

export function languageName(code: string, locale: string): string {
  return new Intl.DisplayNames(locale, { type: 'language' }).of(code) ?? code;
}

/** Of a template: `fr`, or `en_US` as Meta writes it. */
export function templateLanguage(code: string): string {
  return languageName(code.replace('_', '-'), getLocale());
}
