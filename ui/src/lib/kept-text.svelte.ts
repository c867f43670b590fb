// A text somebody is writing, kept in this browser until it is sent: a closed tab loses nothing.
export class KeptText {
  readonly #key: string;
  #text = $state('');

  constructor(key: string) {
    this.#key = `relais.${key}`;
    this.#text = read(this.#key);
  }

  get text(): string {
    return this.#text;
  }

  set text(text: string) {
    this.#text = text;
    write(this.#key, text);
  }
}

// Storage may be full or forbidden; writing on must work all the same.
function read(key: string): string {
  try {
    return localStorage.getItem(key) ?? '';
  } catch {
    return '';
  }
}

function write(key: string, text: string): void {
  try {
    if (text === '') localStorage.removeItem(key);
    else localStorage.setItem(key, text);
  } catch {
    // Only the keeping is lost.
  }
}
