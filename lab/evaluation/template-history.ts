/** What became of templates: follows the changes a miner reports, and says where an id given earlier stands now. */
import type { MinedChange } from '@aegis/domain/log-words'

export class TemplateHistory {
  readonly #next = new Map<string, string>()
  readonly #texts = new Map<string, string>()

  follow(changes: readonly MinedChange[]): void {
    for (const change of changes) {
      if (change.kind === 'created') {
        // a template that was given up and came back stands for itself again
        this.#next.delete(change.id)
        this.#texts.set(change.id, change.text)
        continue
      }
      const to = change.kind === 'widened' ? change.to : change.into
      this.#next.delete(to)
      if (to !== change.from) this.#next.set(change.from, to)
      this.#texts.set(to, change.text)
    }
  }

  /** The id that lines of this template carry now. */
  resolve(id: string): string {
    let at = id
    for (let next = this.#next.get(at); next !== undefined; next = this.#next.get(at)) at = next
    // shorten the way for the next time
    for (let step = id; step !== at; ) {
      const next = this.#next.get(step) as string
      this.#next.set(step, at)
      step = next
    }
    return at
  }

  textOf(id: string): string | undefined {
    return this.#texts.get(id)
  }
}
