// The present moment, for what is said as "12 s ago": it goes on for as long as the component that asked is shown.
const A_SECOND_MS = 1_000;

export class Clock {
  now = $state(Date.now());

  /** Within a component. */
  constructor() {
    $effect(() => {
      const timer = setInterval(() => {
        this.now = Date.now();
      }, A_SECOND_MS);
      return () => clearInterval(timer);
    });
  }
}
