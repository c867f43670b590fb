// The API's only word about Temporal: where its web UI shows a run. Starting and signalling is the relay's.
export class TemporalLinks {
  readonly #uiUrl: string | null;
  readonly #namespace: string;

  constructor(uiUrl: string | undefined, namespace: string) {
    this.#uiUrl = uiUrl?.replace(/\/$/, '') ?? null;
    this.#namespace = namespace;
  }

  /** null when the installation has no UI to link to */
  run(workflowId: string): string | null {
    if (!this.#uiUrl) return null;
    return `${this.#uiUrl}/namespaces/${encodeURIComponent(this.#namespace)}/workflows/${encodeURIComponent(workflowId)}`;
  }
}
