// A folder while it is being edited. What the server holds is what it is compared with.
import type { Asked, FolderView } from '#lib/api.ts';
import { GroupNode, problemsOf, treeOf } from '#lib/rule-tree.svelte.ts';

type Body = NonNullable<Asked<'createFolder'>['body']>;

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * HOUR_SECONDS;

export class FolderForm {
  name = $state('');
  rules = $state<GroupNode[]>([]);
  aiFilter = $state('');
  replyMode = $state<FolderView['replyMode']>('off');
  prompt = $state('');
  useKnowledge = $state(true);
  signature = $state('');
  hasDeadline = $state(false);
  deadlineSeconds = $state(4 * HOUR_SECONDS);
  deadlineAction = $state<FolderView['deadlineAction']>('remind');
  escalateTo = $state('');
  followUpMode = $state<FolderView['followUpMode']>('off');
  followUpAfterSeconds = $state(3 * DAY_SECONDS);
  followUpText = $state('');
  readonly #saved: string;

  constructor(folder: FolderView | null) {
    if (folder) this.#take(folder);
    else this.rules = [GroupNode.empty()];
    this.#saved = JSON.stringify(this.body);
  }

  get body(): Body {
    return {
      name: this.name,
      rules: this.rules.map(({ rule }) => rule),
      aiFilter: this.aiFilter.trim() || null,
      replyMode: this.replyMode,
      prompt: this.prompt,
      useKnowledge: this.useKnowledge,
      signature: this.signature,
      deadlineSeconds: this.hasDeadline ? this.deadlineSeconds : null,
      deadlineAction: this.deadlineAction,
      escalateTo: this.deadlineAction === 'escalate' && this.escalateTo ? this.escalateTo : null,
      followUpMode: this.followUpMode,
      followUpAfterSeconds: this.followUpAfterSeconds,
      followUpText: this.followUpText,
    };
  }

  get isChanged(): boolean {
    return JSON.stringify(this.body) !== this.#saved;
  }

  get hasProblems(): boolean {
    return this.rules.some((rule) => problemsOf(rule).length > 0);
  }

  addRule(): void {
    this.rules = [...this.rules, GroupNode.empty()];
  }

  removeRule(rule: GroupNode): void {
    this.rules = this.rules.filter(({ key }) => key !== rule.key);
  }

  #take(folder: FolderView): void {
    this.name = folder.name;
    this.rules = folder.rules.map(treeOf);
    this.aiFilter = folder.aiFilter ?? '';
    this.replyMode = folder.replyMode;
    this.prompt = folder.prompt;
    this.useKnowledge = folder.useKnowledge;
    this.signature = folder.signature;
    this.hasDeadline = folder.deadlineSeconds !== null;
    this.deadlineSeconds = folder.deadlineSeconds ?? this.deadlineSeconds;
    this.deadlineAction = folder.deadlineAction;
    this.escalateTo = folder.escalateTo ?? '';
    this.followUpMode = folder.followUpMode;
    this.followUpAfterSeconds = folder.followUpAfterSeconds;
    this.followUpText = folder.followUpText;
  }
}
