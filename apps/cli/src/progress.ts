/** A bar on a terminal, a line every few seconds elsewhere; nothing for what is over at once. */
export class Progress {
  readonly #what: string
  readonly #total: number
  readonly #started = performance.now()
  #last = 0
  #done = 0

  constructor(what: string, total: number) {
    this.#what = what
    this.#total = total
  }
  add(n: number): void {
    this.#done += n
    const now = performance.now()
    if (now - this.#last < (process.stderr.isTTY ? 100 : 3000) || now - this.#started < 500) return
    this.#last = now
    const share = this.#total > 0 ? Math.min(1, this.#done / this.#total) : 0
    const rate = Math.round(this.#done / ((now - this.#started) / 1000))
    const text = `${this.#what} ${this.#total > 0 ? `${'█'.repeat(Math.round(share * 24)).padEnd(24, '░')} ${Math.round(share * 100)} % ` : ''}${this.#done} (${rate}/s)`
    process.stderr.write(process.stderr.isTTY ? `\r${text}  ` : `${text}\n`)
  }
  end(): void {
    if (this.#last > 0 && process.stderr.isTTY) process.stderr.write('\n')
  }
}
