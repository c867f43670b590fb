// Why something was refused, as a sentence in the reader's language. Codes that are not listed keep the API's sentence.
import { m } from '#paraglide/messages.js';
import { parameterProblem, type TemplateFields, templateProblem } from '../../../domain/rules/whatsapp-template.ts';
import { RefusedByApi } from './api.ts';

const SENTENCES: Record<string, () => string> = {
  'article.not-found': m.refusal_gone,
  'conversation.not-found': m.refusal_conversation_gone,
  'conversation.message-arriving': m.refusal_message_arriving,
  'conversation.reply-unsettled': m.refusal_reply_unsettled,
  'conversation.status-not-allowed': m.refusal_status,
  'draft.already-decided': m.refusal_draft_decided,
  'draft.changed': m.refusal_draft_changed,
  'draft.regenerating': m.refusal_draft_regenerating,
  'draft.not-found': m.refusal_gone,
  'folder.name-taken': m.refusal_folder_name,
  'folder.no-follow-up-text': m.refusal_follow_up_text,
  'folder.no-prompt': m.refusal_no_prompt,
  'folder.not-found': m.refusal_folder_gone,
  'follow-up.in-the-past': m.refusal_in_the_past,
  'follow-up.no-text': m.refusal_follow_up_text,
  'integration.not-found': m.refusal_gone,
  'integration.no-mailbox': m.refusal_no_mailbox,
  'backfill.not-running': m.refusal_backfill_over,
  'backfill.running': m.refusal_backfill_running,
  'call.not-found': m.refusal_gone,
  'call.not-kept': m.refusal_call_not_kept,
  'mailbox.no-such-folder': m.refusal_no_such_mail_folder,
  'number.connected': m.refusal_number_connected,
  'number.no-secret': m.refusal_number_no_secret,
  'number.not-connected': m.refusal_number_not_connected,
  'number.not-valid': m.refusal_number_not_valid,
  'number.private-key': m.refusal_private_key,
  'oauth.not-offered': m.refusal_oauth_not_offered,
  'reply.no-account': m.refusal_no_account,
  'reply.not-an-address': m.refusal_not_an_address,
  'reply.no-number': m.refusal_no_number,
  'reply.no-return-number': m.refusal_no_return_number,
  'reply.too-long': m.refusal_too_long,
  'reply.whatsapp-window-closed': m.refusal_whatsapp_window,
  'saved.at-once': m.refusal_saved_at_once,
  'signature.wrong': m.refusal_signature_wrong,
  'template.body-too-long': m.refusal_template_too_long,
  'template.changed': m.refusal_template_changed,
  'template.exists': m.refusal_template_exists,
  'template.language': m.refusal_template_language,
  'template.name': m.refusal_template_name,
  'template.no-body': m.refusal_template_no_body,
  'template.not-found': m.refusal_template_gone,
  'template.other-channel': m.refusal_template_channel,
  'template.parameter-lines': m.refusal_parameter_lines,
  'template.parameter-missing': m.refusal_parameter_missing,
  'template.parameter-spaces': m.refusal_parameter_spaces,
  'template.placeholder-at-edge': m.refusal_template_edge,
  'template.placeholder-form': () => m.refusal_template_form({ first: '{{1}}', second: '{{2}}' }),
  'template.placeholder-gap': () => m.refusal_template_gap({ first: '{{1}}' }),
  'reply.no-return-address': m.refusal_no_address,
  'reply.settled': m.refusal_reply_settled,
  'role.too-low': m.refusal_role,
  'trial.not-found': m.refusal_trial_over,
  'trial.not-passed': m.refusal_trial_failed,
  'welcome.over': m.refusal_welcome_over,
  'welcome.wrong-link': m.refusal_welcome_link,
  'session.missing': m.refusal_signed_out,
  'request.too-large': m.refusal_too_large,
  'reply.in-the-past': m.refusal_in_the_past,
  'reply.too-far': m.refusal_reply_too_far,
  'reply.no-files': m.refusal_no_files,
  'store.unavailable': m.refusal_store_unavailable,
  'upload.blocked': m.refusal_file_blocked,
  'upload.empty': m.refusal_file_empty,
  'upload.gone': m.refusal_file_gone,
  'upload.too-large': m.refusal_files_too_large,
  unreachable: m.refusal_unreachable,
};

export function sentenceOf(error: unknown): string {
  if (!(error instanceof RefusedByApi)) return error instanceof TypeError ? m.refusal_offline() : m.refusal_unknown();
  const { code, detail, details, errors } = error.problem;
  const known = SENTENCES[code];
  if (known) return known();
  if (code === 'internal') return m.refusal_internal({ reference: String(details?.reference ?? '—').slice(0, 8) });
  return (
    errors?.map(({ path, message }) => `${path.replace(/^body\./, '')}: ${message}`).join(' · ') ??
    detail ??
    m.refusal_unknown()
  );
}

/** What the API would say of a template, before it is asked. */
export function templateSentence(template: TemplateFields): string | null {
  const problem = templateProblem(template);
  return problem && SENTENCES[`template.${problem}`]!();
}

export function parameterSentence(parameter: string): string | null {
  const problem = parameterProblem(parameter);
  return problem && SENTENCES[`template.${problem}`]!();
}

export function codeOf(error: unknown): string | null {
  return error instanceof RefusedByApi ? error.problem.code : null;
}
